//! Softmax regression by stochastic gradients: on stored samples, or one sample at a time.

mod order;
mod rehearse;
#[cfg(all(test, feature = "burn"))]
pub(crate) mod replay;
mod step;

pub use rehearse::{Rehearsal, rehearse};
pub use step::step;

use self::order::Order;
use super::linear::{argmax, softmax};
use super::numeric::{Scratch, add_scaled, dot};
use super::samples::Groups;
use super::standardise::Standard;
use super::{LinearHead, Random, Samples};
use crate::Error;
use crate::checked::{expect_len, product, sum};
use crate::record::check_shape;

/// How [`train`] descends; [`Default`] suits most tasks, because features are standardised first.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Settings {
    /// The most passes over the samples.
    pub epochs: u32,
    /// How many samples a step takes.
    pub batch: u32,
    /// Step size at the start, relative to features of mean squared norm 1; it falls to 0 along half a cosine.
    pub rate: f32,
    /// Momentum: the part of the last step that goes into the next.
    pub momentum: f32,
    /// Penalty on the squared weights (on their distance from the initial head, where there is one).
    pub weight_decay: f32,
    /// Epochs without progress on held-out samples after which training stops.
    pub patience: u32,
    /// Seed of the order of samples and of the choice of held-out ones.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 60,
            batch: 16,
            rate: 4.0,
            momentum: 0.9,
            weight_decay: 1e-4,
            patience: 12,
            seed: 1,
        }
    }
}

/// Largest [`Settings::batch`].
const MAX_BATCH: u32 = 64;
/// Float32 and `u32` elements that [`train`] needs.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(
    samples: usize,
    features: usize,
    classes: usize,
    settings: &Settings,
) -> Result<(usize, usize), Error> {
    let batch = settings.batch.clamp(1, MAX_BATCH) as usize;
    let floats = sum(&[
        Standard::scratch_len(features, classes)?,
        product(&[classes, sum(&[features, 1])?])?,
        product(&[batch, sum(&[features, classes])?])?,
    ])?;
    Ok((floats, sum(&[Groups::scratch_len(samples, classes)?, product(&[2, classes])?])?))
}

/// Writes the head that stochastic gradients find for these samples, and says how many epochs it took.
///
/// Samples are drawn class by class in turn, so that a rare class counts as much as a frequent one.
/// An eighth of each class that has eight samples is held out; the epoch with the most correct answers
/// there (of equal ones that with the smaller loss) says how long to train, and then everything
/// is trained on for that long. With an `initial` head, training starts there; the rows of
/// classes without samples stay as they are, and the others learn to be told apart from each other only.
///
/// # Errors
///
/// [`Error::NoSamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit; [`Error::NotFinite`] if it diverged.
pub fn train(
    samples: Samples<'_>,
    settings: &Settings,
    initial: Option<LinearHead<'_>>,
    weights: &mut [f32],
    bias: &mut [f32],
    scratch: &mut [f32],
    indices: &mut [u32],
) -> Result<u32, Error> {
    let (features, classes) = (samples.feature_len(), bias.len());
    check_shape(weights.len(), classes, features)?;
    if let Some(head) = initial {
        expect_len(head.feature_len(), features)?;
        expect_len(head.classes(), classes)?;
    }
    let (floats, needed) = scratch_len(samples.len(), features, classes, settings)?;
    let mut scratch = Scratch::new(scratch, floats)?;
    let standard = Standard::measure(samples, weights, classes, &mut scratch)?;
    let mut random = Random::new(settings.seed);
    let mut order = Order::new(samples, classes, Scratch::new(indices, needed)?, &mut random)?;
    let batch = settings.batch.clamp(1, MAX_BATCH) as usize;
    let mut descent = Descent {
        samples,
        settings,
        standard,
        initial,
        weights,
        bias,
        velocity: scratch.take(product(&[classes, features])?)?,
        bias_velocity: scratch.take(classes)?,
        rows: scratch.take(product(&[batch, features])?)?,
        errors: scratch.take(product(&[batch, classes])?)?,
    };
    let mut epochs = settings.epochs;
    if order.hold_out() > 0 {
        epochs = descent.run(&mut order, epochs, &mut random)?.max(settings.epochs / 4);
        order.hold_out_none();
    }
    descent.run(&mut order, epochs, &mut random)?;
    let Descent { standard, weights, bias, .. } = descent;
    standard.fold(weights, bias);
    if let Some(head) = initial {
        add_scaled(weights, 1.0, head.weights());
        add_scaled(bias, 1.0, head.bias());
    }
    if weights.iter().chain(&*bias).all(|number| number.is_finite()) {
        Ok(epochs)
    } else {
        Err(Error::NotFinite)
    }
}

