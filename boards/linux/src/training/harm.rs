//! Whether an update makes what was known before worse.
//!
//! Every sample that was there before is held out once. Two heads are learned without it, one from the
//! samples before and one from those after the update, and both answer it. So nothing has to be kept
//! from learning, and a bad update shows in the answers to samples that it did not bring. The heads are
//! ridge heads, whatever the learner: they take a tenth of its time.

use headstart::head::{LinearHead, Samples, argmax, ridge};

use crate::state::{FeatureCache, Problem};

/// Parts of the samples before, each held out once.
const PARTS: usize = 4;
/// With more samples before, only the first parts are held out.
const FEW: usize = 1200;
/// What an update may cost among the classes that were known before, as a part of the samples that
/// were held out.
pub const MARGIN: f64 = 0.01;
/// What it may cost with its new classes counted: telling more classes apart is harder.
pub const MARGIN_OF_NEW_CLASSES: f64 = 0.05;
/// Labels that the head before contradicts more often than it errs are held against an update that gains
/// nothing: so many points of contradiction weigh as one point that was lost.
const SURPRISE_WEIGHT: f64 = 0.4;
/// The most of both together.
const MARGIN_OF_SURPRISE: f64 = 0.16;

/// What an update did to samples that were known before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effect {
    /// Samples that were held out.
    pub held_out: u32,
    /// Right answers of the head before.
    pub before: u32,
    /// Right answers of the head after.
    pub after: u32,
    /// The same, among the classes that were known before.
    pub after_among_known: u32,
    /// Samples that the update brought for those classes.
    pub new: u32,
    /// Those whose label the head before agrees with.
    pub agreed: u32,
}

impl Effect {
    /// Whether more was lost than the margins allow.
    pub fn is_harm(&self) -> bool {
        let held_out = f64::from(self.held_out);
        let lost = |after: u32| (f64::from(self.before) - f64::from(after)) / held_out;
        let expected = f64::from(self.before) / held_out;
        let surprise = match self.new {
            0 => 0.0,
            new => (expected - f64::from(self.agreed) / f64::from(new)).max(0.0),
        };
        let among_known = lost(self.after_among_known);
        among_known > MARGIN
            || lost(self.after) > MARGIN_OF_NEW_CLASSES
            || among_known + SURPRISE_WEIGHT * surprise > MARGIN_OF_SURPRISE
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
    let mut effect = Effect::default();
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
            let known = |class: usize| old.classes().contains(&new.classes()[class]);
            effect.before += u32::from(old.classes()[before.answer(row, |_| true)?] == *name);
            effect.after += u32::from(new.classes()[after.answer(row, |_| true)?] == *name);
            effect.after_among_known +=
                u32::from(new.classes()[after.answer(row, known)?] == *name);
        }
    }
    let all = old_side.without(old, &[])?;
    for (sample, (id, &label)) in new.ids().iter().zip(new.labels()).enumerate() {
        let name = &new.classes()[usize::from(label)];
        if !old.contains(id) && old.classes().contains(name) {
            let answer = all.answer(new_side.samples.row(sample), |_| true)?;
            effect.new += 1;
            effect.agreed += u32::from(old.classes()[answer] == *name);
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
    /// The best of some classes.
    fn answer(&self, row: &[i8], of: impl Fn(usize) -> bool) -> Result<usize, Problem> {
        let mut logits = vec![0.0; self.bias.len()];
        LinearHead::new(&self.weights, &self.bias, row.len())?.logits(row, &mut logits)?;
        for (class, logit) in logits.iter_mut().enumerate() {
            if !of(class) {
                *logit = f32::NEG_INFINITY;
            }
        }
        Ok(argmax(&logits))
    }
}
