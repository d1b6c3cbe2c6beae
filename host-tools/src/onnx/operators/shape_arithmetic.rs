//! Operators that are supported on known integers only: exporters write them before `Reshape`.

use rten_onnx::onnx::DataType;

use super::super::integers::Integers;
use super::super::tensor::{Data, Tensor};
use super::{Bound, Context, NodeView, Outcome};

/// `Shape`, or a part of it from `start` to `end`.
pub(super) fn shape_of(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let shape = match context.operand(node, 0)? {
        Bound::Integers(integers) => integers.shape.as_slice(),
        _ => context.shape(context.float(node, 0)?),
    };
    let list = Integers::list(shape.iter().map(|&extent| extent as i64).collect());
    let part = list.slice(0, node.int("start", 0)?, node.int("end", i64::MAX)?, 1)?;
    context.integers_result(part)
}

/// `Gather`.
pub(super) fn gather(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let result = known(context, node)?.gather(&context.integers(node, 1)?, node.int("axis", 0)?)?;
    context.integers_result(result)
}

/// `Slice`: its ranges were attributes until operator set 9 and are operands since.
pub(super) fn slice(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mut result = known(context, node)?;
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
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("starts, ends, axes and steps are not equally many".to_owned());
    }
    for i in 0..starts.len() {
        result = result.slice(axes[i], starts[i], ends[i], steps[i])?;
    }
    context.integers_result(result)
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
    let to_integer = matches!(target, DataType::INT64 | DataType::INT32 | DataType::BOOL);
    let to_float = matches!(
        target,
        DataType::FLOAT | DataType::FLOAT16 | DataType::BFLOAT16 | DataType::DOUBLE
    );
    if !to_integer && !to_float {
        return Err(format!("to {target}; float and int64 types are supported"));
    }
    match context.operand(node, 0)?.clone() {
        Bound::Integers(mut integers) if to_integer => {
            let fits = |&x: &i64| i32::try_from(x).is_ok();
            if target == DataType::INT32 && !integers.data.iter().all(fits) {
                return Err("an integer that does not fit int32".to_owned());
            }
            if target == DataType::BOOL {
                integers.data.iter_mut().for_each(|x| *x = i64::from(*x != 0));
            }
            context.integers_result(integers)
        }
        Bound::Integers(integers) => {
            let data = integers.data.iter().map(|&x| x as f32).collect();
            let tensor = Tensor { shape: integers.shape, data: Data::Floats(data) };
            context.constant(node.output(), tensor)
        }
        Bound::Float(value) if to_float => Ok(Bound::Float(value)),
        Bound::Float(value) => {
            let value = &context.graph.values[value];
            let Some(data) = &value.constant else {
                return Err(format!("of the model's data to {target} is not supported"));
            };
            let shape = value.shape.clone();
            let integers = Integers { shape, data: data.iter().map(|&x| x as i64).collect() };
            context.integers_result(integers)
        }
        Bound::Other(data_type) => Err(format!("from {data_type} is not supported")),
    }
}
