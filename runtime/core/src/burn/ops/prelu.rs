use burn::tensor::ops::FloatTensor;

use super::binary::aligned;
use super::scalar;
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;

/// `x` where it is not negative, `slope · x` elsewhere.
pub(super) fn apply<B: FloatBackend>(x: Array<B>, slope: Array<B>) -> FloatTensor<B> {
    let slope = aligned(slope, x.shape.len());
    let negative = B::float_clamp_max(x.primitive.clone(), scalar(0.0));
    B::float_add(B::relu(x.primitive), B::float_mul(negative, slope))
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::burn::testing::{on_every_backend, run};
    use crate::graph::Op;

    fn the_slope_broadcasts<B: FloatBackend>() {
        let x = vec![-1.0, 2.0, -3.0, -4.0, 5.0, -6.0];
        let (_, found) =
            run::<B>(Op::PRelu, vec![(&[1, 2, 3], x.clone()), (&[2, 1], vec![0.5, 2.0])]);
        assert_eq!(found, [-0.5, 2.0, -1.5, -8.0, 5.0, -12.0]);
        let (_, found) = run::<B>(Op::PRelu, vec![(&[6], x), (&[], vec![0.25])]);
        assert_eq!(found, [-0.25, 2.0, -0.75, -1.0, 5.0, -1.5]);
    }
    on_every_backend!(the_slope_broadcasts);
}
