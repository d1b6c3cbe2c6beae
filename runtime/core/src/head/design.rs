//! The training set as the full-batch learners see it: standardised features and their inner
//! products.

use super::Samples;
use super::numeric::{Scratch, add_scaled, dot, dots};
use super::standardise::Standard;
use crate::Error;
use crate::checked::{product, sum};

/// Rows of the kernel that are computed together, so that the other operand is standardised once
/// for all of them.
const PANEL: usize = 16;

/// Features of these rows that are multiplied together, so that they stay in the first cache. A product of two
/// samples is the sum of the blocks' dot products, in rising order.
const BLOCK: usize = 256;

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
    panel: &'a mut [f32],
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
        Ok(Self { samples, standard, classes, kernel, side, dual, row, panel })
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
                *logit = dot(one, row);
            }
        }
    }

    /// The gradient with respect to the coefficients, `[class][side]`, of one with respect to the
    /// logits, `[sample][class]`. In the dual form it is the gradient in the space of weights,
    /// written as a combination of samples: no product with the kernel is needed.
    pub(crate) fn backward(&mut self, errors: &[f32], gradient: &mut [f32]) {
        let classes = self.classes;
        if self.dual {
            for (sample, errors) in errors.chunks_exact(classes).enumerate() {
                let column = gradient[sample..].iter_mut().step_by(self.side);
                column.zip(errors).for_each(|(gradient, error)| *gradient = *error);
            }
            return;
        }
        gradient.fill(0.0);
        for (index, errors) in errors.chunks(4 * classes).enumerate() {
            let rows = four_samples(self.samples, &self.standard, 4 * index, self.panel);
            for (class, gradient) in gradient.chunks_exact_mut(self.side).enumerate() {
                let mut factors = [0.0; 4];
                let errors = errors[class..].iter().step_by(classes);
                factors.iter_mut().zip(errors).for_each(|(factor, error)| *factor = *error);
                add_four(gradient, factors, rows);
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
    kernel.fill(0.0);
    for first in (0..side).step_by(PANEL) {
        let count = PANEL.min(side - first);
        for start in (0..features).step_by(BLOCK) {
            let block = start..features.min(start + BLOCK);
            let width = block.len();
            let panel = &mut panel[..PANEL * width];
            for (offset, row) in panel.chunks_exact_mut(width).take(count).enumerate() {
                standard.apply_block(samples.row(first + offset), block.clone(), row);
            }
            let row = &mut row[..width];
            for column in 0..first + count {
                standard.apply_block(samples.row(column), block.clone(), row);
                // Past the last sample the panel holds old rows, whose products are not kept.
                for (four, rows) in panel.chunks_exact(4 * width).enumerate() {
                    let (ab, cd) = rows.split_at(2 * width);
                    let ((a, b), (c, d)) = (ab.split_at(width), cd.split_at(width));
                    for (offset, product) in dots([a, b, c, d], row).into_iter().enumerate() {
                        let line = 4 * four + offset;
                        if line < count {
                            kernel[(first + line) * side + column] += product;
                        }
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
    for first in (0..samples.len()).step_by(4) {
        let rows = four_samples(samples, standard, first, panel);
        let mut weights = [0.0; 4];
        for (sample, weight) in (first..samples.len()).zip(&mut weights) {
            *weight = standard.class_weights[usize::from(samples.label(sample))];
        }
        for (feature, line) in kernel.chunks_exact_mut(features).enumerate() {
            let factors = core::array::from_fn(|sample| weights[sample] * rows[sample][feature]);
            add_four(&mut line[..=feature], factors, rows);
        }
    }
}

/// Standardised features of the samples from `first`; zeros past the last one.
fn four_samples<'p>(
    samples: Samples<'_>,
    standard: &Standard<'_>,
    first: usize,
    panel: &'p mut [f32],
) -> [&'p [f32]; 4] {
    let features = samples.feature_len();
    for (offset, row) in panel.chunks_exact_mut(features).take(4).enumerate() {
        if first + offset < samples.len() {
            standard.apply(samples.row(first + offset), row);
        } else {
            row.fill(0.0);
        }
    }
    core::array::from_fn(|offset| &panel[offset * features..][..features])
}

/// `sum += (f₀ a + f₁ b) + (f₂ c + f₃ d)`: a quarter of the loads and stores of four [`add_scaled`].
fn add_four(sum: &mut [f32], factors: [f32; 4], rows: [&[f32]; 4]) {
    let [a, b, c, d] = rows.map(|row| &row[..sum.len()]);
    let [fa, fb, fc, fd] = factors;
    for (sum, (((a, b), c), d)) in sum.iter_mut().zip(a.iter().zip(b).zip(c).zip(d)) {
        *sum += (fa * a + fb * b) + (fc * c + fd * d);
    }
}
