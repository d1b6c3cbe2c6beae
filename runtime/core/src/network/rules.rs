//! The rules that tie values, nodes and what they refer to. After them, running a network cannot fail: every index,
//! extent and sum is within its bounds.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

use super::value::VALUE_BYTES;
use super::{
    Activation, AveragePool, Binary, BinaryOp, CHANNEL_BYTES, Conv, Curve, FACTOR_BYTES, GridPool,
    IntegerMean, LINES_BYTES, Network, Node, OPERAND_BYTES, PadMode, SOFTMAX_TABLE_BYTES,
    TABLE_BYTES, Value, concat_operands,
};
use crate::Error;

/// Longest sum of products: 2^16 · 128 · 127 < 2^30, which leaves as much for the bias.
const MAX_PRODUCTS: u32 = 1 << 16;

/// Greatest factor and point of an activation: no product of them and of an int8 is past float32.
const MAX_FACTOR: f32 = 1e12;

impl Network<'_> {
    /// Whether values, nodes and channel records end where their sections do.
    pub(crate) fn is_whole(&self) -> bool {
        let values = (self.node_count as usize).saturating_add(1).saturating_mul(VALUE_BYTES);
        self.values.len() == values
            && self.nodes_end_exactly()
            && self.channels.len().is_multiple_of(CHANNEL_BYTES)
    }

    fn nodes_end_exactly(&self) -> bool {
        let mut rest = self.nodes;
        for _ in 0..self.node_count {
            match postcard::take_from_bytes::<Node<'_>>(rest) {
                Ok((_, behind)) => rest = behind,
                Err(_) => return false,
            }
        }
        rest.is_empty()
    }

    /// Checks every value and node of a network that [`is_whole`](Self::is_whole), and gives the bytes of the arena
    /// that they take.
    pub(crate) fn verify(&self) -> Result<usize, Error> {
        let first = self.value(0)?;
        if first.kept_rows != 0 {
            return Err(Error::BadValue { index: 0 });
        }
        let mut arena_end = first.range().end;
        for (index, node) in (0_u32..).zip(self.nodes()) {
            let bad = Error::BadNode { index };
            let output = self.value(index.saturating_add(1))?;
            arena_end = arena_end.max(output.range().end);
            let node = node?;
            let mut sound = true;
            node.operands(|id| {
                let placed = self.value(id).is_ok_and(|input| {
                    let (from, to) = (input.range(), output.range());
                    let apart = from.end <= to.start || to.end <= from.start;
                    // A band is read by the next node of its chain alone.
                    (apart || (from == to && is_elementwise(self, &node, &output)))
                        && (input.kept_rows == 0 || (id == index && matches!(node, Node::Conv(_))))
                });
                sound &= id <= index && placed;
            });
            if !sound || !fits(self, &node, &output).ok_or(bad)? {
                return Err(bad);
            }
        }
        // The nodes are sound: now the rules of chains.
        self.parts().try_for_each(|part| part.map(drop))?;
        Ok(arena_end)
    }
}

/// Whether each element of the result depends on the same one of every operand: it may then take an
/// operand's place.
fn is_elementwise(network: &Network<'_>, node: &Node<'_>, output: &Value) -> bool {
    let same = |id| network.value(id).is_ok_and(|input| input.same_shape(output));
    match *node {
        Node::Table { input, .. } | Node::Activation(Activation { input, .. }) => same(input),
        Node::Binary(Binary { a, b, .. }) => same(a) && same(b),
        _ => false,
    }
}

