//! Softmax regression on all samples at once, by conjugate gradients.
//!
//! Minimises `Σ w (−log softmax(W z + b)[y]) + penalty/2 ‖W‖²` over standardised features `z`, with sample
//! weights `w` that give every class the same share; the bias is not penalised. Directions are those of
//! Polak and Ribière, restarted where they do not descend; the logits are linear along a direction, so the
//! step is found by Newton's method on them alone, and an iteration costs one pass over the data.

use super::design::{Design, side};
use super::linear::softmax;
use super::numeric::{Scratch, add_scaled, dot};
use super::{LinearHead, Samples};
use crate::Error;
use crate::checked::{expect_len, product, sum};
use crate::record::check_shape;

/// A penalty that suits most tasks (see [`train`]).
pub const PENALTY: f32 = 1e-4;

/// Iterations at most; few tasks need half of them.
const ITERATIONS: usize = 100;
/// Done when the gradient is this part of the one at the start, with whatever penalty.
const TOLERANCE: f64 = 3e-3;
/// Done when the gradient is as long as roundings make it, squared: weights sum to 1, and so do features' squares.
const ROUNDED: f64 = 1e-14;

/// Float32 elements that [`train`] needs.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(samples: usize, features: usize, classes: usize) -> Result<usize, Error> {
    sum(&[
        Design::scratch_len(samples, features, classes)?,
        Descent::scratch_len(samples, side(samples, features), classes)?,
    ])
}

/// Writes the softmax-regression head of these samples. `penalty` is relative to features of mean squared norm 1; 1e-5 to 1e-2 is its
/// useful range.
///
/// With an `initial` head on the same features and classes, what is penalised is the distance from it;
/// the rows of classes without samples stay as they are, and the others learn to be told apart from each other only.
///
/// # Errors
///
/// [`Error::NoSamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit; [`Error::NotFinite`] if the initial head has
/// logits past float32.
pub fn train(
    samples: Samples<'_>,
    penalty: f32,
    initial: Option<LinearHead<'_>>,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let (features, classes) = (samples.feature_len(), bias.len());
    check_shape(weights.len(), classes, features)?;
    let needed = scratch_len(samples.len(), features, classes)?;
    let mut scratch = Scratch::new(scratch, needed)?;
    let mut design = Design::build(samples, weights, classes, &mut scratch)?;
    let mut descent = Descent::new(&design, initial, &mut scratch)?;
    descent.run(&mut design, penalty)?;
    descent.head(&mut design, weights, bias);
    Ok(())
}

/// A direction or position: coefficients `[class][side]` and biases `[class]`.
struct Vector<'a> {
    coefficients: &'a mut [f32],
    intercepts: &'a mut [f32],
}

impl<'a> Vector<'a> {
    fn zero(side: usize, classes: usize, scratch: &mut Scratch<'a, f32>) -> Result<Self, Error> {
        let coefficients = scratch.take(product(&[classes, side])?)?;
        let intercepts = scratch.take(classes)?;
        coefficients.fill(0.0);
        intercepts.fill(0.0);
        Ok(Self { coefficients, intercepts })
    }

    /// The inner product in the space of weights; `logits` are those of `other`, without bias.
    fn inner(&self, other: &Vector<'_>, logits: &[f32], dual: bool) -> f64 {
        let biases = dot(self.intercepts, other.intercepts);
        let weights = if dual {
            let (classes, side) =
                (self.intercepts.len(), self.coefficients.len() / self.intercepts.len());
            let mut total = 0.0;
            for (sample, logits) in logits.chunks_exact(classes).enumerate() {
                let column = self.coefficients[sample..].iter().step_by(side);
                for (&coefficient, &logit) in column.zip(logits) {
                    total += f64::from(coefficient * logit);
                }
            }
            total
        } else {
            f64::from(dot(self.coefficients, other.coefficients))
        };
        weights + f64::from(biases)
    }
}

/// A fit in progress: it can be continued with another penalty.
pub(crate) struct Descent<'a> {
    initial: Option<LinearHead<'a>>,
    position: Vector<'a>,
    gradient: Vector<'a>,
    previous: Vector<'a>,
    direction: Vector<'a>,
    logits: &'a mut [f32],
    /// The gradient with respect to the logits.
    errors: &'a mut [f32],
    /// Of the gradient, without biases.
    gradient_logits: &'a mut [f32],
    /// Of the direction, without biases.
    direction_logits: &'a mut [f32],
    /// Squared norm of the very first gradient.
    first: f64,
}

impl<'a> Descent<'a> {
    pub(crate) fn scratch_len(samples: usize, side: usize, classes: usize) -> Result<usize, Error> {
        product(&[classes, 4, sum(&[side, 1, samples])?])
    }

