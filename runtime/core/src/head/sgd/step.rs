//! One step on one sample.

use crate::Error;
use crate::checked::expect_len;
use crate::head::{LinearHead, softmax};
use crate::kernels::linear;

/// Takes one gradient step on one sample, on a head over raw features with temperature 1: what a microcontroller does for each correction.
/// Returns the loss before the step, `−log` of the probability of `class`.
///
/// The step is `rate` times the error over the squared distance of the features from `centre`
/// (normalised least mean squares), so that it suits every backbone; 1 is a good `rate`. `centre` is what most
/// samples have in common and should be their mean, feature by feature: the nearer, the less a step on one class disturbs
/// the others; it may differ from step to step. Scratch is `gradient`, one entry a class.
///
/// # Errors
///
/// [`Error::BufferLength`] or [`Error::ShapeOverflow`] if a buffer does not fit;
/// [`Error::ClassOutOfRange`] for an unknown class.
pub fn step(
    features: &[i8],
    class: u16,
    centre: &[i8],
    rate: f32,
    weights: &mut [f32],
    bias: &mut [f32],
    gradient: &mut [f32],
) -> Result<f32, Error> {
    let classes = bias.len();
    expect_len(centre.len(), features.len())?;
    let head = LinearHead::new(weights, bias, features.len())?;
    head.logits(features, gradient)?;
    softmax(gradient, 1.0);
    let label = gradient
        .get_mut(usize::from(class))
        .ok_or(Error::ClassOutOfRange { class, classes: classes as u16 })?;
    let loss = -libm::logf(label.max(f32::MIN_POSITIVE));
    *label -= 1.0;
    // At most 2^20 terms below 2^16: exact.
    let [square, along] = linear::distance(features, centre);
    let step = rate / square.max(1) as f32;
    // The bias learns like one more feature of the mean square of the others; what the weights gain at the centre
    // comes off again.
    let bias_step = square as f32 / features.len() as f32 - along as f32;
    for (bias, error) in bias.iter_mut().zip(&mut *gradient) {
        *error *= -step;
        *bias += *error * bias_step;
    }
    linear::move_weights(weights, gradient, features, centre);
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::head::testing::{Blobs, accuracy};

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
                    step(row, class, &[-20; 30], 0.5, &mut weights, &mut bias, &mut gradient)
                        .unwrap();
                losses.push(loss);
            }
        }
        let head = LinearHead::new(&weights, &bias, 30).unwrap();
        assert!(accuracy(head, blobs.samples()) > 0.95);
        assert!((losses[0] - libm::logf(4.0)).abs() < 1e-6);
        assert!(losses[200..].iter().sum::<f32>() < 0.2 * losses[..40].iter().sum::<f32>());
        let error =
            step(&[0; 30], 4, &[0; 30], 0.5, &mut weights, &mut bias, &mut gradient).unwrap_err();
        assert_eq!(error, Error::ClassOutOfRange { class: 4, classes: 4 });
    }
}
