//! Linear discriminants by least squares.
//!
//! Least squares on one-hot targets find `A = T⁻¹M` for the covariance `T` of all samples, with the penalty on its diagonal, and the
//! classes' means `M`. Discriminants want `Σ⁻¹M` for the covariance within the classes, `Σ = T − M P Mᵀ`, where `P` holds the classes' shares.
//! By Woodbury's identity that is `A (P⁻¹ − MᵀA)⁻¹ P⁻¹`: a system of one unknown a class, and `MᵀA` are the mean answers to each class's
//! samples. So discriminants cost nothing beside the [`ridge`] head, and take the same penalties. (Hastie, Buja and Tibshirani,
//! "Penalized discriminant analysis", 1995, show the same by optimal scoring.)

use super::design::{Design, side};
use super::numeric::{Scratch, add_scaled, dot};
use super::{Samples, cholesky, ridge};
use crate::Error;
use crate::checked::{product, sum};
use crate::record::check_shape;

/// Float32 elements that [`train`] needs.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(samples: usize, features: usize, classes: usize) -> Result<usize, Error> {
    let solution = solve_scratch_len(samples, side(samples, features), classes)?;
    sum(&[Design::scratch_len(samples, features, classes)?, solution])
}

/// Writes the head of linear discriminants of these samples; every class has the same share. Where not even the penalty keeps the classes'
/// own covariance from vanishing in float32, it is the ridge head. A class without samples is never the answer.
///
/// # Errors
///
/// Those of [`ridge::train`].
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
    let Solution { coefficients, intercepts, .. } = solve(&mut design, penalty, scratch.rest())?;
    design.head(coefficients, intercepts, weights, bias);
    Ok(())
}

/// Discriminants on standardised features.
pub(crate) struct Solution<'m> {
    /// `[class][side]`.
    pub(crate) coefficients: &'m mut [f32],
    pub(crate) intercepts: &'m mut [f32],
    /// Of the design's samples, `[sample][class]`.
    pub(crate) logits: &'m mut [f32],
}

pub(crate) fn solve_scratch_len(
    samples: usize,
    side: usize,
    classes: usize,
) -> Result<usize, Error> {
    let own = sum(&[product(&[classes, sum(&[classes, 2])?])?, cholesky::start(classes)])?;
    let own = own.max(ridge::solve_scratch_len(side, classes)?);
    sum(&[product(&[classes, sum(&[side, 1, samples])?])?, own])
}

pub(crate) fn solve<'m>(
    design: &mut Design<'_>,
    penalty: f32,
    scratch: &'m mut [f32],
) -> Result<Solution<'m>, Error> {
    let classes = design.classes;
    let mut scratch = Scratch::new(scratch, 0)?;
    let coefficients = scratch.take(product(&[classes, design.side])?)?;
    let intercepts = scratch.take(classes)?;
    let logits = scratch.take(product(&[classes, design.samples.len()])?)?;
    let memory = scratch.rest();
    ridge::solve(design, penalty, coefficients, intercepts, memory)?;
    answer(design, coefficients, intercepts, logits);
    let mut scratch = Scratch::new(memory, 0)?;
    let mapping = scratch.take(product(&[classes, classes])?)?;
    match map(design, intercepts, logits, mapping, &mut scratch) {
        Err(Error::NotPositiveDefinite { .. }) => {
            return Ok(Solution { coefficients, intercepts, logits });
        }
        other => other?,
    }
    let old = scratch.take(classes)?;
    for place in 0..design.side {
        let entries = coefficients[place..].iter().step_by(design.side);
        old.iter_mut().zip(entries).for_each(|(old, entry)| *old = *entry);
        let new = coefficients[place..].iter_mut().step_by(design.side);
        for (entry, row) in new.zip(mapping.chunks_exact(classes)) {
            *entry = dot(row, old);
        }
    }
    answer(design, coefficients, intercepts, logits);
    let range = (f32::INFINITY, f32::NEG_INFINITY);
    let (lowest, highest) =
        logits.iter().fold(range, |(low, high), &logit| (low.min(logit), high.max(logit)));
    let never = lowest - (highest - lowest).max(1.0);
    for class in (0..classes).filter(|&class| design.standard.class_weights[class] <= 0.0) {
        intercepts[class] = never;
        logits[class..].iter_mut().step_by(classes).for_each(|logit| *logit = never);
    }
    Ok(Solution { coefficients, intercepts, logits })
}

