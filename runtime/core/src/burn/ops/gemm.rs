use burn::tensor::ops::FloatTensor;

use super::binary::aligned;
use super::scalar;
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::Gemm;

/// `alpha · a' · b' + beta · c`
pub(super) fn apply<B: FloatBackend>(
    gemm: &Gemm,
    a: Array<B>,
    b: Array<B>,
    c: Option<Array<B>>,
) -> FloatTensor<B> {
    let oriented = |x: Array<B>, transposed: bool| match transposed {
        true => B::float_swap_dims(x.primitive, 0, 1),
        false => x.primitive,
    };
    let scaled = |x: FloatTensor<B>, factor: f32| match factor {
        1.0 => x,
        _ => B::float_mul_scalar(x, scalar(factor)),
    };
    let product = B::float_matmul(oriented(a, gemm.trans_a), oriented(b, gemm.trans_b));
    let product = scaled(product, gemm.alpha);
    match c {
        Some(c) => B::float_add(product, scaled(aligned(c, 2), gemm.beta)),
        None => product,
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::Op;

    fn every_orientation_gives_the_same_product<B: FloatBackend>() {
        let (a, a_t) = (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let (b, b_t) = (vec![1.0, 0.0, 0.0, 1.0, 2.0, -1.0], vec![1.0, 0.0, 2.0, 0.0, 1.0, -1.0]);
        for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
            let op = Op::Gemm(Gemm { alpha: 0.5, beta: 2.0, trans_a, trans_b });
            let a = if trans_a { (&[3, 2][..], a_t.clone()) } else { (&[2, 3][..], a.clone()) };
            let b = if trans_b { (&[2, 3][..], b_t.clone()) } else { (&[3, 2][..], b.clone()) };
            let operands = vec![a, b, (&[2][..], vec![10.0, 20.0])];
            let (_, found) = run::<B>(op.clone(), operands.clone());
            assert_close(&found, &[23.5, 39.5, 28.0, 39.5]);
            let (_, found) = run::<B>(op, operands[..2].to_vec());
            assert_close(&found, &[3.5, -0.5, 8.0, -0.5]);
        }
    }
    on_every_backend!(every_orientation_gives_the_same_product);
}
