//! Tensors of a model file, turned to float32 or integers after their lengths were checked.

use half::{bf16, f16};
use headstart::graph::{MAX_ELEMENTS, elements};
use rten_onnx::onnx::{DataLocation, DataType, TensorProto};

use super::external::External;
use super::integers::{FOLD, IntegerType, MAX_INTEGERS};
use crate::error::Problem;
use crate::import::cost;
use crate::import::imported::{Data, Tensor};

const UNDEFINED: DataType = DataType(0);

/// How many elements the constants of one model may still take.
#[derive(Debug)]
pub(super) struct Budget {
    floats: usize,
    integers: usize,
    /// Elements of weights that were read from the file.
    weights: u64,
    /// Elements of constants that are not in the file.
    made: u64,
    /// Elements of known operands that were read.
    read: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { floats: MAX_ELEMENTS, integers: 1 << 24, weights: 0, made: 0, read: 0 }
    }
}

impl Budget {
    /// Elements of weights that were read from the file.
    pub(super) fn weights(&self) -> u64 {
        self.weights
    }

    /// Takes `count` floats that the file does not hold.
    pub(super) fn take_made(&mut self, count: usize) -> Result<(), String> {
        self.take_floats(count)?;
        self.made = self.made.saturating_add(count as u64);
        let most = cost::made(self.weights);
        if self.made > most {
            return Err(format!(
                "a constant of {count} elements that the file does not hold; at most {most} in all are accepted for \
                 a file of {} weights: {FOLD}",
                self.weights
            ));
        }
        Ok(())
    }

    /// Takes work on `count` elements that are known.
    pub(super) fn take_work(&mut self, count: u64) -> Result<(), String> {
        self.read = self.read.saturating_add(count);
        let most = cost::folded(self.weights);
        if self.read > most {
            return Err(format!(
                "is computed before the model runs, from {count} elements; at most {most} in all are accepted for a \
                 file of {} weights: {FOLD}",
                self.weights
            ));
        }
        Ok(())
    }

    /// Takes `count` floats of what is left.
    pub(super) fn take_floats(&mut self, count: usize) -> Result<(), String> {
        self.floats = self.floats.checked_sub(count).ok_or_else(|| {
            format!(
                "the constants of the model have more than {MAX_ELEMENTS} elements in all: choose a smaller model"
            )
        })?;
        Ok(())
    }

    /// Takes `count` integers of what is left.
    pub(super) fn take_integers(&mut self, count: usize) -> Result<(), String> {
        let left = self.integers.checked_sub(count).filter(|_| count <= MAX_INTEGERS);
        self.integers = left.ok_or_else(|| {
            format!(
                "an integer tensor of {count} elements; at most {MAX_INTEGERS} are supported: {FOLD}"
            )
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
    let integer = IntegerType::of(data_type).filter(|kind| {
        let of_shapes = [IntegerType::Bool, IntegerType::Int32, IntegerType::Int64];
        count <= MAX_INTEGERS || of_shapes.contains(kind)
    });
    let of_weights = [IntegerType::Int8, IntegerType::Uint8];
    let weights =
        IntegerType::of(data_type).filter(|kind| integer.is_none() && of_weights.contains(kind));
    let size = match (data_type, integer.or(weights)) {
        (_, Some(kind)) => kind.size(),
        (DataType::FLOAT16 | DataType::BFLOAT16, _) => 2,
        (DataType::FLOAT, _) => 4,
        (DataType::DOUBLE, _) => 8,
        (UNDEFINED, _) => return Err(refuse("has no data type".to_owned())),
        (other, _) => return Ok(Tensor { shape, data: Data::Other(other.to_string()) }),
    };
    let taken = match integer {
        Some(_) => budget.take_integers(count),
        None => budget.take_floats(count),
    };
    taken.map_err(refuse)?;
    if integer.is_none() {
        budget.weights += count as u64;
    }

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
            match (integer, weights) {
                (Some(kind), _) => Data::Integers(kind.decode(&bytes), kind),
                (None, Some(kind)) => Data::Bytes(bytes, kind),
                (None, None) => Data::Floats(floats_from_bytes(data_type, &bytes)),
            }
        }
        _ => match integer {
            None if weights.is_some() => {
                return Err(refuse(
                    "has its bytes in a typed field, not as bytes (load and save \
                                   the model once with the onnx Python package)"
                        .to_owned(),
                ));
            }
            Some(kind @ IntegerType::Int64) => Data::Integers(proto.int64_data, kind),
            Some(IntegerType::Uint32 | IntegerType::Uint64) => {
                return Err(refuse(format!(
                    "has its {data_type} data in a typed field, not as bytes (load and save the \
                     model once with the onnx Python package)"
                )));
            }
            Some(kind) => {
                let wrap = |&x: &i32| kind.wrap(i64::from(x));
                Data::Integers(proto.int32_data.iter().map(wrap).collect(), kind)
            }
            None => Data::Floats(floats_from_fields(
                data_type,
                proto.float_data,
                proto.double_data,
                proto.int32_data,
            )),
        },
    };
    let found = match &data {
        Data::Floats(floats) => floats.len(),
        Data::Integers(integers, _) => integers.len(),
        Data::Bytes(bytes, _) => bytes.len(),
        Data::Other(_) => count,
    };
    if found != count {
        return Err(refuse(format!("has {found} elements of data, its shape {shape:?} {count}")));
    }
    Ok(Tensor { shape, data })
}

fn floats_from_bytes(data_type: DataType, bytes: &[u8]) -> Vec<f32> {
    match data_type {
        DataType::DOUBLE => each(bytes, |b| f64::from_le_bytes(b) as f32),
        DataType::FLOAT16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        DataType::BFLOAT16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        _ => each(bytes, f32::from_le_bytes),
    }
}

fn each<const SIZE: usize>(bytes: &[u8], decode: impl Fn([u8; SIZE]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<SIZE>().0.iter().map(|&chunk| decode(chunk)).collect()
}

/// The typed fields hold narrow floats as their bits in `int32_data`.
fn floats_from_fields(
    data_type: DataType,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    int32s: Vec<i32>,
) -> Vec<f32> {
    match data_type {
        DataType::DOUBLE => doubles.into_iter().map(|x| x as f32).collect(),
        DataType::FLOAT16 => {
            int32s.into_iter().map(|bits| f16::from_bits(bits as u16).to_f32()).collect()
        }
        DataType::BFLOAT16 => {
            int32s.into_iter().map(|bits| bf16::from_bits(bits as u16).to_f32()).collect()
        }
        _ => floats,
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
        let decoded = |bits: u16| {
            let tensor = decoded(proto(DataType::FLOAT16, &[1], &bits.to_le_bytes())).unwrap();
            let Data::Floats(floats) = tensor.data else { panic!("{:?}", tensor.data) };
            floats[0]
        };
        for (bits, value) in cases {
            assert_eq!(decoded(bits), value, "{bits:#x}");
        }
        assert!(decoded(0x7e00).is_nan());
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
