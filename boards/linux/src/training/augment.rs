//! Pictures shown a little otherwise each time, where the network learns from the input on.

#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
use headstart::head::Random;

/// What is done to a picture at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augment {
    /// Mirrored left to right, every second time.
    pub flip: bool,
    /// Moved by up to an eighth on each axis; the edge fills what is left.
    pub crop: bool,
}

impl Augment {
    /// Whether anything is done.
    pub fn any(self) -> bool {
        self.flip || self.crop
    }
}

/// A picture `[1, channels, height, width]`, mirrored and moved; other shapes stay as they are.
#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
pub(super) fn augmented(
    values: &[f32],
    shape: &[usize],
    augment: Augment,
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
    moved
}

#[cfg(all(test, any(feature = "ndarray", feature = "candle", feature = "flex")))]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_mirrored_and_moved_by_whole_pixels() {
        let values: Vec<f32> = (0..2 * 8 * 16).map(|i| i as f32).collect();
        let shape = [1, 2, 8, 16];
        let mut random = Random::new(1);
        assert_eq!(augmented(&values, &shape, Augment::default(), &mut random), values);
        let flip = Augment { flip: true, crop: false };
        let mirrored: Vec<f32> =
            values.chunks(16).flat_map(|row| row.iter().rev().copied()).collect();
        let mut seen = [false; 2];
        for _ in 0..20 {
            let found = augmented(&values, &shape, flip, &mut random);
            assert!(found == values || found == mirrored);
            seen[usize::from(found == values)] = true;
        }
        assert_eq!(seen, [true; 2]);
        let crop = Augment { flip: false, crop: true };
        for _ in 0..20 {
            let found = augmented(&values, &shape, crop, &mut random);
            // One pixel down is 16 further, one to the right is 1 further.
            let middle = found[4 * 16 + 8] as i32 - (4 * 16 + 8);
            let (down, right) = ((middle + 8).div_euclid(16), (middle + 8).rem_euclid(16) - 8);
            assert!(down.abs() <= 1 && right.abs() <= 2, "{middle}");
        }
    }
}
