use std::vec;
use std::vec::Vec;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{BoolDType, Slice};

use super::pad::pad_constant;
use super::slice;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};
use crate::graph::{GraphError, MaxPoolIndices, Window};

/// The number in all of `x` of the first element that is the maximum of each window.
pub(super) fn apply<B: FloatBackend>(
    pool: &MaxPoolIndices,
    x: Array<B>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let window = &pool.window;
    let device = B::float_device(&x.primitive);
    let spatial = x.shape[2..].to_vec();
    let plane: usize = spatial.iter().product();
    let channels = x.shape[0] * x.shape[1];
    let grouped = x.reshaped([&[channels, 1][..], &spatial].concat());
    let around = |pads: &[usize]| [&[0, 0], pads].concat();
    let (begin, end) = (around(&window.pads_begin), around(&window.pads_end));
    let values = pad_constant(grouped, &begin, &end, f32::NEG_INFINITY)?;

    let padded = values.shape[2..].to_vec();
    let mut numbers = Vec::with_capacity(padded.iter().product());
    for flat in 0..padded.iter().product() {
        numbers.push(number(flat, &padded, &spatial, window, pool.column_major) as f32);
    }
    let shape = [&[1, 1][..], &padded].concat();
    let numbers = Array::<B>::upload(numbers, shape, &device);

    let outputs = &result[2..];
    let taps = window.kernel.iter().product();
    let mut best: Option<[FloatTensor<B>; 2]> = None;
    for tap in 0..taps {
        let slices = seen(tap, window, outputs);
        let value = slice::<B>(values.primitive.clone(), &slices);
        let number = slice::<B>(numbers.primitive.clone(), &slices);
        let shape = [&[channels, 1][..], outputs].concat();
        let number = B::float_expand(number, shape.into());
        best = Some(match best {
            None => [value, number],
            Some([most, at]) => {
                let greater = B::float_greater(value.clone(), most.clone(), BoolDType::Native);
                let at = B::float_mask_where(at, greater.clone(), number);
                [B::float_mask_where(most, greater, value), at]
            }
        });
    }
    let [_, at] = best.ok_or(GraphError::Operands { found: 0 })?;
    let first = (0..channels).map(|channel| (channel * plane) as f32).collect();
    let mut shape = vec![1; result.len()];
    shape[0] = channels;
    let first = Array::<B>::upload(first, shape, &device);
    Ok(reshape::<B>(B::float_add(at, first.primitive), result))
}

/// The number within one channel of the element at place `flat` of the padded channel; in the
/// padding that of the nearest element.
fn number(
    mut flat: usize,
    padded: &[usize],
    spatial: &[usize],
    window: &Window,
    column_major: bool,
) -> usize {
    let mut place = vec![0; padded.len()];
    for axis in (0..padded.len()).rev() {
        let position = (flat % padded[axis]).saturating_sub(window.pads_begin[axis]);
        place[axis] = position.min(spatial[axis] - 1);
        flat /= padded[axis];
    }
    let count = |number: usize, axis: usize| number * spatial[axis] + place[axis];
    match column_major {
        false => (0..place.len()).fold(0, count),
        true => (0..place.len()).rev().fold(0, count),
    }
}

/// The elements that the windows see with their element number `tap`.
fn seen(mut tap: usize, window: &Window, outputs: &[usize]) -> Vec<Slice> {
    let mut slices = vec![Slice::full(); 2 + outputs.len()];
    for axis in (0..outputs.len()).rev() {
        let first = tap % window.kernel[axis] * window.dilations[axis];
        let last = first + (outputs[axis] - 1) * window.strides[axis];
        let step = window.strides[axis] as isize;
        slices[2 + axis] = Slice::new(first as isize, Some(last as isize + 1), step);
        tap /= window.kernel[axis];
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::testing::{Windowed, on_every_backend, run, windowed};
    use crate::graph::Op;

    fn check<B: FloatBackend>(
        shape: &[usize],
        kernel: &[usize],
        steps: [usize; 2],
        column_major: bool,
    ) {
        let rank = kernel.len();
        let window = Window {
            kernel: kernel.to_vec(),
            strides: vec![steps[0]; rank],
            dilations: vec![steps[1]; rank],
            pads_begin: vec![1; rank],
            pads_end: vec![0; rank],
        };
        let mut x = Windowed::noise(shape, 5);
        // Few different values, so that windows have several maxima.
        x.data.iter_mut().for_each(|v| *v = (*v * 3.0).round() - 9.0);
        let mut expected = Vec::new();
        let plane: usize = shape[2..].iter().product();
        for channel in 0..shape[0] * shape[1] {
            let (n, c) = (channel / shape[1], channel % shape[1]);
            for position in windowed::positions(&window.output(&shape[2..]).unwrap()) {
                let (mut most, mut at) = (f32::NEG_INFINITY, 0);
                for tap in windowed::positions(kernel) {
                    let place = windowed::place(&window, &position, &tap);
                    let Some(value) = x.at(n, c, &place).filter(|&value| value > most) else {
                        continue;
                    };
                    let count = |number: usize, axis: usize| {
                        number * shape[2 + axis] + place[axis] as usize
                    };
                    most = value;
                    at = channel * plane
                        + match column_major {
                            false => (0..rank).fold(0, count),
                            true => (0..rank).rev().fold(0, count),
                        };
                }
                expected.push(at as f32);
            }
        }
        let op = Op::MaxPoolIndices(MaxPoolIndices { window, column_major });
        let (_, found) = run::<B>(op, vec![(shape, x.data)]);
        assert_eq!(found, expected);
    }

    fn the_first_maximum_is_named_by_its_number<B: FloatBackend>() {
        check::<B>(&[2, 3, 8, 7], &[3, 2], [2, 1], false);
        check::<B>(&[2, 3, 8, 7], &[3, 2], [1, 2], true);
        check::<B>(&[2, 3, 9], &[3], [2, 1], false);
        check::<B>(&[1, 2, 4, 5, 3], &[2, 2, 2], [1, 1], false);
    }
    on_every_backend!(the_first_maximum_is_named_by_its_number);
}
