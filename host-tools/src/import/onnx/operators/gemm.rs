use headstart::graph::{Gemm, Op};

use super::{Bound, Context, NodeView, Outcome, qlinear};

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

/// `QGemm`: `a` 0…2, `b` 3…5, `c` 6, scale and zero point of the result 7 and 8.
pub(super) fn qgemm(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let trans_b = node.flag("transB", false)?;
    let alpha = node.float("alpha", 1.0)?;
    let (a, a_scale) = qlinear::operand(context, node, 0, 0)?;
    let (b, scales) = qlinear::operand(context, node, 3, if trans_b { 0 } else { 1 })?;
    let of_bias: Vec<f32> = scales.iter().map(|scale| alpha * scale).collect();
    let mut inputs = vec![a, b];
    inputs.extend(qlinear::bias(context, node, 6, &a_scale, &of_bias)?);
    let gemm = Gemm { alpha, beta: 1.0, trans_a: node.flag("transA", false)?, trans_b };
    if node.input(7).is_none() {
        return context.add(node, Op::Gemm(gemm), inputs);
    }
    qlinear::finish(context, node, Op::Gemm(gemm), inputs, 7)
}