fn answer(design: &mut Design<'_>, coefficients: &[f32], intercepts: &[f32], logits: &mut [f32]) {
    design.forward(coefficients, logits);
    for row in logits.chunks_exact_mut(design.classes) {
        add_scaled(row, 1.0, intercepts);
    }
}

/// Writes `(P⁻¹ − MᵀA)⁻¹ P⁻¹`, `[class][class]`, and the discriminants' biases for classes of equal shares, from the ridge head's logits
/// and biases.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] where the covariance within the classes vanishes; the biases are untouched then.
fn map(
    design: &Design<'_>,
    intercepts: &mut [f32],
    logits: &[f32],
    mapping: &mut [f32],
    scratch: &mut Scratch<'_, f32>,
) -> Result<(), Error> {
    let (classes, share) = (design.classes, design.standard.share);
    let (triangle, column) = (scratch.take(cholesky::start(classes))?, scratch.take(classes)?);
    // MᵀA first.
    mapping.fill(0.0);
    for (sample, logits) in logits.chunks_exact(classes).enumerate() {
        let class = usize::from(design.samples.label(sample));
        let weight = design.standard.class_weights[class] / (share * share);
        let answers = logits.iter().zip(&*intercepts);
        for (mean, (logit, intercept)) in mapping[class * classes..].iter_mut().zip(answers) {
            *mean += weight * (logit - intercept);
        }
    }
    for row in 0..classes {
        for column in 0..=row {
            let mean = 0.5 * (mapping[row * classes + column] + mapping[column * classes + row]);
            triangle[cholesky::start(row) + column] =
                if row == column { 1.0 / share - mean } else { -mean };
        }
    }
    cholesky::factor(triangle, classes)?;
    // Row by row, each when its means are no longer needed.
    for class in 0..classes {
        let row = &mut mapping[class * classes..][..classes];
        column.fill(0.0);
        column[class] = 1.0 / share;
        cholesky::solve(triangle, column);
        intercepts[class] = -0.5 * dot(row, column);
        row.iter_mut().zip(&*column).for_each(|(entry, x)| *entry = x / share);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::head::LinearHead;
    use crate::head::standardise::Standard;
    use crate::head::testing::{Blobs, accuracy};

    /// `A x = b` in double precision.
    fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
        let n = b.len();
        for pivot in 0..n {
            for row in pivot + 1..n {
                let factor = a[row][pivot] / a[pivot][pivot];
                let (above, below) = a.split_at_mut(row);
                below[0].iter_mut().zip(&above[pivot]).for_each(|(x, y)| *x -= factor * y);
                b[row] -= factor * b[pivot];
            }
        }
        for row in (0..n).rev() {
            let known: f64 = (row + 1..n).map(|column| a[row][column] * b[column]).sum();
            b[row] = (b[row] - known) / a[row][row];
        }
        b
    }

    #[test]
    fn discriminants_are_those_of_the_covariance_within_the_classes() {
        const CLASSES: usize = 4;
        for (per_class, features) in [(5, 30), (40, 12)] {
            // One class has no samples, and another one fewer than the rest.
            let blobs = Blobs::new(3, per_class, features, 1.5, 9);
            let indices: Vec<u32> = (2..3 * per_class as u32).collect();
            let samples = blobs.samples().select(&indices).unwrap();
            let penalty = 1e-3;
            let mut memory = vec![f32::NAN; scratch_len(samples.len(), features, CLASSES).unwrap()];
            let (mut weights, mut bias) = (vec![0.0; CLASSES * features], vec![0.0; CLASSES]);
            train(samples, penalty, &mut weights, &mut bias, &mut memory).unwrap();
            let mut memory = vec![0.0; Standard::scratch_len(features, CLASSES).unwrap()];
            let mut scratch = Scratch::new(&mut memory, 0).unwrap();
            let standard =
                Standard::measure(samples, &mut weights.clone(), CLASSES, &mut scratch).unwrap();

            // The same from its definition, on standardised features.
            let z: Vec<Vec<f64>> = samples
                .iter()
                .map(|(row, _)| {
                    let mut z = vec![0.0; features];
                    standard.apply(row, &mut z);
                    z.into_iter().map(f64::from).collect()
                })
                .collect();
            let weight = |sample: usize| {
                f64::from(standard.class_weights[usize::from(samples.label(sample))])
            };
            let mut means = vec![vec![0.0; features]; 3];
            for (sample, z) in z.iter().enumerate() {
                let mean = &mut means[usize::from(samples.label(sample))];
                mean.iter_mut().zip(z).for_each(|(mean, z)| *mean += 3.0 * weight(sample) * z);
            }
            let mut within = vec![vec![0.0; features]; features];
            for (sample, z) in z.iter().enumerate() {
                let mean = &means[usize::from(samples.label(sample))];
                for (row, line) in within.iter_mut().enumerate() {
                    for (column, entry) in line.iter_mut().enumerate() {
                        *entry +=
                            weight(sample) * (z[row] - mean[row]) * (z[column] - mean[column]);
                    }
                }
            }
            (0..features).for_each(|at| within[at][at] += f64::from(penalty));
            let expected: Vec<(Vec<f64>, f64)> = means
                .iter()
                .map(|mean| {
                    let line = solve(within.clone(), mean.clone());
                    let bias = -0.5 * line.iter().zip(mean).map(|(w, m)| w * m).sum::<f64>();
                    (line, bias)
                })
                .collect();
            // Both up to one factor: what raw samples are answered tells it.
            let (mut found, mut logits) = (Vec::new(), Vec::new());
            for ((row, _), z) in samples.iter().zip(&z) {
                for class in 0..3 {
                    let line = &weights[class * features..][..features];
                    let sum: f64 =
                        line.iter().zip(row).map(|(w, &q)| f64::from(*w) * f64::from(q)).sum();
                    found.push(sum + f64::from(bias[class]));
                    let (line, bias) = &expected[class];
                    logits.push(line.iter().zip(z).map(|(w, z)| w * z).sum::<f64>() + bias);
                }
            }
            let largest = |of: &[f64]| of.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let factor = largest(&logits) / largest(&found);
            for (found, expected) in found.iter().zip(&logits) {
                let error = (found * factor - expected).abs() / largest(&logits);
                assert!(error < 2e-3, "{} {expected}", found * factor);
            }
            let lowest = found.iter().copied().fold(f64::INFINITY, f64::min);
            assert!(weights[3 * features..].iter().all(|&weight| weight == 0.0));
            assert!(f64::from(bias[3]) <= lowest + 1e-3 * largest(&found));
        }
    }

    fn trained(blobs: &Blobs, classes: usize) -> (Vec<f32>, Vec<f32>) {
        let samples = blobs.samples();
        let features = samples.feature_len();
        let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
        let mut scratch = vec![f32::NAN; scratch_len(samples.len(), features, classes).unwrap()];
        train(samples, ridge::PENALTY, &mut weights, &mut bias, &mut scratch).unwrap();
        (weights, bias)
    }

    #[test]
    fn heads_answer_by_both_systems() {
        for (per_class, features) in [(6, 40), (30, 10)] {
            let blobs = Blobs::new(5, per_class, features, 2.0, 4);
            let (weights, bias) = trained(&blobs, 5);
            let head = LinearHead::new(&weights, &bias, features).unwrap();
            assert!(accuracy(head, blobs.samples()) > 0.98);
        }
    }

    #[test]
    fn one_sample_a_class_and_one_class_are_enough() {
        let blobs = Blobs::new(4, 1, 30, 3.0, 6);
        let (weights, bias) = trained(&blobs, 4);
        assert_eq!(accuracy(LinearHead::new(&weights, &bias, 30).unwrap(), blobs.samples()), 1.0);
        let blobs = Blobs::new(1, 6, 3, 3.0, 6);
        for classes in [1, 3] {
            let (weights, bias) = trained(&blobs, classes);
            assert_eq!(
                accuracy(LinearHead::new(&weights, &bias, 3).unwrap(), blobs.samples()),
                1.0
            );
        }
    }
}
