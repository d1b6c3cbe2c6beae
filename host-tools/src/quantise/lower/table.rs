//! Functions of one element as tables of 256 entries, and softmax.

use headstart::graph::{Activation, Node as GraphNode, ValueId};
use headstart::network::{Activation as ComputedActivation, Node, SOFTMAX_TABLE_BYTES};

use super::curve::Channels;
use super::join::{MOST_AXES, around};
use super::{Lowering, Why, narrow};
use crate::quantise::lowered::{LoweredNode, Order, View};
use crate::quantise::rounding::Quantisation;

impl Lowering<'_> {
    pub(super) fn activation(&mut self, node: &GraphNode, function: Activation) -> Result<(), Why> {
        let bounds = match function {
            Activation::Relu => Some((0.0, f32::INFINITY)),
            Activation::Clip { min, max } if min <= max => Some((min, max)),
            _ => None,
        };
        if let Some((min, max)) = bounds {
            let view = self.view(node.inputs[0])?;
            let to = self.range(node.output)?;
            // Bounds outside of what the integers can say, as a quantised model has them: nothing happens.
            if self.quantisation(view.value) == to
                && Self::clamp(to, min, max) == (i8::MIN, i8::MAX)
            {
                self.lowered.views[node.output] = Some(view);
                return Ok(());
            }
        }
        if function.clamp().is_some() || matches!(function, Activation::LeakyRelu { .. }) {
            return self.homogeneous(node, node.inputs[0], move |x| function.apply(x));
        }
        self.table(node, node.inputs[0], move |x| function.apply(x))
    }

    pub(super) fn prelu(&mut self, node: &GraphNode) -> Result<(), Why> {
        let slope = self.constant(node.inputs[1]).ok_or("its slope is computed, not constant")?;
        let x = node.inputs[0];
        let slopes: Vec<f64> = slope.iter().map(|&s| f64::from(s)).collect();
        let prelu = |slope: f64, x: f64| if x < 0.0 { slope * x } else { x };
        if let [slope] = slopes[..] {
            return self.homogeneous(node, x, move |x| prelu(slope, x));
        }
        if self.dims(x)?.first() != Some(&slopes.len()) {
            return Err("a slope that is neither one number nor one a channel".into());
        }
        self.channel_tables(node, x, 0, slopes.len(), move |channel, x| prelu(slopes[channel], x))
    }

    /// One table for all elements; where channels have scales of their own a curve, or a table a channel.
    pub(super) fn table(
        &mut self,
        node: &GraphNode,
        x: ValueId,
        function: impl Fn(f64) -> f64,
    ) -> Result<(), Why> {
        let scales = [x, node.output].map(|value| self.ranges.scales.of(value));
        if scales == [None; 2] {
            return self.homogeneous(node, x, function);
        }
        let count = self.dims(x)?[0];
        let scale = |of: Option<&[f32]>, c: usize| of.map_or(1.0, |of| f64::from(of[c]));
        let scales: Vec<[f64; 2]> = (0..count).map(|c| scales.map(|of| scale(of, c))).collect();
        let (input, order) = self.by_channel(x, 0)?;
        self.count_functions(count)?;
        let channels =
            Channels { from: self.quantisation(input), to: self.range(node.output)?, scales };
        if let Some((factors, curve)) = self.curve(&channels, &function)? {
            let lowered = Node::Activation(ComputedActivation { input, factors, curve });
            return self.define(node.output, LoweredNode::Plain(lowered), &order, channels.to);
        }
        let of_channel = |c: usize, x: f64| {
            let [before, behind] = channels.scales[c];
            function(x * before) / behind
        };
        self.tables_in_order(node, (input, order), count, of_channel)
    }

    /// A value whose innermost axis is `axis`, and the order in which it lies.
    fn by_channel(&mut self, x: ValueId, axis: usize) -> Result<(u32, Order), Why> {
        let view = self.view(x)?;
        let order: Vec<usize> = (0..view.dims.len()).filter(|&a| a != axis).chain([axis]).collect();
        if order.len() > 3 {
            return Err(format!("a function a channel over {} dimensions", order.len() + 1).into());
        }
        Ok((self.in_order(&view, &order)?, order))
    }

    /// One table for all elements, of a function that commutes with the channels' scales.
    pub(super) fn homogeneous(
        &mut self,
        node: &GraphNode,
        x: ValueId,
        function: impl Fn(f64) -> f64,
    ) -> Result<(), Why> {
        let view = self.view(x)?;
        let to = self.range(node.output)?;
        let value = self.table_of(view.value, to, function)?;
        // The element order is the operand's, whatever it is.
        self.lowered.views[node.output] = Some(View { value, ..view });
        Ok(())
    }

    /// A function of a value in the arena.
    pub(super) fn table_of(
        &mut self,
        input: u32,
        to: Quantisation,
        function: impl Fn(f64) -> f64,
    ) -> Result<u32, Why> {
        let from = self.quantisation(input);
        let table = narrow(self.lowered.tables.len())?;
        self.lowered.tables.extend(entries(from, to, function));
        let extents = self.lowered.values[input as usize].extents;
        let node = Node::Table { input, table, per_channel: false };
        Ok(self.push(LoweredNode::Plain(node), extents, to))
    }

    /// One table a position along `axis`.
    pub(super) fn channel_tables(
        &mut self,
        node: &GraphNode,
        x: ValueId,
        axis: usize,
        channels: usize,
        function: impl Fn(usize, f64) -> f64,
    ) -> Result<(), Why> {
        self.count_functions(channels)?;
        let found = self.by_channel(x, axis)?;
        self.tables_in_order(node, found, channels, function)
    }

    /// One table a position along the innermost axis of a value.
    fn tables_in_order(
        &mut self,
        node: &GraphNode,
        (input, order): (u32, Order),
        channels: usize,
        function: impl Fn(usize, f64) -> f64,
    ) -> Result<(), Why> {
        let (from, to) = (self.quantisation(input), self.range(node.output)?);
        let table = narrow(self.lowered.tables.len())?;
        for channel in 0..channels {
            self.lowered.tables.extend(entries(from, to, |x| function(channel, x)));
        }
        let lowered = Node::Table { input, table, per_channel: true };
        self.define(node.output, LoweredNode::Plain(lowered), &order, to)
    }

    pub(super) fn softmax(
        &mut self,
        node: &GraphNode,
        axis: usize,
        flatten: bool,
    ) -> Result<(), Why> {
        let view = self.view(node.inputs[0])?;
        let axis = axis.checked_sub(1).ok_or("a softmax over the batch")?;
        if flatten && view.dims[axis + 1..].iter().any(|&n| n > 1) {
            return Err(
                "a softmax over several axes; export the model with opset 13 or newer".into()
            );
        }
        let (view, axis) = match view.dims.len() > MOST_AXES {
            true => (self.reshaped(&view, &around(&view.dims, axis))?, 1),
            false => (view, axis),
        };
        let order: Vec<usize> = (0..view.dims.len()).filter(|&a| a != axis).chain([axis]).collect();
        let input = self.in_order(&view, &order)?;
        let (from, to) = (self.quantisation(input), self.range(node.output)?);
        let table = narrow(self.lowered.tables.len())?;
        for distance in 0..SOFTMAX_TABLE_BYTES / 4 {
            let entry = (-(distance as f64) * f64::from(from.scale)).exp() as f32;
            self.lowered.tables.extend(entry.to_le_bytes());
        }
        let lowered = Node::Softmax { input, table, multiplier: 1.0 / to.scale };
        self.define_as(node.output, LoweredNode::Plain(lowered), view.dims, &order, to)
    }
}

fn entries(
    from: Quantisation,
    to: Quantisation,
    function: impl Fn(f64) -> f64,
) -> impl Iterator<Item = u8> {
    (i8::MIN..=i8::MAX).map(move |q| to.quantise(function(from.real(q))).cast_unsigned())
}
