//! Calibrates a head on held-out samples: honest probabilities, and a threshold for "unknown".

use super::numeric::Scratch;
use super::{Samples, argmax, softmax};
use crate::Error;
use crate::checked::{expect_len, product, sum};

/// The part of right answers that may be called "unknown".
const GIVEN_UP: f32 = 0.02;
/// Temperatures are sought in this range.
const TEMPERATURES: (f32, f32) = (0.01, 100.0);

/// Logits of held-out samples with the right answers.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    logits: &'a [f32],
    samples: Samples<'a>,
    classes: usize,
}

impl<'a> HeldOut<'a> {
    /// Pairs logits, `[sample][class]`, with the right answers.
    ///
    /// # Errors
    ///
    /// [`Error::NoSamples`]; [`Error::BufferLength`] if the lengths do not fit;
    /// [`Error::ClassOutOfRange`] for a label without a logit; [`Error::NotFinite`].
    pub fn new(logits: &'a [f32], samples: Samples<'a>, classes: usize) -> Result<Self, Error> {
        if samples.is_empty() || classes == 0 {
            return Err(Error::NoSamples);
        }
        expect_len(logits.len(), product(&[samples.len(), classes])?)?;
        if let Some((_, class)) = samples.iter().find(|(_, class)| usize::from(*class) >= classes) {
            return Err(Error::ClassOutOfRange { class, classes: classes as u16 });
        }
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(Error::NotFinite);
        }
        Ok(Self { logits, samples, classes })
    }

    fn iter(&self) -> impl Iterator<Item = (&'a [f32], usize)> {
        let labels = self.samples.iter().map(|(_, label)| usize::from(label));
        self.logits.chunks_exact(self.classes).zip(labels)
    }

    pub(crate) fn logits(&self) -> &'a [f32] {
        self.logits
    }

    /// How many samples are answered correctly.
    pub fn correct(&self) -> u32 {
        self.iter().map(|(logits, label)| u32::from(argmax(logits) == label)).sum()
    }

    /// The temperature of least loss, and that loss: the mean over the classes of the mean over their samples of
    /// `−log softmax(logits / temperature)[label]`.
    ///
    /// The loss is convex in the inverse of the temperature; Newton's method finds the minimum, or the
    /// end of 0.01 to 100 where there is none inside (with no wrong answers it would be 0).
    pub fn temperature(&self) -> (f32, f32) {
        let (mut low, mut high) =
            (f64::from(1.0 / TEMPERATURES.1), f64::from(1.0 / TEMPERATURES.0));
        let mut inverse = 1.0;
        for _ in 0..12 {
            let (_, slope, curvature) = self.loss(inverse as f32);
            if slope < 0.0 {
                low = inverse
            } else {
                high = inverse
            }
            let newton = inverse - slope / curvature;
            let next = if newton > low && newton < high { newton } else { libm::sqrt(low * high) };
            let moved = (next - inverse).abs();
            inverse = next;
            if moved < 1e-3 * inverse {
                break;
            }
        }
        let (loss, ..) = self.loss(inverse as f32);
        ((1.0 / inverse) as f32, loss as f32)
    }

    /// The mean over the classes of their samples' mean loss at temperature 1, in nats.
    pub fn mean_loss(&self) -> f32 {
        self.loss(1.0).0 as f32
    }

    /// Mean loss at this inverse temperature, and its first and second derivative. Every class that is shown has the same
    /// share, as in training: a flood of one class does not choose for the others.
    fn loss(&self, inverse: f32) -> (f64, f64, f64) {
        let (mut all, mut shown) = ((0.0, 0.0, 0.0), 0.0);
        for class in 0..self.classes {
            let (mut loss, mut slope, mut curvature, mut count) = (0.0, 0.0, 0.0, 0.0);
            for (logits, label) in self.iter().filter(|(_, label)| *label == class) {
                let largest = logits[argmax(logits)];
                let (mut total, mut mean, mut square) = (0.0_f32, 0.0_f32, 0.0_f32);
                for logit in logits {
                    let below = logit - largest;
                    let part = libm::expf(inverse * below);
                    total += part;
                    mean += part * below;
                    square += part * below * below;
                }
                mean /= total;
                let below = logits[label] - largest;
                loss += f64::from(libm::logf(total) - inverse * below);
                slope += f64::from(mean - below);
                curvature += f64::from((square / total - mean * mean).max(0.0));
                count += 1.0;
            }
            if count > 0.0 {
                all.0 += loss / count;
                all.1 += slope / count;
                all.2 += curvature / count;
                shown += 1.0;
            }
        }
        (all.0 / shown, all.1 / shown, all.2 / shown)
    }

    /// By how much less these answers lose than `other` ones to the same samples, each at its temperature, and the standard
    /// error of that, in nats; classes weigh the same.
    pub(crate) fn lead(
        &self,
        temperature: f32,
        other: &Self,
        other_temperature: f32,
    ) -> (f64, f64) {
        let (total, mut shown) = (self.samples.len() as f64, 0.0);
        let pairs = || self.iter().zip(other.iter().map(|(logits, _)| logits));
        let (mut sum, mut square) = (0.0, 0.0);
        for class in 0..self.classes {
            let of_class = || pairs().filter(move |((_, label), _)| *label == class);
            let count = of_class().count() as f64;
            shown += f64::from(u8::from(count > 0.0));
            for ((logits, label), others) in of_class() {
                let lost = log_loss(others, label, other_temperature)
                    - log_loss(logits, label, temperature);
                let share = total / count * f64::from(lost);
                sum += share;
                square += share * share;
            }
        }
        let mean = sum / total;
        let variance = (square / total - mean * mean).max(0.0) / (total - 1.0).max(1.0);
        (mean / shown, libm::sqrt(variance) / shown)
    }

    /// The best probability below which an answer is "unknown": of the right answers on held-out
    /// samples, 2 % lie below it. It is 0 without a right answer, and never above 0.9.
    ///
    /// Held-out samples are all of known classes: how well the threshold finds strangers depends on how
    /// strange they are. `memory` needs one element a sample and one a class.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] if `memory` is too short.
    pub fn unknown_threshold(&self, temperature: f32, memory: &mut [f32]) -> Result<f32, Error> {
        let needed = sum(&[self.samples.len(), self.classes])?;
        let mut scratch = Scratch::new(memory, needed)?;
        let best = scratch.take(self.samples.len())?;
        let probabilities = scratch.take(self.classes)?;
        let mut correct = 0;
        for (logits, label) in self.iter().filter(|(logits, label)| argmax(logits) == *label) {
            probabilities.copy_from_slice(logits);
            softmax(probabilities, temperature);
            best[correct] = probabilities[label];
            correct += 1;
        }
        if correct == 0 {
            return Ok(0.0);
        }
        let place = (GIVEN_UP * correct as f32) as usize;
        let (_, threshold, _) = best[..correct].select_nth_unstable_by(place, f32::total_cmp);
        Ok(threshold.min(0.9))
    }
}

