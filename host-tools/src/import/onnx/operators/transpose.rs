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
    let shape = context.shape(x).to_vec();
    let Some(&front) = permutation.first().filter(|&&front| front != 0) else {
        return context.add(node, Op::Transpose { permutation }, vec![x]);
    };
    // A batch of 1 stays in front where it is moved, or moves there by a reshape.
    if shape[front] == 1 {
        let rest = (0..rank).filter(|&axis| axis != front);
        let order: Vec<usize> = [front].into_iter().chain(rest).collect();
        let extents = order.iter().map(|&axis| shape[axis]).collect();
        let x = context.reshaped(node, x, extents)?;
        let place = |axis: &usize| if *axis < front { axis + 1 } else { *axis };
        let behind = permutation[1..].iter().map(place);
        let permutation = [0].into_iter().chain(behind).collect();
        return context.add(node, Op::Transpose { permutation }, vec![x]);
    }
    if shape[0] == 1 {
        let behind = permutation.iter().copied().filter(|&axis| axis != 0);
        let kept = Op::Transpose { permutation: [0].into_iter().chain(behind).collect() };
        let turned = context.derived(node, "turned", kept, vec![x])?;
        let shape = permutation.iter().map(|&axis| shape[axis]).collect();
        return context.add(node, Op::Reshape { shape }, vec![turned]);
    }
    context.add(node, Op::Transpose { permutation }, vec![x])
}
