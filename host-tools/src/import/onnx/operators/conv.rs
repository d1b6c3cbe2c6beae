use headstart::graph::{Activation, Binary, Conv, Op, ValueId};

use super::window::{kernel_shape, window};
use super::{Bound, Context, NodeView, Outcome, extent, qlinear};

/// `Conv`: `x [N, C, …]`, `weight [M, C / group, kernel…]`, optionally `bias [M]`.
pub(super) fn conv(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (x, weight) = (context.float(node, 0)?, context.float(node, 1)?);
    let bias = context.optional_float(node, 2)?;
    let (op, inputs) = conv_of(context, node, x, weight, bias)?;
    context.add(node, op, inputs)
}

/// `QLinearConv`: `x` 0…2, weight 3…5, scale and zero point of the result 6 and 7, bias 8.
pub(super) fn qlinear_conv(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    qlinear::no_channels_last(node)?;
    let (x, x_scale) = qlinear::operand(context, node, 0, 1)?;
    let (weight, scales) = qlinear::operand(context, node, 3, 0)?;
    let bias = qlinear::bias(context, node, 8, &x_scale, &scales)?;
    let (op, inputs) = conv_of(context, node, x, weight, bias)?;
    qlinear::finish(context, node, op, inputs, 6)
}

/// `FusedConv`, as ONNX Runtime writes it: a `Conv`, perhaps a tensor that is added, and a function of one element.
pub(super) fn fused_conv(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let numbers = node.floats("activation_params")?.unwrap_or_default().to_vec();
    let number = |at: usize, default: f32| numbers.get(at).copied().unwrap_or(default);
    let function = match node.string("activation", "")? {
        "" => None,
        "Relu" => Some(Activation::Relu),
        "Sigmoid" => Some(Activation::Sigmoid),
        "Tanh" => Some(Activation::Tanh),
        "HardSwish" => Some(Activation::HardSwish),
        "LeakyRelu" => Some(Activation::LeakyRelu { alpha: number(0, 0.01) }),
        "HardSigmoid" => {
            Some(Activation::HardSigmoid { alpha: number(0, 0.2), beta: number(1, 0.5) })
        }
        "Clip" => {
            let (min, max) = (number(0, f32::NEG_INFINITY), number(1, f32::INFINITY));
            Some(Activation::Clip { min, max })
        }
        other => return Err(format!("fused with {other:?}; export the model without fusions")),
    };
    let added = context.optional_float(node, 3)?;
    let (x, weight) = (context.float(node, 0)?, context.float(node, 1)?);
    let bias = context.optional_float(node, 2)?;
    let (op, inputs) = conv_of(context, node, x, weight, bias)?;
    let (op, inputs) = match added {
        None => (op, inputs),
        Some(added) => {
            let product = context.derived(node, "product", op, inputs)?;
            (Op::Binary(Binary::Add), vec![product, added])
        }
    };
    let Some(function) = function else { return context.add(node, op, inputs) };
    let sum = context.derived(node, "sum", op, inputs)?;
    context.add(node, Op::Activation(function), vec![sum])
}

/// The operator and its operands, from the node's attributes.
pub(super) fn conv_of(
    context: &Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    weight: ValueId,
    bias: Option<ValueId>,
) -> Outcome<(Op, Vec<ValueId>)> {
    let of_weight = context.shape(weight).get(2..).unwrap_or_default().to_vec();
    if let Some(stated) = kernel_shape(node)?.filter(|stated| *stated != of_weight) {
        return Err(format!("kernel_shape is {stated:?}, the weight has {of_weight:?}"));
    }
    let placed = window(node, context.shape(x), of_weight, false)?;
    let groups = extent("group", node.int("group", 1)?)?;
    let mut inputs = vec![x, weight];
    inputs.extend(bias);
    Ok((Op::Conv(Conv { window: placed.window, groups }), inputs))
}
