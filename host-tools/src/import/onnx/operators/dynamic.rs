//! Models that choose their scales while they run: here they are the float models that they stand for.
//!
//! The rounding of activations, whose scale a sample alone decides, is left out: a tensor counts in steps of 1, without a zero point.
//! What the model multiplies products of integers by is then the weights' scale alone.

use headstart::graph::{Op, ValueId};

use super::super::integers::{IntegerType, Integers};
use super::super::quantise::{Parameters, dequantised};
use super::conv::conv_of;
use super::{Bound, Context, NodeView, Outcome};
use crate::import::imported::{Data, Tensor};

/// `DynamicQuantizeLinear`: the tensor, a scale of 1 and a zero point of 0.
pub(super) fn quantize(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    if let Some(name) = context.wanted(node, 1) {
        let one = Tensor { shape: vec![], data: Data::Floats(vec![1.0]) };
        let scale = context.constant(name, one)?;
        context.bind(name, scale)?;
    }
    if let Some(name) = context.wanted(node, 2) {
        let zero = Integers { shape: vec![], data: vec![0], kind: IntegerType::Uint8 };
        context.bind(name, Bound::Integers(zero))?;
    }
    Ok(Bound::Unrounded(x, IntegerType::Uint8))
}

/// `ConvInteger`: `x`, weight, and the zero points of both.
pub(super) fn conv(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (x, weight) = operands(context, node, 0)?;
    let (op, inputs) = conv_of(context, node, x, weight, None)?;
    products(context.add(node, op, inputs)?)
}

/// `MatMulInteger`: `a`, weight, and the zero points of both.
pub(super) fn matmul(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let (x, weight) = operands(context, node, -1)?;
    products(context.add(node, Op::MatMul, vec![x, weight])?)
}

/// The tensor, and the weights as whole numbers, whose zero points stand along `axis`.
fn operands(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    axis: i64,
) -> Outcome<(ValueId, ValueId)> {
    let &Bound::Unrounded(x, IntegerType::Uint8) = context.operand(node, 0)? else {
        return Err(
            "operand 0 is not what a DynamicQuantizeLinear gives; quantise the model statically"
                .into(),
        );
    };
    if context.optional_integers(node, 2)?.is_some_and(|zero| zero.data.iter().any(|&x| x != 0)) {
        return Err(
            "a zero point of operand 0 that is not that of its DynamicQuantizeLinear".into()
        );
    }
    let weight = context.operand(node, 1)?.clone();
    let kind = match &weight {
        Bound::Integers(integers) => integers.kind,
        Bound::Bytes(bytes) => bytes.kind,
        _ => return Err("weights that are not known before the model runs".into()),
    };
    let zero_points = context.optional_integers(node, 3)?.map_or(vec![0], |zero| zero.data);
    let steps = Parameters::of_steps(zero_points, kind);
    let name = format!("{}_{}", node.output(), node.input(1).unwrap_or_default());
    let weight = dequantised(context, &weight, &steps, axis, name)?;
    // Steps of 1 say nothing of how the device should hold them.
    context.graph.values[weight].scale = None;
    Ok((x, weight))
}

fn products(bound: Bound) -> Outcome<Bound> {
    match bound {
        Bound::Float(value) => Ok(Bound::Unrounded(value, IntegerType::Int32)),
        bound => Ok(bound),
    }
}
