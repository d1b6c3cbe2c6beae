use super::{BLOCK, Output, Tensor, finish};
use crate::backbone::{ChannelRecords, Window};

/// A convolution of each channel on its own. `weights` is `[row][column][channel]`.
#[inline(always)]
pub fn depthwise(
    x: Tensor<'_>,
    window: &Window,
    weights: &[i8],
    channels: ChannelRecords<'_>,
    to: Output,
    out: &mut [i8],
) {
    let kernel_width = usize::from(window.kernel[1]);
    let padding = [x.zero_point; BLOCK];
    let records = channels.records();
    for (index, pixel) in out.chunks_exact_mut(x.channels).enumerate() {
        let (row, column) = (index / to.width, index % to.width);
        let rows = window.inside(0, row, x.height);
        let columns = window.inside(1, column, x.width);
        for (block, results) in pixel.chunks_mut(BLOCK).enumerate() {
            let first = block * BLOCK;
            let mut sums = [0_i32; BLOCK];
            let sums = &mut sums[..results.len()];
            for ky in 0..usize::from(window.kernel[0]) {
                for kx in 0..kernel_width {
                    let w = &weights[(ky * kernel_width + kx) * x.channels + first..];
                    let source = if rows.contains(&ky) && columns.contains(&kx) {
                        let y = window.position(0, row, ky);
                        let start = y * x.width + window.position(1, column, kx);
                        &x.data[start * x.channels + first..]
                    } else {
                        &padding
                    };
                    for ((sum, &x), &w) in sums.iter_mut().zip(source).zip(w) {
                        let product = i16::from(x).wrapping_mul(i16::from(w));
                        *sum = sum.wrapping_add(i32::from(product));
                    }
                }
            }
            finish(sums, &records[first..], &to, results);
        }
    }
}
