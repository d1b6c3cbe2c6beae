//! What the operators that read and write quantised tensors have in common: each is the float operator between a
//! `DequantizeLinear` and a `QuantizeLinear`, and stands beside it.

use headstart::graph::{Op, ValueId};

use super::super::integers::{IntegerType, Integers};
use super::super::quantise::{Parameters, claim, dequantised};
use super::{Bound, Context, NodeView, Outcome};
use crate::import::scales::round;

/// Operands `first`, `first + 1` and `first + 2`: a tensor, its scale and its zero point. A constant's scales
/// stand along `axis`.
pub(super) fn operand(
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
pub(super) fn bias(
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
pub(super) fn finish(
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

/// ONNX Runtime's own layout, which only its optimiser writes.
pub(super) fn no_channels_last(node: &NodeView<'_>) -> Outcome<()> {
    if node.flag("channels_last", false)? {
        return Err("a tensor with channels last, which ONNX Runtime's optimiser writes: pass the model as it \
                    was quantised"
            .into());
    }
    Ok(())
}
