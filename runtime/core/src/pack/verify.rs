//! The rules that tie manifest, values, nodes and sections together. After them, running a
//! backbone cannot fail: every index, extent and sum is within its bounds.

use super::{MAX_NODES, Pack, Resize, Value};
use crate::Error;
use crate::backbone::strips::parts;
use crate::backbone::{
    AveragePool, Binary, BinaryOp, CHANNEL_BYTES, Conv, GridPool, Node, OPERAND_BYTES, PadMode,
    SOFTMAX_TABLE_BYTES, TABLE_BYTES, concat_operands,
};
use crate::head::HeadRecord;

/// Longest sum of products: 2^16 · 128 · 127 < 2^30, which leaves as much for the bias.
const MAX_PRODUCTS: u32 = 1 << 16;

pub(super) fn verify(pack: &Pack<'_>) -> Result<(), Error> {
    verify_manifest(pack)?;
    let first = pack.value(0)?;
    if first.kept_rows != 0 {
        return Err(Error::BadValue { index: 0 });
    }
    let mut arena_end = first.range().end;
    for (index, node) in (0_u32..).zip(pack.nodes()) {
        let bad = Error::BadNode { index };
        let output = pack.value(index.saturating_add(1))?;
        arena_end = arena_end.max(output.range().end);
        let node = node?;
        let mut sound = true;
        node.operands(|id| {
            let placed = pack.value(id).is_ok_and(|input| {
                let (from, to) = (input.range(), output.range());
                let apart = from.end <= to.start || to.end <= from.start;
                // A band is read by the next node of its chain alone.
                (apart || (from == to && is_elementwise(pack, &node, &output)))
                    && (input.kept_rows == 0 || (id == index && matches!(node, Node::Conv(_))))
            });
            sound &= id <= index && placed;
        });
        if !sound || !fits(pack, &node, &output).ok_or(bad)? {
            return Err(bad);
        }
    }
    // The nodes are sound: now the rules of chains.
    parts(pack).try_for_each(|part| part.map(drop))?;
    if arena_end != pack.plan().arena_bytes as usize {
        return Err(Error::PlanMismatch);
    }
    verify_crossing(pack)?;
    match pack.head {
        Some(bytes) => verify_head(pack, bytes),
        None => Ok(()),
    }
}

/// What a tail reads is whole, and stays until the last node has run.
fn verify_crossing(pack: &Pack<'_>) -> Result<(), Error> {
    let Some(tail) = pack.tail() else { return Ok(()) };
    let mut elements = 0_u32;
    let mut least = 0_u32;
    for id in tail.crossing() {
        let value = pack.value(id).map_err(|_| Error::BadTail)?;
        elements = elements.checked_add(value.elements()).ok_or(Error::ShapeOverflow)?;
        if id < least || id > pack.node_count() || value.kept_rows != 0 {
            return Err(Error::BadTail);
        }
        least = id.saturating_add(1);
        let kept = value.range();
        for later in id.saturating_add(1)..=pack.node_count() {
            let range = pack.value(later)?.range();
            if range.start < kept.end && kept.start < range.end {
                return Err(Error::BadTail);
            }
        }
    }
    if elements as usize > crate::head::MAX_FEATURES {
        return Err(Error::ShapeOverflow);
    }
    Ok(())
}

fn verify_head(pack: &Pack<'_>, bytes: &[u8]) -> Result<(), Error> {
    let head = HeadRecord::parse_for(bytes, &pack.digest)?;
    let expected = pack.head_inputs();
    if head.feature_len() != expected {
        return Err(Error::BufferLength { expected, found: head.feature_len() });
    }
    if head.classes() > pack.plan().max_classes as usize {
        return Err(Error::PlanMismatch);
    }
    Ok(())
}

