use headstart::graph::{AveragePool, MaxPool, Op, Window};

use super::window::{kernel_shape, window};
use super::{Bound, Context, NodeView, Outcome};

/// `MaxPool`; its second result, the indices, is not supported.
pub(super) fn max(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let kernel = kernel_shape(node)?.ok_or("kernel_shape is missing")?;
    let placed = window(node, context.shape(x), kernel, node.flag("ceil_mode", false)?)?;
    context.add(node, Op::MaxPool(MaxPool { window: placed.window }), vec![x])
}

/// `AveragePool`.
pub(super) fn average(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let kernel = kernel_shape(node)?.ok_or("kernel_shape is missing")?;
    let placed = window(node, context.shape(x), kernel, node.flag("ceil_mode", false)?)?;
    let pool = AveragePool {
        window: placed.window,
        count_include_pad: node.flag("count_include_pad", false)?,
        ceil_extra: placed.ceil_extra,
    };
    context.add(node, Op::AveragePool(pool), vec![x])
}

/// `GlobalAveragePool`.
pub(super) fn global_average(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    context.add(node, Op::GlobalAveragePool, vec![x])
}

/// `GlobalMaxPool`, a pool with one window.
pub(super) fn global_max(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let kernel = context.shape(x).get(2..).unwrap_or_default().to_vec();
    let rank = kernel.len();
    if !matches!(rank, 1 | 2) {
        return Err(format!("{rank} spatial dimensions; one or two are supported"));
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