/// `−log softmax(logits / temperature)[label]`.
fn log_loss(logits: &[f32], label: usize, temperature: f32) -> f32 {
    let largest = logits[argmax(logits)];
    let total: f32 = logits.iter().map(|logit| libm::expf((logit - largest) / temperature)).sum();
    libm::logf(total) - (logits[label] - largest) / temperature
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::head::Random;

    /// Answers that are right with the probability that their logits say at `temperature`.
    fn honest(temperature: f32) -> (Vec<f32>, Vec<u16>) {
        let mut random = Random::new(3);
        let mut next = || random.next_u32() as f32 / u32::MAX as f32;
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..4000 {
            let row = [next() * 6.0, next() * 6.0, next() * 6.0];
            let mut probabilities = row;
            softmax(&mut probabilities, 1.0);
            let chance = next();
            let label = if chance < probabilities[0] {
                0
            } else {
                1 + u16::from(chance > probabilities[0] + probabilities[1])
            };
            logits.extend(row.map(|logit| logit * temperature));
            labels.push(label);
        }
        (logits, labels)
    }

    fn answers<'a>(features: &'a [i8], labels: &'a [u16]) -> Samples<'a> {
        Samples::new(features, labels, 1).unwrap()
    }

    #[test]
    fn the_temperature_that_made_the_answers_is_found() {
        for expected in [0.1, 1.0, 30.0] {
            let (logits, labels) = honest(expected);
            let features = std::vec![0; labels.len()];
            let held_out = HeldOut::new(&logits, answers(&features, &labels), 3).unwrap();
            let (temperature, loss) = held_out.temperature();
            assert!((temperature / expected - 1.0).abs() < 0.1, "{temperature} {expected}");
            assert!(held_out.loss(0.8 / temperature).0 as f32 > loss);
            assert!(held_out.loss(1.25 / temperature).0 as f32 > loss);
        }
    }

    #[test]
    fn every_class_has_the_same_share_of_the_loss() {
        // Three samples of one class, answered rightly, beside one of another, answered wrongly.
        let logits = [2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 1.0, 0.0];
        let held_out = HeldOut::new(&logits, answers(&[0; 4], &[0, 0, 0, 1]), 2).unwrap();
        let (right, wrong) = ((1.0 + (-2_f32).exp()).ln(), (1.0 + 1_f32.exp()).ln());
        assert!((held_out.mean_loss() - (right + wrong) / 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_lead_is_the_difference_of_the_losses_and_its_error_that_of_the_pairs() {
        let (logits, labels) = honest(1.0);
        let features = std::vec![0; labels.len()];
        let held_out = HeldOut::new(&logits, answers(&features, &labels), 3).unwrap();
        let (lead, error) = held_out.lead(1.0, &held_out, 2.0);
        let expected = held_out.loss(0.5).0 - held_out.loss(1.0).0;
        assert!((lead - expected).abs() < 1e-5, "{lead} {expected}");
        // Both halves agree with the whole within what the error says.
        let half = |from: usize| {
            let part = 3 * from..3 * (from + 2000);
            let samples = answers(&features[..2000], &labels[from..from + 2000]);
            let held_out = HeldOut::new(&logits[part], samples, 3).unwrap();
            held_out.lead(1.0, &held_out, 2.0).0
        };
        assert!(error > 0.0 && (half(0) - half(2000)).abs() < 6.0 * error, "{error}");
        assert_eq!(held_out.lead(1.0, &held_out, 1.0), (0.0, 0.0));
    }

    #[test]
    fn two_percent_of_the_right_answers_are_below_the_threshold() {
        let (logits, labels) = honest(1.0);
        let features = std::vec![0; labels.len()];
        let held_out = HeldOut::new(&logits, answers(&features, &labels), 3).unwrap();
        let mut memory = std::vec![0.0; 4003];
        let threshold = held_out.unknown_threshold(1.0, &mut memory).unwrap();
        let below = held_out.iter().filter(|(logits, label)| {
            let mut probabilities = [logits[0], logits[1], logits[2]];
            softmax(&mut probabilities, 1.0);
            argmax(logits) == *label && probabilities[*label] < threshold
        });
        assert_eq!(below.count() as u32, held_out.correct() / 50);
        assert!(held_out.unknown_threshold(1.0, &mut memory[1..]).is_err());
    }

    #[test]
    fn perfect_and_hopeless_answers_have_finite_temperatures() {
        let right = HeldOut::new(&[3.0, 0.0, 0.0, 5.0], answers(&[0; 2], &[0, 1]), 2).unwrap();
        let (temperature, loss) = right.temperature();
        assert!((0.009..0.5).contains(&temperature) && (0.0..0.01).contains(&loss));
        assert_eq!(right.unknown_threshold(temperature, &mut [0.0; 4]).unwrap(), 0.9);
        let wrong = HeldOut::new(&[3.0, 0.0, 0.0, 5.0], answers(&[0; 2], &[1, 0]), 2).unwrap();
        assert!((10.0..101.0).contains(&wrong.temperature().0));
        assert_eq!(wrong.unknown_threshold(1.0, &mut [0.0; 4]).unwrap(), 0.0);
        let flat = HeldOut::new(&[0.0; 4], answers(&[0; 2], &[1, 0]), 2).unwrap();
        assert!(flat.temperature().0.is_finite());
    }

    #[test]
    fn input_is_checked() {
        assert_eq!(HeldOut::new(&[], answers(&[], &[]), 2).unwrap_err(), Error::NoSamples);
        assert!(HeldOut::new(&[0.0; 3], answers(&[0; 2], &[0, 1]), 2).is_err());
        assert!(HeldOut::new(&[0.0; 4], answers(&[0; 2], &[0, 2]), 2).is_err());
        assert_eq!(
            HeldOut::new(&[f32::NAN], answers(&[0], &[0]), 1).unwrap_err(),
            Error::NotFinite
        );
    }
}
