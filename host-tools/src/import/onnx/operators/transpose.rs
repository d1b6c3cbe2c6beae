use headstart::graph::Op;

use super::super::attributes::axis;
use super::reshape::operand_shape;
use super::{Bound, Context, NodeView, Outcome};

/// `Transpose`; without `perm` the dimensions are reversed.
pub(super) fn transpose(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let rank = operand_shape(context, node)?.len();
    let permutation = match node.ints("perm")? {
        Some(list) => list.iter().map(|&a| axis(a, rank)).collect::<Outcome<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    if let Bound::Integers(integers) = context.operand(node, 0)? {
        let result = integers.transpose(&permutation)?;
        return context.integers_result(result);
    }
    let x = context.float(node, 0)?;
    context.add(node, Op::Transpose { permutation }, vec![x])
}
