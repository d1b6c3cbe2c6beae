use std::vec;

use burn::tensor::ops::FloatTensor;

use super::scalar;
use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};

/// `(x − mean) / √(variance + epsilon) · scale + bias` for each channel; the parameters are scale,
/// bias, mean and variance.
pub(super) fn apply<B: FloatBackend>(
    epsilon: f32,
    x: Array<B>,
    [scale, bias, mean, variance]: [Array<B>; 4],
) -> FloatTensor<B> {
    let deviation = B::float_sqrt(B::float_add_scalar(variance.primitive, scalar(epsilon)));
    let factor = B::float_div(scale.primitive, deviation);
    let shift = B::float_sub(bias.primitive, B::float_mul(mean.primitive, factor.clone()));
    let mut shape = vec![1; x.shape.len()];
    shape[1] = x.shape[1];
    let scaled = B::float_mul(x.primitive, reshape::<B>(factor, &shape));
    B::float_add(scaled, reshape::<B>(shift, &shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::Op;

    fn each_channel_has_its_own_line<B: FloatBackend>() {
        let operands = vec![
            (&[1, 2, 3][..], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            (&[2][..], vec![2.0, 3.0]),
            (&[2][..], vec![0.5, -1.0]),
            (&[2][..], vec![1.0, 4.0]),
            (&[2][..], vec![3.75, 0.0]),
        ];
        let (_, found) = run::<B>(Op::BatchNormalization { epsilon: 0.25 }, operands);
        assert_close(&found, &[0.5, 1.5, 2.5, -1.0, 5.0, 11.0]);
    }
    on_every_backend!(each_channel_has_its_own_line);
}
