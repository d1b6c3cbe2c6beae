use std::vec::Vec;

use burn::tensor::ops::{Device, FloatTensor, IntTensor};
use burn::tensor::{ElementConversion, Shape, TensorData};

use crate::burn::FloatBackend;
use crate::burn::ops::{pad_constant, select};
use crate::burn::tensor::Array;
use crate::graph::GraphError;
use crate::network::{PadMode, Value};

/// Where rows, columns and channels stand in `[N, channels, height, width]`.
pub(super) const AXES: [usize; 3] = [2, 3, 1];

/// Padding on any axis.
pub(super) struct Padding {
    /// In front and behind, of `[N, channels, height, width]`.
    begin: [usize; 4],
    end: [usize; 4],
    mode: PadMode,
    zero_point: i8,
}

impl Padding {
    pub(super) fn new(from: &Value, to: &Value, before: [u32; 3], mode: PadMode) -> Self {
        let extents = |v: &Value| [v.height, v.width, v.channels].map(|n| n as usize);
        let (inner, outer) = (extents(from), extents(to));
        let (mut begin, mut end) = ([0; 4], [0; 4]);
        for axis in 0..3 {
            let before = before[axis] as usize;
            begin[AXES[axis]] = before;
            end[AXES[axis]] = outer[axis].saturating_sub(inner[axis] + before);
        }
        Self { begin, end, mode, zero_point: to.zero_point }
    }

    pub(super) fn run<B: FloatBackend>(
        &self,
        x: Array<B>,
        device: &Device<B>,
    ) -> Result<FloatTensor<B>, GraphError> {
        let last = |axis: usize| x.shape[axis] as i64 - 1;
        let source = |axis: usize, position: i64| match self.mode {
            PadMode::Reflect if position > last(axis) => 2 * last(axis) - position,
            PadMode::Reflect => position.abs(),
            _ => position.clamp(0, last(axis)),
        };
        if let PadMode::Constant(q) = self.mode {
            let fill = f32::from(q) - f32::from(self.zero_point);
            return Ok(pad_constant(x, &self.begin, &self.end, fill)?.primitive);
        }
        let mut padded = x.primitive.clone();
        for axis in AXES {
            let (before, behind) = (self.begin[axis] as i64, self.end[axis] as i64);
            if before > 0 || behind > 0 {
                let positions = -before..=last(axis) + behind;
                let places = positions.map(|position| source(axis, position)).collect();
                padded = select::<B>(padded, axis, indices::<B>(places, device));
            }
        }
        Ok(padded)
    }
}

/// Elements in another order.
pub(super) struct Order<B: FloatBackend> {
    /// For each element of the result, `[height, width, channels]`, where it stands in the operand.
    places: IntTensor<B>,
    to: Value,
}

impl<B: FloatBackend> Order<B> {
    pub(super) fn new(
        to: &Value,
        extents: [u32; 5],
        strides: [u32; 5],
        device: &Device<B>,
    ) -> Self {
        let mut places = Vec::from([0_i64]);
        for (extent, stride) in extents.into_iter().zip(strides) {
            let along = |&place: &i64| {
                (0..i64::from(extent)).map(move |index| place + index * i64::from(stride))
            };
            places = places.iter().flat_map(along).collect();
        }
        Self { places: indices::<B>(places, device), to: *to }
    }

    pub(super) fn run(&self, x: Array<B>) -> FloatTensor<B> {
        let samples = x.shape[0];
        let pixels = B::float_permute(x.primitive, &[0, 2, 3, 1]);
        let elements = x.shape[1..].iter().product::<usize>();
        let flat = B::float_reshape(pixels, Shape::from([samples, elements]));
        let chosen = select::<B>(flat, 1, self.places.clone());
        let [c, h, w] = [self.to.channels, self.to.height, self.to.width].map(|n| n as usize);
        B::float_permute(B::float_reshape(chosen, Shape::from([samples, h, w, c])), &[0, 3, 1, 2])
    }
}

fn indices<B: FloatBackend>(places: Vec<i64>, device: &Device<B>) -> IntTensor<B> {
    let places: Vec<B::IntElem> = places.into_iter().map(|place| place.elem()).collect();
    let count = places.len();
    B::int_from_data(TensorData::new(places, [count]), device)
}
