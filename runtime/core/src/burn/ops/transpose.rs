use burn::tensor::ops::FloatTensor;

use crate::burn::FloatBackend;
use crate::burn::tensor::Array;

/// Axis `i` of the result is axis `permutation[i]` of `x`.
pub(super) fn apply<B: FloatBackend>(permutation: &[usize], x: Array<B>) -> FloatTensor<B> {
    if permutation.is_sorted() {
        return x.primitive;
    }
    B::float_permute(x.primitive, permutation)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::burn::testing::{on_every_backend, run};
    use crate::graph::Op;

    fn axes_change_places<B: FloatBackend>() {
        let x = (0..6).map(|i| i as f32).collect();
        let op = Op::Transpose { permutation: vec![2, 0, 1] };
        let (shape, found) = run::<B>(op, vec![(&[1, 2, 3], x)]);
        assert_eq!(shape, [3, 1, 2]);
        assert_eq!(found, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let (shape, found) =
            run::<B>(Op::Transpose { permutation: vec![] }, vec![(&[], vec![7.0])]);
        assert_eq!((shape, found), (vec![], vec![7.0]));
    }
    on_every_backend!(axes_change_places);
}
