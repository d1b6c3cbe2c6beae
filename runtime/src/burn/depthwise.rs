//! The gradient of a depthwise convolution by its weights, in plain loops in the host's memory.
//!
//! No primitive of Burn's sums over places without a pass over memory a tap; here one pass serves all taps.

use std::num::NonZero;
use std::vec;
use std::vec::Vec;

use burn::tensor::backend::Backend;
use burn::tensor::ops::{ConvOptions, FloatTensor};
use burn::tensor::{TensorData, TensorMetadata};

/// Additions below which threads cost more than they save.
const FEW: usize = 1 << 18;

/// A picture's extents, and how a kernel goes over it.
struct Shape {
    batch: usize,
    channels: usize,
    x: [usize; 2],
    y: [usize; 2],
    kernel: [usize; 2],
    options: ConvOptions<2>,
}

/// `[channels, 1, height, width]`: for each tap the sum of what it saw times the result's gradient.
pub(super) fn weight_gradient<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let [batch, channels, rows, columns] = x.shape().dims();
    let [_, _, out_rows, out_columns] = gradient.shape().dims();
    let [_, _, height, width] = weight.shape().dims();
    let shape = Shape {
        batch,
        channels,
        x: [rows, columns],
        y: [out_rows, out_columns],
        kernel: [height, width],
        options,
    };
    let device = B::float_device(&x);
    let read = |tensor: FloatTensor<B>| {
        let data = burn::tensor::try_read_sync(B::float_into_data(tensor)).and_then(Result::ok);
        data.and_then(|data| data.convert::<f32>().into_vec::<f32>().ok())
    };
    let (x, gradient) = (read(x), read(gradient));
    let sums = match (&x, &gradient) {
        (Some(x), Some(gradient)) => shape.sums(x, gradient),
        // A backend that cannot be read fails where the gradients are read, with a message.
        _ => vec![f32::NAN; channels * height * width],
    };
    B::float_from_data(TensorData::new(sums, weight.shape()), &device)
}

impl Shape {
    fn sums(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let taps = self.kernel[0] * self.kernel[1];
        let mut sums = vec![0.0; self.channels * taps];
        let work = gradient.len() * taps;
        let threads = match work < FEW {
            true => 1,
            false => std::thread::available_parallelism().map_or(1, NonZero::get),
        };
        let share = self.channels.div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let mut parts = sums.chunks_mut(share * taps).enumerate();
            let own = parts.next();
            for (part, sums) in parts {
                scope.spawn(move || self.channels_from(part * share, sums, x, gradient));
            }
            if let Some((_, sums)) = own {
                self.channels_from(0, sums, x, gradient);
            }
        });
        sums
    }

    fn channels_from(&self, first: usize, sums: &mut [f32], x: &[f32], gradient: &[f32]) {
        let taps = self.kernel[0] * self.kernel[1];
        let (x_plane, y_plane) = (self.x[0] * self.x[1], self.y[0] * self.y[1]);
        for (channel, sums) in (first..).zip(sums.chunks_exact_mut(taps)) {
            for sample in 0..self.batch {
                let plane = sample * self.channels + channel;
                let x = &x[plane * x_plane..][..x_plane];
                let gradient = &gradient[plane * y_plane..][..y_plane];
                for (tap, sum) in sums.iter_mut().enumerate() {
                    let tap = [tap / self.kernel[1], tap % self.kernel[1]];
                    *sum += self.tap(tap, x, gradient);
                }
            }
        }
    }

    /// The sum over one plane for one tap.
    fn tap(&self, tap: [usize; 2], x: &[f32], gradient: &[f32]) -> f32 {
        let [rows, columns] = [0, 1].map(|axis| self.reached(axis, tap[axis]));
        let [step, stride] = self.options.stride;
        let start = |axis: usize, from: usize| {
            from * self.options.stride[axis] + tap[axis] * self.options.dilation[axis]
                - self.options.padding[axis]
        };
        if rows.is_empty() || columns.is_empty() {
            return 0.0;
        }
        let (top, left) = (start(0, rows.start), start(1, columns.start));
        let mut sum = 0.0;
        for (at, row) in rows.enumerate() {
            let seen = &x[(top + at * step) * self.x[1] + left..];
            let given = &gradient[row * self.y[1]..][columns.clone()];
            sum += match stride {
                1 => given.iter().zip(seen).map(|(g, x)| g * x).sum::<f32>(),
                _ => given.iter().zip(seen.iter().step_by(stride)).map(|(g, x)| g * x).sum(),
            };
        }
        sum
    }

    /// Places of the result for which the tap reads the picture, not its padding.
    fn reached(&self, axis: usize, tap: usize) -> std::ops::Range<usize> {
        let (stride, padding) = (self.options.stride[axis], self.options.padding[axis]);
        let offset = tap * self.options.dilation[axis];
        let first = padding.saturating_sub(offset).div_ceil(stride);
        let end = (self.x[axis] + padding).saturating_sub(offset).div_ceil(stride);
        first..end.min(self.y[axis]).max(first)
    }
}
