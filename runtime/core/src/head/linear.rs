//! A head's logits and what is read off them.

use super::numeric::dot_features;
use crate::Error;
use crate::checked::expect_len;
use crate::record::{LinearHead, check_shape};

impl LinearHead<'_> {
    /// Writes the logit of each class.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] if `features` or `logits` has another length than the head.
    pub fn logits(&self, features: &[i8], logits: &mut [f32]) -> Result<(), Error> {
        expect_len(features.len(), self.feature_len())?;
        expect_len(logits.len(), self.classes())?;
        let rows = self.weights().chunks_exact(self.feature_len());
        for ((logit, row), bias) in logits.iter_mut().zip(rows).zip(self.bias()) {
            *logit = bias + dot_features(row, features);
        }
        Ok(())
    }
}

/// The class of the largest logit; of equal ones the first. 0 for no logits; NaN never wins.
pub fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if logit > logits[best] || (logits[best].is_nan() && !logit.is_nan()) {
            best = class;
        }
    }
    best
}

/// Turns logits into probabilities, in place: `softmax(logits / temperature)`.
///
/// The largest logit is taken off first, so that nothing overflows.
pub fn softmax(logits: &mut [f32], temperature: f32) {
    let largest = logits.iter().fold(f32::NEG_INFINITY, |most, &logit| most.max(logit));
    let mut total = 0.0;
    for logit in logits.iter_mut() {
        *logit = libm::expf((*logit - largest) / temperature);
        total += *logit;
    }
    for probability in logits {
        *probability /= total;
    }
}

/// Starts a head for more classes from one that exists: its rows are divided by `temperature`,
/// so that the new head's probabilities at temperature 1 are the old one's; new classes get zeros.
///
/// # Errors
///
/// [`Error::BufferLength`] if `weights` and `bias` are not those of a head with at least as many
/// classes and the same features; [`Error::ShapeOverflow`] past [`super::MAX_CLASSES`].
pub fn grow(
    head: LinearHead<'_>,
    temperature: f32,
    weights: &mut [f32],
    bias: &mut [f32],
) -> Result<(), Error> {
    check_shape(weights.len(), bias.len(), head.feature_len())?;
    if bias.len() < head.classes() {
        return Err(Error::BufferLength { expected: head.classes(), found: bias.len() });
    }
    for (old, new) in [(head.weights(), weights), (head.bias(), bias)] {
        let (kept, added) = new.split_at_mut(old.len());
        for (new, old) in kept.iter_mut().zip(old) {
            // The bias of a class that is never the answer is the least number, and stays finite.
            *new = (old / temperature).clamp(f32::MIN, f32::MAX);
        }
        added.fill(0.0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_probabilities_and_the_first_of_equal_classes() {
        let head = LinearHead::new(&[1.0, 0.5, -1.0, 2.0], &[0.25, 0.0], 2).unwrap();
        let mut logits = [0.0; 2];
        head.logits(&[-128, 127], &mut logits).unwrap();
        assert_eq!(logits, [-64.25, 382.0]);
        assert_eq!(argmax(&logits), 1);
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(argmax(&[f32::NAN, 0.0, f32::NAN]), 1);
        softmax(&mut logits, 1.0);
        assert_eq!(logits, [0.0, 1.0]);
        let mut logits = [1000.0, 1000.0 + core::f32::consts::LN_2];
        softmax(&mut logits, 1.0);
        assert!((logits[0] - 1.0 / 3.0).abs() < 1e-4 && logits.iter().sum::<f32>() == 1.0);
    }

    #[test]
    fn a_grown_head_answers_as_before_at_temperature_one() {
        let old = LinearHead::new(&[1.0, 0.5, -1.0, 2.0], &[0.25, 0.0], 2).unwrap();
        let (mut weights, mut bias) = ([9.0; 6], [9.0; 3]);
        grow(old, 2.0, &mut weights, &mut bias).unwrap();
        let new = LinearHead::new(&weights, &bias, 2).unwrap();
        let (mut before, mut after) = ([0.0; 2], [0.0; 3]);
        old.logits(&[3, -4], &mut before).unwrap();
        new.logits(&[3, -4], &mut after).unwrap();
        assert_eq!([before[0] / 2.0, before[1] / 2.0, 0.0], after);
        assert!(grow(new, 1.0, &mut [0.0; 4], &mut [0.0; 2]).is_err());
    }

    #[test]
    fn a_class_that_is_never_the_answer_stays_so_in_a_grown_head() {
        let old = LinearHead::new(&[1.0, 0.0], &[0.25, f32::MIN], 1).unwrap();
        let (mut weights, mut bias) = ([9.0; 2], [9.0; 2]);
        grow(old, 0.5, &mut weights, &mut bias).unwrap();
        assert_eq!((weights, bias), ([2.0, 0.0], [0.5, f32::MIN]));
    }

    #[test]
    fn shapes_are_checked() {
        assert_eq!(LinearHead::new(&[], &[], 2).unwrap_err(), Error::ShapeOverflow);
        assert!(LinearHead::new(&[0.0; 3], &[0.0; 2], 2).is_err());
        let head = LinearHead::new(&[0.0; 4], &[0.0; 2], 2).unwrap();
        assert!(head.logits(&[1], &mut [0.0; 2]).is_err());
        assert!(head.logits(&[1, 2], &mut [0.0; 3]).is_err());
    }
}
