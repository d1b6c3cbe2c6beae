use std::format;
use std::vec;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Facts, Window};
use crate::graph::GraphError;
use crate::graph::shape::mismatch;

/// `Conv`: operands `x [N, C, …]`, `weight [M, C / groups, kernel…]` and optionally `bias [M]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Where the kernel reads.
    pub window: Window,
    /// Channel groups; as many as channels for a depthwise convolution.
    pub groups: usize,
}

pub(super) fn facts() -> Facts {
    Facts {
        name: "Conv",
        operands: 2..=3,
        trainable: 0..3,
        slides_window: true,
        broadcasts: false,
        averages: false,
        computes: true,
        selects: false,
        finishes: false,
        gives_probabilities: false,
        commutes_with_rounding: false,
    }
}

pub(super) fn output_shape(conv: &Conv, operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
    let (x, weight) = (operands[0], operands[1]);
    let fits = x.len() >= 3
        && weight.len() == x.len()
        && conv.groups > 0
        && x[1].is_multiple_of(conv.groups)
        && weight[0].is_multiple_of(conv.groups)
        && weight[1] == x[1] / conv.groups
        && weight[2..] == conv.window.kernel[..]
        && operands.get(2).is_none_or(|bias| **bias == [weight[0]]);
    if !fits {
        return mismatch(format!("a convolution in {} groups of {x:?} by {weight:?}", conv.groups));
    }
    let mut shape = vec![x[0], weight[0]];
    shape.extend(conv.window.output(&x[2..])?);
    Ok(shape)
}

/// Products of one element of the result.
pub(super) fn products(operands: &[&[usize]]) -> u64 {
    operands[1][1..].iter().map(|&n| n as u64).product()
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::*;

    fn window(kernel: usize, stride: usize, begin: usize, end: usize) -> Window {
        Window {
            kernel: vec![kernel; 2],
            strides: vec![stride; 2],
            dilations: vec![1; 2],
            pads_begin: vec![begin; 2],
            pads_end: vec![end; 2],
        }
    }

    #[test]
    fn a_convolution_with_asymmetric_padding_has_onnx_extent() {
        let op = Op::Conv(Conv { window: window(3, 2, 0, 1), groups: 1 });
        let shape = op.output_shape(&[&[1, 3, 224, 224], &[32, 3, 3, 3], &[32]]);
        assert_eq!(shape, Ok(vec![1, 32, 112, 112]));
    }

    #[test]
    fn a_window_larger_than_its_input_is_refused() {
        let op = Op::Conv(Conv { window: window(5, 1, 0, 0), groups: 1 });
        assert!(op.output_shape(&[&[1, 1, 3, 3], &[1, 1, 5, 5]]).is_err());
    }
}
