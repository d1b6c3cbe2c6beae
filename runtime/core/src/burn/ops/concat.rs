use std::vec;

use burn::tensor::ops::FloatTensor;

use crate::burn::FloatBackend;
use crate::burn::tensor::Array;

/// All operands side by side along `axis`.
pub(super) fn apply<B: FloatBackend>(
    axis: usize,
    first: Array<B>,
    others: impl Iterator<Item = Array<B>>,
) -> FloatTensor<B> {
    let mut tensors = vec![first.primitive];
    tensors.extend(others.map(|x| x.primitive));
    B::float_cat(tensors, axis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::testing::{on_every_backend, run};
    use crate::graph::Op;

    fn operands_stand_side_by_side<B: FloatBackend>() {
        let operands = vec![
            (&[2, 1, 2][..], vec![1.0, 2.0, 3.0, 4.0]),
            (&[2, 2, 2][..], (5..13).map(|i| i as f32).collect()),
        ];
        let (shape, found) = run::<B>(Op::Concat { axis: 1 }, operands);
        assert_eq!(shape, [2, 3, 2]);
        let expected = [1.0, 2.0, 5.0, 6.0, 7.0, 8.0, 3.0, 4.0, 9.0, 10.0, 11.0, 12.0];
        assert_eq!(found, expected);
        let (_, found) = run::<B>(Op::Concat { axis: 0 }, vec![(&[2], vec![1.0, 2.0])]);
        assert_eq!(found, [1.0, 2.0]);
    }
    on_every_backend!(operands_stand_side_by_side);
}
