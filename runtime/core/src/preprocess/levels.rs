//! A picture resized to the input's extents.

use super::axis::Taps;
use super::enlarge::Enlarge;
use super::places::{self, places};
use super::{Picture, filtered};
use crate::Error;
use crate::pack::Input;

/// Resizes and crops a picture to the input's extents and calls `put` with the index (of
/// `[height, width, channels]`), the channel and the level, 0…255, of every element once.
///
/// Bilinear with the filter widened where the picture shrinks (what Pillow calls `BILINEAR`): with
/// `s = source / target`, `t = max(s, 1)` and `c = (i + 0.5) · s`, target `i` is the mean of the
/// pixels `k` weighted by `max(0, 1 − |k + 0.5 − c| / t)`, on each axis, rounded half up. A grey
/// picture feeds every channel; of a coloured one a grey model sees
/// `(299 r + 587 g + 114 b + 500) / 1000`. Where the pack names a [`Filter`](crate::pack::Filter), levels are that one's.
///
/// # Errors
///
/// [`Error::BufferLength`] if the pixels are more or fewer than their extents say,
/// [`Error::ShapeOverflow`] for a picture without pixels or with other than 1 or 3 channels, or
/// where the model's input is no picture.
pub fn levels(
    input: &Input,
    picture: Picture<'_>,
    mut put: impl FnMut(usize, usize, u8),
) -> Result<(), Error> {
    let Picture { pixels, width, height, channels } = picture;
    let bytes = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
    let is_picture = |channels: usize| channels == 1 || channels == 3;
    let targets = input.channels as usize;
    if bytes.is_none_or(|n| n == 0) || !is_picture(channels) || !is_picture(targets) {
        return Err(Error::ShapeOverflow);
    }
    if bytes != Some(pixels.len()) {
        return Err(Error::BufferLength { expected: bytes.unwrap_or(0), found: pixels.len() });
    }
    let [rows, columns] = places(input, [height, width])?;
    let (input_height, input_width) = (input.height as usize, input.width as usize);
    let mut put_pixel = |x: usize, y: usize, [r, g, b]: [u8; 3]| {
        let index = (y * input_width + x) * targets;
        if targets == 3 {
            put(index, 0, r);
            put(index + 1, 1, g);
            put(index + 2, 2, b);
        } else if channels == 3 {
            let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
            put(index, 0, ((sum + 500) / 1000) as u8);
        } else {
            put(index, 0, r);
        }
    };
    let kept = [input_height, input_width];
    if let Some(filter) = input.preprocessing.resize.filter() {
        let [rows, columns] = places::filtered(filter, [&rows, &columns]);
        if channels == 3 {
            filtered::run::<3>(&picture, [&rows, &columns], kept, put_pixel);
        } else {
            let put = |x, y, [grey]: [u8; 1]| put_pixel(x, y, [grey; 3]);
            filtered::run::<1>(&picture, [&rows, &columns], kept, put);
        }
        return Ok(());
    }
    let [rows, columns] = [rows.axis(), columns.axis()];
    if rows.enlarges() && columns.enlarges() {
        let [height, width] = kept;
        let enlarge = Enlarge { rows: &rows, columns: &columns, height, width };
        if channels == 3 {
            enlarge.run::<3>(pixels, picture.width, put_pixel);
        } else {
            enlarge.run::<1>(pixels, picture.width, |x, y, [grey]| put_pixel(x, y, [grey; 3]));
        }
        return Ok(());
    }
    // Columns in strips, so that what a column reads is worked out once for all rows.
    for strip in (0..input_width).step_by(STRIP) {
        let strip = strip..(strip + STRIP).min(input_width);
        let strip_columns: [Column; STRIP] = core::array::from_fn(|at| {
            Column::new(columns.taps((strip.start + at).min(strip.end - 1)))
        });
        for y in 0..input_height {
            let row = rows.taps(y);
            let row_total = row.total();
            for (x, column) in strip.clone().zip(&strip_columns) {
                let [r, g, b] = if channels == 3 {
                    mean::<3>(&picture, &row, row_total, column)
                } else {
                    [mean::<1>(&picture, &row, row_total, column)[0]; 3]
                };
                put_pixel(x, y, [r, g, b]);
            }
        }
    }
    Ok(())
}

/// Columns of a strip.
const STRIP: usize = 32;

/// Weights of a column that are kept; a picture that grows has two of them.
const KEPT: usize = 4;

/// What one target column reads.
struct Column {
    taps: Taps,
    total: f32,
    /// The first weights.
    weights: [f32; KEPT],
}

impl Column {
    fn new(taps: Taps) -> Self {
        let weights = core::array::from_fn(|at| taps.weight(taps.first + at));
        Self { total: taps.total(), weights, taps }
    }

    /// The weight of its tap number `at`.
    #[inline]
    fn weight(&self, at: usize) -> f32 {
        self.weights.get(at).copied().unwrap_or_else(|| self.taps.weight(self.taps.first + at))
    }
}

/// The weighted mean of the pixels under one target pixel; `N` is the picture's channels.
#[inline]
fn mean<const N: usize>(
    picture: &Picture<'_>,
    row: &Taps,
    row_total: f32,
    column: &Column,
) -> [u8; N] {
    let width = picture.width;
    let count = column.taps.end - column.taps.first;
    let mut sums = [0.0_f32; N];
    for y in row.first..row.end {
        let wy = row.weight(y);
        let run = &picture.pixels[(y * width + column.taps.first) * N..][..count * N];
        for (at, pixel) in run.as_chunks::<N>().0.iter().enumerate() {
            let weight = wy * column.weight(at);
            for (sum, &p) in sums.iter_mut().zip(pixel) {
                *sum += weight * f32::from(p);
            }
        }
    }
    let total = row_total * column.total;
    sums.map(|sum| (sum / total + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::axis::Axis;
    use super::*;

    /// Two ways to the same levels: side by side, and pixel by pixel.
    fn both<const N: usize>(source: [usize; 2], target: [u32; 2], kept: [u32; 2]) {
        let [height, width] = source;
        let pixels: Vec<u8> = (0..height * width * N).map(|at| (at * 89 + at / 7) as u8).collect();
        let rows = Axis::new(height, target[0], (target[0] - kept[0]) / 2);
        let columns = Axis::new(width, target[1], (target[1] - kept[1]) / 2);
        let [kept_height, kept_width] = kept.map(|n| n as usize);
        let enlarge =
            Enlarge { rows: &rows, columns: &columns, height: kept_height, width: kept_width };
        let mut found = std::vec![[0; N]; kept_height * kept_width];
        enlarge.run::<N>(&pixels, width, |x, y, level| found[y * kept_width + x] = level);
        let picture = Picture { pixels: &pixels, width, height, channels: N };
        for y in 0..kept_height {
            let row = rows.taps(y);
            for x in 0..kept_width {
                let column = Column::new(columns.taps(x));
                let expected = mean::<N>(&picture, &row, row.total(), &column);
                assert_eq!(found[y * kept_width + x], expected, "{source:?} {target:?} {x} {y}");
            }
        }
    }

    #[test]
    fn enlarging_side_by_side_equals_pixel_by_pixel() {
        for extent in [1, 2, 3, 31, 32, 33, 64] {
            for target in [64, 65, 97, 224] {
                both::<3>([extent, 64], [target, 65], [target, 65]);
                both::<3>([17, extent], [17, target], [17, target - 9]);
                both::<1>([extent, extent], [target, target], [target - 1, target - 2]);
            }
        }
    }
}
