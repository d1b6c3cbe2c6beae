use headstart::graph::Op;

use super::{Bound, Context, NodeView, Outcome, qlinear};

/// `MatMul`.
pub(super) fn matmul(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let inputs = vec![context.float(node, 0)?, context.float(node, 1)?];
    context.add(node, Op::MatMul, inputs)
}

/// `QLinearMatMul`: `a` 0…2, `b` 3…5, scale and zero point of the result 6 and 7.
pub(super) fn qlinear_matmul(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (a, _) = qlinear::operand(context, node, 0, 0)?;
    let (b, _) = qlinear::operand(context, node, 3, -1)?;
    qlinear::finish(context, node, Op::MatMul, vec![a, b], 6)
}
