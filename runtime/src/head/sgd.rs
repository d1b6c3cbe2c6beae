//! Softmax regression by stochastic gradients: on stored samples, or one sample at a time.

use super::linear::{argmax, check_shape, softmax};
use super::numeric::{Scratch, add_scaled, dot, expect_len, product, sum};
use super::standardise::Standard;
use super::{LinearHead, Random, Samples};
use crate::Error;

/// How [`train`] descends; [`Default`] suits most tasks, because features are standardised first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Passes over as many samples as there are, at most.
    pub epochs: u32,
    /// Samples a step.
    pub batch: u32,
    /// Step size at the start, relative to features of mean squared norm 1; it falls to 0 along half a cosine.
    pub rate: f32,
    /// What of the last step goes into the next.
    pub momentum: f32,
    /// Penalty on the squared weights (on their distance from the initial head, where there is one).
    pub weight_decay: f32,
    /// Without progress on held-out samples for this many epochs, training stops.
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
/// One sample in this many is held out to decide when to stop.
const HELD_OUT: u32 = 8;

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
    Ok((floats, sum(&[samples, product(&[4, classes])?])?))
}

/// Writes the head of these samples and says how many epochs it took.
///
/// Samples are drawn class by class in turn, so that a rare class counts as much as a frequent one.
/// An eighth of each class that has eight samples is held out; the epoch with the most correct answers
/// there (of equal ones that with the smaller loss) says how long to train, and then everything
/// is trained on for that long. With an `initial` head, training starts there and the rows of
/// classes without samples stay as they are.
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
            if self.initial.is_some() {
                // Beside an initial head, a class without samples learns nothing.
                let absent = self.standard.class_weights.iter().map(|&weight| weight == 0.0);
                errors
                    .iter_mut()
                    .zip(absent)
                    .filter(|(_, absent)| *absent)
                    .for_each(|(error, _)| *error = 0.0);
            }
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

/// The order in which samples are drawn: the classes in turn, shuffled within each class.
struct Order<'a> {
    /// Sample numbers, class after class; of each class the held-out ones first.
    samples: &'a mut [u32],
    /// Where each class starts, and the end.
    starts: &'a mut [u32],
    /// Where the next sample of each class is.
    cursors: &'a mut [u32],
    /// The classes that have samples, in the order of this round.
    turns: &'a mut [u32],
    turn: usize,
    /// Samples that are held out, over all classes.
    held: usize,
}

impl<'a> Order<'a> {
    fn new(
        samples: Samples<'_>,
        classes: usize,
        mut scratch: Scratch<'a, u32>,
        random: &mut Random,
    ) -> Result<Self, Error> {
        let order = scratch.take(samples.len())?;
        let starts = scratch.take(classes + 1)?;
        let cursors = scratch.take(classes)?;
        let turns = scratch.take(classes)?;
        samples.count(cursors)?;
        let (mut start, mut present) = (0, 0);
        for class in 0..classes {
            starts[class] = start;
            if cursors[class] > 0 {
                turns[present] = class as u32;
                present += 1;
            }
            start += cursors[class];
            cursors[class] = starts[class];
        }
        starts[classes] = start;
        for sample in 0..samples.len() {
            let cursor = &mut cursors[usize::from(samples.label(sample))];
            order[*cursor as usize] = sample as u32;
            *cursor += 1;
        }
        for class in starts.windows(2) {
            random.shuffle(&mut order[class[0] as usize..class[1] as usize]);
        }
        let turns = &mut turns[..present];
        Ok(Self { samples: order, starts, cursors, turns, turn: present, held: 0 })
    }

    /// Holds out a part of each class and says how many samples that is.
    fn hold_out(&mut self) -> usize {
        self.held =
            self.starts.windows(2).map(|class| (class[1] - class[0]) / HELD_OUT).sum::<u32>()
                as usize;
        self.rewind();
        self.held
    }

    fn hold_out_none(&mut self) {
        self.held = 0;
        self.rewind();
    }

    fn rewind(&mut self) {
        for class in 0..self.cursors.len() {
            self.cursors[class] = self.first(class);
        }
        self.turn = self.turns.len();
    }

    /// The first sample of a class that is trained on.
    fn first(&self, class: usize) -> u32 {
        let held = if self.held > 0 {
            (self.starts[class + 1] - self.starts[class]) / HELD_OUT
        } else {
            0
        };
        self.starts[class] + held
    }

    /// Samples that are trained on.
    fn trained(&self) -> usize {
        self.samples.len() - self.held
    }

    fn held_out(&self) -> impl Iterator<Item = u32> {
        (0..self.cursors.len())
            .flat_map(|class| {
                &self.samples[self.starts[class] as usize..self.first(class) as usize]
            })
            .copied()
    }

