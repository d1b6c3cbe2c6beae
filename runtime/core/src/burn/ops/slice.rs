//! Parts of tensors on backends that take single rows only out of tensors in order.

use std::vec::Vec;

use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{Slice, TensorMetadata};

use crate::burn::FloatBackend;

/// The part of `x` that the slices say, one a dimension.
pub(in crate::burn) fn slice<B: FloatBackend>(
    x: FloatTensor<B>,
    slices: &[Slice],
) -> FloatTensor<B> {
    let is_strided = |slice: &Slice| slice.step != 1;
    if B::SELECTS_FROM_ANY || !slices.iter().any(is_strided) {
        return B::float_slice(x, slices);
    }
    let part = |strided: bool| -> Vec<Slice> {
        let either =
            |&slice: &Slice| if is_strided(&slice) == strided { slice } else { Slice::full() };
        slices.iter().map(either).collect()
    };
    B::float_slice(in_order::<B>(B::float_slice(x, &part(false))), &part(true))
}

/// The given rows of `x` along a dimension.
pub(in crate::burn) fn select<B: FloatBackend>(
    x: FloatTensor<B>,
    dimension: usize,
    rows: IntTensor<B>,
) -> FloatTensor<B> {
    let x = if B::SELECTS_FROM_ANY { x } else { in_order::<B>(x) };
    B::float_select(x, dimension, rows)
}

/// Copies a tensor, its elements in memory in the order of its dimensions.
fn in_order<B: FloatBackend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let shape = x.shape();
    B::float_reshape(x, shape)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use burn::tensor::{ElementConversion, TensorData};

    use super::*;
    use crate::burn::tensor::Array;
    use crate::burn::testing::on_every_backend;

    fn parts_of_a_transposed_tensor_are_its_own<B: FloatBackend>() {
        let device = Default::default();
        let x = Array::<B>::upload((0..24).map(|i| i as f32).collect(), vec![2, 3, 4], &device);
        let x = B::float_permute(x.primitive, &[2, 0, 1]);
        let slices =
            [Slice::new(1, Some(4), 2), Slice::new(1, Some(2), 1), Slice::new(0, Some(3), 2)];
        let read = |primitive, shape: [usize; 3]| {
            Array::<B> { primitive, shape: shape.to_vec() }.download().unwrap().data
        };
        assert_eq!(read(slice::<B>(x.clone(), &slices), [2, 1, 2]), [13.0, 21.0, 15.0, 23.0]);
        let rows: Vec<B::IntElem> = [2_i64, 0].map(|row| row.elem()).to_vec();
        let rows = B::int_from_data(TensorData::new(rows, [2]), &device);
        let found = read(select::<B>(x, 2, rows), [4, 2, 2]);
        assert_eq!(found[..4], [8.0, 0.0, 20.0, 12.0]);
    }
    on_every_backend!(parts_of_a_transposed_tensor_are_its_own);
}
