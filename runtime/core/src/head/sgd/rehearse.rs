//! Single steps, again and again over stored samples: softmax regression in the memory of the head.

use super::step;
use crate::Error;
use crate::checked::expect_len;
use crate::head::{Random, Samples};

/// How [`rehearse`] descends; [`Default`] suits features that were seen a few to a few hundred times.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rehearsal {
    /// How many passes are made over all samples.
    pub epochs: u32,
    /// Step size at the start, as [`step`] takes it; it falls to 0 along a line.
    pub rate: f32,
    /// Seed of the order of samples.
    pub seed: u64,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self { epochs: 40, rate: 2.0, seed: 1 }
    }
}

/// Trains a head further on stored samples, one [`step`] a sample and epoch, in random order. Returns
/// the mean loss of the last epoch.
///
/// Besides the head this takes one float a class (`gradient`), one int8 a feature (`centre`, which
/// becomes the samples' mean) and one word a sample (`order`): what a microcontroller has beside
/// its arena. `progress` sees each epoch's number and mean loss.
///
/// # Errors
///
/// [`Error::NoSamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`] or
/// [`Error::ShapeOverflow`] if a buffer does not fit; [`Error::NotFinite`] if it diverged.
#[allow(clippy::too_many_arguments, reason = "one buffer for each purpose, all the caller's")]
pub fn rehearse(
    samples: Samples<'_>,
    settings: Rehearsal,
    weights: &mut [f32],
    bias: &mut [f32],
    gradient: &mut [f32],
    centre: &mut [i8],
    order: &mut [u32],
    mut progress: impl FnMut(u32, f32),
) -> Result<f32, Error> {
    if samples.is_empty() {
        return Err(Error::NoSamples);
    }
    expect_len(centre.len(), samples.feature_len())?;
    expect_len(order.len(), samples.len())?;
    mean(samples, centre);
    for (place, index) in order.iter_mut().zip(0_u32..) {
        *place = index;
    }
    let mut random = Random::new(settings.seed);
    let (mut done, mut loss) = (0_u32, 0.0);
    let all = (samples.len() as f32) * settings.epochs as f32;
    for epoch in 0..settings.epochs {
        random.shuffle(order);
        loss = 0.0;
        for &index in &*order {
            let (row, class) = (samples.row(index as usize), samples.label(index as usize));
            let part = done as f32 / all;
            let rate = settings.rate * (1.0 - part);
            loss += step(row, class, centre, rate, weights, bias, gradient)?;
            done = done.saturating_add(1);
        }
        loss /= samples.len() as f32;
        progress(epoch, loss);
    }
    if weights.iter().chain(&*bias).all(|number| number.is_finite()) {
        Ok(loss)
    } else {
        Err(Error::NotFinite)
    }
}

/// The samples' mean, feature by feature, rounded.
fn mean(samples: Samples<'_>, centre: &mut [i8]) {
    for (feature, centre) in centre.iter_mut().enumerate() {
        // At most 2^32 terms of 2^7.
        let sum: i64 =
            (0..samples.len()).map(|sample| i64::from(samples.row(sample)[feature])).sum();
        *centre = libm::rintf(sum as f32 / samples.len() as f32) as i8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::LinearHead;
    use crate::head::testing::{Blobs, accuracy};

    #[test]
    fn stored_samples_are_learned_in_the_memory_of_the_head() {
        let blobs = Blobs::new(4, 20, 30, 2.0, 4);
        let (mut weights, mut bias) = blobs.head();
        let (mut gradient, mut centre, mut order) = ([0.0; 4], [0; 30], [0; 80]);
        let settings = Rehearsal { epochs: 10, ..Rehearsal::default() };
        let (mut first, mut epochs) = (0.0, 0);
        let last = rehearse(
            blobs.samples(),
            settings,
            &mut weights,
            &mut bias,
            &mut gradient,
            &mut centre,
            &mut order,
            |epoch, loss| {
                first = if epoch == 0 { loss } else { first };
                epochs += 1;
            },
        )
        .unwrap();
        assert_eq!(epochs, 10);
        assert!(last < 0.5 * first, "{first} {last}");
        let head = LinearHead::new(&weights, &bias, 30).unwrap();
        assert!(accuracy(head, blobs.samples()) > 0.97);
    }

    #[test]
    fn buffers_and_labels_are_checked() {
        let samples = Samples::new(&[1, 2, 3, 4], &[0, 1], 2).unwrap();
        let (mut weights, mut bias, mut gradient) = ([0.0; 2], [0.0; 1], [0.0; 1]);
        let settings = Rehearsal::default();
        let mut run = |centre: &mut [i8], order: &mut [u32]| {
            let none = |_, _| ();
            rehearse(samples, settings, &mut weights, &mut bias, &mut gradient, centre, order, none)
        };
        assert!(matches!(run(&mut [0; 1], &mut [0; 2]), Err(Error::BufferLength { .. })));
        assert!(matches!(run(&mut [0; 2], &mut [0; 1]), Err(Error::BufferLength { .. })));
        let error = Error::ClassOutOfRange { class: 1, classes: 1 };
        assert_eq!(run(&mut [0; 2], &mut [0; 2]), Err(error));
    }

    #[test]
    fn steps_that_grow_without_end_are_an_error() {
        let blobs = Blobs::new(3, 5, 4, 2.0, 4);
        for rate in [f32::INFINITY, f32::NAN, f32::MAX] {
            let (mut weights, mut bias) = blobs.head();
            let settings = Rehearsal { rate, ..Rehearsal::default() };
            let diverged = rehearse(
                blobs.samples(),
                settings,
                &mut weights,
                &mut bias,
                &mut [0.0; 3],
                &mut [0; 4],
                &mut [0; 15],
                |_, _| (),
            );
            assert_eq!(diverged, Err(Error::NotFinite), "{rate}");
        }
    }
}
