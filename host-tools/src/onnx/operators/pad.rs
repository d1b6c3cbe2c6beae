use headstart::graph::{Op, Pad, PadMode};

use super::super::attributes::axis;
use super::{Bound, Context, NodeView, Outcome, extent};

/// `Pad`: amounts and value were attributes until operator set 10 and are operands since; operator
/// set 18 added a list of axes.
pub(super) fn pad(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let rank = context.shape(x).len();
    let (amounts, value, axes) = if node.opset < 11 {
        let amounts = node.ints("pads")?.ok_or("pads is missing")?.to_vec();
        (amounts, node.float("value", 0.0)?, None)
    } else {
        let axes = context.optional_integers(node, 3)?;
        let value = context.optional_number(node, 2)?.unwrap_or(0.0);
        (context.integers(node, 1)?.data, value, axes)
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

    let shape = context.shape(x);
    let most = |i: usize| begin[i].max(end[i]);
    let mode = match node.string("mode", "constant")? {
        "constant" => PadMode::Constant(value),
        "reflect" if (0..rank).all(|i| most(i) < shape[i].max(1)) => PadMode::Reflect,
        "reflect" => return Err(format!("{amounts:?} elements cannot be mirrored in {shape:?}")),
        "edge" if shape.contains(&0) => return Err(format!("{shape:?} has no edge")),
        "edge" => PadMode::Edge,
        other => return Err(format!("mode {other:?}; constant, reflect and edge are supported")),
    };
    context.add(node, Op::Pad(Pad { begin, end, mode }), vec![x])
}
