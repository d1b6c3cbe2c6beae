//! The training set as the full-batch learners see it: standardised features and their inner
//! products.

use super::Samples;
use super::numeric::{Scratch, add_scaled, dots, product, sum};
use super::standardise::Standard;
use crate::Error;

/// Rows of the kernel that are computed together, so that the other operand is standardised once
/// for all of them.
const PANEL: usize = 16;

/// Standardised samples with the smaller of the two matrices of inner products.
///
/// With no more features than samples (*primal*) a learner's coefficients are the weights on the standardised
/// features and `kernel` is `Σ w zᵀz` over the samples, `[feature][feature]`. Otherwise (*dual*) weights are a
/// combination of samples, the coefficients say which, and `kernel` is `z zᵀ`,
/// `[sample][sample]`. Nothing is cubic in the larger of the two.
pub(crate) struct Design<'a> {
    pub(crate) samples: Samples<'a>,
    pub(crate) standard: Standard<'a>,
    pub(crate) classes: usize,
    /// Symmetric, `[side][side]`.
    pub(crate) kernel: &'a [f32],
    /// Coefficients a class.
    pub(crate) side: usize,
    pub(crate) dual: bool,
    row: &'a mut [f32],
}

/// Coefficients a class: the smaller of both counts.
pub(crate) fn side(samples: usize, features: usize) -> usize {
    samples.min(features)
}

impl<'a> Design<'a> {
    pub(crate) fn scratch_len(
        samples: usize,
        features: usize,
        classes: usize,
    ) -> Result<usize, Error> {
        let side = side(samples, features);
        sum(&[
            Standard::scratch_len(features, classes)?,
            product(&[side, side])?,
            product(&[PANEL + 1, features])?,
        ])
    }

    /// `weights` is a head's `[class][feature]`; what it holds is overwritten.
    pub(crate) fn build(
        samples: Samples<'a>,
        weights: &mut [f32],
        classes: usize,
        scratch: &mut Scratch<'a, f32>,
    ) -> Result<Self, Error> {
        let features = samples.feature_len();
        let side = side(samples.len(), features);
        let dual = samples.len() < features;
        let standard = Standard::measure(samples, weights, classes, scratch)?;
        let kernel = scratch.take(product(&[side, side])?)?;
        let panel = scratch.take(product(&[PANEL, features])?)?;
        let row = scratch.take(features)?;
        if dual {
            sample_products(samples, &standard, kernel, panel, row);
        } else {
            feature_products(samples, &standard, kernel, panel);
        }
        for i in 0..side {
            for j in 0..i {
                kernel[j * side + i] = kernel[i * side + j];
            }
        }
        Ok(Self { samples, standard, classes, kernel, side, dual, row })
    }

    /// Logits without bias, `[sample][class]`, of coefficients `[class][side]`.
    pub(crate) fn forward(&mut self, coefficients: &[f32], logits: &mut [f32]) {
        let side = self.side;
        for (sample, logits) in logits.chunks_exact_mut(self.classes).enumerate() {
            let row = if self.dual {
                &self.kernel[sample * side..][..side]
            } else {
                self.standard.apply(self.samples.row(sample), self.row);
                &*self.row
            };
            let mut logits = logits.iter_mut();
            let mut fours = coefficients.chunks_exact(4 * side);
            for four in fours.by_ref() {
                let (ab, cd) = four.split_at(2 * side);
                let ((a, b), (c, d)) = (ab.split_at(side), cd.split_at(side));
                // The products first: a `zip` that ends by its second half has taken one of the first.
                for (product, logit) in dots([a, b, c, d], row).into_iter().zip(logits.by_ref()) {
                    *logit = product;
                }
            }
            for (logit, one) in logits.zip(fours.remainder().chunks_exact(side)) {
                [*logit] = dots([one], row);
            }
        }
    }

