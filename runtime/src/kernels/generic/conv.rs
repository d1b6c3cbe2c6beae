use core::ops::Range;

use super::{BLOCK, Output, Tensor, dot, finish};
use crate::backbone::{ChannelRecords, Window};

/// A convolution in any number of groups. `weights` is `[out][row][column][in / groups]`.
#[inline(always)]
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
    let convolution = Convolution {
        x,
        window,
        weights,
        depth,
        weights_per_channel: usize::from(window.kernel[0]) * usize::from(window.kernel[1]) * depth,
        // Where the kernel's columns lie side by side in memory, a row of them is one product.
        joined: groups == 1 && window.dilation[1] == 1,
    };
    let group_outputs = to.channels / groups;
    let records = channels.records();
    for (index, pixel) in out.chunks_exact_mut(to.channels).enumerate() {
        let (row, column) = (index / to.width, index % to.width);
        let place = Place {
            row,
            column,
            rows: window.inside(0, row, x.height),
            columns: window.inside(1, column, x.width),
        };
        for (block, results) in pixel.chunks_mut(BLOCK).enumerate() {
            let first = block * BLOCK;
            let mut sums = [0; BLOCK];
            for (i, sum) in sums[..results.len()].iter_mut().enumerate() {
                let channel = first + i;
                *sum = convolution.sum(channel, channel / group_outputs * depth, &place);
            }
            finish(&sums, &records[first..], &to, results);
        }
    }
}

struct Convolution<'a> {
    x: Tensor<'a>,
    window: &'a Window,
    weights: &'a [i8],
    depth: usize,
    weights_per_channel: usize,
    joined: bool,
}

/// One output position, and the rows and columns of the kernel that lie inside the input there.
struct Place {
    row: usize,
    column: usize,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Convolution<'_> {
    /// The sum of one output channel, which reads `depth` input channels from `first_input` on.
    #[inline(always)]
    fn sum(&self, channel: usize, first_input: usize, at: &Place) -> i32 {
        let kernel =
            &self.weights[channel * self.weights_per_channel..][..self.weights_per_channel];
        let kernel_width = usize::from(self.window.kernel[1]);
        let product = |start: usize, kernel_start: usize, length: usize| {
            dot(&self.x.data[start..][..length], &kernel[kernel_start..][..length])
        };
        let mut sum = 0_i32;
        for ky in at.rows.clone() {
            let line = self.window.position(0, at.row, ky) * self.x.width;
            if self.joined && !at.columns.is_empty() {
                let x = self.window.position(1, at.column, at.columns.start);
                sum = sum.wrapping_add(product(
                    (line + x) * self.x.channels,
                    (ky * kernel_width + at.columns.start) * self.depth,
                    at.columns.len() * self.depth,
                ));
                continue;
            }
            for kx in at.columns.clone() {
                let x = self.window.position(1, at.column, kx);
                let start = (line + x) * self.x.channels + first_input;
                let product = product(start, (ky * kernel_width + kx) * self.depth, self.depth);
                sum = sum.wrapping_add(product);
            }
        }
        if at.rows.len() * at.columns.len() * self.depth != self.weights_per_channel {
            sum = sum.wrapping_add(self.padding(kernel, at));
        }
        sum
    }

    /// What the kernel positions outside the input add: the input's zero point each.
    #[cold]
    fn padding(&self, kernel: &[i8], at: &Place) -> i32 {
        let kernel_width = usize::from(self.window.kernel[1]);
        let inside = |tap: usize| {
            at.rows.contains(&(tap / kernel_width)) && at.columns.contains(&(tap % kernel_width))
        };
        let outside = kernel.chunks_exact(self.depth).enumerate().filter(|&(tap, _)| !inside(tap));
        let sum: i32 = outside.flat_map(|(_, weights)| weights).map(|&w| i32::from(w)).sum();
        i32::from(self.x.zero_point) * sum
    }
}
