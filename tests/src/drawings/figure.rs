//! Line figures: random ones to train a backbone on, and icons that it never saw.

use super::random::Random;

/// Strokes of a pen. Points are (x, y) in −1…1, x to the right and y downwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Each stroke is a chain of at least two points.
    pub strokes: Vec<Vec<[f32; 2]>>,
}

/// The icons, by name, in alphabetical order.
pub const ICONS: [&str; 10] =
    ["boat", "fish", "flag", "heart", "house", "key", "mug", "star", "tree", "umbrella"];

/// The figure of [`ICONS`]`[index]`.
pub fn icon(index: usize) -> Figure {
    let strokes = match ICONS[index] {
        "boat" => vec![
            closed(&[[-0.9, 0.3], [0.9, 0.3], [0.5, 0.8], [-0.5, 0.8]]),
            vec![[0.0, 0.3], [0.0, -0.9]],
            vec![[0.0, -0.9], [0.7, 0.05], [0.0, 0.05]],
        ],
        "fish" => vec![
            arc([-0.2, 0.0], [0.65, 0.45], 0.0, 1.0),
            vec![[0.45, 0.0], [0.9, -0.4], [0.9, 0.4], [0.45, 0.0]],
            arc([-0.5, -0.1], [0.08, 0.08], 0.0, 1.0),
        ],
        "flag" => vec![
            vec![[-0.6, 0.9], [-0.6, -0.9]],
            vec![[-0.6, -0.9], [0.7, -0.9], [0.4, -0.5], [0.7, -0.1], [-0.6, -0.1]],
        ],
        "heart" => vec![
            arc([-0.4, -0.35], [0.4, 0.4], 0.5, 1.0),
            arc([0.4, -0.35], [0.4, 0.4], 0.5, 1.0),
            vec![[-0.8, -0.35], [0.0, 0.8], [0.8, -0.35]],
        ],
        "house" => vec![
            closed(&[[-0.65, -0.1], [0.65, -0.1], [0.65, 0.8], [-0.65, 0.8]]),
            vec![[-0.9, -0.1], [0.0, -0.9], [0.9, -0.1]],
            vec![[-0.15, 0.8], [-0.15, 0.3], [0.2, 0.3], [0.2, 0.8]],
        ],
        "key" => vec![
            arc([-0.5, 0.0], [0.38, 0.38], 0.0, 1.0),
            vec![[-0.1, 0.0], [0.9, 0.0], [0.9, 0.4]],
            vec![[0.55, 0.0], [0.55, 0.35]],
        ],
        "mug" => vec![
            closed(&[[-0.7, -0.6], [0.35, -0.6], [0.35, 0.75], [-0.7, 0.75]]),
            arc([0.35, 0.05], [0.45, 0.4], -0.25, 0.25),
        ],
        "star" => {
            let points: Vec<[f32; 2]> = (0..5)
                .map(|k| on_ellipse([0.0, 0.05], [0.9, 0.9], 0.4 * k as f32 - 0.25))
                .collect();
            vec![closed(&points)]
        }
        "tree" => vec![
            vec![[0.0, 0.9], [0.0, 0.5]],
            closed(&[[0.0, -0.9], [0.55, -0.2], [-0.55, -0.2]]),
            closed(&[[0.0, -0.2], [0.75, 0.5], [-0.75, 0.5]]),
        ],
        _ => vec![
            arc([0.0, 0.0], [0.85, 0.8], 0.5, 1.0),
            vec![[-0.85, 0.0], [0.85, 0.0]],
            vec![[0.0, 0.0], [0.0, 0.65]],
            arc([-0.18, 0.65], [0.18, 0.2], 0.0, 0.5),
        ],
    };
    Figure { strokes }
}

/// Figure `class` of the endless family `seed`: two to four chains and arcs with ends on a 5×5 grid.
pub fn random_figure(seed: u64, class: usize) -> Figure {
    let mut random = Random::keyed(seed, class as u64, u64::MAX);
    let count = 2 + random.below(3);
    let strokes = (0..count)
        .map(|_| match random.below(5) {
            0 | 1 => {
                let centre = grid_point(&mut random).map(|v| v * 0.5);
                let radii = [random.between(0.25, 0.6), random.between(0.25, 0.6)];
                let from = random.below(4) as f32 / 4.0;
                let turn = [0.5, 0.75, 1.0][random.below(3)];
                arc(centre, radii, from, from + turn)
            }
            kind => {
                let mut points = vec![grid_point(&mut random)];
                while points.len() < kind {
                    let next = grid_point(&mut random);
                    let last = points[points.len() - 1];
                    if (next[0] - last[0]).abs() + (next[1] - last[1]).abs() > 0.7 {
                        points.push(next);
                    }
                }
                if kind == 4 && random.below(2) == 0 { closed(&points) } else { points }
            }
        })
        .collect();
    Figure { strokes }
}

fn grid_point(random: &mut Random) -> [f32; 2] {
    [0, 1].map(|_| random.below(5) as f32 * 0.425 - 0.85)
}

fn closed(points: &[[f32; 2]]) -> Vec<[f32; 2]> {
    points.iter().chain(points.first()).copied().collect()
}

/// An arc of an ellipse as a chain of at most 16 chords; angles in turns, clockwise from the right.
fn arc(centre: [f32; 2], radii: [f32; 2], from: f32, to: f32) -> Vec<[f32; 2]> {
    let chords = libm::ceilf((to - from) * 16.0).max(2.0);
    (0..=chords as usize)
        .map(|k| on_ellipse(centre, radii, from + (to - from) * k as f32 / chords))
        .collect()
}

fn on_ellipse(centre: [f32; 2], radii: [f32; 2], turns: f32) -> [f32; 2] {
    let angle = turns * std::f32::consts::TAU;
    [centre[0] + radii[0] * libm::cosf(angle), centre[1] + radii[1] * libm::sinf(angle)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_drawable(figure: &Figure) {
        assert!(!figure.strokes.is_empty());
        for stroke in &figure.strokes {
            assert!(stroke.len() >= 2);
            assert!(stroke.iter().flatten().all(|v| v.abs() <= 1.1), "{stroke:?}");
        }
    }

    #[test]
    fn every_figure_lies_in_the_unit_square() {
        (0..ICONS.len()).for_each(|index| assert_drawable(&icon(index)));
        (0..200).for_each(|class| assert_drawable(&random_figure(7, class)));
    }

    #[test]
    fn figures_differ_from_each_other() {
        let figures: Vec<Figure> = (0..ICONS.len())
            .map(icon)
            .chain((0..100).map(|class| random_figure(7, class)))
            .collect();
        for (index, figure) in figures.iter().enumerate() {
            assert!(!figures[..index].contains(figure), "figure {index} repeats");
        }
    }
}
