use std::vec::Vec;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{ElementConversion, Shape, Slice, TensorData};

use super::{scalar, select};
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::{GraphError, Pad, PadMode, elements};

/// `x` with something around it.
pub(super) fn apply<B: FloatBackend>(pad: &Pad, x: Array<B>) -> Result<FloatTensor<B>, GraphError> {
    match pad.mode {
        PadMode::Constant(value) => Ok(pad_constant(x, &pad.begin, &pad.end, value)?.primitive),
        PadMode::Reflect => Ok(pad_from_within(x, &pad.begin, &pad.end, reflected)),
        PadMode::Edge => Ok(pad_from_within(x, &pad.begin, &pad.end, |position, extent| {
            position.clamp(0, extent - 1)
        })),
        PadMode::Wrap => Ok(pad_from_within(x, &pad.begin, &pad.end, i64::rem_euclid)),
    }
}

/// `x` with `value` around it.
///
/// # Errors
///
/// [`GraphError::TooManyElements`] if the result is too large.
pub(in crate::burn) fn pad_constant<B: FloatBackend>(
    x: Array<B>,
    begin: &[usize],
    end: &[usize],
    value: f32,
) -> Result<Array<B>, GraphError> {
    if begin.iter().chain(end).all(|&n| n == 0) {
        return Ok(x);
    }
    let mut shape = Vec::with_capacity(x.shape.len());
    let mut slices = Vec::with_capacity(x.shape.len());
    for ((&extent, &before), &after) in x.shape.iter().zip(begin).zip(end) {
        let padded = extent.checked_add(before).and_then(|n| n.checked_add(after));
        shape.push(padded.ok_or(GraphError::TooManyElements)?);
        // The limit on elements, checked below, keeps these far within the signed range.
        slices.push((before, before.saturating_add(extent)));
    }
    elements(&shape)?;
    let slices: Vec<Slice> = slices
        .into_iter()
        .map(|(from, to)| Slice::new(from as isize, Some(to as isize), 1))
        .collect();
    let device = B::float_device(&x.primitive);
    let dtype = burn::tensor::TensorMetadata::dtype(&x.primitive).into();
    let filled = B::float_full(Shape::from(shape.clone()), scalar(value), &device, dtype);
    Ok(Array { primitive: B::float_slice_assign(filled, &slices, x.primitive), shape })
}

/// `x` with copies of its own elements around it; `source` says which, for a position relative to
/// the first element of an axis of that extent.
fn pad_from_within<B: FloatBackend>(
    x: Array<B>,
    begin: &[usize],
    end: &[usize],
    source: fn(i64, i64) -> i64,
) -> FloatTensor<B> {
    let device = B::float_device(&x.primitive);
    let mut padded = x.primitive;
    for (axis, &extent) in x.shape.iter().enumerate() {
        if begin[axis] == 0 && end[axis] == 0 {
            continue;
        }
        // The padded extent passed the limit on elements: it fits any integer here.
        let positions = -(begin[axis] as i64)..(extent + end[axis]) as i64;
        let indices: Vec<B::IntElem> =
            positions.map(|position| source(position, extent as i64).elem()).collect();
        let count = indices.len();
        let indices = B::int_from_data(TensorData::new(indices, [count]), &device);
        padded = select::<B>(padded, axis, indices);
    }
    padded
}

/// The mirror about both edge elements, again and again if the padding is longer than the axis.
fn reflected(position: i64, extent: i64) -> i64 {
    let period = (2 * (extent - 1)).max(1);
    let folded = position.rem_euclid(period);
    folded.min(period - folded).min(extent - 1)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::burn::testing::{on_every_backend, run};
    use crate::graph::Op;

    fn padded<B: FloatBackend>(mode: PadMode) -> (Vec<usize>, Vec<f32>) {
        let op = Op::Pad(Pad { begin: vec![1, 0, 2], end: vec![0, 0, 1], mode });
        run::<B>(op, vec![(&[1, 2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])])
    }

    fn a_constant_surrounds<B: FloatBackend>() {
        let (shape, found) = padded::<B>(PadMode::Constant(9.0));
        assert_eq!(shape, [2, 2, 6]);
        assert_eq!(found[..12], [9.0; 12]);
        assert_eq!(found[12..], [9.0, 9.0, 1.0, 2.0, 3.0, 9.0, 9.0, 9.0, 4.0, 5.0, 6.0, 9.0]);
    }
    on_every_backend!(a_constant_surrounds);

    fn the_tensor_itself_surrounds<B: FloatBackend>() {
        let rows = |row: [f32; 6], second: [f32; 6]| [row, second, row, second].concat();
        let (_, found) = padded::<B>(PadMode::Reflect);
        let expected = rows([3.0, 2.0, 1.0, 2.0, 3.0, 2.0], [6.0, 5.0, 4.0, 5.0, 6.0, 5.0]);
        assert_eq!(found, expected);
        let (_, found) = padded::<B>(PadMode::Edge);
        let expected = rows([1.0, 1.0, 1.0, 2.0, 3.0, 3.0], [4.0, 4.0, 4.0, 5.0, 6.0, 6.0]);
        assert_eq!(found, expected);
        let (_, found) = padded::<B>(PadMode::Wrap);
        let expected = rows([2.0, 3.0, 1.0, 2.0, 3.0, 1.0], [5.0, 6.0, 4.0, 5.0, 6.0, 4.0]);
        assert_eq!(found, expected);
    }
    on_every_backend!(the_tensor_itself_surrounds);

    #[test]
    fn a_reflection_longer_than_the_axis_folds_again() {
        let folded: Vec<i64> = (-5..6).map(|position| reflected(position, 3)).collect();
        assert_eq!(folded, [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(reflected(-4, 1), 0);
    }
}
