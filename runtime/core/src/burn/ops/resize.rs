use std::vec;

use burn::tensor::ops::FloatTensor;

use super::matmul;
use crate::burn::FloatBackend;
use crate::burn::tensor::Array;
use crate::graph::Resize;

/// Spatial axes sampled anew: on each of them a product with a matrix of shares, which all backends
/// differentiate and none computes slowly.
pub(super) fn apply<B: FloatBackend>(resize: &Resize, x: Array<B>) -> FloatTensor<B> {
    let device = B::float_device(&x.primitive);
    let original = x.shape.clone();
    let mut x = x;
    for (axis, &extent) in resize.extents.iter().enumerate() {
        let mut shape = x.shape.clone();
        let source = original[2 + axis];
        shape[2 + axis] = extent;
        let before: usize = shape[..2 + axis].iter().product();
        let behind: usize = shape[3 + axis..].iter().product();
        // `[source][extent]` where the axis is the last one, else `[extent][source]`.
        let last = behind == 1;
        let mut shares = vec![0.0; source * extent];
        let mut keeps = source == extent;
        for index in 0..extent {
            for (place, share) in resize.taps(axis, source, index).into_iter().flatten() {
                let at = if last { place * extent + index } else { index * source + place };
                shares[at] += share;
                keeps &= share == 0.0 || place == index;
            }
        }
        if keeps {
            continue;
        }
        let product = if last {
            let shares = Array::upload(shares, vec![source, extent], &device);
            let rows = x.reshaped(vec![before, source]);
            matmul::apply(rows, shares, &shape)
        } else {
            let shares = Array::upload(shares, vec![extent, source], &device);
            let planes = x.reshaped(vec![before, source, behind]);
            matmul::apply(shares, planes, &shape)
        };
        x = Array { primitive: product, shape };
    }
    x.primitive
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::burn::testing::{assert_close, on_every_backend, run};
    use crate::graph::{Coordinates, Interpolation, Op, Rounding};

    fn rows_and_columns_are_sampled_anew<B: FloatBackend>() {
        let x = || vec![(&[1, 1, 2, 2][..], vec![1.0, 2.0, 3.0, 5.0])];
        let linear = Resize::linear(&[2, 2], &[4, 2]);
        let (shape, found) = run::<B>(Op::Resize(linear), x());
        assert_eq!(shape, [1, 1, 4, 2]);
        assert_close(&found, &[1.0, 2.0, 1.5, 2.75, 2.5, 4.25, 3.0, 5.0]);
        let nearest = Resize {
            coordinates: Coordinates::Asymmetric,
            interpolation: Interpolation::Nearest(Rounding::Floor),
            ..Resize::linear(&[2, 2], &[2, 4])
        };
        let (_, found) = run::<B>(Op::Resize(nearest), x());
        assert_eq!(found, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 5.0, 5.0]);
        let same: Vec<f32> = run::<B>(Op::Resize(Resize::linear(&[2, 2], &[2, 2])), x()).1;
        assert_eq!(same, [1.0, 2.0, 3.0, 5.0]);
    }
    on_every_backend!(rows_and_columns_are_sampled_anew);

    fn channels_and_samples_stay_apart<B: FloatBackend>() {
        let x: Vec<f32> = (0..2 * 3 * 4 * 3).map(|i| ((i * 7) % 11) as f32).collect();
        let resize = Op::Resize(Resize::linear(&[4, 3], &[3, 5]));
        let (_, together) = run::<B>(resize.clone(), vec![(&[2, 3, 4, 3], x.clone())]);
        for (plane, expected) in x.chunks(12).zip(together.chunks(15)) {
            let (_, alone) = run::<B>(resize.clone(), vec![(&[1, 1, 4, 3], plane.to_vec())]);
            assert_close(&alone, expected);
        }
    }
    on_every_backend!(channels_and_samples_stay_apart);
}
