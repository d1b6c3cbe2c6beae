use headstart::graph::Op;

use super::super::attributes::axis;
use super::super::integers::Integers;
use super::{Bound, Context, NodeView, Outcome, qlinear};

/// `Concat`, of float tensors or of known integer tensors.
pub(super) fn concat(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let at = node.int("axis", 1)?;
    let count = node.inputs().len();
    if let Bound::Integers(_) = context.operand(node, 0)? {
        let parts = (0..count).map(|i| context.integers(node, i)).collect::<Outcome<Vec<_>>>()?;
        return context.integers_result(Integers::concat(&parts, at)?);
    }
    let inputs = (0..count).map(|i| context.float(node, i)).collect::<Outcome<Vec<_>>>()?;
    let axis = axis(at, context.shape(inputs[0]).len())?;
    context.add(node, Op::Concat { axis }, inputs)
}

/// `QLinearConcat`: scale and zero point of the result 0 and 1, then three operands a tensor.
pub(super) fn qlinear_concat(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut inputs = Vec::new();
    for first in (2..node.inputs().len()).step_by(3) {
        inputs.push(qlinear::operand(context, node, first, 0)?.0);
    }
    let first = *inputs.first().ok_or("nothing to put side by side")?;
    let axis = axis(node.int("axis", 1)?, context.shape(first).len())?;
    qlinear::finish(context, node, Op::Concat { axis }, inputs, 0)
}
