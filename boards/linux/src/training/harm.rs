//! Whether an update makes what was known before worse.
//!
//! Every sample that was there before is held out once. Two heads are learned without it, one from the
//! samples before and one from those after the update, and both answer it. So nothing has to be kept
//! from learning, and a bad update shows in the answers to samples that it did not bring.

use headstart::head::{LinearHead, Samples, argmax, ridge};

use crate::state::{FeatureCache, Problem};

/// Parts of the samples before, each held out once.
const PARTS: usize = 4;
/// With more samples before, only the first parts are held out.
const FEW: usize = 1200;
/// What the update may cost, as a part of the samples that were held out.
pub const MARGIN: f64 = 0.02;

/// What an update did to samples that were known before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Samples that were held out.
    pub held_out: u32,
    /// Right answers of the head before.
    pub before: u32,
    /// Right answers of the head after.
    pub after: u32,
}

impl Effect {
    /// Whether more than [`MARGIN`] was lost.
    pub fn is_harm(&self) -> bool {
        let lost = f64::from(self.before) - f64::from(self.after);
        lost > MARGIN * f64::from(self.held_out)
    }
}

/// Measures what the step from `old` to `new` does; `None` where no sample can be held out. Both are in their
/// order ([`FeatureCache::sort`]). A sample whose class the update changes is not asked for.
///
/// # Errors
/// [`Problem::Training`].
pub fn effect(old: &FeatureCache, new: &FeatureCache) -> Result<Option<Effect>, Problem> {
    let (old_side, new_side) = (Side::new(old)?, Side::new(new)?);
    let mut counts = vec![0; old.classes().len()];
    let mut parts: [Vec<u32>; PARTS] = Default::default();
    for (sample, (id, &label)) in (0_u32..).zip(old.ids().iter().zip(old.labels())) {
        let place = &mut counts[usize::from(label)];
        // A class keeps at least one sample to learn from.
        let spare = old.counts()[usize::from(label)] > 1;
        if spare && new.name_of(id) == old.name_of(id) {
            parts[*place % PARTS].push(sample);
        }
        *place += 1;
    }
    let mut effect = Effect { held_out: 0, before: 0, after: 0 };
    let asked = if old.len() <= FEW { PARTS } else { 1 };
    for part in parts.iter().take(asked).filter(|part| !part.is_empty()) {
        let held: Vec<_> = part.iter().map(|&sample| old.ids()[sample as usize]).collect();
        let before = old_side.without(old, &held)?;
        let after = new_side.without(new, &held)?;
        for &sample in part {
            let (row, label) =
                (old_side.samples.row(sample as usize), old.labels()[sample as usize]);
            let name = &old.classes()[usize::from(label)];
            effect.held_out += 1;
            effect.before += u32::from(old.classes()[before.answer(row)?] == *name);
            effect.after += u32::from(new.classes()[after.answer(row)?] == *name);
        }
    }
    Ok((effect.held_out > 0).then_some(effect))
}

struct Side<'a> {
    samples: Samples<'a>,
    classes: usize,
}

impl<'a> Side<'a> {
    fn new(cache: &'a FeatureCache) -> Result<Self, Problem> {
        let samples = Samples::new(cache.features(), cache.labels(), cache.feature_len())?;
        Ok(Self { samples, classes: cache.classes().len() })
    }

    /// The head of all samples but these.
    fn without(
        &self,
        cache: &FeatureCache,
        held: &[crate::samples::SampleId],
    ) -> Result<Answers, Problem> {
        let held: std::collections::HashSet<_> = held.iter().collect();
        let ids = (0_u32..).zip(cache.ids());
        let rest: Vec<u32> = ids.filter(|(_, id)| !held.contains(id)).map(|(at, _)| at).collect();
        let samples = self.samples.select(&rest)?;
        let features = samples.feature_len();
        let mut scratch = vec![0.0; ridge::scratch_len(rest.len(), features, self.classes)?];
        let mut head =
            Answers { weights: vec![0.0; self.classes * features], bias: vec![0.0; self.classes] };
        let penalty = ridge::PENALTY;
        ridge::train(samples, penalty, &mut head.weights, &mut head.bias, &mut scratch)?;
        Ok(head)
    }
}

struct Answers {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Answers {
    fn answer(&self, row: &[i8]) -> Result<usize, Problem> {
        let mut logits = vec![0.0; self.bias.len()];
        LinearHead::new(&self.weights, &self.bias, row.len())?.logits(row, &mut logits)?;
        Ok(argmax(&logits))
    }
}
