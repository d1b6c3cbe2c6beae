//! Made-up samples for the learners' tests.

use std::vec;
use std::vec::Vec;

use super::numeric::Scratch;
use super::standardise::Standard;
use super::{LinearHead, Random, Samples, argmax};

/// Classes around random centres, sorted by class.
pub(crate) struct Blobs {
    features: Vec<i8>,
    labels: Vec<u16>,
    feature_len: usize,
    pub(crate) classes: usize,
}

impl Blobs {
    /// `separation` is the spread of the centres over that within a class.
    pub(crate) fn new(
        classes: usize,
        per_class: usize,
        feature_len: usize,
        separation: f32,
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed);
        // A sum of four uniform numbers is normal enough.
        let mut normal =
            || (0..4).map(|_| random.next_u32() as f32 / u32::MAX as f32 - 0.5).sum::<f32>();
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for class in 0..classes {
            let centre: Vec<f32> = (0..feature_len).map(|_| normal() * separation).collect();
            for _ in 0..per_class {
                features
                    .extend(centre.iter().map(|centre| ((centre + normal()) * 20.0 - 20.0) as i8));
                labels.push(class as u16);
            }
        }
        Self { features, labels, feature_len, classes }
    }

    pub(crate) fn samples(&self) -> Samples<'_> {
        Samples::new(&self.features, &self.labels, self.feature_len).unwrap()
    }

    /// Room for a head.
    pub(crate) fn head(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; self.classes * self.feature_len], vec![0.0; self.classes])
    }

    /// The samples of these classes only, in another domain: every feature's order reversed.
    pub(crate) fn shifted(&self, classes: &[u16]) -> Self {
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for (row, class) in self.samples().iter().filter(|(_, class)| classes.contains(class)) {
            features.extend(row.iter().rev());
            labels.push(class);
        }
        Self { features, labels, ..*self }
    }
}

/// The part of `samples` that `head` answers correctly.
pub(crate) fn accuracy(head: LinearHead<'_>, samples: Samples<'_>) -> f32 {
    let mut logits = vec![0.0; head.classes()];
    let correct = samples.iter().filter(|(row, class)| {
        head.logits(row, &mut logits).unwrap();
        argmax(&logits) == usize::from(*class)
    });
    correct.count() as f32 / samples.len() as f32
}

/// Standardised features, the weight of each sample, and scale and mean of each feature.
pub(crate) fn standardised(
    samples: Samples<'_>,
    classes: usize,
) -> (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>) {
    let features = samples.feature_len();
    let needed = Standard::scratch_len(features, classes).unwrap();
    let (mut memory, mut means) = (vec![0.0; needed], vec![0.0; classes * features]);
    let mut scratch = Scratch::new(&mut memory, needed).unwrap();
    let standard = Standard::measure(samples, &mut means, classes, &mut scratch).unwrap();
    let mut z = vec![0.0; samples.len() * features];
    for (z, (row, _)) in z.chunks_exact_mut(features).zip(samples.iter()) {
        standard.apply(row, z);
    }
    let weights =
        samples.iter().map(|(_, class)| standard.class_weights[usize::from(class)]).collect();
    (z, weights, standard.scale.to_vec(), standard.mean.to_vec())
}
