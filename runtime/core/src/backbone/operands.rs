//! Nodes and values as the kernels take them.

use crate::kernels::generic::{Convolution, Output, Tensor};
use crate::network::{Conv, Network, Value};

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

pub(super) fn tensor<'a>(value: &Value, data: &'a [i8]) -> Tensor<'a> {
    Tensor {
        data,
        height: value.height as usize,
        width: value.width as usize,
        channels: value.channels as usize,
        zero_point: value.zero_point,
    }
}

pub(super) fn output(value: &Value, min: i8, max: i8) -> Output {
    Output {
        height: value.height as usize,
        width: value.width as usize,
        channels: value.channels as usize,
        zero_point: value.zero_point,
        min,
        max,
    }
}
