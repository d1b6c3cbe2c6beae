//! Operators that are supported on known integers only: exporters write them before `Reshape`.

use headstart::graph::MAX_RANK;
use rten_onnx::onnx::DataType;

use super::super::integers::{IntegerType, Integers, MAX_INTEGERS};
use super::{Bound, Context, NodeView, Outcome};
use crate::import::imported::{Data, Tensor};
use crate::import::scales::{carried, origin};

/// `Shape`, or a part of it from `start` to `end`.
pub(super) fn shape(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let shape = match context.operand(node, 0)? {
        Bound::Integers(integers) => integers.shape.as_slice(),
        _ => context.shape(context.float(node, 0)?),
    };
    let list = Integers::list(shape.iter().map(|&extent| extent as i64).collect());
    let part = list.slice(0, node.int("start", 0)?, node.int("end", i64::MAX)?, 1)?;
    context.integers_result(part)
}

/// `Slice` of known integers.
pub(super) fn slice(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut result = known(context, node)?;
    for [axis, start, end, step] in ranges(context, node)? {
        result = result.slice(axis, start, end, step)?;
    }
    context.integers_result(result)
}

/// Axis, start, end and step of each range of a `Slice`: they were attributes until operator set 9 and are operands since.
pub(super) fn ranges(context: &Context<'_>, node: &NodeView<'_>) -> Outcome<Vec<[i64; 4]>> {
    let operand = |index: usize| {
        context.optional_integers(node, index).map(|list| list.map(|list| list.data))
    };
    let attribute = |name: &str| node.ints(name).map(|list| list.map(<[i64]>::to_vec));
    let (starts, ends, axes, steps) = if node.opset < 10 {
        (attribute("starts")?, attribute("ends")?, attribute("axes")?, None)
    } else {
        (operand(1)?, operand(2)?, operand(3)?, operand(4)?)
    };
    let starts = starts.ok_or("starts are missing")?;
    let ends = ends.ok_or("ends are missing")?;
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if starts.len() > MAX_RANK {
        return Err(format!("{} axes; at most {MAX_RANK} are supported", starts.len()));
    }
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("starts, ends, axes and steps are not equally many".to_owned());
    }
    Ok((0..starts.len()).map(|i| [axes[i], starts[i], ends[i], steps[i]]).collect())
}

fn known(context: &Context<'_>, node: &NodeView<'_>) -> Outcome<Integers> {
    match context.operand(node, 0)? {
        Bound::Integers(integers) => Ok(integers.clone()),
        _ => Err("is supported in shape arithmetic only, not on the model's data; cut the model \
                  before this node, or choose a model without it"
            .to_owned()),
    }
}

/// `Cast` between float types, between integer types, or of a known tensor.
pub(super) fn cast(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let target = DataType(i32::try_from(node.int("to", 0)?).unwrap_or(0));
    let to_integer = IntegerType::of(target);
    let to_float = matches!(
        target,
        DataType::FLOAT | DataType::FLOAT16 | DataType::BFLOAT16 | DataType::DOUBLE
    );
    if to_integer.is_none() && !to_float {
        return Err(format!("to {target}; float and integer types are supported"));
    }
    match (context.operand(node, 0)?.clone(), to_integer) {
        (Bound::Integers(mut integers), Some(kind)) => {
            let signed = |kind| kind != IntegerType::Uint64;
            for x in &mut integers.data {
                let same =
                    kind.wrap(*x) == *x && (*x >= 0 || signed(kind) == signed(integers.kind));
                if !same && kind != IntegerType::Bool {
                    return Err(format!("an integer that does not fit {target}"));
                }
                *x = kind.wrap(*x);
            }
            context.integers_result(Integers { kind, ..integers })
        }
        (Bound::Integers(integers), None) => {
            context.take_made(integers.data.len())?;
            let unsigned = integers.kind == IntegerType::Uint64;
            let float = |&x: &i64| if unsigned { x as u64 as f32 } else { x as f32 };
            let data = integers.data.iter().map(float).collect();
            let tensor = Tensor { shape: integers.shape, data: Data::Floats(data) };
            context.constant(node.output(), tensor)
        }
        (Bound::Float(value), None) => Ok(Bound::Float(value)),
        (Bound::Float(value), Some(kind)) => {
            let value = &context.graph.values[value];
            let Some(data) = &value.constant else {
                return Err(format!("of the model's data to {target} is not supported"));
            };
            if data.len() > MAX_INTEGERS {
                return Err(format!(
                    "of {} elements to {target}; at most {MAX_INTEGERS} are supported",
                    data.len()
                ));
            }
            let shape = value.shape.clone();
            let integer = |&x: &f32| match kind {
                IntegerType::Bool => Ok(i64::from(x != 0.0)),
                // Beyond 2^63 there is no i64 to tell apart what fits.
                _ if x.abs() < 9.2e18 && kind.wrap(x as i64) == x as i64 => Ok(x as i64),
                _ => Err(format!("of {x} to {target}, which does not hold it")),
            };
            let data = data.iter().map(integer).collect::<Outcome<_>>()?;
            context.integers_result(Integers { shape, data, kind })
        }
        // Yes and no are 1 and 0; products are those of the float model.
        (Bound::Indices(value, IntegerType::Bool), None)
        | (Bound::Unrounded(value, IntegerType::Int32), None) => Ok(Bound::Float(value)),
        (Bound::Indices(value, IntegerType::Bool), Some(IntegerType::Bool)) => {
            Ok(Bound::Indices(value, IntegerType::Bool))
        }
        (Bound::Indices(..) | Bound::Unrounded(..), _) => {
            Err("of the model's data is not supported".to_owned())
        }
        // An input of whole numbers that the model reads as they are.
        (Bound::Quantised(value, _), None)
            if context.graph.inputs.contains(&origin(&context.graph, value))
                && carried(&context.graph, value).is_none() =>
        {
            Ok(Bound::Float(value))
        }
        (Bound::Bytes(_) | Bound::Quantised(..), _) => {
            Err("of a quantised tensor is not supported".to_owned())
        }
        (Bound::Behind(_), _) => Err("of what lies behind a node that is not supported".to_owned()),
        (Bound::Structure(_), _) => Err("of a sequence or an optional".to_owned()),
        (Bound::Other(data_type), _) => Err(format!("from {data_type} is not supported")),
    }
}
