use headstart::graph::Op;

use super::{Bound, Context, NodeView, Outcome};

/// `PRelu`: the slope broadcasts to `x`; until operator set 6 a list of slopes was one a channel.
pub(super) fn prelu(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (x, mut slope) = (context.float(node, 0)?, context.float(node, 1)?);
    if let (&[slopes], true) = (context.shape(slope), node.opset < 7) {
        let rank = context.shape(x).len();
        if slopes > 1 && rank > 2 {
            let mut shape = vec![1; rank - 1];
            shape[0] = slopes;
            slope = context.reshaped(node, slope, shape)?;
        }
    }
    context.add(node, Op::PRelu, vec![x, slope])
}
