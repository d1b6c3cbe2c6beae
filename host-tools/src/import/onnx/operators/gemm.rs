use headstart::graph::{Gemm, Op};

use super::{Bound, Context, NodeView, Outcome};

/// `Gemm`.
pub(super) fn gemm(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut inputs = vec![context.float(node, 0)?, context.float(node, 1)?];
    inputs.extend(context.optional_float(node, 2)?);
    let op = Op::Gemm(Gemm {
        alpha: node.float("alpha", 1.0)?,
        beta: node.float("beta", 1.0)?,
        trans_a: node.flag("transA", false)?,
        trans_b: node.flag("transB", false)?,
    });
    context.add(node, op, inputs)
}

/// `MatMul`.
pub(super) fn matmul(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let inputs = vec![context.float(node, 0)?, context.float(node, 1)?];
    context.add(node, Op::MatMul, inputs)
}