    pub(crate) fn new(
        design: &Design<'_>,
        initial: Option<LinearHead<'a>>,
        scratch: &mut Scratch<'a, f32>,
    ) -> Result<Self, Error> {
        let (side, classes) = (design.side, design.classes);
        let all = product(&[classes, design.samples.len()])?;
        let descent = Self {
            initial,
            position: Vector::zero(side, classes, scratch)?,
            gradient: Vector::zero(side, classes, scratch)?,
            previous: Vector::zero(side, classes, scratch)?,
            direction: Vector::zero(side, classes, scratch)?,
            logits: scratch.take(all)?,
            errors: scratch.take(all)?,
            gradient_logits: scratch.take(all)?,
            direction_logits: scratch.take(all)?,
            first: 0.0,
        };
        descent.logits.fill(0.0);
        descent.direction_logits.fill(0.0);
        if let Some(head) = initial {
            expect_len(head.classes(), classes)?;
            let rows = descent.logits.chunks_exact_mut(classes);
            for ((row, _), logits) in design.samples.iter().zip(rows) {
                head.logits(row, logits)?;
                // Nothing is learned about a class without samples: it takes no part.
                for (logit, &weight) in logits.iter_mut().zip(design.standard.class_weights) {
                    *logit = if weight > 0.0 { *logit } else { f32::NEG_INFINITY };
                }
            }
        }
        Ok(descent)
    }

    /// Descends to the minimum for this penalty.
    pub(crate) fn run(&mut self, design: &mut Design<'_>, penalty: f32) -> Result<(), Error> {
        let dual = design.dual;
        let mut last = 0.0;
        for iteration in 0..ITERATIONS {
            self.differentiate(design, penalty);
            design.forward(self.gradient.coefficients, self.gradient_logits);
            let norm = self.gradient.inner(&self.gradient, self.gradient_logits, dual);
            if !norm.is_finite() {
                return Err(Error::NotFinite);
            }
            if self.first == 0.0 {
                self.first = norm;
            }
            if norm <= (self.first * TOLERANCE * TOLERANCE).max(ROUNDED) {
                break;
            }
            let overlap = self.previous.inner(&self.gradient, self.gradient_logits, dual);
            let keep = if iteration == 0 { 0.0 } else { ((norm - overlap) / last).max(0.0) };
            last = norm;
            self.previous.coefficients.copy_from_slice(self.gradient.coefficients);
            self.previous.intercepts.copy_from_slice(self.gradient.intercepts);
            self.turn(keep as f32);
            if self.direction.inner(&self.gradient, self.gradient_logits, dual) >= 0.0 {
                self.turn(0.0);
            }
            let step = self.step_length(design, penalty);
            if step <= 0.0 {
                break;
            }
            self.advance(step);
        }
        Ok(())
    }

    /// Of the position, `[sample][class]`, with the initial head and the biases.
    pub(crate) fn logits(&self) -> &[f32] {
        self.logits
    }

    /// Writes the head on raw features, the initial one included.
    pub(crate) fn head(&self, design: &mut Design<'_>, weights: &mut [f32], bias: &mut [f32]) {
        design.head(self.position.coefficients, self.position.intercepts, weights, bias);
        if let Some(head) = self.initial {
            add_scaled(weights, 1.0, head.weights());
            add_scaled(bias, 1.0, head.bias());
        }
    }

    /// Errors and gradient at the position.
    fn differentiate(&mut self, design: &mut Design<'_>, penalty: f32) {
        let classes = design.classes;
        self.gradient.intercepts.fill(0.0);
        let rows = self.errors.chunks_exact_mut(classes).zip(self.logits.chunks_exact(classes));
        for (sample, (errors, logits)) in rows.enumerate() {
            let label = usize::from(design.samples.label(sample));
            let weight = design.standard.class_weights[label];
            errors.copy_from_slice(logits);
            softmax(errors, 1.0);
            errors[label] -= 1.0;
            for (error, intercept) in errors.iter_mut().zip(&mut *self.gradient.intercepts) {
                *error *= weight;
                *intercept += *error;
            }
        }
        design.backward(self.errors, self.gradient.coefficients);
        add_scaled(self.gradient.coefficients, penalty, self.position.coefficients);
    }

    /// The next direction: downhill plus `keep` times the last one.
    fn turn(&mut self, keep: f32) {
        for (direction, gradient) in [
            (&mut *self.direction.coefficients, &*self.gradient.coefficients),
            (&mut *self.direction.intercepts, &*self.gradient.intercepts),
            (&mut *self.direction_logits, &*self.gradient_logits),
        ] {
            for (direction, gradient) in direction.iter_mut().zip(gradient) {
                *direction = keep * *direction - gradient;
            }
        }
    }

