//! Class means as a linear head, exact after every single sample.
//!
//! The answer is the class whose mean is nearest in Euclidean distance: `‖x − m‖²` differs from
//! `‖m‖² − 2 m·x` by a term that all classes share, so `weights = 2m`, `bias = −‖m‖²`.
//!
//! A class mean is also the best single stand-in for the samples of a class that are gone: see [`prototypes`].
//! Cosine similarity was rejected: it needs the norm of every sample and is not linear in it, and
//! the zero point of the features moves its origin.

use super::Samples;
use super::numeric::dot;
use crate::Error;
use crate::checked::expect_len;
use crate::record::check_shape;

/// Adds one sample to the mean of its class. `counts` has the samples that each class was learned
/// from so far; a class with none starts here. The classes' order of arrival does not matter,
/// the order within one does, in the last bits.
///
/// # Errors
///
/// [`Error::BufferLength`] if lengths do not fit; [`Error::ClassOutOfRange`] for an unknown class.
pub fn add(
    features: &[i8],
    class: u16,
    counts: &mut [u32],
    weights: &mut [f32],
    bias: &mut [f32],
) -> Result<(), Error> {
    check_shape(weights.len(), bias.len(), features.len())?;
    expect_len(counts.len(), bias.len())?;
    let index = usize::from(class);
    let classes = bias.len() as u16;
    let count = counts.get_mut(index).ok_or(Error::ClassOutOfRange { class, classes })?;
    let row = &mut weights[index * features.len()..][..features.len()];
    if *count == 0 {
        row.fill(0.0);
    }
    *count = count.saturating_add(1);
    let step = 1.0 / *count as f32;
    for (weight, &feature) in row.iter_mut().zip(features) {
        *weight += (2.0 * f32::from(feature) - *weight) * step;
    }
    bias[index] = -0.25 * dot(row, row);
    Ok(())
}

/// Writes the head of class means, and how many samples each class has. A class without samples gets zero weights and the bias `f32::MIN`:
/// it is never the answer.
///
/// # Errors
///
/// [`Error::NoSamples`], and those of [`add`].
pub fn train(
    samples: Samples<'_>,
    counts: &mut [u32],
    weights: &mut [f32],
    bias: &mut [f32],
) -> Result<(), Error> {
    if samples.is_empty() {
        return Err(Error::NoSamples);
    }
    check_shape(weights.len(), bias.len(), samples.feature_len())?;
    expect_len(counts.len(), bias.len())?;
    counts.fill(0);
    weights.fill(0.0);
    bias.fill(f32::MIN);
    samples.iter().try_for_each(|(row, class)| add(row, class, counts, weights, bias))
}

/// Writes the class means of an imprinted head, `[class][feature]`, rounded: rows that can stand for the samples of a
/// class where those are not kept, in a head record and as training samples.
///
/// # Errors
///
/// [`Error::BufferLength`] if the lengths differ.
pub fn prototypes(weights: &[f32], out: &mut [i8]) -> Result<(), Error> {
    expect_len(out.len(), weights.len())?;
    for (out, weight) in out.iter_mut().zip(weights) {
        // A cast saturates; means of int8 values are in range.
        *out = libm::rintf(0.5 * weight) as i8;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{LinearHead, argmax};

    #[test]
    fn the_nearest_mean_answers_and_one_by_one_equals_at_once() {
        let features = [10, 0, 12, 2, -10, 5, -14, 7, 127, -128];
        let labels = [0, 0, 1, 1, 3];
        let samples = Samples::new(&features, &labels, 2).unwrap();
        let (mut counts, mut weights, mut bias) = ([0; 4], [0.0; 8], [0.0; 4]);
        train(samples, &mut counts, &mut weights, &mut bias).unwrap();
        assert_eq!(counts, [2, 2, 0, 1]);
        assert_eq!(weights, [22.0, 2.0, -24.0, 12.0, 0.0, 0.0, 254.0, -256.0]);
        let mut means = [0; 8];
        prototypes(&weights, &mut means).unwrap();
        assert_eq!(means, [11, 1, -12, 6, 0, 0, 127, -128]);
        let head = LinearHead::new(&weights, &bias, 2).unwrap();
        let mut logits = [0.0; 4];
        for (row, class) in samples.iter() {
            head.logits(row, &mut logits).unwrap();
            assert_eq!(argmax(&logits), usize::from(class));
        }
        let again = (counts, weights, bias);
        add(&[0, 0], 2, &mut counts, &mut weights, &mut bias).unwrap();
        assert_eq!((counts[2], &weights[4..6], bias[2]), (1, &[0.0, 0.0][..], -0.0));
        assert_eq!(again.1[..4], weights[..4]);
        assert!(add(&[0, 0], 4, &mut counts, &mut weights, &mut bias).is_err());
    }
}
