use headstart::graph::{Binary, Op, ValueId};

use super::super::attributes::axis;
use super::super::integers::Arithmetic;
use super::{Bound, Context, NodeView, Outcome, qlinear, unknown};

/// `Add`, `Sub`, `Mul` and `Div`, of two float tensors or of two known integer tensors.
pub(super) fn binary(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (float, integer) = match node.operator() {
        "Add" => (Binary::Add, Arithmetic::Add),
        "Sub" => (Binary::Sub, Arithmetic::Sub),
        "Mul" => (Binary::Mul, Arithmetic::Mul),
        "Div" => (Binary::Div, Arithmetic::Div),
        other => return Err(unknown(other)),
    };
    if let (Bound::Integers(a), Bound::Integers(b)) =
        (context.operand(node, 0)?, context.operand(node, 1)?)
    {
        let result = a.arithmetic(integer, b)?;
        return context.integers_result(result);
    }
    let (a, b) = (context.float(node, 0)?, context.float(node, 1)?);
    let b = aligned(context, node, a, b)?;
    context.add(node, Op::Binary(float), vec![a, b])
}

/// `Sum` of any number of float tensors, as a chain of additions.
pub(super) fn sum(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut total = context.float(node, 0)?;
    let count = node.inputs().len();
    for index in 1..count {
        let next = context.float(node, index)?;
        let op = Op::Binary(Binary::Add);
        if index + 1 == count {
            return context.add(node, op, vec![total, next]);
        }
        let name = format!("{}_of_{}", node.output(), index + 1);
        let added = context.graph.add_node(name.clone(), op, vec![total, next], name);
        total = added.map_err(|error| error.to_string())?;
    }
    Ok(Bound::Float(total))
}

/// `QLinearAdd` and `QLinearMul`: `a` 0…2, `b` 3…5, scale and zero point of the result 6 and 7.
pub(super) fn qlinear_binary(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let op = match node.operator() {
        "QLinearAdd" => Binary::Add,
        "QLinearMul" => Binary::Mul,
        other => return Err(unknown(other)),
    };
    let (a, _) = qlinear::operand(context, node, 0, 0)?;
    let (b, _) = qlinear::operand(context, node, 3, 0)?;
    qlinear::finish(context, node, Op::Binary(op), vec![a, b], 6)
}

/// Until operator set 6 `b` stood under `a` from attribute `axis` on.
fn aligned(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    a: ValueId,
    b: ValueId,
) -> Outcome<ValueId> {
    if node.opset >= 7 || !node.flag("broadcast", false)? || !node.has("axis") {
        return Ok(b);
    }
    let rank = context.shape(a).len();
    let begin = axis(node.int("axis", 0)?, rank)?;
    let mut shape = context.shape(b).to_vec();
    if begin + shape.len() > rank {
        return Err(format!("{shape:?} from axis {begin} on of {rank} dimensions"));
    }
    shape.resize(rank - begin, 1);
    context.reshaped(node, b, shape)
}
