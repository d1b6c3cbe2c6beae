//! The suite's tensors.

use std::path::Path;

use headstart_tools::onnx::{Data, Tensor};
use rten_onnx::onnx::{DataType, TensorProto};
use rten_onnx::protobuf::{DecodeMessage, ValueReader};

/// The tensor in a file of the suite; `None` if it is none, or of a type that no model here takes.
pub(crate) fn read(path: &Path) -> Option<Tensor> {
    let bytes = std::fs::read(path).ok()?;
    let proto = TensorProto::decode(ValueReader::from_buf(&bytes)).ok()?;
    let shape: Vec<usize> =
        proto.dims.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>()?;
    let count: usize = shape.iter().product();
    let raw = proto.raw_data.map(std::cell::RefCell::into_inner).unwrap_or_default();
    let data = match proto.data_type? {
        DataType::FLOAT if raw.is_empty() => Data::Floats(proto.float_data),
        DataType::FLOAT => Data::Floats(each(&raw, f32::from_le_bytes)),
        DataType::DOUBLE if raw.is_empty() => {
            Data::Floats(proto.double_data.iter().map(|&x| x as f32).collect())
        }
        DataType::DOUBLE => Data::Floats(each(&raw, |bytes| f64::from_le_bytes(bytes) as f32)),
        DataType::INT64 if raw.is_empty() => Data::Integers(proto.int64_data),
        DataType::INT64 => Data::Integers(each(&raw, i64::from_le_bytes)),
        DataType::INT32 if !raw.is_empty() => {
            Data::Integers(each(&raw, |bytes| i32::from_le_bytes(bytes).into()))
        }
        DataType::BOOL if !raw.is_empty() => Data::Integers(each(&raw, |[byte]| byte.into())),
        DataType::INT32 | DataType::BOOL => {
            Data::Integers(proto.int32_data.iter().map(|&x| x.into()).collect())
        }
        _ => return None,
    };
    let found = match &data {
        Data::Floats(floats) => floats.len(),
        Data::Integers(integers) => integers.len(),
        Data::Other(_) => 0,
    };
    (found == count).then_some(Tensor { shape, data })
}

fn each<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| convert(chunk)).collect()
}
