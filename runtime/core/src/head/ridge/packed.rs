//! Ridge on few samples in little memory: one packed triangle of inner products of samples.

use crate::Error;
use crate::checked::{product, sum};
use crate::head::Samples;
use crate::head::cholesky;
use crate::head::numeric::{Scratch, add_scaled, dot};
use crate::head::standardise::Standard;
use crate::record::check_shape;

/// Float32 elements that [`train_packed`] needs: the triangle, four vectors of features, one value
/// a sample and one a class. 100 samples of 384 features: 6,704, or 26.2 KiB.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn packed_scratch_len(samples: usize, features: usize, classes: usize) -> Result<usize, Error> {
    sum(&[
        Standard::scratch_len(features, classes)?,
        product(&[samples, sum(&[samples, 1])?])? / 2,
        product(&[2, features])?,
        samples,
    ])
}

/// Writes the ridge head of these samples in little memory; it is that of [`train`](super::train) but for rounding. It solves for one
/// coefficient a sample, and reads the samples anew for every inner product, so it suits a microcontroller and at most a few hundred
/// samples.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] if `penalty` is too small; [`Error::NoSamples`];
/// [`Error::ClassOutOfRange`]; [`Error::BufferLength`] or [`Error::ShapeOverflow`] if a buffer does
/// not fit.
pub fn train_packed(
    samples: Samples<'_>,
    penalty: f32,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let (features, classes, side) = (samples.feature_len(), bias.len(), samples.len());
    check_shape(weights.len(), classes, features)?;
    let needed = packed_scratch_len(side, features, classes)?;
    let mut scratch = Scratch::new(scratch, needed)?;
    let standard = Standard::measure(samples, weights, classes, &mut scratch)?;
    let triangle = scratch.take(cholesky::start(side))?;
    let (a, b) = (scratch.take(features)?, scratch.take(features)?);
    let solution = scratch.take(side)?;
    for row in 0..side {
        standard.apply(samples.row(row), a);
        for column in 0..=row {
            standard.apply(samples.row(column), b);
            triangle[cholesky::start(row) + column] = dot(a, b);
        }
        let weight = standard.class_weights[usize::from(samples.label(row))];
        triangle[cholesky::start(row) + row] += penalty / weight;
    }
    cholesky::factor(triangle, side)?;
    for (class, (weights, bias)) in weights.chunks_exact_mut(features).zip(&mut *bias).enumerate() {
        *bias = if standard.class_weights[class] > 0.0 { standard.share } else { 0.0 };
        for (sample, target) in solution.iter_mut().enumerate() {
            let hit = usize::from(samples.label(sample)) == class;
            *target = if hit { 1.0 - *bias } else { -*bias };
        }
        cholesky::solve(triangle, solution);
        weights.fill(0.0);
        for (sample, &coefficient) in solution.iter().enumerate() {
            standard.apply(samples.row(sample), a);
            add_scaled(weights, coefficient, a);
        }
    }
    standard.fold(weights, bias);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::ridge;
    use crate::head::testing::Blobs;

    #[test]
    fn the_head_is_that_of_the_full_solution() {
        for (per_class, features) in [(5, 40), (13, 52)] {
            let blobs = Blobs::new(4, per_class, features, 3.0, 5);
            let samples = blobs.samples();
            let (mut weights, mut bias) = blobs.head();
            let (mut expected, mut expected_bias) = blobs.head();
            let needed = packed_scratch_len(samples.len(), features, 4).unwrap();
            let mut scratch = std::vec![0.0; needed];
            train_packed(samples, 1e-3, &mut weights, &mut bias, &mut scratch).unwrap();
            let short = &mut scratch[1..];
            let error = train_packed(samples, 1e-3, &mut weights, &mut bias, short).unwrap_err();
            assert_eq!(error, Error::BufferLength { expected: needed, found: needed - 1 });
            let needed = ridge::scratch_len(samples.len(), features, 4).unwrap();
            let mut scratch = std::vec![0.0; needed];
            ridge::train(samples, 1e-3, &mut expected, &mut expected_bias, &mut scratch).unwrap();
            let pairs = weights.iter().zip(&expected).chain(bias.iter().zip(&expected_bias));
            let (mut error, mut size) = (0.0, 0.0);
            for (found, expected) in pairs {
                error += (found - expected) * (found - expected);
                size += expected * expected;
            }
            assert!(error < 1e-6 * size, "{error} {size}");
        }
    }
}
