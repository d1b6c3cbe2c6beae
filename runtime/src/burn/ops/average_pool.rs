use std::vec;
use std::vec::Vec;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use super::conv::convolve;
use super::plane::{Plane, lift, lower};
use crate::burn::tensor::{Array, reshape};
use crate::graph::{AveragePool, GraphError};

/// The mean over each window.
pub(super) fn apply<B: Backend>(
    pool: &AveragePool,
    x: Array<B>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let plane = Plane::new(&pool.window);
    let extra = match *pool.ceil_extra {
        [height, width] => [height, width],
        [length] => [0, length],
        _ => [0, 0],
    };
    let x = lift(x);
    let [height, width] = [0, 1].map(|axis| {
        let counts = |output| {
            counted(&plane, axis, output, x.shape[2 + axis], extra[axis], pool.count_include_pad)
        };
        let reach = plane.reach()[axis];
        let padded =
            x.shape[2 + axis].saturating_add(plane.begin[axis]).saturating_add(plane.end[axis]);
        let outputs = padded.saturating_sub(reach) / plane.strides[axis] + 1;
        (0..outputs).map(counts).collect::<Vec<f32>>()
    });
    let device = B::float_device(&x.primitive);
    let mean = mean_of_all(&plane, x)?;
    let full = (plane.kernel[0] * plane.kernel[1]) as f32;
    if height.iter().all(|&n| n == plane.kernel[0] as f32)
        && width.iter().all(|&n| n == plane.kernel[1] as f32)
    {
        return Ok(lower::<B>(mean, result));
    }
    // A window that lies in the padding altogether has mean 0.
    let factor = |h: f32, w: f32| if h * w > 0.0 { full / (h * w) } else { 0.0 };
    let factors =
        height.iter().flat_map(|&h| width.iter().map(move |&w| factor(h, w))).collect::<Vec<_>>();
    let shape = vec![1, 1, height.len(), width.len()];
    let factors = Array::<B>::upload(factors, shape, &device);
    Ok(lower::<B>(B::float_mul(mean, factors.primitive), result))
}

/// The mean over each window with every element of the padding counted as a zero.
fn mean_of_all<B: Backend>(plane: &Plane, x: Array<B>) -> Result<FloatTensor<B>, GraphError> {
    let x = plane.pad(x, 0.0)?;
    if plane.dilations == [1, 1] {
        return Ok(B::avg_pool2d(x.primitive, plane.kernel, plane.strides, [0; 2], true, false));
    }
    // No backend has dilation here: the mean is a convolution of each channel by itself.
    let [n, c, height, width] = [0, 1, 2, 3].map(|axis| x.shape[axis]);
    let device = B::float_device(&x.primitive);
    let apart = x.reshaped(vec![n * c, 1, height, width]);
    let taps = plane.kernel[0] * plane.kernel[1];
    let shape = vec![1, 1, plane.kernel[0], plane.kernel[1]];
    let kernel = Array::upload(vec![1.0 / taps as f32; taps], shape, &device);
    let unpadded = Plane { begin: [0; 2], end: [0; 2], ..*plane };
    let reach = plane.reach();
    let y = convolve(&unpadded, 1, apart, kernel, None)?;
    let outputs = [0, 1].map(|i| ([height, width][i] - reach[i]) / plane.strides[i] + 1);
    Ok(reshape::<B>(y, &[n, c, outputs[0], outputs[1]]))
}

/// How many positions of the window number `output` count in the divisor along one axis.
fn counted(
    plane: &Plane,
    axis: usize,
    output: usize,
    extent: usize,
    ceil_extra: usize,
    include_pad: bool,
) -> f32 {
    let (begin, end) = (plane.begin[axis], plane.end[axis]);
    let (from, to) = match include_pad {
        true => (0, begin + extent + end.saturating_sub(ceil_extra)),
        false => (begin, begin + extent),
    };
    let place = |tap: usize| output * plane.strides[axis] + tap * plane.dilations[axis];
    (0..plane.kernel[axis]).filter(|&tap| (from..to).contains(&place(tap))).count() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::ops::testing::{Windowed, assert_close, on_every_backend, run, windowed};
    use crate::graph::{Op, Window};

    fn check<B: Backend>(shape: &[usize], window: Window, include: bool, ceil_extra: usize) {
        let x = Windowed::noise(shape, 7);
        let rank = window.kernel.len();
        let mut expected = Vec::new();
        for n in 0..shape[0] {
            for c in 0..shape[1] {
                for position in windowed::positions(&window.output(&shape[2..]).unwrap()) {
                    let (mut sum, mut count) = (0.0, 0);
                    for tap in windowed::positions(&window.kernel) {
                        let place = windowed::place(&window, &position, &tap);
                        let value = x.at(n, c, &place);
                        let in_padding = (0..rank).all(|axis| {
                            let end = shape[2 + axis] + window.pads_end[axis] - ceil_extra;
                            place[axis] < end as i64
                        });
                        sum += value.unwrap_or(0.0);
                        count += usize::from(value.is_some() || (include && in_padding));
                    }
                    expected.push(sum / count as f32);
                }
            }
        }
        let ceil_extra = vec![ceil_extra; rank];
        let pool = AveragePool { window, count_include_pad: include, ceil_extra };
        let (_, found) = run::<B>(Op::AveragePool(pool), vec![(shape, x.data)]);
        assert_close(&found, &expected);
    }

    fn the_divisor_is_what_the_attributes_say<B: Backend>() {
        let window =
            |kernel: &[usize], stride: usize, dilation: usize, begin: usize, end: usize| Window {
                kernel: kernel.to_vec(),
                strides: vec![stride; kernel.len()],
                dilations: vec![dilation; kernel.len()],
                pads_begin: vec![begin; kernel.len()],
                pads_end: vec![end; kernel.len()],
            };
        for include in [false, true] {
            check::<B>(&[2, 3, 8, 6], window(&[2, 2], 2, 1, 0, 0), include, 0);
            check::<B>(&[1, 3, 8, 6], window(&[3, 3], 1, 1, 1, 1), include, 0);
            check::<B>(&[1, 2, 8, 8], window(&[3, 2], 2, 1, 0, 1), include, 1);
            check::<B>(&[1, 2, 8, 8], window(&[3, 3], 2, 1, 1, 2), include, 1);
            check::<B>(&[1, 2, 8, 8], window(&[2, 3], 1, 2, 1, 1), include, 0);
            check::<B>(&[2, 2, 9], window(&[3], 2, 1, 1, 1), include, 0);
            check::<B>(&[2, 2, 9], window(&[3], 1, 3, 0, 1), include, 0);
        }
    }
    on_every_backend!(the_divisor_is_what_the_attributes_say);
}
