//! What two pictures have in common, whatever their size and how they were saved.

use super::Decoded;

/// Rows and columns that a picture is averaged to.
const SIDE: usize = 24;
/// Pictures are the same whose averages go together so far, from -1 to 1. Scaling, and saving as JPEG, leave more than this.
const SAME: f64 = 0.98;
/// Averages that differ by so little from their mean, in levels of 255, are those of a flat picture.
const FLAT: f64 = 2.0;

/// A picture as a few averages; the values of an array as they are.
#[derive(Clone, Debug)]
pub(crate) struct Thumbnail(Vec<f64>);

impl Thumbnail {
    pub(crate) fn of(decoded: &Decoded) -> Self {
        let (width, height, channels, bytes) = match decoded {
            Decoded::Pixels { width, height, channels, bytes } => {
                (*width, *height, *channels, bytes)
            }
            Decoded::Values { values, .. } => {
                return Self(values.iter().map(|&value| value.into()).collect());
            }
        };
        // Of a small picture some pixels stand for several places.
        let range = |at: usize, of: usize| {
            let start = at * of / SIDE;
            start..((at + 1) * of / SIDE).max(start + 1).min(of)
        };
        let mut averages = Vec::with_capacity(SIDE * SIDE);
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (mut sum, mut count) = (0_u64, 0_u64);
                for y in range(row, height) {
                    let columns = range(column, width);
                    let line = &bytes[(y * width + columns.start) * channels..];
                    let line = &line[..columns.len() * channels];
                    sum += line.iter().map(|&level| u64::from(level)).sum::<u64>();
                    count += line.len() as u64;
                }
                averages.push(sum as f64 / count.max(1) as f64);
            }
        }
        Self(averages)
    }

    /// Whether both show the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        if a.len() != b.len() || a.is_empty() {
            return false;
        }
        let count = a.len() as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
        let (of_a, of_b) = (mean(a), mean(b));
        let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
        for (x, y) in a.iter().map(|x| x - of_a).zip(b.iter().map(|y| y - of_b)) {
            aa += x * x;
            bb += y * y;
            ab += x * y;
        }
        match [aa, bb].map(|spread| spread < FLAT * FLAT * count) {
            [true, true] => (of_a - of_b).abs() < FLAT,
            [false, false] => ab >= SAME * (aa * bb).sqrt(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, level: impl Fn(f64, f64) -> f64) -> Thumbnail {
        let mut bytes = Vec::new();
        for y in 0..height {
            for x in 0..width {
                bytes.push(level(x as f64 / width as f64, y as f64 / height as f64) as u8);
            }
        }
        Thumbnail::of(&Decoded::Pixels { width, height, channels: 1, bytes })
    }

    #[test]
    fn another_size_shows_the_same_and_another_picture_does_not() {
        let disc = |x: f64, y: f64| if (x - 0.4).hypot(y - 0.5) < 0.3 { 200.0 } else { 40.0 };
        let moved = |x: f64, y: f64| disc(x - 0.1, y);
        let whole = picture(120, 90, disc);
        assert!(whole.is_like(&picture(301, 200, disc)));
        assert!(whole.is_like(&picture(120, 90, |x, y| disc(x, y) * 0.9 + 10.0)));
        assert!(!whole.is_like(&picture(120, 90, moved)));
        assert!(!whole.is_like(&picture(120, 90, |x, y| 255.0 - disc(x, y))));
        let grey = |level: f64| picture(5, 7, move |_, _| level);
        assert!(grey(100.0).is_like(&grey(101.0)) && !grey(100.0).is_like(&grey(110.0)));
        assert!(!whole.is_like(&grey(100.0)));
    }
}
