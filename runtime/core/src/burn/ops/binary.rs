use std::vec;

use burn::tensor::ops::FloatTensor;

use crate::burn::FloatBackend;
use crate::burn::tensor::{Array, reshape};
use crate::graph::Binary;

/// The operator on every pair of elements of the broadcast operands.
pub(super) fn apply<B: FloatBackend>(
    binary: Binary,
    a: Array<B>,
    b: Array<B>,
    result: &[usize],
) -> FloatTensor<B> {
    let (a, b) = (aligned(a, result.len()), aligned(b, result.len()));
    match binary {
        Binary::Add => B::float_add(a, b),
        Binary::Sub => B::float_sub(a, b),
        Binary::Mul => B::float_mul(a, b),
        Binary::Div => B::float_div(a, b),
    }
}

/// `x` with dimensions of extent 1 in front, up to `rank`: Burn broadcasts only equal ranks.
pub(super) fn aligned<B: FloatBackend>(x: Array<B>, rank: usize) -> FloatTensor<B> {
    if x.shape.len() >= rank {
        return x.primitive;
    }
    let mut shape = vec![1; rank - x.shape.len()];
    shape.extend(&x.shape);
    reshape::<B>(x.primitive, &shape)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{noise, on_every_backend, run};
    use crate::graph::Op;

    fn broadcasting_follows_numpy<B: FloatBackend>() {
        let (x, y) = (noise(24, 1), noise(4, 2));
        for binary in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div] {
            let apply = |a: f32, b: f32| match binary {
                Binary::Add => a + b,
                Binary::Sub => a - b,
                Binary::Mul => a * b,
                Binary::Div => a / b,
            };
            let op = Op::Binary(binary);
            let (shape, found) =
                run::<B>(op.clone(), vec![(&[2, 3, 4], x.clone()), (&[4], y.clone())]);
            let expected: Vec<f32> = (0..24).map(|i| apply(x[i], y[i % 4])).collect();
            assert_eq!((shape, found), (vec![2, 3, 4], expected));

            let (shape, found) =
                run::<B>(op.clone(), vec![(&[4, 1], y.clone()), (&[2, 1, 3], x[..6].to_vec())]);
            let expected: Vec<f32> =
                (0..24).map(|i| apply(y[i / 3 % 4], x[i / 12 * 3 + i % 3])).collect();
            assert_eq!((shape, found), (vec![2, 4, 3], expected));

            let (shape, found) = run::<B>(op, vec![(&[], vec![3.0]), (&[], vec![2.0])]);
            assert_eq!((shape, found), (vec![], vec![apply(3.0, 2.0)]));
        }
    }
    on_every_backend!(broadcasting_follows_numpy);
}
