//! The two heads that one solution of least squares gives: its own, and linear discriminants.
//!
//! Least squares on one-hot targets find `A = T⁻¹M` for the covariance `T` of all samples, with the penalty on its diagonal, and the
//! classes' means `M`. Discriminants want `Σ⁻¹M` for the covariance within the classes, `Σ = T − M P Mᵀ`, where `P` holds the classes' shares.
//! By Woodbury's identity that is `A (P⁻¹ − MᵀA)⁻¹ P⁻¹`: a system of one unknown a class, and `MᵀA` are the mean answers to each class's
//! samples. So discriminants cost nothing beside the ridge head. (Hastie, Buja and Tibshirani, "Penalized discriminant analysis", 1995,
//! show the same by optimal scoring.)

use crate::Error;
use crate::head::design::Design;
use crate::head::numeric::{Scratch, add_scaled, product, sum};
use crate::head::{cholesky, ridge};

pub(super) fn scratch_len(samples: usize, side: usize, classes: usize) -> Result<usize, Error> {
    let fit = product(&[classes, sum(&[side, 1, samples])?])?;
    let squares = product(&[classes, sum(&[classes, 2])?])?;
    sum(&[
        fit,
        ridge::solve_scratch_len(side, classes)?.max(sum(&[squares, cholesky::start(classes)])?),
    ])
}

/// A solution of least squares, and its logits on the samples that it was found for.
pub(super) struct Solution<'m> {
    /// `[class][side]`.
    coefficients: &'m mut [f32],
    intercepts: &'m mut [f32],
    /// `[sample][class]`.
    logits: &'m mut [f32],
    memory: &'m mut [f32],
    /// Whether the penalty was large enough for these samples. Heads are zero where it was not.
    solved: bool,
}

impl<'m> Solution<'m> {
    /// Solves for these samples.
    pub(super) fn of(
        design: &mut Design<'_>,
        penalty: f32,
        memory: &'m mut [f32],
    ) -> Result<Self, Error> {
        let (side, classes) = (design.side, design.classes);
        let mut scratch = Scratch::new(memory, 0)?;
        let coefficients = scratch.take(product(&[classes, side])?)?;
        let intercepts = scratch.take(classes)?;
        let logits = scratch.take(product(&[classes, design.samples.len()])?)?;
        let memory = scratch.rest();
        let solved = match ridge::solve(design, penalty, coefficients, intercepts, memory) {
            Err(Error::NotPositiveDefinite { .. } | Error::Inaccurate) => false,
            other => other.map(|()| true)?,
        };
        let mut solution = Self { coefficients, intercepts, logits, memory, solved };
        if solved {
            solution.answer(design);
        }
        Ok(solution)
    }

    fn answer(&mut self, design: &mut Design<'_>) {
        design.forward(self.coefficients, self.logits);
        for row in self.logits.chunks_exact_mut(design.classes) {
            add_scaled(row, 1.0, self.intercepts);
        }
    }

    /// The ridge head, its logits spread by 1.
    pub(super) fn ridge(&self, design: &mut Design<'_>, weights: &mut [f32], bias: &mut [f32]) {
        self.head(design, weights, bias);
    }

    /// The discriminants of classes of equal shares, their logits spread by 1; the ridge head is gone then. A class without
    /// samples is never the answer.
    pub(super) fn discriminants(
        &mut self,
        design: &mut Design<'_>,
        weights: &mut [f32],
        bias: &mut [f32],
    ) -> Result<(), Error> {
        if self.solved {
            self.solved = match self.discriminate(design) {
                Err(Error::NotPositiveDefinite { .. }) => false,
                other => other.map(|()| true)?,
            };
        }
        self.head(design, weights, bias);
        Ok(())
    }

