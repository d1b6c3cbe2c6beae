//! Operators that read and write quantised tensors: each is the float operator between a
//! `DequantizeLinear` and a `QuantizeLinear`.

use headstart::graph::{Activation, AveragePool, Binary, Gemm, Op, ValueId};

use super::super::attributes::axis;
use super::super::integers::{IntegerType, Integers};
use super::super::quantise::{Parameters, claim, dequantised};
use super::conv::convolution_of;
use super::pool::average_of;
use super::{Bound, Context, NodeView, Outcome};
use crate::import::scales::round;

/// Operands `first`, `first + 1` and `first + 2`: a tensor, its scale and its zero point. A constant's scales
/// stand along `axis`.
fn operand(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    first: usize,
    axis: i64,
) -> Outcome<(ValueId, Vec<f32>)> {
    let bound = context.operand(node, first)?.clone();
    let kind = match &bound {
        Bound::Quantised(_, kind) => *kind,
        Bound::Integers(integers) => integers.kind,
        Bound::Bytes(bytes) => bytes.kind,
        _ => {
            return Err(format!(
                "operand {first} is not quantised: a QuantizeLinear is missing before it"
            ));
        }
    };
    let parameters = Parameters::read(context, node, first + 1, first + 2, kind)?;
    let scales = parameters.scales().to_vec();
    if let Bound::Quantised(value, _) = bound {
        claim(&mut context.graph, value, parameters.of_tensor()?)?;
        return Ok((value, scales));
    }
    let name = format!("{}_{}", node.output(), node.input(first).unwrap_or_default());
    Ok((dequantised(context, &bound, &parameters, axis, name)?, scales))
}

/// Operand `index`, a bias in steps of the products.
fn bias(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    index: usize,
    x: &[f32],
    weight: &[f32],
) -> Outcome<Option<ValueId>> {
    let Some(integers) = context.optional_integers(node, index)? else { return Ok(None) };
    let [x] = x else { return Err("a computed tensor with several scales".into()) };
    let parameters = Parameters::of_bias(weight.iter().map(|w| x * w).collect());
    let integers = Integers { kind: IntegerType::Int32, ..integers };
    let name = format!("{}_{}", node.output(), node.input(index).unwrap_or_default());
    dequantised(context, &Bound::Integers(integers), &parameters, -1, name).map(Some)
}

/// Adds the float operator and rounds its result to the scale of operands `scale` and `scale + 1`.
fn finish(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    op: Op,
    inputs: Vec<ValueId>,
    scale: usize,
) -> Outcome<Bound> {
    let parameters = Parameters::read(context, node, scale, scale + 1, IntegerType::Uint8)?;
    let name = node.output();
    let raw = context.graph.add_node(&node.name, op, inputs, format!("{name}_unrounded"));
    let raw = raw.map_err(|error| error.to_string())?;
    let clamp = format!("{}_rounded", node.name);
    let value = round(&mut context.graph, raw, parameters.of_tensor()?, &clamp, name)
        .map_err(|error| error.to_string())?;
    Ok(Bound::Quantised(value, parameters.kind))
}

/// `QLinearConv`: `x` 0…2, weight 3…5, scale and zero point of the result 6 and 7, bias 8.
pub(super) fn convolution(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    no_channels_last(node)?;
    let (x, x_scale) = operand(context, node, 0, 1)?;
    let (weight, scales) = operand(context, node, 3, 0)?;
    let bias = bias(context, node, 8, &x_scale, &scales)?;
    let (op, inputs) = convolution_of(context, node, x, weight, bias)?;
    finish(context, node, op, inputs, 6)
}

/// `QLinearMatMul`: `a` 0…2, `b` 3…5, scale and zero point of the result 6 and 7.
pub(super) fn matmul(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (a, _) = operand(context, node, 0, 0)?;
    let (b, _) = operand(context, node, 3, -1)?;
    finish(context, node, Op::MatMul, vec![a, b], 6)
}

/// `QGemm`: `a` 0…2, `b` 3…5, `c` 6, scale and zero point of the result 7 and 8.
pub(super) fn gemm(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let trans_b = node.flag("transB", false)?;
    let alpha = node.float("alpha", 1.0)?;
    let (a, a_scale) = operand(context, node, 0, 0)?;
    let (b, scales) = operand(context, node, 3, if trans_b { 0 } else { 1 })?;
    let of_bias: Vec<f32> = scales.iter().map(|scale| alpha * scale).collect();
    let mut inputs = vec![a, b];
    inputs.extend(bias(context, node, 6, &a_scale, &of_bias)?);
    let gemm = Gemm { alpha, beta: 1.0, trans_a: node.flag("transA", false)?, trans_b };
    if node.input(7).is_none() {
        return context.add(node, Op::Gemm(gemm), inputs);
    }
    finish(context, node, Op::Gemm(gemm), inputs, 7)
}

/// `QLinearAdd` and `QLinearMul`: `a` 0…2, `b` 3…5, scale and zero point of the result 6 and 7.
pub(super) fn binary(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let op = if node.operator() == "QLinearAdd" { Binary::Add } else { Binary::Mul };
    let (a, _) = operand(context, node, 0, 0)?;
    let (b, _) = operand(context, node, 3, 0)?;
    finish(context, node, Op::Binary(op), vec![a, b], 6)
}

/// `QLinearSigmoid` and `QLinearLeakyRelu`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn activation(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let function = match node.operator() {
        "QLinearSigmoid" => Activation::Sigmoid,
        _ => Activation::LeakyRelu { alpha: node.float("alpha", 0.01)? },
    };
    let (x, _) = operand(context, node, 0, 0)?;
    finish(context, node, Op::Activation(function), vec![x], 3)
}

/// `QLinearAveragePool`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn average_pool(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    no_channels_last(node)?;
    let (x, _) = operand(context, node, 0, 0)?;
    let pool: AveragePool = average_of(context, node, x)?;
    finish(context, node, Op::AveragePool(pool), vec![x], 3)
}

/// `QLinearGlobalAveragePool`: `x` 0…2, scale and zero point of the result 3 and 4.
pub(super) fn global_average_pool(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
) -> Outcome<Bound> {
    no_channels_last(node)?;
    let (x, _) = operand(context, node, 0, 0)?;
    finish(context, node, Op::GlobalAveragePool, vec![x], 3)
}

/// `QLinearConcat`: scale and zero point of the result 0 and 1, then three operands a tensor.
pub(super) fn concat(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut inputs = Vec::new();
    for first in (2..node.inputs().len()).step_by(3) {
        inputs.push(operand(context, node, first, 0)?.0);
    }
    let first = *inputs.first().ok_or("nothing to put side by side")?;
    let axis = axis(node.int("axis", 1)?, context.shape(first).len())?;
    finish(context, node, Op::Concat { axis }, inputs, 0)
}

/// ONNX Runtime's own layout, which only its optimiser writes.
fn no_channels_last(node: &NodeView<'_>) -> Outcome<()> {
    if node.flag("channels_last", false)? {
        return Err("a tensor with channels last, which ONNX Runtime's optimiser writes: pass the model as it \
                    was quantised"
            .into());
    }
    Ok(())
}
