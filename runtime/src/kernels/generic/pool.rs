use core::ops::Range;

use super::{Output, Tensor};
use crate::backbone::Window;

/// Calls `visit` with every output element: its index, channel, and the rows and columns that its
/// window covers inside the input.
#[inline(always)]
fn for_each_window(
    x: &Tensor<'_>,
    window: &Window,
    to: &Output,
    mut visit: impl FnMut(usize, &mut dyn Iterator<Item = i8>, (usize, usize)),
) {
    for row in 0..to.height {
        let rows = window.inside(0, row, x.height);
        for column in 0..to.width {
            let columns = window.inside(1, column, x.width);
            for channel in 0..x.channels {
                let mut cells = rows.clone().flat_map(|ky| {
                    let line = window.position(0, row, ky) * x.width;
                    columns.clone().map(move |kx| {
                        x.data[(line + window.position(1, column, kx)) * x.channels + channel]
                    })
                });
                visit((row * to.width + column) * x.channels + channel, &mut cells, (row, column));
            }
        }
    }
}

/// The greatest element of each window; `min` where a window lies in padding alone.
#[inline(always)]
pub fn max_pool(x: Tensor<'_>, window: &Window, to: Output, out: &mut [i8]) {
    for_each_window(&x, window, &to, |index, cells, _| {
        out[index] = cells.fold(to.min, i8::max).min(to.max);
    });
}

/// The mean of each window; see [`AveragePool`](crate::backbone::AveragePool).
#[inline(always)]
pub fn average_pool(
    x: Tensor<'_>,
    window: &Window,
    counted_padding: Option<[u16; 2]>,
    multiplier: f32,
    to: Output,
    out: &mut [i8],
) {
    let zero_point = i32::from(x.zero_point);
    for_each_window(&x, window, &to, |index, cells, (row, column)| {
        let (sum, inside) =
            cells.fold((0, 0_usize), |(sum, n), q| (sum + i32::from(q) - zero_point, n + 1));
        let count = counted_padding.map_or(inside, |behind| {
            let padded = |axis: usize, extent| {
                extent + usize::from(window.padding[axis]) + usize::from(behind[axis])
            };
            counted(window, 0, row, padded(0, x.height))
                * counted(window, 1, column, padded(1, x.width))
        });
        out[index] = to.quantise(sum as f32 * (multiplier / count.max(1) as f32));
    });
}

/// Kernel positions of window `index` that lie before `end`, counted from the padding's start.
fn counted(window: &Window, axis: usize, index: usize, end: usize) -> usize {
    let start = index * usize::from(window.stride[axis]);
    let kernel = usize::from(window.kernel[axis]);
    end.saturating_sub(start).div_ceil(usize::from(window.dilation[axis])).min(kernel)
}

/// Bin `index` of `bins` over `extent`: `⌊index · extent / bins⌋ .. ⌈(index + 1) · extent / bins⌉`.
fn bin(index: usize, bins: usize, extent: usize) -> Range<usize> {
    index * extent / bins..((index + 1) * extent).div_ceil(bins)
}

/// Channels whose sums are made together.
const TOGETHER: usize = 64;

/// The mean of each bin of a grid as fine as the output.
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
