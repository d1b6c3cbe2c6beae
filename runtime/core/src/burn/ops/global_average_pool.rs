use burn::tensor::ops::FloatTensor;

use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};

/// The mean of each channel.
pub(super) fn apply<B: FloatBackend>(x: Array<B>, result: &[usize]) -> FloatTensor<B> {
    let channels = x.shape[0] * x.shape[1];
    let spatial = x.shape[2..].iter().product();
    let rows = reshape::<B>(x.primitive, &[channels, spatial]);
    reshape::<B>(B::float_mean_dim(rows, 1), result)
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::Op;

    fn each_channel_becomes_its_mean<B: FloatBackend>() {
        let x = (0..24).map(|i| i as f32).collect();
        let (shape, found) = run::<B>(Op::GlobalAveragePool, vec![(&[2, 3, 2, 2], x)]);
        assert_eq!(shape, [2, 3, 1, 1]);
        assert_close(&found, &[1.5, 5.5, 9.5, 13.5, 17.5, 21.5]);
    }
    on_every_backend!(each_channel_becomes_its_mean);
}
