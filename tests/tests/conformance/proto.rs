//! The suite's tensors, and what holds some.

use std::path::Path;

use headstart_tools::import::onnx::{Data, IntegerType, Known, Tensor};
use rten_onnx::onnx::{DataType, TensorProto};
use rten_onnx::protobuf::{DecodeMessage, ValueReader};

/// What a file of the suite that is said to hold a `kind` holds; `None` if it holds something else,
/// or a type that no model here takes.
pub(crate) fn read(path: &Path, kind: Kind) -> Option<Known> {
    value(&std::fs::read(path).ok()?, kind)
}

/// What an input or output of a model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Tensor,
    Sequence,
    Optional,
}

fn value(bytes: &[u8], kind: Kind) -> Option<Known> {
    match kind {
        Kind::Tensor => tensor(bytes).map(Known::Tensor),
        // SequenceProto: field 3 holds the tensors, and the other lists are of no type here.
        Kind::Sequence => {
            let mut tensors = Vec::new();
            for (number, content) in fields(bytes)? {
                match number {
                    3 => tensors.push(tensor(content)?),
                    4.. => return None,
                    _ => {}
                }
            }
            Some(Known::Sequence(tensors))
        }
        // OptionalProto: field 3 is a tensor, field 5 a sequence.
        Kind::Optional => {
            let mut inner = None;
            for (number, content) in fields(bytes)? {
                inner = match number {
                    3 => Some(Box::new(value(content, Kind::Tensor)?)),
                    5 => Some(Box::new(value(content, Kind::Sequence)?)),
                    1 | 2 => continue,
                    _ => return None,
                };
            }
            Some(Known::Optional(inner))
        }
    }
}

/// The fields of a protobuf message by number, those that are no bytes as empty ones.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let length = match tag & 7 {
            0 => varint(&mut bytes).map(|_| 0),
            2 => varint(&mut bytes).and_then(|length| usize::try_from(length).ok()),
            _ => None,
        }?;
        let (content, rest) = bytes.split_at_checked(length)?;
        fields.push((tag >> 3, content));
        bytes = rest;
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Which kinds of value a model's inputs or outputs are, in their order: `list` is the number of the
/// field of the graph that lists them. The parser knows no optionals, so the bytes are read here.
pub(crate) fn kinds(model: &[u8], list: u64) -> Vec<(String, Kind)> {
    let of = |bytes, number| {
        fields(bytes).into_iter().flatten().filter(move |f| f.0 == number).map(|f| f.1)
    };
    let mut kinds = Vec::new();
    for info in of(model, 7).flat_map(|graph| of(graph, list)) {
        let name = of(info, 1).next().unwrap_or_default();
        let holds = |number| of(info, 2).any(|kind| of(kind, number).next().is_some());
        let kind = match (holds(4), holds(9)) {
            (true, _) => Kind::Sequence,
            (_, true) => Kind::Optional,
            _ => Kind::Tensor,
        };
        kinds.push((String::from_utf8_lossy(name).into_owned(), kind));
    }
    kinds
}

fn tensor(bytes: &[u8]) -> Option<Tensor> {
    let proto = TensorProto::decode(ValueReader::from_buf(bytes)).ok()?;
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
        other => {
            let kind = IntegerType::of(other)?;
            let data = match kind {
                _ if !raw.is_empty() => kind.decode(&raw),
                IntegerType::Int64 => proto.int64_data,
                IntegerType::Uint32 | IntegerType::Uint64 if count > 0 => return None,
                _ => proto.int32_data.iter().map(|&x| kind.wrap(x.into())).collect(),
            };
            Data::Integers(data, kind)
        }
    };
    let found = match &data {
        Data::Floats(floats) => floats.len(),
        Data::Integers(integers, _) => integers.len(),
        Data::Bytes(bytes, _) => bytes.len(),
        Data::Other(_) => 0,
    };
    (found == count).then_some(Tensor { shape, data })
}

fn each<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| convert(chunk)).collect()
}
