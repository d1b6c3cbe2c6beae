use headstart::graph::Op;

use super::super::attributes::axis;
use super::{Bound, Context, NodeView, Outcome};

/// `BatchNormalization` as it is used after training.
pub(super) fn batch(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    if node.flag("training_mode", false)? {
        return Err("is in training mode; export the model in evaluation mode".to_owned());
    }
    if node.opset < 9 && !node.flag("spatial", true)? {
        return Err("statistics of each pixel (spatial = 0) are not supported".to_owned());
    }
    let inputs = (0..5).map(|i| context.float(node, i)).collect::<Outcome<Vec<_>>>()?;
    let epsilon = node.float("epsilon", 1e-5)?;
    if epsilon.is_nan() || epsilon < 0.0 {
        return Err(format!("an epsilon of {epsilon}"));
    }
    context.add(node, Op::BatchNormalization { epsilon }, inputs)
}

/// `Softmax`; until operator set 12 over the axis and all that follow it.
pub(super) fn softmax(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let old = node.opset < 13;
    let shape = context.shape(x);
    let axis = axis(node.int("axis", if old { 1 } else { -1 })?, shape.len())?;
    let flatten = old && shape[axis + 1..].iter().any(|&extent| extent != 1);
    context.add(node, Op::Softmax { axis, flatten }, vec![x])
}