fn verify_manifest(pack: &Pack<'_>) -> Result<(), Error> {
    let nodes = pack.node_count();
    // A tail may read the input itself.
    if (nodes == 0 && pack.tail().is_none()) || nodes > MAX_NODES {
        return Err(Error::ShapeOverflow);
    }
    let values = (nodes as usize).saturating_add(1).saturating_mul(super::value::VALUE_BYTES);
    if pack.values.len() != values
        || !pack.nodes_end_exactly()
        || !pack.channels.len().is_multiple_of(CHANNEL_BYTES)
    {
        return Err(Error::BadManifest);
    }
    let (input, first) = (pack.input(), pack.value(0)?);
    let preprocessing = &input.preprocessing;
    let finite = preprocessing.mean.iter().chain(&preprocessing.std).all(|v| v.is_finite());
    let large_enough = match preprocessing.resize {
        Resize::Stretch => true,
        Resize::ShortSide(side) => {
            side >= input.height.max(input.width) && side <= super::MAX_EXTENT
        }
    };
    if (input.height, input.width, input.channels) != (first.height, first.width, first.channels)
        || !finite
        || preprocessing.std.contains(&0.0)
        || !large_enough
    {
        return Err(Error::BadManifest);
    }
    let plan = pack.plan();
    let features = match pack.tail() {
        Some(tail) => tail.head_inputs,
        None => pack.feature_value()?.elements(),
    };
    if super::Plan::new(plan.arena_bytes, features, plan.max_classes) != Some(*plan) {
        return Err(Error::PlanMismatch);
    }
    Ok(())
}

/// Whether each element of the result depends on the same one of every operand: it may then take an
/// operand's place.
fn is_elementwise(pack: &Pack<'_>, node: &Node<'_>, output: &Value) -> bool {
    let same = |id| pack.value(id).is_ok_and(|input| input.same_shape(output));
    match *node {
        Node::Table { input, .. } => same(input),
        Node::Binary(Binary { a, b, .. }) => same(a) && same(b),
        _ => false,
    }
}

/// Whether the node's operands, parameters and result fit together; `None` where an index or a
/// product is out of range.
fn fits(pack: &Pack<'_>, node: &Node<'_>, output: &Value) -> Option<bool> {
    let value = |id| pack.value(id).ok();
    let has_table = |start: u32, length: usize| {
        let end = (start as usize).checked_add(length)?;
        pack.tables.get(start as usize..end).map(|_| true)
    };
    let same_channels = |input: &Value| input.channels == output.channels;
    match *node {
        Node::Conv(conv) => conv_fits(pack, &conv, &value(conv.input)?, output),
        Node::Table { input, table, per_channel } => {
            let input = value(input)?;
            let tables = if per_channel { input.channels as usize } else { 1 };
            Some(has_table(table, tables.checked_mul(TABLE_BYTES)?)? && input.same_shape(output))
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
            let same_scale = input.scale.to_bits() == output.scale.to_bits()
                && input.zero_point == output.zero_point;
            Some(same_channels(&input) && window.fits(&input, output) && same_scale)
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
        Node::Concat { axis, operands } => concat_fits(pack, axis, operands, output),
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
            has_table(table, SOFTMAX_TABLE_BYTES)?
                && value(input)?.same_shape(output)
                && multiplier.is_finite(),
        ),
    }
}

fn conv_fits(pack: &Pack<'_>, conv: &Conv, input: &Value, output: &Value) -> Option<bool> {
    let groups = conv.groups;
    let divides =
        input.channels.checked_rem(groups)? == 0 && output.channels.checked_rem(groups)? == 0;
    let per_channel = conv.weights_per_channel(input)?;
    let count = conv.weight_bytes(input, output)?;
    let end = (conv.weights as usize).checked_add(count)?;
    let weights = pack.weights.get(conv.weights as usize..end)?;
    let records = pack.channels(conv.channels, output.channels);
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

fn concat_fits(pack: &Pack<'_>, axis: u8, operands: &[u8], output: &Value) -> Option<bool> {
    let extents = |v: &Value| [v.height, v.width, v.channels];
    let axis = usize::from(axis);
    let mut along = 0_u32;
    let mut sound = !operands.is_empty() && operands.len().checked_rem(OPERAND_BYTES)? == 0;
    for (id, multiplier) in concat_operands(operands) {
        let input = extents(&pack.value(id).ok()?);
        along = along.checked_add(*input.get(axis)?)?;
        let pairs = input.iter().zip(extents(output)).enumerate();
        sound &= multiplier.is_finite();
        sound &= pairs.fold(true, |all, (i, (&from, to))| all && (i == axis || from == to));
    }
    Some(sound && along == *extents(output).get(axis)?)
}