    /// The gradient with respect to the coefficients, `[class][side]`, of one with respect to the
    /// logits, `[sample][class]`. In the dual form it is the gradient in the space of weights,
    /// written as a combination of samples: no product with the kernel is needed.
    pub(crate) fn backward(&mut self, errors: &[f32], gradient: &mut [f32]) {
        gradient.fill(0.0);
        for (sample, errors) in errors.chunks_exact(self.classes).enumerate() {
            if self.dual {
                let column = gradient[sample..].iter_mut().step_by(self.side);
                column.zip(errors).for_each(|(gradient, error)| *gradient = *error);
            } else {
                self.standard.apply(self.samples.row(sample), self.row);
                for (gradient, &error) in gradient.chunks_exact_mut(self.side).zip(errors) {
                    add_scaled(gradient, error, self.row);
                }
            }
        }
    }

    /// `sum += factor * z` of one sample.
    pub(crate) fn add_features(&mut self, sample: usize, factor: f32, sum: &mut [f32]) {
        self.standard.apply(self.samples.row(sample), self.row);
        add_scaled(sum, factor, self.row);
    }

    /// Writes the head on raw features of coefficients and of biases on standardised features.
    pub(crate) fn head(
        &mut self,
        coefficients: &[f32],
        intercepts: &[f32],
        weights: &mut [f32],
        bias: &mut [f32],
    ) {
        let features = self.samples.feature_len();
        bias.copy_from_slice(intercepts);
        if self.dual {
            weights.fill(0.0);
            for sample in 0..self.side {
                self.standard.apply(self.samples.row(sample), self.row);
                let column = coefficients[sample..].iter().step_by(self.side);
                for (weights, &coefficient) in weights.chunks_exact_mut(features).zip(column) {
                    add_scaled(weights, coefficient, self.row);
                }
            }
        } else {
            weights.copy_from_slice(coefficients);
        }
        self.standard.fold(weights, bias);
    }
}

/// The lower triangle of `z zᵀ`, `[sample][sample]`.
fn sample_products(
    samples: Samples<'_>,
    standard: &Standard<'_>,
    kernel: &mut [f32],
    panel: &mut [f32],
    row: &mut [f32],
) {
    let (side, features) = (samples.len(), samples.feature_len());
    for first in (0..side).step_by(PANEL) {
        let count = PANEL.min(side - first);
        for (offset, row) in panel.chunks_exact_mut(features).take(count).enumerate() {
            standard.apply(samples.row(first + offset), row);
        }
        for column in 0..first + count {
            standard.apply(samples.row(column), row);
            // Past the last sample the panel holds old rows, whose products are not kept.
            for (block, four) in panel.chunks_exact(4 * features).enumerate() {
                let (ab, cd) = four.split_at(2 * features);
                let ((a, b), (c, d)) = (ab.split_at(features), cd.split_at(features));
                let products = dots([a, b, c, d], row);
                for (offset, product) in products.into_iter().enumerate() {
                    let line = 4 * block + offset;
                    if line < count {
                        kernel[(first + line) * side + column] = product;
                    }
                }
            }
        }
    }
}

/// The lower triangle of `Σ w zᵀz`, `[feature][feature]`; four samples are added at a time.
fn feature_products(
    samples: Samples<'_>,
    standard: &Standard<'_>,
    kernel: &mut [f32],
    panel: &mut [f32],
) {
    let features = samples.feature_len();
    kernel.fill(0.0);
    let (ab, cd) = panel[..4 * features].split_at_mut(2 * features);
    let ((a, b), (c, d)) = (ab.split_at_mut(features), cd.split_at_mut(features));
    for first in (0..samples.len()).step_by(4) {
        let mut weights = [0.0; 4];
        let rows = [&mut *a, &mut *b, &mut *c, &mut *d];
        for ((sample, row), weight) in (first..samples.len()).zip(rows).zip(&mut weights) {
            standard.apply(samples.row(sample), row);
            *weight = standard.class_weights[usize::from(samples.label(sample))];
        }
        for (feature, line) in kernel.chunks_exact_mut(features).enumerate() {
            let end = feature + 1;
            let [fa, fb, fc, fd] = [
                weights[0] * a[feature],
                weights[1] * b[feature],
                weights[2] * c[feature],
                weights[3] * d[feature],
            ];
            let rows = a[..end].iter().zip(&b[..end]).zip(&c[..end]).zip(&d[..end]);
            for (entry, (((a, b), c), d)) in line[..end].iter_mut().zip(rows) {
                *entry += (fa * a + fb * b) + (fc * c + fd * d);
            }
        }
    }
}