/// Whether the node's operands, parameters and result fit together; `None` where an index or a
/// product is out of range.
fn fits(network: &Network<'_>, node: &Node<'_>, output: &Value) -> Option<bool> {
    let value = |id| network.value(id).ok();
    // None is empty.
    let has_table = |start, length: usize| network.table(start, length).len() == length;
    let has_factors = |start, length: usize| {
        let table = network.table(start, length);
        let sound = |&number: &[u8; 4]| f32::from_le_bytes(number).abs() <= MAX_FACTOR;
        table.len() == length && table.as_chunks().0.iter().all(sound)
    };
    let same_channels = |input: &Value| input.channels == output.channels;
    match *node {
        Node::Conv(conv) => conv_fits(network, &conv, &value(conv.input)?, output),
        Node::Table { input, table, per_channel } => {
            let input = value(input)?;
            let tables = if per_channel { input.channels as usize } else { 1 };
            Some(has_table(table, tables.checked_mul(TABLE_BYTES)?) && input.same_shape(output))
        }
        Node::Binary(Binary { op, a, b, scale_a, scale_b, min, max }) => {
            let broadcasts = |x: Value| {
                let pairs = [
                    (x.height, output.height),
                    (x.width, output.width),
                    (x.channels, output.channels),
                ];
                pairs.iter().all(|&(x, to)| x == to || x == 1)
            };
            let scales = scale_a.is_finite() && scale_b.is_finite();
            let one_scale = op == BinaryOp::Add || scale_b.to_bits() == 1.0_f32.to_bits();
            Some(
                broadcasts(value(a)?) && broadcasts(value(b)?) && scales && one_scale && min <= max,
            )
        }
        Node::MaxPool { input, window } => {
            let input = value(input)?;
            Some(same_channels(&input) && window.fits(&input, output) && same_scale(&input, output))
        }
        Node::AveragePool(AveragePool { input, window, multiplier, .. }) => {
            let input = value(input)?;
            let cells = u32::from(window.kernel[0]).checked_mul(u32::from(window.kernel[1]))?;
            Some(
                same_channels(&input)
                    && window.fits(&input, output)
                    && cells <= MAX_PRODUCTS
                    && multiplier.is_finite(),
            )
        }
        Node::GridPool(GridPool { input, multiplier }) => {
            let input = value(input)?;
            Some(
                same_channels(&input)
                    && output.height <= input.height
                    && output.width <= input.width
                    && input.height.checked_mul(input.width)? <= 1 << 22
                    && multiplier.is_finite(),
            )
        }
        Node::IntegerMean(IntegerMean { input, window, .. }) => {
            let input = value(input)?;
            let cells = u32::from(window.kernel[0]).checked_mul(u32::from(window.kernel[1]))?;
            Some(
                same_channels(&input)
                    && window.fits(&input, output)
                    && same_scale(&input, output)
                    && cells <= MAX_PRODUCTS,
            )
        }
        Node::Activation(Activation { input, factors, curve }) => {
            let input = value(input)?;
            let bytes = (input.channels as usize).checked_mul(FACTOR_BYTES)?;
            let has_points = match curve {
                Curve::HardSwish => true,
                Curve::Lines { points } => has_factors(points, LINES_BYTES),
            };
            Some(
                network.has_activations
                    && has_factors(factors, bytes)
                    && has_points
                    && input.same_shape(output),
            )
        }
        Node::Concat { axis, operands } => concat_fits(network, axis, operands, output),
        Node::Pad { input, before, mode } => {
            let input = value(input)?;
            let from = [input.height, input.width, input.channels];
            let to = [output.height, output.width, output.channels];
            Some(from.iter().zip(to).zip(before).all(|((&from, to), before)| {
                let behind = to.checked_sub(from).and_then(|n| n.checked_sub(before));
                behind.is_some_and(|behind| {
                    mode != PadMode::Reflect || (before < from && behind < from)
                })
            }))
        }
        Node::Permute { input, extents, strides } => {
            let mut elements = 1_u32;
            let mut last = 0_u32;
            for (&extent, &stride) in extents.iter().zip(&strides) {
                elements = elements.checked_mul(extent)?;
                last = last.checked_add(extent.checked_sub(1)?.checked_mul(stride)?)?;
            }
            Some(elements == output.elements() && last < value(input)?.elements())
        }
        Node::Softmax { input, table, multiplier } => Some(
            has_table(table, SOFTMAX_TABLE_BYTES)
                && value(input)?.same_shape(output)
                && multiplier.is_finite(),
        ),
    }
}

/// Whether the integers of both mean the same.
fn same_scale(a: &Value, b: &Value) -> bool {
    a.scale.to_bits() == b.scale.to_bits() && a.zero_point == b.zero_point
}

fn conv_fits(network: &Network<'_>, conv: &Conv, input: &Value, output: &Value) -> Option<bool> {
    let groups = conv.groups;
    let divides =
        input.channels.checked_rem(groups)? == 0 && output.channels.checked_rem(groups)? == 0;
    let per_channel = conv.weights_per_channel(input)?;
    let count = conv.weight_bytes(input, output)?;
    let end = (conv.weights as usize).checked_add(count)?;
    let weights = network.weights.get(conv.weights as usize..end)?;
    let records = network.channels(conv.channels, output.channels);
    // −128 is no weight: it would let products of int16 pairs overflow.
    let rows = conv.weight_rows(input, output)?;
    let group_bytes = rows.bytes()?;
    let weights_sound = weights.iter().all(|&w| w != i8::MIN)
        && group_bytes > 0
        && (conv.is_depthwise(input, output)
            || weights.chunks_exact(group_bytes).all(|group| rows.padding_is_zero(group)));
    let bound = i64::from(per_channel).checked_mul(128 * 127)?;
    let records_sound = records.len() == output.channels as usize
        && (0..records.len()).all(|channel| {
            let (bias, multiplier) = records.get(channel);
            let reach = i64::from(bias).unsigned_abs().saturating_add(bound.unsigned_abs());
            multiplier.is_finite() && reach < 1 << 31
        });
    Some(
        divides
            && per_channel <= MAX_PRODUCTS
            && conv.window.fits(input, output)
            && weights_sound
            && records_sound
            && conv.min <= conv.max,
    )
}

fn concat_fits(network: &Network<'_>, axis: u8, operands: &[u8], output: &Value) -> Option<bool> {
    let extents = |v: &Value| [v.height, v.width, v.channels];
    let axis = usize::from(axis);
    let mut along = 0_u32;
    let mut sound = !operands.is_empty() && operands.len().checked_rem(OPERAND_BYTES)? == 0;
    for (id, multiplier) in concat_operands(operands) {
        let input = extents(&network.value(id).ok()?);
        along = along.checked_add(*input.get(axis)?)?;
        let pairs = input.iter().zip(extents(output)).enumerate();
        sound &= multiplier.is_finite();
        sound &= pairs.fold(true, |all, (i, (&from, to))| all && (i == axis || from == to));
    }
    Some(sound && along == *extents(output).get(axis)?)
}
