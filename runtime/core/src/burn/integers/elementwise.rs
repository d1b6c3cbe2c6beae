use std::vec::Vec;

use burn::tensor::ops::{Device, FloatTensor, IntTensor};
use burn::tensor::{BoolDType, ElementConversion, IntDType, Shape, Slice, TensorData};

use super::{constant, quantise};
use crate::burn::FloatBackend;
use crate::burn::ops::scalar;
use crate::burn::tensor::Array;
use crate::network::{Binary, BinaryOp, TABLE_BYTES, Value};

/// Two operands that broadcast to the result.
pub(super) fn binary<B: FloatBackend>(
    binary: &Binary,
    [a, b]: [Array<B>; 2],
    bounds: [i64; 2],
) -> FloatTensor<B> {
    let scaled = |x, scale: f32| B::float_mul_scalar(x, scalar(scale));
    let (a, b) = (a.primitive, b.primitive);
    let real = match binary.op {
        BinaryOp::Add => B::float_add(scaled(a, binary.scale_a), scaled(b, binary.scale_b)),
        BinaryOp::Mul => scaled(B::float_mul(a, b), binary.scale_a),
        BinaryOp::Div => {
            let quotient = scaled(B::float_div(a, b), binary.scale_a);
            // 0 / 0 gives the least result. Not by `float_is_nan`: with AVX2 alone, burn-ndarray 0.21 takes what is no number for its own equal.
            let zero = || scalar(0.0);
            let below = B::float_lower_elem(quotient.clone(), zero(), BoolDType::Native);
            let above = B::float_greater_equal_elem(quotient.clone(), zero(), BoolDType::Native);
            let undefined = B::bool_not(B::bool_or(below, above));
            B::float_mask_fill(quotient, undefined, scalar(bounds[0] as f32))
        }
    };
    quantise::<B>(real, bounds)
}

/// A table of 256 results, or one a channel.
pub(super) struct Table<B: FloatBackend> {
    entries: FloatTensor<B>,
    /// What is added to an operand to find its entry, `[1, channels or 1, 1, 1]`.
    offsets: IntTensor<B>,
}

impl<B: FloatBackend> Table<B> {
    /// Of one table, or of one a channel.
    pub(super) fn new(
        tables: &[[u8; TABLE_BYTES]],
        from: &Value,
        to: &Value,
        device: &Device<B>,
    ) -> Self {
        let count = tables.len();
        let zero_point = f32::from(to.zero_point);
        let result = |&entry: &u8| f32::from(entry.cast_signed()) - zero_point;
        let entries: Vec<f32> = tables.as_flattened().iter().map(result).collect();
        let first = i64::from(from.zero_point) + 128;
        let offsets: Vec<B::IntElem> =
            (0..count).map(|channel| (first + (channel * TABLE_BYTES) as i64).elem()).collect();
        let offsets = TensorData::new(offsets, [1, count, 1, 1]);
        Self {
            entries: constant::<B>(entries, &[count * TABLE_BYTES], device),
            offsets: B::int_from_data(offsets, device),
        }
    }

    pub(super) fn run(&self, x: Array<B>) -> FloatTensor<B> {
        let places = B::int_add(integers::<B>(x.primitive), self.offsets.clone());
        looked_up::<B>(self.entries.clone(), places, &x.shape)
    }
}

/// Softmax over channels, from a table of exponentials.
pub(super) struct Softmax<B: FloatBackend> {
    exponentials: FloatTensor<B>,
    multiplier: f32,
}

impl<B: FloatBackend> Softmax<B> {
    /// `tables` begins with the table, float32.
    pub(super) fn new(tables: &[u8], multiplier: f32, device: &Device<B>) -> Self {
        let entries = tables.as_chunks().0.iter().take(256);
        let entries = entries.map(|&bytes| f32::from_le_bytes(bytes)).collect();
        Self { exponentials: constant::<B>(entries, &[256], device), multiplier }
    }

    pub(super) fn run(&self, x: Array<B>) -> FloatTensor<B> {
        let greatest = B::float_max_dim(x.primitive.clone(), 1);
        let distances = integers::<B>(B::float_sub(greatest, x.primitive));
        let exponentials = looked_up::<B>(self.exponentials.clone(), distances, &x.shape);
        // One after another, as the definition adds them: any other order rounds differently.
        let channel = |at: usize| {
            let one = Slice::new(at as isize, Some(at as isize + 1), 1);
            B::float_slice(
                exponentials.clone(),
                &[Slice::full(), one, Slice::full(), Slice::full()],
            )
        };
        let sum = (1..x.shape[1]).fold(channel(0), |sum, at| B::float_add(sum, channel(at)));
        B::float_mul_scalar(B::float_div(exponentials, sum), scalar(self.multiplier))
    }
}

/// The integers that the floats are.
fn integers<B: FloatBackend>(x: FloatTensor<B>) -> IntTensor<B> {
    let dtype = <B::IntElem as burn::tensor::Element>::dtype();
    B::float_into_int(x, IntDType::from(dtype))
}

fn looked_up<B: FloatBackend>(
    entries: FloatTensor<B>,
    places: IntTensor<B>,
    shape: &[usize],
) -> FloatTensor<B> {
    let count = shape.iter().product::<usize>();
    let places = B::int_reshape(places, Shape::from([count]));
    B::float_reshape(B::float_select(entries, 0, places), Shape::from(shape.to_vec()))
}
