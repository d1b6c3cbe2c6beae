use headstart::graph::{Activation, Op};

use super::super::integers::Integers;
use super::{Bound, Context, NodeView, Outcome, qlinear};

/// The functions of one element; `Relu` and `Clip` also of known integers.
pub(super) fn activation(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    if let (Bound::Integers(x), "Relu" | "Clip") = (context.operand(node, 0)?, node.operator()) {
        let x = x.clone();
        let (min, max) = match node.operator() {
            "Relu" => (Some(0), None),
            _ => (bound(context, node, 1, &x)?, bound(context, node, 2, &x)?),
        };
        return context.integers_result(x.clip(min, max));
    }
    let x = context.float(node, 0)?;
    let activation = match node.operator() {
        "Relu" => Activation::Relu,
        "Sigmoid" => Activation::Sigmoid,
        "HardSwish" => Activation::HardSwish,
        "LeakyRelu" => Activation::LeakyRelu { alpha: node.float("alpha", 0.01)? },
        "HardSigmoid" => Activation::HardSigmoid {
            alpha: node.float("alpha", 0.2)?,
            beta: node.float("beta", 0.5)?,
        },
        _ => clip(context, node)?,
    };
    context.add(node, Op::Activation(activation), vec![x])
}

/// `QLinearSigmoid` and `QLinearLeakyRelu`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn qlinear_activation(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let function = match node.operator() {
        "QLinearSigmoid" => Activation::Sigmoid,
        _ => Activation::LeakyRelu { alpha: node.float("alpha", 0.01)? },
    };
    let (x, _) = qlinear::operand(context, node, 0, 0)?;
    qlinear::finish(context, node, Op::Activation(function), vec![x], 3)
}

/// A bound of a clip of integers.
fn bound(
    context: &Context<'_>,
    node: &NodeView<'_>,
    index: usize,
    x: &Integers,
) -> Outcome<Option<i64>> {
    let Some(bound) = context.optional_integers(node, index)? else { return Ok(None) };
    match bound.data.as_slice() {
        &[number] if bound.kind == x.kind => Ok(Some(number)),
        _ => Err(format!("operand {index} is not one {}", x.kind.name())),
    }
}

/// The bounds were attributes until operator set 10 and are operands since.
fn clip(context: &Context<'_>, node: &NodeView<'_>) -> Outcome<Activation> {
    let (min, max) = if node.opset < 11 {
        (node.float("min", f32::NEG_INFINITY)?, node.float("max", f32::INFINITY)?)
    } else {
        (
            context.optional_number(node, 1)?.unwrap_or(f32::NEG_INFINITY),
            context.optional_number(node, 2)?.unwrap_or(f32::INFINITY),
        )
    };
    if min.is_nan() || max.is_nan() {
        return Err("a bound that is not a number".to_owned());
    }
    // The largest finite value is how exporters of old write "no bound".
    let min = if min == f32::MIN { f32::NEG_INFINITY } else { min };
    let max = if max == f32::MAX { f32::INFINITY } else { max };
    Ok(Activation::Clip { min, max })
}
