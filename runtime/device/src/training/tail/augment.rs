//! Pictures shown a little otherwise each time, where the network learns from the input on.

use headstart::head::Random;

use crate::state::Augment;

/// How pixels became the network's values: `(pixel − mean) / std`, a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
}

/// What red, green and blue add to brightness (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// A picture `[1, channels, height, width]`, mirrored, moved and coloured; other shapes stay as they are.
pub(super) fn augmented(
    values: &[f32],
    shape: &[usize],
    augment: Augment,
    levels: Levels,
    random: &mut Random,
) -> Vec<f32> {
    let &[1, channels, height, width] = shape else { return values.to_vec() };
    let mirrored = augment.flip && random.below(2) == 1;
    let mut shift = |extent: usize| {
        let most = (extent / 8) as u32;
        let moved = if augment.crop { random.below(2 * most + 1) } else { most };
        moved as isize - most as isize
    };
    let (down, right) = (shift(height), shift(width));
    let at = |place: usize, by: isize, extent: usize| {
        (place as isize + by).clamp(0, extent as isize - 1) as usize
    };
    let mut moved = Vec::with_capacity(values.len());
    for plane in values.chunks_exact(height * width).take(channels) {
        for row in 0..height {
            let line = &plane[at(row, down, height) * width..][..width];
            for column in 0..width {
                let column = at(column, right, width);
                moved.push(line[if mirrored { width - 1 - column } else { column }]);
            }
        }
    }
    if augment.colour {
        colour(&mut moved, channels, levels, random);
    }
    moved
}

/// Brightness `b · p`, contrast `c · p + (1 − c) · mean grey of the picture`, saturation
/// `s · p + (1 − s) · grey of the pixel`, in this order, on pixels `p`; b, c and s are between 4/5 and 6/5.
fn colour(values: &mut [f32], channels: usize, levels: Levels, random: &mut Random) {
    let mut factor = || 0.8 + 0.4 * random.below(1 << 16) as f32 / 65535.0;
    let (brightness, contrast, saturation) = (factor(), factor(), factor());
    let pixels = values.len() / channels.max(1);
    let level = |channel: usize| (levels.mean[channel.min(2)], levels.std[channel.min(2)]);
    for (channel, plane) in values.chunks_exact_mut(pixels.max(1)).enumerate() {
        let (mean, std) = level(channel);
        plane.iter_mut().for_each(|x| *x = brightness * (*x * std + mean));
    }
    let luma: Vec<f32> = match channels {
        3 => LUMA.to_vec(),
        _ => vec![1.0 / channels.max(1) as f32; channels],
    };
    let grey = |values: &[f32], pixel: usize| -> f32 {
        let channels = luma.iter().enumerate();
        channels.map(|(channel, part)| part * values[channel * pixels + pixel]).sum()
    };
    let mean_grey =
        (0..pixels).map(|pixel| grey(values, pixel)).sum::<f32>() / pixels.max(1) as f32;
    values.iter_mut().for_each(|p| *p = contrast * *p + (1.0 - contrast) * mean_grey);
    for pixel in 0..pixels {
        let grey = grey(values, pixel);
        for channel in 0..channels {
            let (mean, std) = level(channel);
            let p = &mut values[channel * pixels + pixel];
            *p = (saturation * *p + (1.0 - saturation) * grey - mean) / std;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Levels = Levels { mean: [100.0, 110.0, 120.0], std: [50.0, 55.0, 60.0] };

    #[test]
    fn a_picture_is_mirrored_and_moved_by_whole_pixels() {
        let values: Vec<f32> = (0..2 * 8 * 16).map(|i| i as f32).collect();
        let shape = [1, 2, 8, 16];
        let mut random = Random::new(1);
        assert_eq!(augmented(&values, &shape, Augment::default(), LEVELS, &mut random), values);
        let flip = Augment { flip: true, crop: false, colour: false };
        let mirrored: Vec<f32> =
            values.chunks(16).flat_map(|row| row.iter().rev().copied()).collect();
        let mut seen = [false; 2];
        for _ in 0..20 {
            let found = augmented(&values, &shape, flip, LEVELS, &mut random);
            assert!(found == values || found == mirrored);
            seen[usize::from(found == values)] = true;
        }
        assert_eq!(seen, [true; 2]);
        let crop = Augment { flip: false, crop: true, colour: false };
        for _ in 0..20 {
            let found = augmented(&values, &shape, crop, LEVELS, &mut random);
            // One pixel down is 16 further, one to the right is 1 further.
            let middle = found[4 * 16 + 8] as i32 - (4 * 16 + 8);
            let (down, right) = ((middle + 8).div_euclid(16), (middle + 8).rem_euclid(16) - 8);
            assert!(down.abs() <= 1 && right.abs() <= 2, "{middle}");
        }
    }

    #[test]
    fn colours_change_and_a_grey_picture_stays_grey() {
        let shape = [1, 3, 2, 4];
        let of = |pixel: f32, channel: usize| (pixel - LEVELS.mean[channel]) / LEVELS.std[channel];
        let pixel = |x: f32, channel: usize| x * LEVELS.std[channel] + LEVELS.mean[channel];
        let augment = Augment { colour: true, ..Augment::default() };
        let mut random = Random::new(3);
        // Grey of one level: contrast and saturation have nothing to change.
        let grey: Vec<f32> = (0..24).map(|at| of(80.0, at / 8)).collect();
        let mut levels = Vec::new();
        for _ in 0..20 {
            let found = augmented(&grey, &shape, augment, LEVELS, &mut random);
            let level = pixel(found[0], 0);
            assert!((63.9..96.1).contains(&level), "{level}");
            assert!((0..24).all(|at| (pixel(found[at], at / 8) - level).abs() < 1e-2));
            levels.push(level);
        }
        levels.sort_by(f32::total_cmp);
        assert!(levels[19] - levels[0] > 10.0, "{levels:?}");
        // Red beside black: saturation and contrast move what is between them.
        let red: Vec<f32> =
            (0..24).map(|at| of(if at < 4 { 200.0 } else { 0.0 }, at / 8)).collect();
        let first = augmented(&red, &shape, augment, LEVELS, &mut random);
        let ratio = |found: &[f32]| pixel(found[0], 0) / pixel(found[8], 1);
        let second = augmented(&red, &shape, augment, LEVELS, &mut random);
        assert!((ratio(&first) - ratio(&second)).abs() > 1e-3);
    }
}
