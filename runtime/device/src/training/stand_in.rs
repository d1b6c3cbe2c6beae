//! What stands for the samples of classes that a pack's head knows and the device has never seen.
//!
//! Without it a new class could not be told from the old ones: only its own samples would be there,
//! and answering it for everything would be right on all of them.

use headstart::Error;
use headstart::head::LinearHead;

use crate::Head;

/// By how much a made-up sample's own logit leads. 2 keeps the old classes better, 8 finds the new
/// one more often; measured on hand signs and spoken digits, a tenth class added to nine by 5 or 20
/// samples.
const MARGIN: f32 = 4.0;

/// One feature vector for each class of a head, `[class][feature]`: its prototypes where it has
/// them, else made up from its weights.
///
/// A made-up one starts at `centre`, the mean of the new samples, and goes along the class's own
/// row (less the mean row) just until that class leads every other one by [`MARGIN`]. So the new
/// class learns a border on this side of where the old classes are sure of themselves.
///
/// # Errors
/// None for a head that was parsed and a `centre` of its length.
pub(super) fn stand_ins(head: &Head, centre: &[f32]) -> Result<Vec<i8>, Error> {
    if let Some(prototypes) = head.prototypes() {
        return Ok(prototypes.to_vec());
    }
    made_up(head.linear().ok_or(Error::NotAHead)?, head.temperature(), centre)
}

fn made_up(head: LinearHead<'_>, temperature: f32, centre: &[f32]) -> Result<Vec<i8>, Error> {
    let (classes, feature_len) = (head.classes(), head.feature_len());
    let mut mean = vec![0.0_f32; feature_len];
    for row in head.weights().chunks_exact(feature_len) {
        mean.iter_mut().zip(row).for_each(|(m, w)| *m += w / classes as f32);
    }
    // Differences of rows do not see the mean row: all of this is about centred ones.
    let mut rows = head.weights().to_vec();
    for row in rows.chunks_exact_mut(feature_len) {
        row.iter_mut().zip(&mean).for_each(|(w, m)| *w = (*w - m) / temperature);
    }
    let rows: Vec<&[f32]> = rows.chunks_exact(feature_len).collect();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let logits: Vec<f32> = rows
        .iter()
        .zip(head.bias())
        .map(|(row, bias)| dot(row, centre) + bias / temperature)
        .collect();
    let mut features = Vec::with_capacity(classes * feature_len);
    for (class, row) in rows.iter().enumerate() {
        let own = dot(row, row);
        let step = (0..classes).filter(|other| *other != class).fold(0.0_f32, |step, other| {
            let gain = own - dot(row, rows[other]);
            let needed = MARGIN - logits[class] + logits[other];
            // A row that no step tells from this one cannot be led: it has the same direction, and
            // is longer.
            if gain > 1e-3 * own { step.max(needed / gain) } else { step }
        });
        features.extend(centre.iter().zip(*row).map(|(c, w)| (c + step * w).round() as i8));
    }
    Ok(features)
}

#[cfg(test)]
mod tests {
    use headstart::head::argmax;

    use super::*;

    #[test]
    fn a_made_up_sample_is_answered_with_its_class_and_near_the_centre() {
        let weights = [0.2, 0.0, -0.1, 0.0, 0.3, 0.1, -0.1, -0.2, 0.25];
        let head = LinearHead::new(&weights, &[3.0, -2.0, 0.5], 3).unwrap();
        let centre = [10.0, -20.0, 5.0];
        let features = made_up(head, 1.0, &centre).unwrap();
        for (class, sample) in features.chunks_exact(3).enumerate() {
            let mut logits = [0.0; 3];
            head.logits(sample, &mut logits).unwrap();
            assert_eq!(argmax(&logits), class);
            let best = logits[class];
            let second = (0..3).filter(|c| *c != class).map(|c| logits[c]).fold(f32::MIN, f32::max);
            // Rounding moves it; a class that leads at the centre already leads by more.
            assert!(best - second > MARGIN - 0.5, "{class}: {logits:?}");
        }
    }
}
