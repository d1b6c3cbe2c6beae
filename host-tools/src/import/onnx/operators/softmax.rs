use headstart::graph::Op;

use super::super::attributes::axis;
use super::{Bound, Context, NodeView, Outcome};

/// `Softmax`; until operator set 12 over the axis and all that follow it.
pub(super) fn softmax(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let old = node.opset < 13;
    let shape = context.shape(x);
    let axis = axis(node.int("axis", if old { 1 } else { -1 })?, shape.len())?;
    let flatten = old && shape[axis + 1..].iter().any(|&extent| extent != 1);
    context.add(node, Op::Softmax { axis, flatten }, vec![x])
}
