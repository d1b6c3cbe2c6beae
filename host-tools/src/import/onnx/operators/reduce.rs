//! Sums, norms and extremes along axes, by means and pools.

use headstart::graph::{Activation, Binary, MaxPool, Op, ValueId, Window};

use super::super::attributes::axes;
use super::{Bound, Context, NodeView, Outcome, unknown};

/// The axes of a reduction, ascending, all of them if none are named; `None` where nothing is to be done. They were an attribute until
/// operator set `last`, and are an operand since.
pub(super) fn reduced(
    context: &Context<'_>,
    node: &NodeView<'_>,
    rank: usize,
    last: i64,
) -> Outcome<Option<Vec<usize>>> {
    let list = if node.opset <= last {
        node.ints("axes")?.unwrap_or_default().to_vec()
    } else {
        context.optional_integers(node, 1)?.map(|list| list.data).unwrap_or_default()
    };
    match list.as_slice() {
        [] if node.flag("noop_with_empty_axes", false)? => Ok(None),
        [] => Ok(Some((0..rank).collect())),
        list => axes(list, rank).map(Some),
    }
}

/// `ReduceSum`, `ReduceL1`, `ReduceL2` and `ReduceSumSquare`: a mean times the number of elements, of the tensor, its absolute values or its
/// squares.
pub(super) fn sum(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let last = if node.operator() == "ReduceSum" { 12 } else { 17 };
    let shape = context.shape(x).to_vec();
    let axes = reduced(context, node, shape.len(), last)?;
    let square = Activation::Power { exponent: 2.0 };
    let (before, behind) = match node.operator() {
        "ReduceSum" => (None, None),
        "ReduceL1" => (Some(Activation::LeakyRelu { alpha: -1.0 }), None),
        "ReduceL2" => (Some(square), Some(Activation::Power { exponent: 0.5 })),
        "ReduceSumSquare" => (Some(square), None),
        other => return Err(unknown(other)),
    };
    let keep_dims = node.flag("keepdims", true)?;
    let x = match before {
        Some(function) => context.derived(node, "each", Op::Activation(function), vec![x])?,
        None => x,
    };
    let Some(axes) = axes else { return Ok(Bound::Float(x)) };
    let count: usize = axes.iter().map(|&axis| shape[axis]).product();
    if count == 0 {
        return Err("a sum of no elements".to_owned());
    }
    let mean = context.derived(node, "mean", Op::ReduceMean { axes, keep_dims }, vec![x])?;
    let count = context.derived_constant(node, "count", vec![], vec![count as f32])?;
    let times = Op::Binary(Binary::Mul);
    match behind {
        None => context.add(node, times, vec![mean, count]),
        Some(function) => {
            let sum = context.derived(node, "sum", times, vec![mean, count])?;
            context.add(node, Op::Activation(function), vec![sum])
        }
    }
}

/// `ReduceMax` and `ReduceMin`, along any axes but the batch: a pool with one window.
pub(super) fn extreme(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut x = context.float(node, 0)?;
    let is_min = match node.operator() {
        "ReduceMax" => false,
        "ReduceMin" => true,
        other => return Err(unknown(other)),
    };
    let shape = context.shape(x).to_vec();
    let Some(axes) = reduced(context, node, shape.len(), 17)? else { return Ok(Bound::Float(x)) };
    if axes.is_empty() {
        return Ok(Bound::Float(x));
    }
    if axes.contains(&0) && shape[0] != 1 {
        return Err("the greatest of a batch's elements; cut the model before this node".to_owned());
    }
    let axes: Vec<usize> = axes.into_iter().filter(|&axis| axis > 0).collect();
    let keep_dims = node.flag("keepdims", true)?;
    let is_kept = |&axis: &usize| !axes.contains(&axis);
    let mut result = shape.clone();
    axes.iter().for_each(|&axis| result[axis] = 1);
    if !keep_dims {
        result = (0..shape.len()).filter(is_kept).map(|axis| shape[axis]).collect();
    }
    if shape.contains(&0) {
        return Err("the greatest of no elements".to_owned());
    }
    let mut sign = Vec::new();
    if is_min {
        sign.push(context.derived_constant(node, "sign", vec![], vec![-1.0])?);
        x = context.derived(node, "negative", Op::Binary(Binary::Mul), vec![x, sign[0]])?;
    }
    let are_places = matches!(axes.len(), 1..=3) && axes.iter().copied().eq(2..shape.len());
    let pool = |extents: &[usize]| Op::MaxPool(MaxPool { window: Window::new(extents) });
    let pooled = if are_places {
        context.derived(node, "kept", pool(&shape[2..]), vec![x])?
    } else {
        // What is reduced as rows of a map, all else as its channels.
        let kept: Vec<usize> = (1..shape.len()).filter(is_kept).collect();
        let permutation: Vec<usize> = [0].iter().chain(&kept).chain(&axes).copied().collect();
        let turned = context.derived(node, "turned", Op::Transpose { permutation }, vec![x])?;
        let count = |axes: &[usize]| axes.iter().map(|&axis| shape[axis]).product::<usize>();
        let map = vec![shape[0], count(&kept), count(&axes), 1];
        let rows = map[2];
        let map = context.derived(node, "map", Op::Reshape { shape: map }, vec![turned])?;
        context.derived(node, "kept", pool(&[rows, 1]), vec![map])?
    };
    if !is_min {
        return context.add(node, Op::Reshape { shape: result }, vec![pooled]);
    }
    let shaped = context.derived(node, "shaped", Op::Reshape { shape: result }, vec![pooled])?;
    context.add(node, Op::Binary(Binary::Mul), vec![shaped, sign[0]])
}

/// `ReduceMean`.
pub(super) fn mean(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x: ValueId = context.float(node, 0)?;
    let Some(axes) = reduced(context, node, context.shape(x).len(), 17)? else {
        return Ok(Bound::Float(x));
    };
    let keep_dims = node.flag("keepdims", true)?;
    context.add(node, Op::ReduceMean { axes, keep_dims }, vec![x])
}
