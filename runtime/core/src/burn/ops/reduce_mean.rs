use burn::tensor::ops::FloatTensor;

use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};

/// The mean over `axes`.
pub(super) fn apply<B: FloatBackend>(
    axes: &[usize],
    x: Array<B>,
    result: &[usize],
) -> FloatTensor<B> {
    let mean = axes.iter().fold(x.primitive, |x, &axis| B::float_mean_dim(x, axis));
    reshape::<B>(mean, result)
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::Op;

    fn some_axes_or_all_are_averaged<B: FloatBackend>() {
        let x: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mean = |axes: &[usize], keep_dims| {
            let op = Op::ReduceMean { axes: axes.to_vec(), keep_dims };
            run::<B>(op, vec![(&[2, 3, 2], x.clone())])
        };
        let (shape, found) = mean(&[0, 2], true);
        assert_eq!(shape, [1, 3, 1]);
        assert_close(&found, &[3.5, 5.5, 7.5]);
        let (shape, found) = mean(&[1], false);
        assert_eq!(shape, [2, 2]);
        assert_close(&found, &[2.0, 3.0, 8.0, 9.0]);
        let (shape, found) = mean(&[0, 1, 2], false);
        assert!(shape.is_empty());
        assert_close(&found, &[5.5]);
    }
    on_every_backend!(some_axes_or_all_are_averaged);
}
