use super::super::integers::IntegerType;
use super::super::quantise::{Parameters, claim, dequantised, quantised_constant};
use super::{Bound, Context, NodeView, Outcome};
use crate::import::scales::round;

/// The axis along which a node's scales stand.
fn axis(node: &NodeView<'_>) -> Outcome<i64> {
    if node.int("block_size", 0)? != 0 {
        return Err(
            "a scale a block of elements; one a tensor or one a channel is supported".into()
        );
    }
    node.int("axis", 1)
}

/// `QuantizeLinear`: `saturate(rne(x / scale) + zero point)`; the tensor itself where that has 16 bits, of which calibration finds the
/// range again.
pub(super) fn quantize(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let kind = match node.int("output_dtype", 0)? {
        0 | 2 => IntegerType::Uint8,
        3 => IntegerType::Int8,
        4 => IntegerType::Uint16,
        5 => IntegerType::Int16,
        _ => return Err("an output_dtype of other than 8 or 16 bits".into()),
    };
    let axis = axis(node)?;
    let parameters = Parameters::read(context, node, 1, 2, kind)?;
    let x = context.float(node, 0)?;
    let value = &context.graph.values[x];
    if let Some(data) = value.constant.clone() {
        let shape = value.shape.clone();
        return quantised_constant(context, &shape, &data, &parameters, axis);
    }
    if parameters.are_fine() {
        return Ok(Bound::Unrounded(x, parameters.kind));
    }
    let scale = parameters.of_tensor()?;
    // Who names the tensor means what the model makes of it, not what it was before it was rounded.
    let (operand, nodes) = (node.input(0).unwrap_or_default(), context.graph.nodes.len());
    let is_own = context.graph.values[x].name == operand;
    let name = if is_own { operand } else { node.output() };
    let value =
        round(&mut context.graph, x, scale, &node.name, name).map_err(|error| error.to_string())?;
    if is_own && context.graph.nodes.len() > nodes {
        context.graph.values[x].name = format!("{operand}_unrounded");
    }
    Ok(Bound::Quantised(value, parameters.kind))
}

/// `DequantizeLinear`: `(q − zero point) · scale`.
pub(super) fn dequantize(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let axis = axis(node)?;
    let operand = context.operand(node, 0)?.clone();
    let kind = match &operand {
        Bound::Quantised(_, kind) => *kind,
        Bound::Integers(integers) => integers.kind,
        Bound::Bytes(bytes) => bytes.kind,
        Bound::Unrounded(_, kind @ (IntegerType::Int16 | IntegerType::Uint16)) => *kind,
        Bound::Other(kind) => {
            return Err(format!("integers of type {kind}; 8 and 16 bits are supported"));
        }
        _ => return Err("operand 0 is not quantised: a QuantizeLinear is missing before it".into()),
    };
    let parameters = Parameters::read(context, node, 1, 2, kind)?;
    if let Bound::Quantised(value, kind) = operand {
        if kind != parameters.kind {
            return Err(format!(
                "operand 0 is {}, its zero point {}",
                kind.name(),
                parameters.kind.name()
            ));
        }
        claim(&mut context.graph, value, parameters.of_tensor()?)?;
        return Ok(Bound::Float(value));
    }
    if let Bound::Unrounded(value, kind) = operand {
        return match kind == parameters.kind {
            true => Ok(Bound::Float(value)),
            false => Err(format!(
                "operand 0 is {}, its zero point {}",
                kind.name(),
                parameters.kind.name()
            )),
        };
    }
    let name = node.output().to_owned();
    dequantised(context, &operand, &parameters, axis, name).map(Bound::Float)
}