    fn next(&mut self, random: &mut Random) -> usize {
        if self.turn == self.turns.len() {
            random.shuffle(self.turns);
            self.turn = 0;
        }
        let class = self.turns[self.turn] as usize;
        self.turn += 1;
        let (first, end) = (self.first(class), self.starts[class + 1]);
        if self.cursors[class] == end {
            random.shuffle(&mut self.samples[first as usize..end as usize]);
            self.cursors[class] = first;
        }
        let sample = self.samples[self.cursors[class] as usize];
        self.cursors[class] += 1;
        sample as usize
    }
}

/// One step on one sample, on a head over raw features: what a microcontroller does for each
/// correction. Returns the loss before the step, `−log` of the probability of `class`.
///
/// The step is `rate` times the error over the squared norm of the features around `zero_point`
/// (normalised least mean squares), so that it suits every backbone; 0.5 is a good `rate`, and up to 4 it
/// descends. Scratch is `gradient`, one entry a class.
///
/// # Errors
///
/// [`Error::BufferLength`] or [`Error::ShapeOverflow`] if a buffer does not fit;
/// [`Error::ClassOutOfRange`] for an unknown class.
pub fn step(
    features: &[i8],
    class: u16,
    zero_point: i8,
    rate: f32,
    weights: &mut [f32],
    bias: &mut [f32],
    gradient: &mut [f32],
) -> Result<f32, Error> {
    let classes = bias.len();
    let head = LinearHead::new(weights, bias, features.len())?;
    head.logits(features, gradient)?;
    softmax(gradient, 1.0);
    let label = gradient
        .get_mut(usize::from(class))
        .ok_or(Error::ClassOutOfRange { class, classes: classes as u16 })?;
    let loss = -libm::logf(label.max(f32::MIN_POSITIVE));
    *label -= 1.0;
    let zero = i32::from(zero_point);
    // |x| ≤ 255 and at most 2^20 features: both sums fit.
    let (total, square) = features.iter().fold((0_i32, 0_i64), |(total, square), &feature| {
        let x = i32::from(feature) - zero;
        (total + x, square + i64::from(x * x))
    });
    let zero = zero as f32;
    let step = rate / (square.max(1) as f32);
    // The bias learns like one more feature of the mean square of the others; the rest takes the zero point out.
    let bias_step = square as f32 / features.len() as f32 - zero * total as f32;
    let rows = weights.chunks_exact_mut(features.len()).zip(bias);
    for ((row, bias), error) in rows.zip(gradient) {
        let change = -step * *error;
        for (weight, &feature) in row.iter_mut().zip(features) {
            *weight += change * (f32::from(feature) - zero);
        }
        *bias += change * bias_step;
    }
    Ok(loss)
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

    #[test]
    fn a_rare_class_is_drawn_as_often_as_a_frequent_one() {
        let labels: Vec<u16> = (0..40).map(|sample| u16::from(sample % 10 == 0)).collect();
        let features = vec![0; 40];
        let samples = Samples::new(&features, &labels, 1).unwrap();
        let mut memory = vec![0; 40 + 12];
        let (mut random, scratch) = (Random::new(1), Scratch::new(&mut memory, 52).unwrap());
        let mut order = Order::new(samples, 3, scratch, &mut random).unwrap();
        assert_eq!(order.hold_out(), 4);
        let held: Vec<u32> = order.held_out().collect();
        assert!(held.iter().all(|&sample| labels[sample as usize] == 0));
        let mut drawn = [0; 40];
        for _ in 0..64 {
            drawn[order.next(&mut random)] += 1;
        }
        let rare: u32 = drawn.iter().step_by(10).sum();
        assert_eq!(rare, 32);
        assert!(drawn.iter().step_by(10).all(|&count| count == 8), "{drawn:?}");
        assert!(held.iter().all(|&sample| drawn[sample as usize] == 0));
    }

    #[test]
    fn single_steps_learn_without_scratch_but_a_gradient() {
        let blobs = Blobs::new(4, 20, 30, 2.0, 4);
        let (mut weights, mut bias) = blobs.head();
        let (mut gradient, mut losses) = ([0.0; 4], Vec::new());
        for _ in 0..3 {
            // Round robin, as corrections come: blobs are sorted by class.
            for sample in (0..20).flat_map(|offset| (0..4).map(move |class| class * 20 + offset)) {
                let (row, class) = (blobs.samples().row(sample), blobs.samples().label(sample));
                let loss =
                    step(row, class, -20, 0.5, &mut weights, &mut bias, &mut gradient).unwrap();
                losses.push(loss);
            }
        }
        let head = LinearHead::new(&weights, &bias, 30).unwrap();
        assert!(accuracy(head, blobs.samples()) > 0.95);
        assert!((losses[0] - libm::logf(4.0)).abs() < 1e-6);
        assert!(losses[200..].iter().sum::<f32>() < 0.2 * losses[..40].iter().sum::<f32>());
        let error = step(&[0; 30], 4, 0, 0.5, &mut weights, &mut bias, &mut gradient).unwrap_err();
        assert_eq!(error, Error::ClassOutOfRange { class: 4, classes: 4 });
    }
}
