use headstart::graph::Op;

use super::super::attributes::axes;
use super::{Bound, Context, NodeView, Outcome};

/// `ReduceMean`: the axes were an attribute until operator set 17 and are an operand since.
pub(super) fn reduce_mean(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let rank = context.shape(x).len();
    let list = if node.opset < 18 {
        node.ints("axes")?.unwrap_or_default().to_vec()
    } else {
        context.optional_integers(node, 1)?.map(|list| list.data).unwrap_or_default()
    };
    let keep_dims = node.flag("keepdims", true)?;
    let axes = match list.as_slice() {
        [] if node.flag("noop_with_empty_axes", false)? => return Ok(Bound::Float(x)),
        [] => (0..rank).collect(),
        list => axes(list, rank)?,
    };
    context.add(node, Op::ReduceMean { axes, keep_dims }, vec![x])
}
