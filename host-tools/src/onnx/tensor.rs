//! Tensors of a model file, turned to float32 or int64 after their lengths were checked.

use headstart::graph::{MAX_ELEMENTS, elements};
use rten_onnx::onnx::{DataLocation, DataType, TensorProto};

use super::error::Problem;
use super::external::External;

/// Most elements of one integer tensor: shapes and indices need a handful.
pub(super) const MAX_INTEGERS: usize = 1 << 16;

const UNDEFINED: DataType = DataType(0);

/// A tensor that is known before the model runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub data: Data,
}

/// The elements of a [`Tensor`].
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// float32, or float16, bfloat16 and float64 rounded to it.
    Floats(Vec<f32>),
    /// int64, int32 or bool: shapes, axes, indices, switches.
    Integers(Vec<i64>),
    /// A type that no supported operator takes; its ONNX name.
    Other(String),
}

/// How many elements the constants of one model may still take.
#[derive(Debug)]
pub(super) struct Budget {
    floats: usize,
    integers: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { floats: MAX_ELEMENTS, integers: 1 << 24 }
    }
}

impl Budget {
    /// Takes `count` floats of what is left.
    pub(super) fn take_floats(&mut self, count: usize) -> Result<(), String> {
        self.floats = self.floats.checked_sub(count).ok_or_else(|| {
            format!("the constants of the model have more than {MAX_ELEMENTS} elements in all")
        })?;
        Ok(())
    }

    /// Takes `count` integers of what is left.
    pub(super) fn take_integers(&mut self, count: usize) -> Result<(), String> {
        let left = self.integers.checked_sub(count).filter(|_| count <= MAX_INTEGERS);
        self.integers = left.ok_or_else(|| {
            format!("an integer tensor of {count} elements; at most {MAX_INTEGERS} are supported")
        })?;
        Ok(())
    }
}

/// Decodes a tensor, which may have its data in another file.
///
/// # Errors
///
/// [`Problem::Tensor`] if a dimension is negative, the data does not fill the shape or the type has
/// no meaning; also all that [`External::read`] refuses.
pub(super) fn decode(
    proto: TensorProto,
    external: &External<'_>,
    budget: &mut Budget,
) -> Result<Tensor, Problem> {
    let name = proto.name.clone().unwrap_or_default();
    let refuse = |what: String| Problem::tensor(&name, what);
    let shape = proto
        .dims
        .iter()
        .map(|&extent| usize::try_from(extent))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| refuse(format!("has a negative dimension: {:?}", proto.dims)))?;
    let count = elements(&shape).map_err(|error| refuse(error.to_string()))?;
    let data_type = proto.data_type.unwrap_or(UNDEFINED);
    let size = match data_type {
        DataType::BOOL => 1,
        DataType::FLOAT16 | DataType::BFLOAT16 => 2,
        DataType::FLOAT | DataType::INT32 => 4,
        DataType::DOUBLE | DataType::INT64 => 8,
        UNDEFINED => return Err(refuse("has no data type".to_owned())),
        other => return Ok(Tensor { shape, data: Data::Other(other.to_string()) }),
    };
    let is_integer = matches!(data_type, DataType::BOOL | DataType::INT32 | DataType::INT64);
    let taken = if is_integer { budget.take_integers(count) } else { budget.take_floats(count) };
    taken.map_err(refuse)?;

    let byte_length = count * size;
    let raw = if proto.data_location == Some(DataLocation::EXTERNAL) {
        Some(external.read(&name, &proto.external_data, byte_length)?)
    } else {
        proto.raw_data.map(std::cell::RefCell::into_inner)
    };
    // A `raw_data` of no bytes beside a filled typed field is written by some exporters.
    let data = match raw {
        Some(bytes) if !bytes.is_empty() || count == 0 => {
            if bytes.len() != byte_length {
                return Err(refuse(format!(
                    "has {} bytes of data, its shape {shape:?} needs {byte_length}",
                    bytes.len()
                )));
            }
            from_bytes(data_type, &bytes)
        }
        _ => from_fields(
            data_type,
            proto.float_data,
            proto.double_data,
            proto.int32_data,
            proto.int64_data,
        ),
    };
    let found = match &data {
        Data::Floats(floats) => floats.len(),
        Data::Integers(integers) => integers.len(),
        Data::Other(_) => count,
    };
    if found != count {
        return Err(refuse(format!("has {found} elements of data, its shape {shape:?} {count}")));
    }
    Ok(Tensor { shape, data })
}

