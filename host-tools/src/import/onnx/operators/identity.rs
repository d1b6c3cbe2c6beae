use super::{Bound, Context, NodeView, Outcome};

/// `Identity`: another name of the same thing.
pub(super) fn identity(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    context.operand(node, 0).cloned()
}
