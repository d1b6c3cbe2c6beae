use rten_onnx::onnx::TensorProto;

use super::super::integers::{IntegerType, Integers};
use super::{Bound, Context, NodeView, Outcome};
use crate::import::imported::{Data, Tensor};

/// `Constant` in all its forms but strings and sparse tensors.
pub(super) fn constant(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let name = node.output();
    if let Some(proto) = node.tensor("value")? {
        let tensor = tensor(context, proto)?;
        return context.constant(name, tensor);
    }
    if node.has("value_float") {
        let data = Data::Floats(vec![node.float("value_float", 0.0)?]);
        return context.constant(name, Tensor { shape: vec![], data });
    }
    if let Some(list) = node.floats("value_floats")? {
        let data = Data::Floats(list.to_vec());
        return context.constant(name, Tensor { shape: vec![list.len()], data });
    }
    if node.has("value_int") {
        let data = vec![node.int("value_int", 0)?];
        let kind = IntegerType::Int64;
        return context.integers_result(Integers { shape: vec![], data, kind });
    }
    if let Some(list) = node.ints("value_ints")? {
        return context.integers_result(Integers::list(list.to_vec()));
    }
    Err("holds no tensor, number or list of numbers".to_owned())
}

/// `ConstantOfShape`: zeros, or the one element of attribute `value`.
pub(super) fn of_shape(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let shape = context.integers(node, 0)?.extents()?;
    let value = match node.tensor("value")? {
        Some(proto) => tensor(context, proto)?.data,
        None => Data::Floats(vec![0.0]),
    };
    match value {
        Data::Floats(value) if value.len() == 1 => context.filled(node.output(), shape, value[0]),
        Data::Integers(value, kind) if value.len() == 1 => {
            let filled = Integers::filled(shape, value[0], kind)?;
            context.integers_result(filled)
        }
        Data::Other(data_type) => Ok(Bound::Other(data_type)),
        _ => Err("its value has more than one element".to_owned()),
    }
}

fn tensor(context: &mut Context<'_>, proto: &TensorProto) -> Outcome<Tensor> {
    context.decode(proto.clone()).map_err(|problem| problem.to_string())
}