    fn discriminate(&mut self, design: &mut Design<'_>) -> Result<(), Error> {
        let (side, classes, share) = (design.side, design.classes, design.standard.share);
        let class_weights = design.standard.class_weights;
        let present = |class: usize| class_weights[class] > 0.0;
        let mut scratch = Scratch::new(&mut *self.memory, 0)?;
        // MᵀA, `[class][class]`.
        let means = scratch.take(product(&[classes, classes])?)?;
        let triangle = scratch.take(cholesky::start(classes))?;
        let [column, old] = [(); 2].map(|()| scratch.take(classes).unwrap_or_default());
        means.fill(0.0);
        for (sample, logits) in self.logits.chunks_exact(classes).enumerate() {
            let class = usize::from(design.samples.label(sample));
            let weight = class_weights[class] / (share * share);
            let answers = logits.iter().zip(&*self.intercepts);
            for (mean, (logit, intercept)) in means[class * classes..].iter_mut().zip(answers) {
                *mean += weight * (logit - intercept);
            }
        }
        for row in 0..classes {
            for column in 0..=row {
                let mean = 0.5 * (means[row * classes + column] + means[column * classes + row]);
                triangle[cholesky::start(row) + column] =
                    if row == column { 1.0 / share - mean } else { -mean };
            }
        }
        cholesky::factor(triangle, classes)?;
        // Their matrix takes the place of the means, row by row, each when it is no longer needed.
        for class in 0..classes {
            let row = &mut means[class * classes..][..classes];
            column.fill(0.0);
            column[class] = 1.0 / share;
            cholesky::solve(triangle, column);
            let at_mean: f32 = row.iter().zip(&*column).map(|(mean, x)| mean * x).sum();
            self.intercepts[class] = -0.5 * at_mean;
            row.iter_mut().zip(&*column).for_each(|(entry, x)| *entry = x / share);
        }
        for place in 0..side {
            let entries = self.coefficients[place..].iter().step_by(side);
            old.iter_mut().zip(entries).for_each(|(old, entry)| *old = *entry);
            let new = self.coefficients[place..].iter_mut().step_by(side);
            for (entry, row) in new.zip(means.chunks_exact(classes)) {
                *entry = row.iter().zip(&*old).map(|(factor, old)| factor * old).sum();
            }
        }
        self.answer(design);
        let lowest = self.logits.iter().copied().fold(f32::INFINITY, f32::min);
        for class in (0..classes).filter(|&class| !present(class)) {
            self.intercepts[class] = lowest;
            self.logits[class..].iter_mut().step_by(classes).for_each(|logit| *logit = lowest);
        }
        Ok(())
    }

    fn head(&self, design: &mut Design<'_>, weights: &mut [f32], bias: &mut [f32]) {
        if !self.solved {
            weights.fill(0.0);
            bias.fill(0.0);
            return;
        }
        design.head(self.coefficients, self.intercepts, weights, bias);
        normalise(self.logits, weights, bias);
    }
}

/// Divides a head by the spread of its logits on the samples that it was trained on: the root mean square of their
/// distance from each sample's mean. So heads of different learners and folds can be compared and added.
pub(super) fn normalise(logits: &[f32], weights: &mut [f32], bias: &mut [f32]) {
    let classes = bias.len();
    let mut square = 0.0;
    for row in logits.chunks_exact(classes) {
        let mean = row.iter().sum::<f32>() / classes as f32;
        square += row.iter().map(|logit| (logit - mean) * (logit - mean)).sum::<f32>();
    }
    let spread = libm::sqrtf(square / logits.len() as f32);
    if spread > 0.0 {
        weights.iter_mut().chain(bias).for_each(|number| *number /= spread);
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::head::design::side;
    use crate::head::testing::Blobs;

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
            let (count, side) = (samples.len(), side(samples.len(), features));
            let mut memory = vec![f32::NAN; Design::scratch_len(count, features, CLASSES).unwrap()];
            let (mut weights, mut bias) = (vec![0.0; CLASSES * features], vec![0.0; CLASSES]);
            let mut scratch = Scratch::new(&mut memory, 0).unwrap();
            let mut design = Design::build(samples, &mut weights, CLASSES, &mut scratch).unwrap();
            let mut memory = vec![f32::NAN; scratch_len(count, side, CLASSES).unwrap()];
            let mut solution = Solution::of(&mut design, penalty, &mut memory).unwrap();
            solution.discriminants(&mut design, &mut weights, &mut bias).unwrap();
            assert!(solution.solved);

            // The same from its definition, on standardised features.
            let standard = &design.standard;
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
}
