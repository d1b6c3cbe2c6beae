//! Draws a figure as a small, noisy colour picture.

use super::figure::Figure;
use super::random::Random;

/// Pixels of a square picture's side.
pub const SIDE: usize = 32;

/// One picture: [`SIDE`] rows of [`SIDE`] RGB pixels. Turned by up to ±20°, scaled, sheared and shifted, with
/// shaky corners, a pen of random width, ink and paper of random colours (the paper's changes from side
/// to side), up to two stray lines, and noise. Everything follows from `random`.
pub fn picture(figure: &Figure, random: &mut Random) -> Vec<u8> {
    let pen = Pen::new(random);
    let ink_lines = segments(&figure.strokes, |point| pen.place(point, random));
    let (paper, ink) = colours(random);
    let stray_colour = mix(paper[0], ink, random.between(0.3, 0.7));
    let stray: Vec<[f32; 4]> =
        (0..random.below(3)).map(|_| [0; 4].map(|_| random.between(-1.0, 1.0))).collect();
    let across = random.between(-0.5, 0.5);
    let noise = random.between(4.0, 18.0);

    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    let pixel = 2.0 / SIDE as f32;
    for row in 0..SIDE {
        for column in 0..SIDE {
            let x = (column as f32 + 0.5) * pixel - 1.0;
            let y = (row as f32 + 0.5) * pixel - 1.0;
            let slope = (0.5 + 0.5 * (x * (1.0 - across.abs()) + y * across)).clamp(0.0, 1.0);
            let mut colour = mix(paper[0], paper[1], slope);
            let cover = |lines: &[[f32; 4]], half_width: f32| {
                let nearest = lines.iter().map(|line| distance(line, x, y));
                let gap = nearest.fold(f32::INFINITY, f32::min) - half_width;
                (0.5 - gap / pixel).clamp(0.0, 1.0)
            };
            colour = mix(colour, stray_colour, cover(&stray, 0.03));
            colour = mix(colour, ink, cover(&ink_lines, pen.half_width));
            for value in colour {
                let noisy = value + noise * random.bell();
                pixels.push((noisy + 0.5).clamp(0.0, 255.0) as u8);
            }
        }
    }
    pixels
}

/// How the figure lies on the paper.
struct Pen {
    matrix: [f32; 4],
    shift: [f32; 2],
    shake: f32,
    half_width: f32,
}

impl Pen {
    fn new(random: &mut Random) -> Self {
        let turn = random.between(-0.35, 0.35);
        let size = random.between(0.6, 0.85);
        let aspect = random.between(0.85, 1.15);
        let shear = random.between(-0.2, 0.2);
        let (sin, cos) = (libm::sinf(turn) * size, libm::cosf(turn) * size);
        Self {
            matrix: [cos * aspect, cos * shear - sin, sin * aspect, sin * shear + cos],
            shift: [0; 2].map(|_| random.between(-0.15, 0.15)),
            shake: random.between(0.0, 0.07),
            half_width: random.between(0.04, 0.1),
        }
    }

    fn place(&self, [x, y]: [f32; 2], random: &mut Random) -> [f32; 2] {
        let [a, b, c, d] = self.matrix;
        let mut shaky = |v: f32| v + random.between(-self.shake, self.shake);
        [shaky(a * x + b * y + self.shift[0]), shaky(c * x + d * y + self.shift[1])]
    }
}

/// The strokes as single lines (x0, y0, x1, y1); chained lines keep their common point.
fn segments(
    strokes: &[Vec<[f32; 2]>],
    mut place: impl FnMut([f32; 2]) -> [f32; 2],
) -> Vec<[f32; 4]> {
    let mut lines = Vec::new();
    for stroke in strokes {
        let placed: Vec<[f32; 2]> = stroke.iter().map(|&point| place(point)).collect();
        lines
            .extend(placed.windows(2).map(|pair| [pair[0][0], pair[0][1], pair[1][0], pair[1][1]]));
    }
    lines
}

/// Two ends of the paper's colour, and an ink that stands off both by at least 70 grey levels.
fn colours(random: &mut Random) -> ([[f32; 3]; 2], [f32; 3]) {
    loop {
        let mut colour = || [0; 3].map(|_| random.between(0.0, 255.0));
        let (paper, other, ink) = (colour(), colour(), colour());
        let paper = [paper, mix(paper, other, 0.4)];
        if paper.iter().all(|&end| (grey(end) - grey(ink)).abs() >= 70.0) {
            return (paper, ink);
        }
    }
}

/// ITU-R BT.601 luma.
fn grey([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

fn mix(from: [f32; 3], to: [f32; 3], part: f32) -> [f32; 3] {
    [0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * part)
}

/// From the point (`x`, `y`) to the nearest point of a line with two ends.
fn distance(&[x0, y0, x1, y1]: &[f32; 4], x: f32, y: f32) -> f32 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let length = (dx * dx + dy * dy).max(1e-12);
    let along = (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0);
    let (px, py) = (x - x0 - along * dx, y - y0 - along * dy);
    libm::sqrtf(px * px + py * py)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawings::figure::icon;

    #[test]
    fn a_seed_always_draws_the_same_picture() {
        let draw = |seed| picture(&icon(3), &mut Random::new(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).len(), SIDE * SIDE * 3);
    }

    #[test]
    fn ink_can_be_told_from_paper() {
        for seed in 0..50 {
            let pixels = picture(&icon(4), &mut Random::new(seed));
            let greys: Vec<f32> =
                pixels.chunks(3).map(|rgb| grey([rgb[0], rgb[1], rgb[2]].map(f32::from))).collect();
            let (low, high) = greys.iter().fold((255.0, 0.0), |(low, high): (f32, f32), &value| {
                (low.min(value), high.max(value))
            });
            assert!(high - low >= 60.0, "seed {seed}: {low}…{high}");
        }
    }
}
