//! Nodes and values as the kernels take them.

use crate::Error;
use crate::kernels::generic::{self, Convolution, Output, Tensor};
use crate::network::{Activation, Conv, Curve, FACTOR_BYTES, LINES_BYTES, Network, Value};

/// A node as the kernels take it.
pub(super) fn convolution<'a>(
    network: &Network<'a>,
    conv: &'a Conv,
    (input, x): (&Value, Tensor<'a>),
    (value, to): (&Value, Output),
) -> Convolution<'a> {
    let count = conv.weight_bytes(input, value).unwrap_or(0);
    Convolution {
        x,
        window: &conv.window,
        groups: conv.groups as usize,
        weights: &network.weights()[conv.weights as usize..][..count],
        channels: network.channels(conv.channels, value.channels),
        to,
    }
}

/// A node that reads `input` as the kernels take it.
pub(crate) fn activation<'a>(
    network: &Network<'a>,
    node: &Activation,
    input: &Value,
) -> Result<generic::Activation<'a>, Error> {
    let bytes = input.channels as usize * FACTOR_BYTES;
    let curve = match node.curve {
        Curve::HardSwish => generic::Curve::HardSwish,
        Curve::Lines { points } => {
            let points = network.table(points, LINES_BYTES).as_chunks().0;
            generic::Curve::Lines(points.first_chunk().ok_or(Error::ShapeOverflow)?)
        }
    };
    let factors = network.table(node.factors, bytes).as_chunks().0;
    Ok(generic::Activation { factors, curve, zero_point: input.zero_point })
}

pub(super) fn tensor<'a>(value: &Value, data: &'a [i8]) -> Tensor<'a> {
    Tensor {
        data,
        height: value.height as usize,
        width: value.width as usize,
        channels: value.channels as usize,
        zero_point: value.zero_point,
    }
}

pub(crate) fn output(value: &Value, min: i8, max: i8) -> Output {
    Output {
        height: value.height as usize,
        width: value.width as usize,
        channels: value.channels as usize,
        zero_point: value.zero_point,
        min,
        max,
    }
}
