use headstart::graph::{Binary, Op, ValueId};

use super::{Bound, Context, NodeView, Outcome};

/// `BatchNormalization` with the statistics that it was given or, in training mode, with those of the
/// batch; then the running statistics are two more results.
pub(super) fn batch_normalization(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
) -> Outcome<Bound> {
    if node.opset < 9 && !node.flag("spatial", true)? {
        return Err("statistics of each pixel (spatial = 0) are not supported".to_owned());
    }
    let mut inputs = (0..5).map(|i| context.float(node, i)).collect::<Outcome<Vec<_>>>()?;
    let epsilon = node.float("epsilon", 1e-5)?;
    if epsilon.is_nan() || epsilon < 0.0 {
        return Err(format!("an epsilon of {epsilon}"));
    }
    if node.flag("training_mode", false)? {
        context.trains(node);
        let of_batch = statistics(context, node, inputs[0])?;
        for (index, running) in [(1, inputs[3]), (2, inputs[4])] {
            if let Some(name) = context.wanted(node, index) {
                let blend = blended(context, node, running, of_batch[index - 1], name)?;
                context.bind(name, Bound::Float(blend))?;
            }
        }
        inputs[3..].copy_from_slice(&of_batch);
    }
    context.add(node, Op::BatchNormalization { epsilon }, inputs)
}

/// Mean and variance of each channel of `x [N, C, …]`; the variance is that of all elements.
fn statistics(context: &mut Context<'_>, node: &NodeView<'_>, x: ValueId) -> Outcome<[ValueId; 2]> {
    let rank = context.shape(x).len();
    if rank < 2 {
        return Err(format!("{:?} has no channels", context.shape(x)));
    }
    let axes: Vec<usize> = (0..rank).filter(|&axis| axis != 1).collect();
    let mean = |keep_dims| Op::ReduceMean { axes: axes.clone(), keep_dims };
    let centre = context.derived(node, "centre", mean(true), vec![x])?;
    let apart = context.derived(node, "apart", Op::Binary(Binary::Sub), vec![x, centre])?;
    let square = context.derived(node, "square", Op::Binary(Binary::Mul), vec![apart, apart])?;
    let variance = context.derived(node, "variance", mean(false), vec![square])?;
    let shape = vec![context.shape(x)[1]];
    let mean = context.derived(node, "mean", Op::Reshape { shape }, vec![centre])?;
    Ok([mean, variance])
}

/// `momentum · running + (1 − momentum) · of_batch`.
fn blended(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    running: ValueId,
    of_batch: ValueId,
    name: &str,
) -> Outcome<ValueId> {
    let momentum = node.float("momentum", 0.9)?;
    let mut part = |value, factor, what: &str| {
        let what = format!("{what}_of_{name}");
        let factor =
            context.derived_constant(node, &format!("{what}_factor"), vec![], vec![factor])?;
        context.derived(node, &what, Op::Binary(Binary::Mul), vec![value, factor])
    };
    let old = part(running, momentum, "old")?;
    let new = part(of_batch, 1.0 - momentum, "new")?;
    let added = context.graph.add_node(name, Op::Binary(Binary::Add), vec![old, new], name);
    added.map_err(|error| error.to_string())
}
