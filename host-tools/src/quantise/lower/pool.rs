//! Means, maxima and padding.

use std::cmp::Reverse;

use headstart::graph::{
    AveragePool as GraphAveragePool, MaxPool, Node as GraphNode, Pad, PadMode as GraphPadMode,
};
use headstart::network::{AveragePool, GridPool, IntegerMean, Node, PadMode};

use super::conv::{POINT, window};
use super::join::MOST_AXES;
use super::{Lowering, Why, narrow, ratio};
use crate::quantise::lowered::{LoweredNode, View};

/// The mean of every bin of the result's grid.
pub(super) fn grid_node(input: u32, multiplier: f32) -> Node<'static> {
    Node::GridPool(GridPool { input, multiplier })
}

impl Lowering<'_> {
    pub(super) fn max_pool(&mut self, node: &GraphNode, pool: &MaxPool) -> Result<(), Why> {
        let (input, order) = self.image(node.inputs[0])?;
        let lowered = Node::MaxPool { input, window: window(&pool.window)? };
        let same = self.quantisation(input);
        self.define(node.output, LoweredNode::Plain(lowered), &order, same)
    }

    pub(super) fn average_pool(
        &mut self,
        node: &GraphNode,
        pool: &GraphAveragePool,
    ) -> Result<(), Why> {
        let (input, order) = self.image(node.inputs[0])?;
        let to = self.range(node.output)?;
        if let Some(&halves) = self.ranges.integer_means.get(&node.name)
            && !pool.count_include_pad
            && self.quantisation(input) == to
        {
            let mean = IntegerMean { input, window: window(&pool.window)?, halves };
            let lowered = LoweredNode::Plain(Node::IntegerMean(mean));
            return self.define(node.output, lowered, &order, to);
        }
        let behind = |i: usize| -> Result<u16, Why> {
            let end = pool.window.pads_end.get(i).copied().unwrap_or(0);
            narrow(end.saturating_sub(pool.ceil_extra.get(i).copied().unwrap_or(0)))
        };
        let counted_padding =
            if pool.count_include_pad { Some([behind(0)?, behind(1)?]) } else { None };
        let lowered = Node::AveragePool(AveragePool {
            input,
            window: window(&pool.window)?,
            counted_padding,
            multiplier: ratio(self.quantisation(input).scale, to.scale),
        });
        self.define(node.output, LoweredNode::Plain(lowered), &order, to)
    }

    /// The mean over axes (batch not counted): a window as large as they are.
    pub(super) fn mean(&mut self, node: &GraphNode, axes: &[usize]) -> Result<(), Why> {
        let view = self.view(node.inputs[0])?;
        let kept: Vec<usize> = (0..view.dims.len()).filter(|axis| !axes.contains(axis)).collect();
        if axes.is_empty() || kept.is_empty() {
            return Err(format!("a mean over axes {axes:?} of {:?}", view.dims).into());
        }
        if view.dims.len() > MOST_AXES {
            return self.mean_of_many(node, &view, axes, &kept);
        }
        let order: Vec<usize> = axes.iter().chain(&kept).copied().collect();
        let input = self.in_order(&view, &order)?;
        let to = self.range(node.output)?;
        let multiplier = ratio(self.quantisation(input).scale, to.scale);
        let [height, width, channels] = self.lowered.values[input as usize].extents;
        let (lowered, extents) = if axes.len() + 1 == order.len() {
            (grid_node(input, multiplier), [1, 1, channels])
        } else {
            let mut column = POINT;
            column.kernel[0] = narrow(height)?;
            let pool = AveragePool { input, window: column, counted_padding: None, multiplier };
            (Node::AveragePool(pool), [1, width, channels])
        };
        let value = self.push(LoweredNode::Plain(lowered), extents, to);
        let dims = self.dims(node.output)?;
        // Whether the reduced axes stay or not, what remains lies in the order of the kept ones.
        let flat: Vec<usize> = kept.iter().map(|&axis| view.dims[axis]).collect();
        let straight: Vec<usize> = (0..flat.len()).collect();
        let result = View::contiguous(value, flat, &straight).reshape(&dims);
        self.lowered.views[node.output] = Some(result.ok_or("a mean that moves axes")?);
        Ok(())
    }

    /// The mean over some of more axes than a tensor of the device has: all of them as rows, what remains as channels in the order in which
    /// it lies.
    fn mean_of_many(
        &mut self,
        node: &GraphNode,
        view: &View,
        axes: &[usize],
        kept: &[usize],
    ) -> Result<(), Why> {
        let mut inner: Vec<usize> = (0..kept.len()).collect();
        inner.sort_by_key(|&at| Reverse(view.strides[kept[at]]));
        let order: Vec<usize> =
            axes.iter().copied().chain(inner.iter().map(|&at| kept[at])).collect();
        let extents_of =
            |axes: &[usize]| -> Vec<usize> { axes.iter().map(|&axis| view.dims[axis]).collect() };
        let [rows, channels] = [axes, kept].map(|axes| extents_of(axes).iter().product());
        let input = self.in_order_as(view, &order, [rows, 1, channels])?;
        let to = self.range(node.output)?;
        let multiplier = ratio(self.quantisation(input).scale, to.scale);
        let mut column = POINT;
        column.kernel[0] = narrow(rows)?;
        let pool = AveragePool { input, window: column, counted_padding: None, multiplier };
        let lowered = LoweredNode::Plain(Node::AveragePool(pool));
        let value = self.push(lowered, [1, 1, channels], to);
        let result = View::contiguous(value, extents_of(kept), &inner);
        let dims = self.dims(node.output)?;
        self.lowered.views[node.output] = Some(self.reshaped(&result, &dims)?);
        Ok(())
    }

    pub(super) fn pad(&mut self, node: &GraphNode, pad: &Pad) -> Result<(), Why> {
        if pad.begin[0] != 0 || pad.end[0] != 0 {
            return Err("padding of the batch".into());
        }
        let (input, order) = self.image(node.inputs[0])?;
        let same = self.quantisation(input);
        let mode = match pad.mode {
            GraphPadMode::Constant(value) => PadMode::Constant(same.quantise(f64::from(value))),
            GraphPadMode::Reflect => PadMode::Reflect,
            GraphPadMode::Edge => PadMode::Edge,
            GraphPadMode::Wrap => {
                return Err("padding of mode wrap has no int8 form".into());
            }
        };
        let amount = |axis: usize| narrow::<u32>(pad.begin[order[axis] + 1]);
        let before = match order.len() {
            1 => [0, 0, amount(0)?],
            2 => [amount(0)?, 0, amount(1)?],
            _ => [amount(0)?, amount(1)?, amount(2)?],
        };
        self.define(
            node.output,
            LoweredNode::Plain(Node::Pad { input, before, mode }),
            &order,
            same,
        )
    }
}
