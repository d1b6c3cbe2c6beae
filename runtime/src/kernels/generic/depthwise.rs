use super::{Output, Tensor};
use crate::backbone::{ChannelRecords, Window};

/// Channels that are summed together; their sums stay in registers or the first cache level.
const BLOCK: usize = 64;

/// A convolution of each channel on its own. `weights` is `[row][column][channel]`.
pub fn depthwise(
    x: Tensor<'_>,
    window: &Window,
    weights: &[i8],
    channels: ChannelRecords<'_>,
    to: Output,
    out: &mut [i8],
) {
    let kernel_width = usize::from(window.kernel[1]);
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
                    if rows.contains(&ky) && columns.contains(&kx) {
                        let y = window.position(0, row, ky);
                        let start = y * x.width + window.position(1, column, kx);
                        let x = &x.data[start * x.channels + first..];
                        for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(w) {
                            *sum += i32::from(i16::from(x) * i16::from(w));
                        }
                    } else {
                        for (sum, &w) in sums.iter_mut().zip(w) {
                            *sum += i32::from(i16::from(x.zero_point) * i16::from(w));
                        }
                    }
                }
            }
            for (i, (result, &sum)) in results.iter_mut().zip(&*sums).enumerate() {
                let (bias, multiplier) = channels.get(first + i);
                *result = to.quantise((sum + bias) as f32 * multiplier);
            }
        }
    }
}
