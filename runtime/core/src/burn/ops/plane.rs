//! One spatial dimension seen as two, so that every window over fewer than three is one over a plane.

use std::vec::Vec;

use burn::tensor::ops::FloatTensor;

use super::pad::pad_constant;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};
use crate::graph::{GraphError, Window};

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
