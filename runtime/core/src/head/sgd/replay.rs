//! What a training run reads, in its order, for another implementation to repeat.

use std::vec;
use std::vec::Vec;

use super::order::Order;
use super::{MAX_BATCH, Settings};
use crate::head::numeric::Scratch;
use crate::head::samples::Groups;
use crate::head::standardise::Standard;
use crate::head::{Random, Samples};

/// The steps of a run without held-out samples and without an initial head.
pub(crate) struct Replay {
    /// Standardised features, `[sample][feature]`.
    pub(crate) rows: Vec<f32>,
    /// The samples of each step, and its rate.
    pub(crate) steps: Vec<(Vec<usize>, f32)>,
}

impl Replay {
    pub(crate) fn new(samples: Samples<'_>, classes: usize, settings: &Settings) -> Self {
        let features = samples.feature_len();
        let mut rows = vec![0.0; samples.len() * features];
        standard(samples, classes, |standard| {
            for (sample, row) in rows.chunks_exact_mut(features).enumerate() {
                standard.apply(samples.row(sample), row);
            }
        });
        let needed = Groups::scratch_len(samples.len(), classes).unwrap() + 2 * classes;
        let mut memory = vec![0; needed];
        let mut random = Random::new(settings.seed);
        let scratch = Scratch::new(&mut memory, needed).unwrap();
        let mut order = Order::new(samples, classes, scratch, &mut random).unwrap();
        assert_eq!(order.hold_out(), 0, "a class has so many samples that some are held out");
        let batch = settings.batch.clamp(1, MAX_BATCH) as usize;
        let steps = settings.epochs as usize * samples.len().div_ceil(batch);
        let step = |index: usize| {
            let angle = core::f32::consts::PI * index as f32 / steps as f32;
            let rate = settings.rate * 0.5 * (1.0 + libm::cosf(angle));
            ((0..batch).map(|_| order.next(&mut random)).collect(), rate)
        };
        Self { rows, steps: (0..steps).map(step).collect() }
    }
}

/// Turns a head on standardised features into one on raw features.
pub(crate) fn fold(samples: Samples<'_>, weights: &mut [f32], bias: &mut [f32]) {
    standard(samples, bias.len(), |standard| standard.fold(weights, bias));
}

fn standard(samples: Samples<'_>, classes: usize, see: impl FnOnce(&Standard<'_>)) {
    let features = samples.feature_len();
    let needed = Standard::scratch_len(features, classes).unwrap();
    let (mut memory, mut sums) = (vec![0.0; needed], vec![0.0; features * classes]);
    let mut scratch = Scratch::new(&mut memory, needed).unwrap();
    see(&Standard::measure(samples, &mut sums, classes, &mut scratch).unwrap());
}
