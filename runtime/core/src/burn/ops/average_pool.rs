use std::vec;
use std::vec::Vec;

use burn::tensor::ops::FloatTensor;

use super::plane::convolve;
use super::plane::{Plane, lift, lower};
use super::volume;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};
use crate::graph::{AveragePool, GraphError, Window};

/// The mean over each window.
pub(super) fn apply<B: FloatBackend>(
    pool: &AveragePool,
    x: Array<B>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let spatial = result.len() - 2;
    let counts: Vec<Vec<f32>> = (0..spatial)
        .map(|axis| {
            let count = |output| counted(pool, axis, output, x.shape[2 + axis]);
            (0..result[2 + axis]).map(count).collect()
        })
        .collect();
    let device = B::float_device(&x.primitive);
    let mean = match spatial {
        3 => volume::pool(&pool.window, x, mean_of_all)?,
        _ => mean_of_all(&pool.window, x, result)?,
    };
    let kernel = &pool.window.kernel;
    if (0..spatial).all(|axis| counts[axis].iter().all(|&n| n == kernel[axis] as f32)) {
        return Ok(mean);
    }
    let full = kernel.iter().product::<usize>() as f32;
    let products = counts.iter().fold(vec![1.0], |products: Vec<f32>, counts| {
        products.iter().flat_map(|&p| counts.iter().map(move |&n| p * n)).collect()
    });
    // A window that lies in the padding altogether has mean 0.
    let factors = products.iter().map(|&n| if n > 0.0 { full / n } else { 0.0 }).collect();
    let mut shape = result.to_vec();
    shape[..2].fill(1);
    let factors = Array::<B>::upload(factors, shape, &device);
    Ok(B::float_mul(mean, factors.primitive))
}

/// The mean over each window of a line or a plane, with every element of the padding counted as a
/// zero.
fn mean_of_all<B: FloatBackend>(
    window: &Window,
    x: Array<B>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let plane = Plane::new(window);
    let x = plane.pad(lift(x), 0.0)?;
    if plane.dilations == [1, 1] && B::POOLS {
        let mean = B::avg_pool2d(x.primitive, plane.kernel, plane.strides, [0; 2], true, false);
        return Ok(lower::<B>(mean, result));
    }
    // No backend has dilation here, and candle no gradient: the mean is a convolution of each channel by itself.
    let [n, c, height, width] = [0, 1, 2, 3].map(|axis| x.shape[axis]);
    let device = B::float_device(&x.primitive);
    let apart = x.reshaped(vec![n * c, 1, height, width]);
    let taps = plane.kernel[0] * plane.kernel[1];
    let shape = vec![1, 1, plane.kernel[0], plane.kernel[1]];
    let kernel = Array::upload(vec![1.0 / taps as f32; taps], shape, &device);
    let unpadded = Plane { begin: [0; 2], end: [0; 2], ..plane };
    let y = convolve(&unpadded, 1, apart, kernel, None)?;
    Ok(reshape::<B>(y, result))
}

/// How many positions of the window number `output` count in the divisor along one axis.
fn counted(pool: &AveragePool, axis: usize, output: usize, extent: usize) -> f32 {
    let window = &pool.window;
    let (begin, end) = (window.pads_begin[axis], window.pads_end[axis]);
    let (from, to) = match pool.count_include_pad {
        true => (0, begin + extent + end.saturating_sub(pool.ceil_extra[axis])),
        false => (begin, begin + extent),
    };
    let place = |tap: usize| output * window.strides[axis] + tap * window.dilations[axis];
    (0..window.kernel[axis]).filter(|&tap| (from..to).contains(&place(tap))).count() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::testing::{Windowed, assert_close, on_every_backend, run, windowed};
    use crate::graph::Op;

    fn check<B: FloatBackend>(shape: &[usize], window: Window, include: bool, ceil_extra: usize) {
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

    fn the_divisor_is_what_the_attributes_say<B: FloatBackend>() {
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
            check::<B>(&[2, 2, 5, 6, 7], window(&[2, 3, 2], 2, 1, 1, 0), include, 0);
            check::<B>(&[1, 2, 5, 6, 7], window(&[2, 2, 3], 1, 2, 0, 1), include, 1);
        }
    }
    on_every_backend!(the_divisor_is_what_the_attributes_say);
}
