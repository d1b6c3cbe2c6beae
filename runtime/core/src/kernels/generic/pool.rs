use core::ops::Range;

use super::{Output, Tensor};
use crate::network::{Halves, Window};

/// Channels whose windows are folded together.
const TOGETHER: usize = 64;

/// Folds the elements of each window that lie inside the input, channel by channel, and gives the
/// folds of neighbouring channels to `finish`, with the window's place and the number of its
/// elements inside.
#[inline(always)]
fn fold_windows<A: Copy>(
    x: &Tensor<'_>,
    window: &Window,
    to: &Output,
    out: &mut [i8],
    (start, fold): (A, impl Fn(A, i8) -> A),
    finish: impl Fn(&[A], [usize; 2], usize, &mut [i8]),
) {
    for (index, pixel) in out.chunks_exact_mut(x.channels).enumerate() {
        let place = [index / to.width, index % to.width];
        let rows = window.inside(0, place[0], x.height);
        let columns = window.inside(1, place[1], x.width);
        for (block, results) in pixel.chunks_mut(TOGETHER).enumerate() {
            let mut folds = [start; TOGETHER];
            let folds = &mut folds[..results.len()];
            for ky in rows.clone() {
                let line = window.position(0, place[0], ky) * x.width;
                for kx in columns.clone() {
                    let at = (line + window.position(1, place[1], kx)) * x.channels;
                    let cells = &x.data[at + block * TOGETHER..][..folds.len()];
                    for (value, &q) in folds.iter_mut().zip(cells) {
                        *value = fold(*value, q);
                    }
                }
            }
            finish(folds, place, rows.len() * columns.len(), results);
        }
    }
}

/// Takes the greatest element of each window; `min` where a window lies in padding alone.
#[inline(always)]
pub fn max_pool(x: Tensor<'_>, window: &Window, to: Output, out: &mut [i8]) {
    fold_windows(&x, window, &to, out, (to.min, i8::max), |folds, _, _, results| {
        for (result, &greatest) in results.iter_mut().zip(folds) {
            *result = greatest.min(to.max);
        }
    });
}

/// Takes the mean of each window; see [`AveragePool`](crate::network::AveragePool).
#[inline(always)]
pub fn average_pool(
    x: Tensor<'_>,
    window: &Window,
    counted_padding: Option<[u16; 2]>,
    multiplier: f32,
    to: Output,
    out: &mut [i8],
) {
    let sum = |sum: i32, q: i8| sum + i32::from(q);
    fold_windows(&x, window, &to, out, (0, sum), |sums, [row, column], inside, results| {
        let count = counted_padding.map_or(inside, |behind| {
            let padded = |axis: usize, extent| {
                extent + usize::from(window.padding[axis]) + usize::from(behind[axis])
            };
            counted(window, 0, row, padded(0, x.height))
                * counted(window, 1, column, padded(1, x.width))
        });
        let zeros = inside as i32 * i32::from(x.zero_point);
        let factor = multiplier / count.max(1) as f32;
        for (result, &sum) in results.iter_mut().zip(sums) {
            *result = to.quantise((sum - zeros) as f32 * factor);
        }
    });
}

/// Takes the mean of each window of integers; see [`IntegerMean`](crate::network::IntegerMean).
#[inline(always)]
pub fn integer_mean(x: Tensor<'_>, window: &Window, halves: Halves, to: Output, out: &mut [i8]) {
    let sum = |sum: i32, q: i8| sum + i32::from(q);
    fold_windows(&x, window, &to, out, (0, sum), |sums, _, inside, results| {
        // Every window has a cell inside the input, so no quotient leaves int8.
        let count = inside.max(1) as i32;
        for (result, &sum) in results.iter_mut().zip(sums) {
            let mean = match halves {
                Halves::AwayFromZero => (sum.abs() + count / 2) / count * sum.signum(),
                Halves::Up => (2 * sum + count).div_euclid(2 * count),
            };
            *result = mean.clamp(i32::from(to.min), i32::from(to.max)) as i8;
        }
    });
}

/// Kernel positions of window `index` that lie before `end`, counted from the padding's start.
pub(crate) fn counted(window: &Window, axis: usize, index: usize, end: usize) -> usize {
    let start = index * usize::from(window.stride[axis]);
    let kernel = usize::from(window.kernel[axis]);
    end.saturating_sub(start).div_ceil(usize::from(window.dilation[axis])).min(kernel)
}

/// Bin `index` of `bins` over `extent`: `⌊index · extent / bins⌋ .. ⌈(index + 1) · extent / bins⌉`.
pub(crate) fn bin(index: usize, bins: usize, extent: usize) -> Range<usize> {
    index * extent / bins..((index + 1) * extent).div_ceil(bins)
}

/// Takes the mean of each bin of a grid as fine as the output.
#[inline(always)]
pub fn grid_pool(x: Tensor<'_>, multiplier: f32, to: Output, out: &mut [i8]) {
    let zero_point = i32::from(x.zero_point);
    for (index, pixel) in out.chunks_exact_mut(x.channels).enumerate() {
        let rows = bin(index / to.width, to.height, x.height);
        let columns = bin(index % to.width, to.width, x.width);
        let count = (rows.len() * columns.len()) as i32;
        let factor = multiplier / count as f32;
        for (block, results) in pixel.chunks_mut(TOGETHER).enumerate() {
            let mut sums = [0_i32; TOGETHER];
            for y in rows.clone() {
                for column in columns.clone() {
                    let at = (y * x.width + column) * x.channels + block * TOGETHER;
                    for (sum, &q) in sums[..results.len()].iter_mut().zip(&x.data[at..]) {
                        *sum += i32::from(q);
                    }
                }
            }
            for (result, &sum) in results.iter_mut().zip(&sums) {
                *result = to.quantise((sum - count * zero_point) as f32 * factor);
            }
        }
    }
}
