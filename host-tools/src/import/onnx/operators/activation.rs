use headstart::graph::{Activation, Binary, Op};

use super::super::integers::{Arithmetic, Integers};
use super::{Bound, Context, NodeView, Outcome, compare, qlinear, unknown};

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
        "Tanh" => Activation::Tanh,
        "Mish" => Activation::Mish,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Erf" => Activation::Erf,
        "Exp" => Activation::Exp,
        "Abs" => Activation::LeakyRelu { alpha: -1.0 },
        "Sqrt" => Activation::Power { exponent: 0.5 },
        "Reciprocal" => Activation::Power { exponent: -1.0 },
        "Elu" => Activation::Elu { alpha: node.float("alpha", 1.0)? },
        "Selu" => Activation::Selu {
            alpha: node.float("alpha", 1.673_263_2)?,
            gamma: node.float("gamma", 1.050_701)?,
        },
        "Gelu" => match node.string("approximate", "none")? {
            "none" => Activation::Gelu,
            "tanh" => Activation::GeluTanh,
            other => return Err(format!("approximated by {other:?}; none and tanh are supported")),
        },
        "LeakyRelu" => Activation::LeakyRelu { alpha: node.float("alpha", 0.01)? },
        "HardSigmoid" => Activation::HardSigmoid {
            alpha: node.float("alpha", 0.2)?,
            beta: node.float("beta", 0.5)?,
        },
        "Clip" => clip(context, node)?,
        other => return Err(unknown(other)),
    };
    context.add(node, Op::Activation(activation), vec![x])
}

/// `Neg`, a product with −1; also of known integers.
pub(super) fn negation(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    if let Bound::Integers(x) = context.operand(node, 0)? {
        let minus_one = Integers { shape: vec![], data: vec![-1], kind: x.kind };
        let result = x.arithmetic(Arithmetic::Mul, &minus_one)?;
        return context.integers_result(result);
    }
    let x = context.float(node, 0)?;
    let minus_one = context.derived_constant(node, "sign", vec![], vec![-1.0])?;
    context.add(node, Op::Binary(Binary::Mul), vec![x, minus_one])
}

/// `Pow` of a tensor to a power that is one number.
pub(super) fn power(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let (exponent, rank) = match context.operand(node, 1)? {
        Bound::Integers(Integers { data, shape, .. }) if data.len() == 1 => {
            (data[0] as f32, shape.len())
        }
        _ => {
            let value = context.float(node, 1)?;
            let rank = context.shape(value).len();
            (context.optional_number(node, 1)?.ok_or("the exponent is missing")?, rank)
        }
    };
    if rank > context.shape(x).len() {
        return Err("an exponent with more axes than the tensor has".to_owned());
    }
    match exponent {
        1.0 => Ok(Bound::Float(x)),
        exponent if exponent.is_finite() => {
            context.add(node, Op::Activation(Activation::Power { exponent }), vec![x])
        }
        _ => Err(format!("an exponent of {exponent}")),
    }
}

/// `Swish`: `x · Sigmoid(alpha · x)`.
pub(super) fn swish(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let alpha = node.float("alpha", 1.0)?;
    if alpha == 1.0 {
        return context.add(node, Op::Activation(Activation::Silu), vec![x]);
    }
    let factor = context.derived_constant(node, "alpha", vec![], vec![alpha])?;
    let scaled = context.derived(node, "scaled", Op::Binary(Binary::Mul), vec![x, factor])?;
    let sigmoid = Op::Activation(Activation::Sigmoid);
    let gate = context.derived(node, "gate", sigmoid, vec![scaled])?;
    context.add(node, Op::Binary(Binary::Mul), vec![x, gate])
}

/// `Max` and `Min` of a tensor and of numbers: bounds.
pub(super) fn bound_by_constant(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let is_max = match node.operator() {
        "Max" => true,
        "Min" => false,
        other => return Err(unknown(other)),
    };
    if let Some(known) = compare::extreme_of_known(context, node, is_max)? {
        return Ok(known);
    }
    let (mut computed, mut bound) = (None, None::<f32>);
    for index in 0..node.inputs().len() {
        let value = context.float(node, index)?;
        let rank = context.shape(value).len();
        match context.graph.values[value].constant.as_deref() {
            Some(&[number]) => {
                let tighter = |old: f32| if is_max { old.max(number) } else { old.min(number) };
                bound = Some(bound.map_or(number, tighter));
                if computed.is_some_and(|x: usize| context.shape(x).len() < rank) {
                    return Err("a number with more axes than the tensor has".to_owned());
                }
            }
            Some(_) => return Err("bounds of each element; one number is supported".to_owned()),
            None if computed.replace(value).is_some() => {
                return Err("two computed tensors; one, and numbers, are supported".to_owned());
            }
            None => {}
        }
    }
    let (Some(x), Some(bound)) = (computed, bound) else {
        return Err("a tensor and a number are expected".to_owned());
    };
    let (min, max) = if is_max { (bound, f32::INFINITY) } else { (f32::NEG_INFINITY, bound) };
    context.add(node, Op::Activation(Activation::Clip { min, max }), vec![x])
}

/// `QLinearSigmoid` and `QLinearLeakyRelu`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn qlinear_activation(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let function = match node.operator() {
        "QLinearSigmoid" => Activation::Sigmoid,
        "QLinearLeakyRelu" => Activation::LeakyRelu { alpha: node.float("alpha", 0.01)? },
        other => return Err(unknown(other)),
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rten_onnx::onnx::NodeProto;

    use super::super::super::external::External;
    use super::super::binary;
    use super::*;

    /// A name that is added to the list of operators, and not here, is no other function.
    #[test]
    fn an_operator_without_a_meaning_is_an_error_and_no_other_operator() {
        let mut context = Context::new(External::new(None), HashSet::new());
        let x = context.graph.add_value("x", vec![1, 2]);
        context.bind("x", Bound::Float(x)).unwrap();
        let proto = NodeProto {
            op_type: Some("Unheard".to_owned()),
            input: vec!["x".to_owned(); 2],
            output: vec!["y".to_owned()],
            ..NodeProto::default()
        };
        let node = NodeView::new(&proto, 13);
        for handler in [activation, qlinear_activation, binary::binary, binary::qlinear_binary] {
            let refused = handler(&mut context, &node).unwrap_err();
            assert!(refused.contains("Unheard"), "{refused}");
        }
    }
}
