use core::num::NonZeroU32;
use core::ops::Range;

use super::{Output, Tensor};
use crate::network::{Halves, Window};

/// Channels that are folded together.
const TOGETHER: usize = 64;

/// Rows or columns of the input: `count` of them, from `first` on, `step` apart.
#[derive(Clone, Copy)]
struct Taps {
    first: usize,
    step: usize,
    count: usize,
}

impl Taps {
    /// Rows and columns of a window that lie inside the input.
    fn of_window(window: &Window, place: [usize; 2], x: &Tensor<'_>) -> [Self; 2] {
        let along = |axis: usize, extent| {
            let inside = window.inside(axis, place[axis], extent);
            let step = usize::from(window.dilation[axis]);
            if inside.is_empty() {
                return Self { first: 0, step, count: 0 };
            }
            let first = window.position(axis, place[axis], inside.start);
            Self { first, step, count: inside.len() }
        };
        [along(0, x.height), along(1, x.width)]
    }

    /// Rows and columns of a bin.
    fn of_bin([row, column]: [usize; 2], x: &Tensor<'_>, to: &Output) -> [Self; 2] {
        let along = |index, bins, extent| {
            let bin = bin(index, bins, extent);
            Self { first: bin.start, step: 1, count: bin.len() }
        };
        [along(row, to.height, x.height), along(column, to.width, x.width)]
    }
}

/// Folds what the taps of each result read, channel by channel, and gives the folds of neighbouring channels to
/// `finish`, with the result's place and the number of elements in each.
#[inline(always)]
fn fold<A: Copy>(
    x: &Tensor<'_>,
    to: &Output,
    out: &mut [i8],
    taps: impl Fn([usize; 2]) -> [Taps; 2],
    (start, step): (A, impl Fn(A, i8) -> A),
    finish: impl Fn(&[A], [usize; 2], usize, &mut [i8]),
) {
    for (index, pixel) in out.chunks_exact_mut(x.channels).enumerate() {
        let place = [index / to.width, index % to.width];
        let [rows, columns] = taps(place);
        for (block, results) in pixel.chunks_mut(TOGETHER).enumerate() {
            let mut folds = [start; TOGETHER];
            let folds = &mut folds[..results.len()];
            for row in 0..rows.count {
                let line = (rows.first + row * rows.step) * x.width;
                for column in 0..columns.count {
                    let at = (line + columns.first + column * columns.step) * x.channels;
                    let cells = &x.data[at + block * TOGETHER..][..folds.len()];
                    for (value, &q) in folds.iter_mut().zip(cells) {
                        *value = step(*value, q);
                    }
                }
            }
            finish(folds, place, rows.count * columns.count, results);
        }
    }
}

/// The greatest element of each window; `min` where a window lies in padding alone.
#[inline(always)]
pub fn max_pool(x: Tensor<'_>, window: &Window, to: Output, out: &mut [i8]) {
    let taps = |place| Taps::of_window(window, place, &x);
    fold(&x, &to, out, taps, (to.min, i8::max), |folds, _, _, results| {
        for (result, &greatest) in results.iter_mut().zip(folds) {
            *result = greatest.min(to.max);
        }
    });
}

/// What a mean is taken of, and how a sum becomes one.
#[derive(Clone, Copy, Debug)]
pub enum Mean<'a> {
    /// As [`AveragePool`](crate::network::AveragePool) says.
    Windows {
        /// Where the windows read.
        window: &'a Window,
        /// Rows and columns of padding behind the input that count as elements; none where no padding counts.
        counted_padding: Option<[u16; 2]>,
        /// Input scale over output scale.
        multiplier: f32,
    },
    /// As [`IntegerMean`](crate::network::IntegerMean) says.
    Integers {
        /// Where the windows read.
        window: &'a Window,
        /// How halves are rounded.
        halves: Halves,
    },
    /// As [`GridPool`](crate::network::GridPool) says: the bins of a grid as fine as the output.
    Bins {
        /// Input scale over output scale.
        multiplier: f32,
    },
}

/// The mean of each window, or of each bin of a grid. One kernel for all of them: code is dear on a microcontroller.
#[inline(always)]
pub fn mean(x: Tensor<'_>, of: Mean<'_>, to: Output, out: &mut [i8]) {
    let taps = |place| match of {
        Mean::Windows { window, .. } | Mean::Integers { window, .. } => {
            Taps::of_window(window, place, &x)
        }
        Mean::Bins { .. } => Taps::of_bin(place, &x, &to),
    };
    let sum = |sum: i32, q: i8| sum + i32::from(q);
    fold(&x, &to, out, taps, (0, sum), |sums, [row, column], inside, results| {
        let (count, multiplier) = match of {
            Mean::Windows { window, counted_padding: Some(behind), multiplier } => {
                let padded = |axis: usize, extent| {
                    extent + usize::from(window.padding[axis]) + usize::from(behind[axis])
                };
                let rows = counted(window, 0, row, padded(0, x.height));
                (rows * counted(window, 1, column, padded(1, x.width)), multiplier)
            }
            Mean::Windows { multiplier, .. } | Mean::Bins { multiplier } => (inside, multiplier),
            Mean::Integers { halves, .. } => {
                // Every window has a cell inside the input, so no quotient leaves int8.
                let count = NonZeroU32::new(inside as u32).unwrap_or(NonZeroU32::MIN);
                for (result, &sum) in results.iter_mut().zip(sums) {
                    // Not `clamp`, which can panic and then writes the bounds: 700 bytes of firmware.
                    let mean = integer_mean(sum, count, halves);
                    *result = mean.max(i32::from(to.min)).min(i32::from(to.max)) as i8;
                }
                return;
            }
        };
        let zeros = inside as i32 * i32::from(x.zero_point);
        let factor = multiplier / count.max(1) as f32;
        for (result, &sum) in results.iter_mut().zip(sums) {
            *result = to.quantise((sum - zeros) as f32 * factor);
        }
    });
}

/// The mean of `count` elements of int8 with this sum. Quotients are unsigned: those of signed numbers can overflow, and panic.
#[inline(always)]
fn integer_mean(sum: i32, count: NonZeroU32, halves: Halves) -> i32 {
    let half = count.get() / 2;
    match halves {
        Halves::AwayFromZero => {
            let mean = ((sum.unsigned_abs() + half) / count) as i32;
            if sum < 0 { -mean } else { mean }
        }
        // Moved up by 128 no sum is below zero, and the quotient is the floor. Between integers lies a half for even counts only.
        Halves::Up => {
            let moved = sum.wrapping_add_unsigned(128 * count.get()) as u32;
            ((moved + half) / count) as i32 - 128
        }
    }
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
