use super::{Output, Tensor, dot};
use crate::backbone::{ChannelRecords, Window};

/// A convolution in any number of groups. `weights` is `[out][row][column][in / groups]`.
pub fn conv(
    x: Tensor<'_>,
    window: &Window,
    groups: usize,
    weights: &[i8],
    channels: ChannelRecords<'_>,
    to: Output,
    out: &mut [i8],
) {
    let depth = x.channels / groups;
    let group_outputs = to.channels / groups;
    let kernel_width = usize::from(window.kernel[1]);
    let weights_per_channel = usize::from(window.kernel[0]) * kernel_width * depth;
    // Where the kernel's columns lie side by side in memory, a whole row of them is one product.
    let joined = groups == 1 && window.dilation[1] == 1;
    for (index, pixel) in out.chunks_exact_mut(to.channels).enumerate() {
        let (row, column) = (index / to.width, index % to.width);
        let rows = window.inside(0, row, x.height);
        let columns = window.inside(1, column, x.width);
        let taps = rows.len() * columns.len();
        let padded = taps != usize::from(window.kernel[0]) * kernel_width;
        for (channel, result) in pixel.iter_mut().enumerate() {
            let kernel = &weights[channel * weights_per_channel..][..weights_per_channel];
            let first_input = channel / group_outputs * depth;
            let (bias, multiplier) = channels.get(channel);
            let mut sum = bias;
            let mut weight_sum = 0;
            for ky in rows.clone() {
                let y = window.position(0, row, ky);
                let kernel_row = &kernel[ky * kernel_width * depth..][..kernel_width * depth];
                let x_row = &x.data[y * x.width * x.channels..][..x.width * x.channels];
                if joined && !columns.is_empty() {
                    let start = window.position(1, column, columns.start) * depth;
                    let length = columns.len() * depth;
                    let w = &kernel_row[columns.start * depth..][..length];
                    sum += dot(&x_row[start..][..length], w);
                    if padded {
                        weight_sum += w.iter().map(|&w| i32::from(w)).sum::<i32>();
                    }
                    continue;
                }
                for kx in columns.clone() {
                    let start = window.position(1, column, kx) * x.channels + first_input;
                    let w = &kernel_row[kx * depth..][..depth];
                    sum += dot(&x_row[start..][..depth], w);
                    if padded {
                        weight_sum += w.iter().map(|&w| i32::from(w)).sum::<i32>();
                    }
                }
            }
            if padded {
                let all = kernel.iter().map(|&w| i32::from(w)).sum::<i32>();
                sum += i32::from(x.zero_point) * (all - weight_sum);
            }
            *result = to.quantise(sum as f32 * multiplier);
        }
    }
}
