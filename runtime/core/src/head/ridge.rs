//! Least squares on one-hot targets with a penalty on the weights, in closed form.
//!
//! Minimises `Σ w ‖W z + b − y‖² + penalty ‖W‖²` over standardised features `z`, one-hot targets `y` and
//! sample weights `w` that give every class the same share; the bias `b` is not penalised. With no
//! more features than samples the normal equations are solved for the weights, otherwise for one coefficient a
//! sample; both are symmetric and positive definite, and Cholesky's factorisation solves them in float32: features are
//! of unit scale and the penalties in use keep the condition number below 10⁵. The residual is checked.

mod packed;

pub use packed::{packed_scratch_len, train_packed};

use super::Samples;
use super::cholesky;
use super::design::{Design, side};
use super::numeric::{Scratch, dot};
use crate::Error;
use crate::checked::{product, sum};
use crate::record::check_shape;

/// Largest residual that is accepted, as a part of the right-hand side.
const TOLERANCE: f32 = 1e-3;

/// A penalty that suits most tasks (see [`train`]).
pub const PENALTY: f32 = 1e-3;

/// Float32 elements that [`train`] needs.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(samples: usize, features: usize, classes: usize) -> Result<usize, Error> {
    sum(&[
        Design::scratch_len(samples, features, classes)?,
        solve_scratch_len(side(samples, features), classes)?,
        product(&[classes, side(samples, features)])?,
        classes,
    ])
}

/// Writes the ridge head of these samples. `penalty` is relative to features of mean squared norm 1; 1e-4 to 1e-2 is its useful range. A
/// class without samples is predicted as 0.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] or [`Error::Inaccurate`] if `penalty` is too small;
/// [`Error::NoSamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit.
pub fn train(
    samples: Samples<'_>,
    penalty: f32,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let (features, classes) = (samples.feature_len(), bias.len());
    check_shape(weights.len(), classes, features)?;
    let needed = scratch_len(samples.len(), features, classes)?;
    let mut scratch = Scratch::new(scratch, needed)?;
    let mut design = Design::build(samples, weights, classes, &mut scratch)?;
    let coefficients = scratch.take(product(&[classes, design.side])?)?;
    let intercepts = scratch.take(classes)?;
    let memory = scratch.take(solve_scratch_len(design.side, classes)?)?;
    solve(&mut design, penalty, coefficients, intercepts, memory)?;
    design.head(coefficients, intercepts, weights, bias);
    Ok(())
}

pub(crate) fn solve_scratch_len(side: usize, classes: usize) -> Result<usize, Error> {
    sum(&[product(&[side, side + 1])? / 2, product(&[classes, side])?])
}

/// Writes coefficients `[class][side]` and the biases on standardised features.
pub(crate) fn solve(
    design: &mut Design<'_>,
    penalty: f32,
    coefficients: &mut [f32],
    intercepts: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let side = design.side;
    let (triangle, targets) = scratch.split_at_mut(cholesky::start(side));
    let targets = &mut targets[..coefficients.len()];
    for (intercept, &weight) in intercepts.iter_mut().zip(design.standard.class_weights) {
        *intercept = if weight > 0.0 { design.standard.share } else { 0.0 };
    }
    design.targets(intercepts, targets);
    for row in 0..side {
        let line = &mut triangle[cholesky::start(row)..=cholesky::start(row) + row];
        line.copy_from_slice(&design.kernel[row * side..=row * side + row]);
        line[row] += design.ridge(row, penalty);
    }
    cholesky::factor(triangle, side)?;
    coefficients.copy_from_slice(targets);
    for solution in coefficients.chunks_exact_mut(side) {
        cholesky::solve(triangle, solution);
    }
    let (mut error, mut size) = (0.0, 0.0);
    for (solution, target) in coefficients.chunks_exact(side).zip(targets.chunks_exact(side)) {
        for row in 0..side {
            let found = dot(&design.kernel[row * side..][..side], solution)
                + design.ridge(row, penalty) * solution[row];
            error += (found - target[row]) * (found - target[row]);
            size += target[row] * target[row];
        }
    }
    if error <= TOLERANCE * TOLERANCE * size { Ok(()) } else { Err(Error::Inaccurate) }
}

