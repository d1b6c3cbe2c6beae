//! One spatial dimension seen as two, so that every window over fewer than three is one over a plane.

use std::vec::Vec;

use burn::tensor::ops::{ConvOptions, FloatTensor};
use burn::tensor::{Shape, Slice};

use super::pad::pad_constant;
use super::slice;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};
use crate::graph::{GraphError, Window, elements};

/// A window over two dimensions, the first of extent 1 if the graph's window has only one.
pub(in crate::burn) struct Plane {
    pub(in crate::burn) kernel: [usize; 2],
    pub(in crate::burn) strides: [usize; 2],
    pub(in crate::burn) dilations: [usize; 2],
    pub(in crate::burn) begin: [usize; 2],
    pub(in crate::burn) end: [usize; 2],
}

impl Plane {
    /// `window` over two dimensions.
    ///
    /// A step that is never taken is made equal to the other one: some backends know only one
    /// stride and one dilation for both dimensions.
    pub(in crate::burn) fn new(window: &Window) -> Self {
        let two = |list: &[usize], missing: usize| match *list {
            [height, width] => [height, width],
            _ => [missing, list[0]],
        };
        let kernel = two(&window.kernel, 1);
        let mut dilations = two(&window.dilations, window.dilations[0]);
        for axis in 0..2 {
            if kernel[axis] == 1 {
                dilations[axis] = dilations[1 - axis];
            }
        }
        if kernel == [1, 1] {
            dilations = [1, 1];
        }
        Self {
            kernel,
            strides: two(&window.strides, window.strides[0]),
            dilations,
            begin: two(&window.pads_begin, 0),
            end: two(&window.pads_end, 0),
        }
    }

    /// `x` with its padding around it, filled with `value`.
    ///
    /// # Errors
    ///
    /// [`GraphError::TooManyElements`] if that is too large.
    pub(super) fn pad<B: FloatBackend>(
        &self,
        x: Array<B>,
        value: f32,
    ) -> Result<Array<B>, GraphError> {
        pad_constant(
            x,
            &[0, 0, self.begin[0], self.begin[1]],
            &[0, 0, self.end[0], self.end[1]],
            value,
        )
    }

    /// Extents of the region that a window covers.
    pub(super) fn reach(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.kernel[axis] - 1) * self.dilations[axis] + 1)
    }
}

/// `[N, C, L]` as `[N, C, 1, L]`, and `[N, C, H, W]` as it is.
pub(super) fn lift<B: FloatBackend>(x: Array<B>) -> Array<B> {
    if x.shape.len() != 3 {
        return x;
    }
    let shape = Vec::from([x.shape[0], x.shape[1], 1, x.shape[2]]);
    x.reshaped(shape)
}

/// Back from a plane to the graph's own shape of the result.
pub(super) fn lower<B: FloatBackend>(x: FloatTensor<B>, result: &[usize]) -> FloatTensor<B> {
    if result.len() == 3 { reshape::<B>(x, result) } else { x }
}

/// A convolution over a plane.
///
/// # Errors
///
/// [`GraphError::TooManyElements`] if the padded operand or the spread kernel is too large.
pub(in crate::burn) fn convolve<B: FloatBackend>(
    plane: &Plane,
    groups: usize,
    mut x: Array<B>,
    mut weight: Array<B>,
    bias: Option<FloatTensor<B>>,
) -> Result<FloatTensor<B>, GraphError> {
    // A backend's own padding is free, but only the same amount on every side is common to all.
    let mut padding = plane.begin;
    if plane.begin != plane.end || plane.begin[0] != plane.begin[1] {
        x = plane.pad(x, 0.0)?;
        padding = [0, 0];
    }
    let mut dilations = plane.dilations;
    if dilations[0] != dilations[1] {
        weight = spread(weight, dilations)?;
        dilations = [1, 1];
    }
    let step = common_divisor(plane.strides[0], plane.strides[1]);
    let options = ConvOptions::new([step; 2], padding, dilations, groups);
    let y = B::convolve(x.primitive, weight.primitive, bias, options);
    if plane.strides[0] == plane.strides[1] {
        return Ok(y);
    }
    let every = |axis: usize| Slice::new(0, None, (plane.strides[axis] / step) as isize);
    Ok(slice::<B>(y, &[Slice::full(), Slice::full(), every(0), every(1)]))
}

/// The kernel with the gaps of its dilation filled with zeros.
fn spread<B: FloatBackend>(
    weight: Array<B>,
    dilations: [usize; 2],
) -> Result<Array<B>, GraphError> {
    let [m, c, height, width] = [0, 1, 2, 3].map(|axis| weight.shape[axis]);
    let gaps = [m, c, height, dilations[0], width, dilations[1]];
    elements(&gaps)?;
    let kernel = weight.reshaped(Vec::from([m, c, height, 1, width, 1]));
    let end = [0, 0, 0, dilations[0] - 1, 0, dilations[1] - 1];
    let padded = pad_constant(kernel, &[0; 6], &end, 0.0)?;
    let shape = [m, c, height * dilations[0], width * dilations[1]];
    let spread = B::float_reshape(padded.primitive, Shape::from(shape));
    // Behind the last element there is no gap.
    let reach = [(height - 1) * dilations[0] + 1, (width - 1) * dilations[1] + 1];
    let up_to = |end: usize| Slice::new(0, Some(end as isize), 1);
    let slices = [Slice::full(), Slice::full(), up_to(reach[0]), up_to(reach[1])];
    let primitive = B::float_slice(spread, &slices);
    Ok(Array { primitive, shape: Vec::from([m, c, reach[0], reach[1]]) })
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
