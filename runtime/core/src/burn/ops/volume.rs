//! Windows over three spatial dimensions, put together from those over planes: not every backend has
//! them of its own.

use std::vec;
use std::vec::Vec;

use burn::tensor::Slice;
use burn::tensor::ops::FloatTensor;

use super::pad::pad_constant;
use super::plane::{self, Plane};
use super::slice;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};
use crate::graph::{Conv, GraphError, Window};

/// A convolution of `x [N, C, D, H, W]`: the sum over the kernel's depth of convolutions of planes.
///
/// # Errors
///
/// [`GraphError::TooManyElements`] if the padded operand or a spread kernel is too large.
pub(super) fn convolve<B: FloatBackend>(
    conv: &Conv,
    x: Array<B>,
    weight: Array<B>,
    bias: Option<FloatTensor<B>>,
    result: &[usize],
) -> Result<FloatTensor<B>, GraphError> {
    let window = &conv.window;
    let plane = Plane::new(&part(window, 1..3));
    let depth = |amount: usize| [0, 0, amount, 0, 0];
    let x = pad_constant(x, &depth(window.pads_begin[0]), &depth(window.pads_end[0]), 0.0)?;
    let (samples, slices) = (result[0], result[2]);
    let (inputs, kernel) = (&x.shape, &weight.shape);
    let mut sum: Option<FloatTensor<B>> = None;
    for tap in 0..window.kernel[0] {
        // The planes that this tap of the kernel meets, one for each slice of the result.
        let first = tap * window.dilations[0];
        let last = first + (slices - 1) * window.strides[0];
        let met = along_depth(first, last + 1, window.strides[0]);
        let planes = slice::<B>(x.primitive.clone(), &met);
        let planes = Array::<B> {
            primitive: B::float_permute(planes, &[0, 2, 1, 3, 4]),
            shape: vec![samples, slices, inputs[1], inputs[3], inputs[4]],
        };
        let planes = planes.reshaped(vec![samples * slices, inputs[1], inputs[3], inputs[4]]);
        let taps = B::float_slice(weight.primitive.clone(), &along_depth(tap, tap + 1, 1));
        let shape = vec![kernel[0], kernel[1], kernel[3], kernel[4]];
        let taps = Array::<B> { primitive: reshape::<B>(taps, &shape), shape };
        let bias = bias.clone().filter(|_| tap == 0);
        let y = plane::convolve(&plane, conv.groups, planes, taps, bias)?;
        sum = Some(match sum {
            None => y,
            Some(sum) => B::float_add(sum, y),
        });
    }
    let sum = sum.ok_or(GraphError::Operands { found: 0 })?;
    let apart = reshape::<B>(sum, &[samples, slices, result[1], result[3], result[4]]);
    Ok(B::float_permute(apart, &[0, 2, 1, 3, 4]))
}

/// A pool over lines or planes, whose result has the given shape.
type Flat<B> = fn(&Window, Array<B>, &[usize]) -> Result<FloatTensor<B>, GraphError>;

/// A pool of `x [N, C, D, H, W]` that can be done over height and width first and over the depth of
/// what that gave afterwards.
///
/// # Errors
///
/// Those of `pool`.
pub(super) fn pool<B: FloatBackend>(
    window: &Window,
    x: Array<B>,
    pool: Flat<B>,
) -> Result<FloatTensor<B>, GraphError> {
    let outputs = window.output(&x.shape[2..])?;
    let [n, c, depth, height, width] = [0, 1, 2, 3, 4].map(|axis| x.shape[axis]);
    let planes = x.reshaped(vec![n, c * depth, height, width]);
    let pooled = [n, c * depth, outputs[1], outputs[2]];
    let y = pool(&part(window, 1..3), planes, &pooled)?;
    let y = reshape::<B>(y, &[n, c, depth, outputs[1] * outputs[2]]);
    let lines = vec![n, c * outputs[1] * outputs[2], depth];
    let y = reshape::<B>(B::float_permute(y, &[0, 1, 3, 2]), &lines);
    let pooled = [n, lines[1], outputs[0]];
    let y = pool(&part(window, 0..1), Array { primitive: y, shape: lines }, &pooled)?;
    let y = reshape::<B>(y, &[n, c, outputs[1], outputs[2], outputs[0]]);
    Ok(B::float_permute(y, &[0, 1, 4, 2, 3]))
}

/// The window along some of its dimensions.
fn part(window: &Window, axes: core::ops::Range<usize>) -> Window {
    let of = |list: &[usize]| list[axes.clone()].to_vec();
    Window {
        kernel: of(&window.kernel),
        strides: of(&window.strides),
        dilations: of(&window.dilations),
        pads_begin: of(&window.pads_begin),
        pads_end: of(&window.pads_end),
    }
}

/// Every `step`th slice from `start` to before `end`.
fn along_depth(start: usize, end: usize, step: usize) -> Vec<Slice> {
    let mut slices = vec![Slice::full(); 5];
    slices[2] = Slice::new(start as isize, Some(end as isize), step as isize);
    slices
}