impl Design<'_> {
    /// What the penalty adds to the diagonal of the kernel.
    fn ridge(&self, row: usize, penalty: f32) -> f32 {
        if self.dual {
            penalty / self.standard.class_weights[usize::from(self.samples.label(row))]
        } else {
            penalty
        }
    }

    /// The right-hand sides: centred targets, in the primal form times the features.
    fn targets(&mut self, means: &[f32], targets: &mut [f32]) {
        targets.fill(0.0);
        for (class, (targets, &mean)) in targets.chunks_exact_mut(self.side).zip(means).enumerate()
        {
            for sample in 0..self.samples.len() {
                let hit = usize::from(self.samples.label(sample)) == class;
                if self.dual {
                    targets[sample] = if hit { 1.0 - mean } else { -mean };
                } else if hit {
                    // The term with `mean` is a sum over all centred features: 0.
                    let weight = self.standard.class_weights[class];
                    self.add_features(sample, weight, targets);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::head::testing::{Blobs, standardised};

    /// The gradient of the objective, in float64, at the head that was found.
    fn steepest(blobs: &Blobs, penalty: f32) -> f64 {
        let samples = blobs.samples();
        let (classes, features) = (blobs.classes, samples.feature_len());
        let (mut weights, mut bias) = blobs.head();
        let mut scratch = std::vec![0.0; scratch_len(samples.len(), features, classes).unwrap()];
        train(samples, penalty, &mut weights, &mut bias, &mut scratch).unwrap();
        let (z, sample_weights, scale, mean) = standardised(samples, classes);
        let mut most = 0.0_f64;
        for class in 0..classes {
            let row = &weights[class * features..][..features];
            let w: Vec<f64> = row.iter().zip(&scale).map(|(w, s)| f64::from(w / s)).collect();
            let b = f64::from(bias[class] + dot(row, &mean));
            let mut gradient: Vec<f64> = w.iter().map(|w| f64::from(penalty) * w).collect();
            let mut bias_gradient = 0.0;
            for (sample, z) in z.chunks_exact(features).enumerate() {
                let target = f64::from(u8::from(usize::from(samples.label(sample)) == class));
                let found: f64 = z.iter().zip(&w).map(|(z, w)| f64::from(*z) * w).sum();
                let error = f64::from(sample_weights[sample]) * (found + b - target);
                bias_gradient += error;
                gradient.iter_mut().zip(z).for_each(|(g, z)| *g += error * f64::from(*z));
            }
            most = gradient.iter().fold(most.max(bias_gradient.abs()), |most, g| most.max(g.abs()));
        }
        most
    }

    #[test]
    fn the_gradient_is_zero_in_the_primal_and_the_dual_form() {
        for (per_class, features) in [(20, 13), (5, 40), (13, 52)] {
            let blobs = Blobs::new(4, per_class, features, 3.0, 5);
            let most = steepest(&blobs, 1e-3);
            assert!(most < 1e-5, "{per_class} {features}: {most:e}");
        }
    }

    #[test]
    fn a_singular_system_without_penalty_is_refused() {
        let blobs = Blobs::new(3, 4, 40, 3.0, 1);
        let (mut weights, mut bias) = blobs.head();
        let mut scratch = std::vec![0.0; scratch_len(12, 40, 3).unwrap()];
        let error = train(blobs.samples(), 0.0, &mut weights, &mut bias, &mut scratch).unwrap_err();
        assert!(
            matches!(error, Error::NotPositiveDefinite { .. } | Error::Inaccurate),
            "{error:?}"
        );
        let short = &mut scratch[1..];
        let error = train(blobs.samples(), 1e-3, &mut weights, &mut bias, short).unwrap_err();
        assert!(matches!(error, Error::BufferLength { .. }));
    }

    #[test]
    fn a_solution_that_rounding_has_spoilt_is_inaccurate() {
        // The same features in two classes: what is solved for grows as the penalty falls.
        let features: Vec<i8> =
            [[40, -3, 7, 90, 11], [-20, 33, 5, -8, 70], [40, -3, 7, 90, 11]].concat();
        let samples = Samples::new(&features, &[0, 0, 1], 5).unwrap();
        let (mut weights, mut bias) = ([0.0; 10], [0.0; 2]);
        let mut scratch = std::vec![0.0; scratch_len(3, 5, 2).unwrap()];
        let mut solve = |penalty| train(samples, penalty, &mut weights, &mut bias, &mut scratch);
        assert_eq!(solve(1e-2), Ok(()));
        assert_eq!(solve(1e-6), Err(Error::Inaccurate));
    }

    #[test]
    fn one_class_and_one_sample_are_enough() {
        let samples = Samples::new(&[5, -3, 100], &[0], 3).unwrap();
        let (mut weights, mut bias) = ([0.0; 6], [0.0; 2]);
        let mut scratch = std::vec![0.0; scratch_len(1, 3, 2).unwrap()];
        train(samples, 1e-3, &mut weights, &mut bias, &mut scratch).unwrap();
        assert_eq!((weights, bias), ([0.0; 6], [1.0, 0.0]));
    }
}