fn from_bytes(data_type: DataType, bytes: &[u8]) -> Data {
    match data_type {
        DataType::FLOAT => Data::Floats(each(bytes, f32::from_le_bytes)),
        DataType::DOUBLE => Data::Floats(each(bytes, |b| f64::from_le_bytes(b) as f32)),
        DataType::FLOAT16 => Data::Floats(each(bytes, |b| half_to_float(u16::from_le_bytes(b)))),
        DataType::BFLOAT16 => Data::Floats(each(bytes, |b| bfloat_to_float(u16::from_le_bytes(b)))),
        DataType::INT32 => Data::Integers(each(bytes, |b| i64::from(i32::from_le_bytes(b)))),
        DataType::INT64 => Data::Integers(each(bytes, i64::from_le_bytes)),
        _ => Data::Integers(bytes.iter().map(|&b| i64::from(b != 0)).collect()),
    }
}

fn each<const SIZE: usize, T>(bytes: &[u8], decode: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    bytes.as_chunks::<SIZE>().0.iter().map(|&chunk| decode(chunk)).collect()
}

/// The typed fields hold narrow floats as their bits in `int32_data`.
fn from_fields(
    data_type: DataType,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    int32s: Vec<i32>,
    int64s: Vec<i64>,
) -> Data {
    match data_type {
        DataType::FLOAT => Data::Floats(floats),
        DataType::DOUBLE => Data::Floats(doubles.into_iter().map(|x| x as f32).collect()),
        DataType::FLOAT16 => {
            Data::Floats(int32s.into_iter().map(|bits| half_to_float(bits as u16)).collect())
        }
        DataType::BFLOAT16 => {
            Data::Floats(int32s.into_iter().map(|bits| bfloat_to_float(bits as u16)).collect())
        }
        DataType::INT64 => Data::Integers(int64s),
        _ => Data::Integers(int32s.into_iter().map(i64::from).collect()),
    }
}

fn bfloat_to_float(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// IEEE 754 binary16 to binary32, which holds every value of it exactly.
fn half_to_float(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn proto(data_type: DataType, dims: &[i64], bytes: &[u8]) -> TensorProto {
        TensorProto {
            name: Some("w".to_owned()),
            dims: dims.to_vec(),
            data_type: Some(data_type),
            raw_data: Some(RefCell::new(bytes.to_vec())),
            ..TensorProto::default()
        }
    }

    fn decoded(proto: TensorProto) -> Result<Tensor, Problem> {
        decode(proto, &External::new(None), &mut Budget::default())
    }

    #[test]
    fn every_weight_type_becomes_float32() {
        let cases = [
            (DataType::FLOAT, (-1.5_f32).to_le_bytes().to_vec()),
            (DataType::DOUBLE, (-1.5_f64).to_le_bytes().to_vec()),
            (DataType::FLOAT16, 0xbe00_u16.to_le_bytes().to_vec()),
            (DataType::BFLOAT16, 0xbfc0_u16.to_le_bytes().to_vec()),
        ];
        for (data_type, bytes) in cases {
            let tensor = decoded(proto(data_type, &[1], &bytes)).unwrap();
            assert_eq!(tensor.data, Data::Floats(vec![-1.5]), "{data_type}");
        }
        let typed = TensorProto {
            raw_data: None,
            int32_data: vec![0xbe00],
            ..proto(DataType::FLOAT16, &[], &[])
        };
        assert_eq!(decoded(typed).unwrap().data, Data::Floats(vec![-1.5]));
    }

    #[test]
    fn binary16_values_are_exact() {
        let cases = [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3c00, 1.0),
            (0x7bff, 65_504.0),
            (0xfc00, f32::NEG_INFINITY),
        ];
        for (bits, value) in cases {
            assert_eq!(half_to_float(bits), value, "{bits:#x}");
        }
        assert!(half_to_float(0x7e00).is_nan());
    }

    #[test]
    fn data_that_does_not_fill_its_shape_is_refused() {
        let cases: &[(&str, TensorProto)] = &[
            ("short", proto(DataType::FLOAT, &[2], &[0; 7])),
            ("long", proto(DataType::FLOAT, &[1], &[0; 8])),
            ("none", proto(DataType::FLOAT, &[1], &[])),
            ("negative", proto(DataType::FLOAT, &[-1], &[0; 4])),
            ("product wraps", proto(DataType::FLOAT, &[1 << 32, 1 << 32], &[])),
            ("huge", proto(DataType::FLOAT, &[i64::MAX], &[])),
            ("rank 7", proto(DataType::FLOAT, &[1; 7], &[0; 4])),
            ("many integers", proto(DataType::INT64, &[1 << 20], &[])),
        ];
        for (name, tensor) in cases {
            assert!(matches!(decoded(tensor.clone()), Err(Problem::Tensor { .. })), "{name}");
        }
    }

    #[test]
    fn constants_share_one_budget() {
        let mut budget = Budget::default();
        budget.take_floats(MAX_ELEMENTS - 1).unwrap();
        let tensor = proto(DataType::FLOAT, &[2], &[0; 8]);
        assert!(decode(tensor, &External::new(None), &mut budget).is_err());
    }
}
