use headstart::graph::{AveragePool, MaxPool, MaxPoolIndices, Op, ValueId, Window};

use super::super::integers::IntegerType;
use super::window::{kernel_shape, window};
use super::{Bound, Context, NodeView, Outcome, qlinear};

/// `MaxPool`, also of known integers; its second result is the place of each maximum.
pub(super) fn max_pool(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let kernel = kernel_shape(node)?.ok_or("kernel_shape is missing")?;
    let rounds_up = node.flag("ceil_mode", false)?;
    let indices = context.wanted(node, 1);
    if let Bound::Integers(x) = context.operand(node, 0)? {
        if indices.is_some() {
            return Err("indices are supported of float tensors only".to_owned());
        }
        let x = x.clone();
        let placed = window(node, &x.shape, kernel, rounds_up)?;
        context.take_work(x.seen_by(&placed.window)?)?;
        let result = x.max_pool(&placed.window)?;
        return context.integers_result(result);
    }
    let x = context.float(node, 0)?;
    let window = window(node, context.shape(x), kernel, rounds_up)?.window;
    if let Some(name) = indices {
        let column_major = node.flag("storage_order", false)?;
        let op = Op::MaxPoolIndices(MaxPoolIndices { window: window.clone(), column_major });
        let added = context.graph.add_node(name, op, vec![x], name);
        let added = added.map_err(|error| error.to_string())?;
        context.bind(name, Bound::Indices(added, IntegerType::Int64))?;
    }
    context.add(node, Op::MaxPool(MaxPool { window }), vec![x])
}

/// `AveragePool`.
pub(super) fn average_pool(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let pool = average_of(context, node, x)?;
    context.add(node, Op::AveragePool(pool), vec![x])
}

/// `GlobalAveragePool`.
pub(super) fn global_average_pool(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    context.add(node, Op::GlobalAveragePool, vec![x])
}

/// `GlobalMaxPool`, a pool with one window.
pub(super) fn global_max_pool(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let kernel = context.shape(x).get(2..).unwrap_or_default().to_vec();
    let rank = kernel.len();
    if !matches!(rank, 1..=3) {
        return Err(format!("{rank} spatial dimensions; one to three are supported"));
    }
    let window = Window {
        kernel,
        strides: vec![1; rank],
        dilations: vec![1; rank],
        pads_begin: vec![0; rank],
        pads_end: vec![0; rank],
    };
    context.add(node, Op::MaxPool(MaxPool { window }), vec![x])
}

/// `QLinearAveragePool`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn qlinear_average_pool(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
) -> Outcome<Bound> {
    qlinear::no_channels_last(node)?;
    let (x, _) = qlinear::operand(context, node, 0, 0)?;
    let pool = average_of(context, node, x)?;
    qlinear::finish(context, node, Op::AveragePool(pool), vec![x], 3)
}

/// `QLinearGlobalAveragePool`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn qlinear_global_average_pool(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
) -> Outcome<Bound> {
    qlinear::no_channels_last(node)?;
    let (x, _) = qlinear::operand(context, node, 0, 0)?;
    qlinear::finish(context, node, Op::GlobalAveragePool, vec![x], 3)
}

/// The pool of `x` that the node's attributes describe.
fn average_of(context: &Context<'_>, node: &NodeView<'_>, x: ValueId) -> Outcome<AveragePool> {
    let kernel = kernel_shape(node)?.ok_or("kernel_shape is missing")?;
    let placed = window(node, context.shape(x), kernel, node.flag("ceil_mode", false)?)?;
    Ok(AveragePool {
        window: placed.window,
        count_include_pad: node.flag("count_include_pad", false)?,
        ceil_extra: placed.ceil_extra,
    })
}
