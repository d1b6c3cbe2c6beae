use core::ops::Range;

use super::{Output, Tensor};
use crate::backbone::Window;

/// Calls `visit` with every output element: its index, channel, and the rows and columns that its
/// window covers inside the input.
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
pub fn max_pool(x: Tensor<'_>, window: &Window, to: Output, out: &mut [i8]) {
    for_each_window(&x, window, &to, |index, cells, _| {
        out[index] = cells.fold(to.min, i8::max).min(to.max);
    });
}

/// The mean of each window; see [`AveragePool`](crate::backbone::AveragePool).
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

/// The mean of each bin of a grid as fine as the output.
pub fn grid_pool(x: Tensor<'_>, multiplier: f32, to: Output, out: &mut [i8]) {
    let zero_point = i32::from(x.zero_point);
    for row in 0..to.height {
        let rows = bin(row, to.height, x.height);
        for column in 0..to.width {
            let columns = bin(column, to.width, x.width);
            let count = (rows.len() * columns.len()) as i32;
            let factor = multiplier / count as f32;
            let results = &mut out[(row * to.width + column) * x.channels..][..x.channels];
            for (channel, result) in results.iter_mut().enumerate() {
                let cells = rows.clone().flat_map(|y| columns.clone().map(move |c| (y, c)));
                let sum: i32 = cells
                    .map(|(y, c)| i32::from(x.data[(y * x.width + c) * x.channels + channel]))
                    .sum();
                *result = to.quantise((sum - count * zero_point) as f32 * factor);
            }
        }
    }
}
