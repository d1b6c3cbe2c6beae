use headstart::graph::{Op, Pad, PadMode};

use super::super::attributes::axis;
use super::{Bound, Context, NodeView, Outcome, extent};

/// `Pad`: amounts and value were attributes until operator set 10 and are operands since; operator
/// set 18 added a list of axes. Also of known integers.
pub(super) fn pad(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let integers = match context.operand(node, 0)? {
        Bound::Integers(integers) => Some(integers.clone()),
        _ => None,
    };
    let shape = match &integers {
        Some(integers) => integers.shape.clone(),
        None => context.shape(context.float(node, 0)?).to_vec(),
    };
    let rank = shape.len();
    let (amounts, axes) = if node.opset < 11 {
        (node.ints("pads")?.ok_or("pads is missing")?.to_vec(), None)
    } else {
        (context.integers(node, 1)?.data, context.optional_integers(node, 3)?)
    };
    let value = match node.opset {
        ..11 => node.float("value", 0.0)?,
        _ if integers.is_some() => 0.0,
        _ => context.optional_number(node, 2)?.unwrap_or(0.0),
    };
    let axes = match axes {
        Some(list) => list.data.iter().map(|&a| axis(a, rank)).collect::<Outcome<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if amounts.len() != 2 * axes.len() {
        return Err(format!("{} pads for {} dimensions", amounts.len(), axes.len()));
    }
    if amounts.iter().any(|&n| n < 0) {
        return Err(format!(
            "pads of {amounts:?}; negative ones, which cut the input, are not supported"
        ));
    }
    let (mut begin, mut end) = (vec![0; rank], vec![0; rank]);
    for (i, &axis) in axes.iter().enumerate() {
        begin[axis] = extent("pads", amounts[i])?;
        end[axis] = extent("pads", amounts[axes.len() + i])?;
    }

    let most = |i: usize| begin[i].max(end[i]);
    let mode = match node.string("mode", "constant")? {
        "constant" => PadMode::Constant(value),
        "reflect" if (0..rank).all(|i| most(i) < shape[i].max(1)) => PadMode::Reflect,
        "reflect" => return Err(format!("{amounts:?} elements cannot be mirrored in {shape:?}")),
        "edge" | "wrap" if shape.contains(&0) => return Err(format!("{shape:?} has no edge")),
        "edge" => PadMode::Edge,
        "wrap" => PadMode::Wrap,
        other => {
            return Err(format!("mode {other:?}; constant, reflect, edge and wrap are supported"));
        }
    };
    if let Some(integers) = integers {
        let value = context.optional_integers(node, 2)?;
        let value = value.map_or(Ok(0), |value| match value.data.as_slice() {
            &[number] if value.kind == integers.kind => Ok(number),
            _ => Err(format!("operand 2 is not one {}", integers.kind.name())),
        })?;
        let result = integers.pad(&Pad { begin, end, mode }, value)?;
        return context.integers_result(result);
    }
    let x = context.float(node, 0)?;
    context.add(node, Op::Pad(Pad { begin, end, mode }), vec![x])
}
