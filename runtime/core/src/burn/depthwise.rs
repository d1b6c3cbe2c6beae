//! The gradient of a depthwise convolution by its weights.
//!
//! No primitive of Burn's sums over places without a pass over memory a tap; in the host's memory plain loops do it for all
//! taps in one pass. On a device a pass a tap is still far less than a convolution a channel.

use std::num::NonZero;
use std::vec;
use std::vec::Vec;

use burn::tensor::ops::{ConvOptions, FloatTensor};
use burn::tensor::{Shape as Dimensions, Slice, TensorData, TensorMetadata};

use super::FloatBackend;
use super::ops::slice;

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
pub(super) fn weight_gradient<B: FloatBackend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    if !B::is_on_host(&B::float_device(&x)) {
        return tap_by_tap::<B>(x, weight, gradient, &options);
    }
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

/// Computes the gradient on the device: for each tap, what it saw times the gradient, summed over batch and places.
fn tap_by_tap<B: FloatBackend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    options: &ConvOptions<2>,
) -> FloatTensor<B> {
    let [batch, channels, rows, columns] = x.shape().dims();
    let [_, _, height, width] = weight.shape().dims();
    let out: [usize; 4] = gradient.shape().dims();
    let [above, left] = options.padding;
    let padded = Dimensions::from([batch, channels, rows + 2 * above, columns + 2 * left]);
    let inner = |before: usize, extent: usize| {
        Slice::new(before as isize, Some((before + extent) as isize), 1)
    };
    let place = [Slice::full(), Slice::full(), inner(above, rows), inner(left, columns)];
    let zeros = B::float_zeros(padded, &B::float_device(&x), x.dtype().into());
    let x = B::float_slice_assign(zeros, &place, x);
    let mut taps = Vec::with_capacity(height * width);
    for tap in 0..height * width {
        let place = [tap / width, tap % width];
        let met = |axis: usize| {
            let start = place[axis] * options.dilation[axis];
            let end = start + (out[2 + axis] - 1) * options.stride[axis] + 1;
            Slice::new(start as isize, Some(end as isize), options.stride[axis] as isize)
        };
        let met = slice::<B>(x.clone(), &[Slice::full(), Slice::full(), met(0), met(1)]);
        let products = B::float_mul(met, gradient.clone());
        let flat = Dimensions::from([batch, channels, out[2] * out[3]]);
        let sums = B::float_sum_dim(B::float_sum_dim(B::float_reshape(products, flat), 2), 0);
        taps.push(B::float_reshape(sums, Dimensions::from([channels, 1])));
    }
    B::float_reshape(B::float_cat(taps, 1), weight.shape())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::tensor::Array;
    use crate::burn::testing::{assert_close, noise, on_every_backend};

    fn both_ways_sum_the_same<B: FloatBackend>() {
        let device = Default::default();
        let upload = |shape: [usize; 4], seed| {
            Array::<B>::upload(noise(shape.iter().product(), seed), shape.to_vec(), &device)
                .primitive
        };
        for (stride, padding, dilation, out) in [
            ([1, 1], [1, 1], [1, 1], [7, 6]),
            ([2, 1], [1, 0], [1, 2], [4, 2]),
            ([2, 2], [0, 1], [1, 1], [3, 3]),
        ] {
            let (x, weight) = (upload([2, 5, 7, 6], 1), upload([5, 1, 3, 3], 2));
            let gradient = upload([2, 5, out[0], out[1]], 3);
            let options = ConvOptions::new(stride, padding, dilation, 5);
            let read = |primitive| {
                Array::<B> { primitive, shape: vec![5, 1, 3, 3] }.download().unwrap().data
            };
            let on_device = tap_by_tap::<B>(x.clone(), weight.clone(), gradient.clone(), &options);
            let in_memory = weight_gradient::<B>(x, weight, gradient, options);
            assert_close(&read(on_device), &read(in_memory));
        }
    }
    on_every_backend!(both_ways_sum_the_same);
}