/// A training run; weights and biases are those on standardised features, without the initial head.
struct Descent<'a> {
    samples: Samples<'a>,
    settings: &'a Settings,
    standard: Standard<'a>,
    initial: Option<LinearHead<'a>>,
    weights: &'a mut [f32],
    bias: &'a mut [f32],
    velocity: &'a mut [f32],
    bias_velocity: &'a mut [f32],
    /// Of the batch, `[sample][feature]`, standardised.
    rows: &'a mut [f32],
    /// Of the batch, `[sample][class]`: logits, then their gradient.
    errors: &'a mut [f32],
}

impl Descent<'_> {
    /// Trains from zero and says after which epoch the held-out samples were answered best.
    fn run(
        &mut self,
        order: &mut Order<'_>,
        epochs: u32,
        random: &mut Random,
    ) -> Result<u32, Error> {
        for numbers in
            [&mut *self.weights, &mut *self.bias, &mut *self.velocity, &mut *self.bias_velocity]
        {
            numbers.fill(0.0);
        }
        let batch = self.errors.len() / self.bias.len();
        let steps = order.trained().div_ceil(batch);
        let all_steps = epochs as f32 * steps as f32;
        let mut best = (0, 0, f32::INFINITY);
        for epoch in 0..epochs {
            for step in 0..steps {
                let done = (epoch as f32 * steps as f32 + step as f32) / all_steps;
                let rate =
                    self.settings.rate * 0.5 * (1.0 + libm::cosf(core::f32::consts::PI * done));
                self.step(order, batch, rate, random)?;
            }
            let (correct, loss) = self.evaluate(order)?;
            if correct > best.1 || (correct == best.1 && loss < best.2) {
                best = (epoch + 1, correct, loss);
            } else if epoch + 1 >= best.0 + self.settings.patience && order.held > 0 {
                break;
            }
        }
        Ok(best.0)
    }

    /// Puts a sample and its logits at a place of the batch.
    fn forward(&mut self, sample: usize, place: usize) -> Result<(), Error> {
        let (features, classes) = (self.samples.feature_len(), self.bias.len());
        let raw = self.samples.row(sample);
        let row = &mut self.rows[place * features..][..features];
        let logits = &mut self.errors[place * classes..][..classes];
        self.standard.apply(raw, row);
        match self.initial {
            Some(head) => head.logits(raw, logits)?,
            None => logits.fill(0.0),
        }
        let weights = self.weights.chunks_exact(features);
        for ((logit, weights), bias) in logits.iter_mut().zip(weights).zip(&*self.bias) {
            *logit += bias + dot(weights, row);
        }
        if self.initial.is_some() {
            // Nothing is learned about a class without samples: it takes no part.
            for (logit, &weight) in logits.iter_mut().zip(self.standard.class_weights) {
                *logit = if weight > 0.0 { *logit } else { f32::NEG_INFINITY };
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        order: &mut Order<'_>,
        batch: usize,
        rate: f32,
        random: &mut Random,
    ) -> Result<(), Error> {
        let (features, classes) = (self.samples.feature_len(), self.bias.len());
        let Settings { momentum, weight_decay, .. } = *self.settings;
        for place in 0..batch {
            let sample = order.next(random);
            self.forward(sample, place)?;
            let errors = &mut self.errors[place * classes..][..classes];
            softmax(errors, 1.0);
            errors[usize::from(self.samples.label(sample))] -= 1.0;
        }
        let scale = rate / batch as f32;
        let rows =
            self.weights.chunks_exact_mut(features).zip(self.velocity.chunks_exact_mut(features));
        let biases = self.bias.iter_mut().zip(&mut *self.bias_velocity);
        for (class, ((weights, velocity), (bias, bias_velocity))) in rows.zip(biases).enumerate() {
            for (velocity, weight) in velocity.iter_mut().zip(&*weights) {
                *velocity = momentum * *velocity - rate * weight_decay * weight;
            }
            *bias_velocity *= momentum;
            for place in 0..batch {
                let error = scale * self.errors[place * classes + class];
                add_scaled(velocity, -error, &self.rows[place * features..][..features]);
                *bias_velocity -= error;
            }
            add_scaled(weights, 1.0, velocity);
            *bias += *bias_velocity;
        }
        Ok(())
    }

    /// Correct answers and mean loss on the held-out samples.
    fn evaluate(&mut self, order: &Order<'_>) -> Result<(u32, f32), Error> {
        let classes = self.bias.len();
        let (mut correct, mut loss) = (0, 0.0);
        for index in order.held_out() {
            let sample = index as usize;
            self.forward(sample, 0)?;
            let label = usize::from(self.samples.label(sample));
            let probabilities = &mut self.errors[..classes];
            correct += u32::from(argmax(probabilities) == label);
            softmax(probabilities, 1.0);
            loss -= libm::logf(probabilities[label].max(f32::MIN_POSITIVE));
        }
        Ok((correct, loss))
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::head::testing::{Blobs, accuracy};

    fn fit(blobs: &Blobs, initial: Option<LinearHead<'_>>) -> (Vec<f32>, Vec<f32>, u32) {
        let (samples, settings) = (blobs.samples(), Settings::default());
        let (mut weights, mut bias) = blobs.head();
        let (floats, indices) =
            scratch_len(samples.len(), samples.feature_len(), blobs.classes, &settings).unwrap();
        let (mut scratch, mut indices) = (vec![f32::NAN; floats], vec![u32::MAX; indices]);
        let epochs =
            train(samples, &settings, initial, &mut weights, &mut bias, &mut scratch, &mut indices)
                .unwrap();
        (weights, bias, epochs)
    }

    #[test]
    fn separable_classes_are_learned_and_training_stops_early() {
        let blobs = Blobs::new(5, 16, 24, 2.0, 9);
        let (weights, bias, epochs) = fit(&blobs, None);
        let head = LinearHead::new(&weights, &bias, 24).unwrap();
        assert_eq!(accuracy(head, blobs.samples()), 1.0);
        assert!(epochs < Settings::default().epochs, "{epochs}");
        assert_eq!(fit(&blobs, None).0, weights);
    }

    #[test]
    fn beside_an_initial_head_absent_classes_stay_and_present_ones_learn() {
        let blobs = Blobs::new(4, 10, 20, 2.0, 3);
        let (weights, bias, _) = fit(&blobs, None);
        let old = LinearHead::new(&weights, &bias, 20).unwrap();
        let shifted = blobs.shifted(&[0, 1]);
        let (new_weights, new_bias, _) = fit(&shifted, Some(old));
        assert_eq!((&new_weights[40..], &new_bias[2..]), (&weights[40..], &bias[2..]));
        let new = LinearHead::new(&new_weights, &new_bias, 20).unwrap();
        let (before, after) = (accuracy(old, shifted.samples()), accuracy(new, shifted.samples()));
        assert!(before < 0.9 && after == 1.0, "{before} {after}");
    }
}