    /// Where the loss is least along the direction: Newton's method on its convex slope, kept inside the
    /// interval that is known to hold the minimum.
    fn step_length(&self, design: &Design<'_>, penalty: f32) -> f32 {
        let (classes, dual) = (design.classes, design.dual);
        let penalty = f64::from(penalty);
        let weights_only = |vector: &Vector<'_>| {
            vector.inner(&self.direction, self.direction_logits, dual)
                - f64::from(dot(vector.intercepts, self.direction.intercepts))
        };
        let linear = penalty * weights_only(&self.position);
        let quadratic = penalty * weights_only(&self.direction);
        let (mut low, mut high, mut step) = (0.0_f64, f64::INFINITY, 0.0_f64);
        for _ in 0..12 {
            let (mut slope, mut curvature) = (linear + step * quadratic, quadratic);
            let rows =
                self.logits.chunks_exact(classes).zip(self.direction_logits.chunks_exact(classes));
            for (sample, (logits, directions)) in rows.enumerate() {
                let label = usize::from(design.samples.label(sample));
                let along = self.direction.intercepts.iter().zip(directions);
                let along = along.map(|(intercept, direction)| intercept + direction);
                let largest = logits
                    .iter()
                    .zip(along.clone())
                    .fold(f32::NEG_INFINITY, |most, (logit, along)| {
                        most.max(logit + step as f32 * along)
                    });
                let (mut total, mut mean, mut square) = (0.0_f32, 0.0_f32, 0.0_f32);
                for (logit, along) in logits.iter().zip(along) {
                    let part = libm::expf(logit + step as f32 * along - largest);
                    total += part;
                    mean += part * along;
                    square += part * along * along;
                }
                mean /= total;
                let hit = directions[label] + self.direction.intercepts[label];
                let weight = f64::from(design.standard.class_weights[label]);
                slope += weight * f64::from(mean - hit);
                curvature += weight * f64::from((square / total - mean * mean).max(0.0));
            }
            if slope < 0.0 {
                low = step
            } else {
                high = step
            }
            let newton = step - slope / curvature;
            let next = if newton > low && newton < high {
                newton
            } else if high.is_finite() {
                0.5 * (low + high)
            } else {
                2.0 * step + 1.0
            };
            let moved = (next - step).abs();
            step = next;
            if moved <= 0.05 * step {
                break;
            }
        }
        step as f32
    }

    fn advance(&mut self, step: f32) {
        add_scaled(self.position.coefficients, step, self.direction.coefficients);
        add_scaled(self.position.intercepts, step, self.direction.intercepts);
        let classes = self.direction.intercepts.len();
        let rows = self.direction_logits.chunks_exact(classes);
        for (logits, directions) in self.logits.chunks_exact_mut(classes).zip(rows) {
            add_scaled(logits, step, directions);
            add_scaled(logits, step, self.direction.intercepts);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::head::testing::{Blobs, accuracy, standardised};

    fn fit(blobs: &Blobs, penalty: f32, initial: Option<LinearHead<'_>>) -> (Vec<f32>, Vec<f32>) {
        let samples = blobs.samples();
        let (mut weights, mut bias) = blobs.head();
        let needed = scratch_len(samples.len(), samples.feature_len(), blobs.classes).unwrap();
        let mut scratch = std::vec![f32::NAN; needed];
        train(samples, penalty, initial, &mut weights, &mut bias, &mut scratch).unwrap();
        (weights, bias)
    }

    #[test]
    fn the_gradient_vanishes_in_the_primal_and_the_dual_form() {
        for (per_class, features) in [(20, 13), (5, 40)] {
            let blobs = Blobs::new(5, per_class, features, 1.0, 5);
            let (samples, penalty) = (blobs.samples(), 1e-2);
            let (weights, bias) = fit(&blobs, penalty, None);
            let head = LinearHead::new(&weights, &bias, features).unwrap();
            let (z, sample_weights, scale, _) = standardised(samples, 5);
            let mut gradient: Vec<f32> = weights
                .chunks_exact(features)
                .flat_map(|row| row.iter().zip(&scale).map(|(w, s)| penalty * w / s))
                .collect();
            let mut probabilities = [0.0; 5];
            for (sample, (row, class)) in samples.iter().enumerate() {
                head.logits(row, &mut probabilities).unwrap();
                softmax(&mut probabilities, 1.0);
                probabilities[usize::from(class)] -= 1.0;
                for (gradient, error) in gradient.chunks_exact_mut(features).zip(probabilities) {
                    add_scaled(gradient, error * sample_weights[sample], &z[sample * features..]);
                }
            }
            let norm = libm::sqrtf(dot(&gradient, &gradient));
            assert!(norm < 2e-3, "{per_class} {features}: {norm}");
        }
    }

    #[test]
    fn beside_an_initial_head_absent_classes_stay_and_present_ones_learn() {
        let blobs = Blobs::new(4, 10, 20, 2.0, 3);
        let (weights, bias) = fit(&blobs, 1e-3, None);
        let old = LinearHead::new(&weights, &bias, 20).unwrap();
        let shifted = blobs.shifted(&[0, 1]);
        let (new_weights, new_bias) = fit(&shifted, 1e-3, Some(old));
        assert_eq!(new_weights[40..], weights[40..]);
        assert_eq!(new_bias[2..], bias[2..]);
        let new = LinearHead::new(&new_weights, &new_bias, 20).unwrap();
        let (before, after) = (accuracy(old, shifted.samples()), accuracy(new, shifted.samples()));
        assert!(before < 0.5 && after > 0.9, "{before} {after}");
    }
}
