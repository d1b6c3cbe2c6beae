use burn::tensor::ops::FloatTensor;

use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};

/// Exponentials that sum to 1 along `axis`, or with `flatten` along it and all that follow.
pub(super) fn apply<B: FloatBackend>(axis: usize, flatten: bool, x: Array<B>) -> FloatTensor<B> {
    if !flatten || axis + 1 == x.shape.len() {
        return B::softmax(x.primitive, axis);
    }
    let rows = x.shape[..axis].iter().product();
    let columns = x.shape[axis..].iter().product();
    let flat = reshape::<B>(x.primitive, &[rows, columns]);
    reshape::<B>(B::softmax(flat, 1), &x.shape)
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::Op;

    fn sums_run_along_the_axis_or_to_the_end<B: FloatBackend>() {
        // Powers of two by their logarithms, one of them far out to overflow a bare exponential.
        let weights: Vec<f32> = (0..8).map(|i| (1 << i) as f32).collect();
        let x: Vec<f32> = weights.iter().map(|w| w.ln() + 200.0).collect();
        let softmax = |axis, flatten| {
            run::<B>(Op::Softmax { axis, flatten }, vec![(&[2, 2, 2], x.clone())]).1
        };
        let along_one: Vec<f32> = (0..8).map(|i| if i & 2 == 0 { 0.2 } else { 0.8 }).collect();
        assert_close(&softmax(1, false), &along_one);
        let to_the_end: Vec<f32> =
            (0..8).map(|i| weights[i] / if i < 4 { 15.0 } else { 240.0 }).collect();
        assert_close(&softmax(1, true), &to_the_end);
        let all: Vec<f32> = weights.iter().map(|w| w / 255.0).collect();
        assert_close(&softmax(0, true), &all);
    }
    on_every_backend!(sums_run_along_the_axis_or_to_the_end);
}
