use headstart::graph::{Binary, Op, elements};

use super::super::integers::{IntegerType, Integers, MAX_INTEGERS};
use super::super::random::Uniform;
use super::{Bound, Context, NodeView, Outcome};

/// `Dropout`: after training another name of the same tensor, during training a product with a mask.
///
/// ONNX leaves the random numbers open; with a seed they are those of its own reference
/// implementation, which are NumPy's: an element stays where a uniform number is at least the ratio.
/// The mask is drawn once, when the model is read.
pub(super) fn dropout(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let switch = context.optional_integers(node, 2)?;
    let training = switch.is_some_and(|switch| switch.data.iter().any(|&on| on != 0));
    let mask = context.wanted(node, 1).filter(|_| node.opset >= 10);
    let mut ratio = 0.0;
    if training {
        context.trains(node);
        ratio = context.optional_number(node, 1)?.unwrap_or(0.5);
    }
    if !training && mask.is_none() {
        return context.operand(node, 0).cloned();
    }
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let count = elements(&shape).map_err(|error| error.to_string())?;
    if mask.is_some() && count > MAX_INTEGERS {
        return Err(format!(
            "a mask of {count} elements; at most {MAX_INTEGERS} are supported: export the model without it"
        ));
    }
    if ratio != 0.0 {
        context.take_made(count)?;
    }
    let kept: Vec<bool> = match ratio {
        0.0 => vec![true; count],
        ratio if !(0.0..1.0).contains(&ratio) => return Err(format!("a ratio of {ratio}")),
        _ if !node.has("seed") => {
            return Err("is in training mode without a seed: its result is random; export the \
                        model in evaluation mode"
                .to_owned());
        }
        ratio => {
            let seed = node.int("seed", 0)?;
            let seed = u32::try_from(seed).map_err(|_| format!("a seed of {seed}"))?;
            let mut numbers = Uniform::new(seed);
            (0..count).map(|_| numbers.next() >= f64::from(ratio)).collect()
        }
    };
    if let Some(name) = mask {
        let data = kept.iter().map(|&kept| i64::from(kept)).collect();
        let kind = IntegerType::Bool;
        let mask = context.integers_result(Integers { shape: shape.clone(), data, kind })?;
        context.bind(name, mask)?;
    }
    if ratio == 0.0 {
        return Ok(Bound::Float(x));
    }
    let scale = 1.0 / (1.0 - ratio);
    let factors = kept.iter().map(|&kept| if kept { scale } else { 0.0 }).collect();
    let factors = context.derived_constant(node, "factors", shape, factors)?;
    context.add(node, Op::Binary(Binary::Mul), vec![x, factors])
}
