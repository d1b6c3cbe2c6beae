//! Per-channel factors and offsets that no convolution took up.

use headstart::graph::{Node as GraphNode, ValueId};

use super::conv::{Kernel, POINT};
use super::{Lowering, Why};

impl Lowering<'_> {
    pub(super) fn batch_normalization(
        &mut self,
        node: &GraphNode,
        epsilon: f32,
    ) -> Result<(), Why> {
        let parameter = |i: usize| {
            self.constant(node.inputs[i]).ok_or("its statistics are computed, not constant")
        };
        let (scale, bias) = (parameter(1)?, parameter(2)?);
        let (mean, variance) = (parameter(3)?, parameter(4)?);
        let factors: Vec<f32> =
            scale.iter().zip(variance).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let offsets = bias.iter().zip(mean).zip(&factors).map(|((b, m), f)| b - m * f).collect();
        self.affine(node, node.inputs[0], 0, factors, offsets)
    }

    /// `x · factor + offset` along one axis of `x`: a depthwise convolution of extent 1. Its
    /// weights are ±127, so that the factor is rounded to float32 only.
    pub(super) fn affine(
        &mut self,
        node: &GraphNode,
        x: ValueId,
        axis: usize,
        factors: Vec<f32>,
        offsets: Vec<f32>,
    ) -> Result<(), Why> {
        let view = self.view(x)?;
        if view.dims.len() > 3 {
            return Err(format!("a factor over {} dimensions", view.dims.len() + 1).into());
        }
        let order: Vec<usize> = (0..view.dims.len()).filter(|&a| a != axis).chain([axis]).collect();
        let value = self.in_order(&view, &order)?;
        let groups = factors.len();
        let kernel = Kernel { window: POINT, groups, weights: factors, bias: offsets, own: None };
        self.convolve(node, value, &order, kernel)
    }
}
