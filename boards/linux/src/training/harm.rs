//! Whether an update makes what was known before worse.
//!
//! Every sample that was there before is held out once. Two heads are learned without it, one from the
//! samples before and one from those after the update, and both answer it. So nothing has to be kept
//! from learning, and a bad update shows in the answers to samples that it did not bring. The heads are
//! ridge heads, whatever the learner: they take a tenth of its time.
//!
//! Few samples tell a lost point badly if answers are only counted. So each pair of answers is compared by
//! `σ(m / 2t)`: how far the right logit leads the best other one, `m`, at the temperature `t` that held-out loss chose
//! for each of the two heads. The mean of the differences is the loss, their spread its standard error. Beside it stands
//! what is known of the update itself: how surely the head before contradicts its labels, and how far its features lie
//! from all that was known. A loss alone, or one that contradiction explains, is harm.
//!
//! The limits were set on 230 updates of hand signs (`examples/harm.rs`, seeds from 1000) and measured on others.

use std::collections::HashSet;

use headstart::head::calibrate::HeldOut;
use headstart::head::{LinearHead, Samples, argmax, ridge, softmax};

use crate::samples::SampleId;
use crate::state::{FeatureCache, Problem};

/// Parts of the samples before, each held out once.
const PARTS: usize = 4;
/// With more samples before, only the first parts are held out.
const FEW: usize = 1200;
/// The most that may be lost among the classes that were known before, as a part of the answers.
pub const MARGIN: f64 = 0.06;
/// The right answers that new classes may cost: telling more classes apart is harder.
pub const MARGIN_OF_NEW_CLASSES: f64 = 0.05;
/// So many points of contradiction weigh as one point that was lost.
const CONTRADICTION_WEIGHT: f64 = 0.2;
/// Updates of one in so many samples before, or more, are held to all of their contradiction.
const FULL_SHARE: f64 = 3.0;
/// The most of both together.
const MARGIN_OF_BOTH: f64 = 0.095;
/// A class whose new labels are contradicted so surely, and whose own samples lose so much, was taken over.
const CLASS_CONTRADICTION: f64 = 0.65;
const CLASS_LOSS: f64 = 0.15;
/// New samples so many times as far from the mean of the known ones as these are, which teach less than
/// a point and are contradicted by more than ten: a covered or broken camera.
const STRANGENESS: f64 = 3.0;
const STRANGE_GAIN: f64 = 0.01;
const STRANGE_CONTRADICTION: f64 = 0.1;
/// A class is judged by so many samples at least.
const CLASS_SAMPLES: u32 = 3;

/// What an update did to samples that were known before, and what it is itself.
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
    /// What these answers lost, as a part of them, each weighed by how sure it is; below 0 for a gain.
    pub loss: f64,
    /// The loss's standard error.
    pub error: f64,
    /// The same loss in the class that lost most.
    pub class_loss: f64,
    /// Labels that the update brought for known classes, new samples and corrections.
    pub new: u32,
    /// Those that the head before agrees with.
    pub agreed: u32,
    /// What these labels can do: 1 where they are a third of the samples before or more, less in proportion.
    pub share: f64,
    /// By how much the head before prefers another class to these labels, as probability, beyond what it does on
    /// samples that it was not learned from.
    pub contradiction: f64,
    /// The same in the class that it contradicts most.
    pub class_contradiction: f64,
    /// Mean square distance of the new samples from the mean of the known ones, in units of what that is for these.
    pub strangeness: f64,
}

/// Why an update is harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// What was known is answered worse.
    Loss,
    /// New classes take over too many answers.
    NewClasses,
    /// Labels that the head before contradicts make what was known worse.
    Labels,
    /// A class whose labels are contradicted loses its own samples.
    Class,
    /// The samples look like nothing that was known, and teach nothing about it.
    Strange,
}

impl Effect {
    /// What the limits above say; `None` for an update that does no harm.
    pub fn harm(&self) -> Option<Harm> {
        let lost = if (0.0..self.error).contains(&self.loss) { 0.0 } else { self.loss };
        let answers = (f64::from(self.before) - f64::from(self.after)) / f64::from(self.held_out);
        let contradicted = self.share * self.contradiction.max(0.0);
        let new_classes = self.after < self.after_among_known;
        if lost > MARGIN {
            Some(Harm::Loss)
        } else if lost + CONTRADICTION_WEIGHT * contradicted > MARGIN_OF_BOTH {
            Some(Harm::Labels)
        } else if self.class_contradiction > CLASS_CONTRADICTION && self.class_loss > CLASS_LOSS {
            Some(Harm::Class)
        } else if self.strangeness > STRANGENESS
            && self.contradiction > STRANGE_CONTRADICTION
            && self.loss > -STRANGE_GAIN
        {
            Some(Harm::Strange)
        } else {
            (new_classes && answers > MARGIN_OF_NEW_CLASSES).then_some(Harm::NewClasses)
        }
    }
}

/// Measures what the step from `old` to `new` does; `None` where no sample can be held out. Both are in their
/// order ([`FeatureCache::sort`]). A sample whose class the update changes is not asked for, but its new label is
/// one that the update brings.
///
/// # Errors
/// [`Problem::Training`].
pub fn effect(old: &FeatureCache, new: &FeatureCache) -> Result<Option<Effect>, Problem> {
    let (old_side, new_side) = (Side::new(old)?, Side::new(new)?);
    let place = |name: &String| new.classes().iter().position(|other| other == name);
    let Some(places) = old.classes().iter().map(place).collect::<Option<Vec<usize>>>() else {
        return Ok(None);
    };
    let mut effect = Effect::default();
    let (mut before, mut after) = (Answers::new(old), Answers::new(old));
    // Logits of the head before, and the label that the update gives.
    let mut brought = Answers::new(old);
    for part in parts(old, new) {
        let held: HashSet<SampleId> = part.iter().map(|&at| old.ids()[at]).collect();
        let head_before = old_side.without(old, &held)?;
        let head_after = new_side.without(new, &held)?;
        for at in part {
            let (row, label) = (old_side.samples.row(at), usize::from(old.labels()[at]));
            let logits = head_before.logits(row)?;
            let name = new.name_of(&old.ids()[at]).unwrap_or_default();
            if name != old.classes()[label] {
                if let Some(label) = old.classes().iter().position(|other| other == name) {
                    brought.push(&logits, label);
                }
                continue;
            }
            before.push(&logits, label);
            let logits = head_after.logits(row)?;
            effect.after += u32::from(argmax(&logits) == places[label]);
            let known: Vec<f32> = places.iter().map(|&place| logits[place]).collect();
            after.push(&known, label);
        }
    }
    if before.labels.is_empty() {
        return Ok(None);
    }
    effect.held_out = before.labels.len() as u32;
    (effect.before, effect.after_among_known) = (before.right(), after.right());
    let (cold, warm) = (before.temperature()?, after.temperature()?);

    let sure =
        |answers: &Answers, t| answers.iter().map(|(l, c)| lead(l, c, t)).collect::<Vec<_>>();
    let pairs = sure(&before, cold).into_iter().zip(sure(&after, warm));
    let losses: Vec<f64> = pairs.map(|(before, after)| before - after).collect();
    let count = losses.len() as f64;
    effect.loss = losses.iter().sum::<f64>() / count;
    let spread = losses.iter().map(|loss| (loss - effect.loss).powi(2)).sum::<f64>() / count;
    effect.error = (spread / count).sqrt();
    effect.class_loss = by_class(&before.labels, &losses, old.classes().len())
        .into_iter()
        .flatten()
        .fold(0.0, f64::max);

    let all = old_side.without(old, &HashSet::new())?;
    let mut fresh = Vec::new();
    for (at, id) in new.ids().iter().enumerate() {
        let name = &new.classes()[usize::from(new.labels()[at])];
        let label = old.classes().iter().position(|other| other == name);
        if let (Some(label), false) = (label, old.contains(id)) {
            brought.push(&all.logits(new_side.samples.row(at))?, label);
            fresh.push(at);
        }
    }
    if !brought.labels.is_empty() {
        (effect.new, effect.agreed) = (brought.labels.len() as u32, brought.right());
        effect.share = (FULL_SHARE * f64::from(effect.new) / old.len() as f64).min(1.0);
        let prefers = |answers: &Answers| {
            let each = answers.iter().map(|(logits, label)| preference(logits, label, cold));
            each.collect::<Vec<_>>()
        };
        let (usual, found) = (prefers(&before), prefers(&brought));
        effect.contradiction = mean(&found) - mean(&usual);
        let classes = old.classes().len();
        let usual = by_class(&before.labels, &usual, classes);
        let found = by_class(&brought.labels, &found, classes);
        effect.class_contradiction = found
            .into_iter()
            .zip(usual)
            .filter_map(|(found, usual)| Some(found? - usual?))
            .fold(0.0, f64::max);
    }
    if !fresh.is_empty() {
        effect.strangeness = old_side.strangeness(&new_side, &fresh);
    }
    Ok(Some(effect))
}

/// Samples before, in parts to hold out: those that the update leaves or gives another class. A class
/// keeps at least one to learn from.
fn parts(old: &FeatureCache, new: &FeatureCache) -> Vec<Vec<usize>> {
    let mut counts = vec![0; old.classes().len()];
    let mut parts = vec![Vec::new(); PARTS];
    for (at, (id, &label)) in old.ids().iter().zip(old.labels()).enumerate() {
        let place = &mut counts[usize::from(label)];
        if old.counts()[usize::from(label)] > 1 && new.contains(id) {
            parts[*place % PARTS].push(at);
        }
        *place += 1;
    }
    parts.truncate(if old.len() <= FEW { PARTS } else { 1 });
    parts.retain(|part| !part.is_empty());
    parts
}

/// `σ` of half the lead of the right logit over the best other one, at a temperature.
fn lead(logits: &[f32], label: usize, temperature: f32) -> f64 {
    let others = logits.iter().enumerate().filter(|(class, _)| *class != label);
    let best = others.map(|(_, logit)| *logit).fold(f32::NEG_INFINITY, f32::max);
    1.0 / (1.0 + (-f64::from((logits[label] - best) / (2.0 * temperature))).exp())
}

/// The best probability less the label's.
fn preference(logits: &[f32], label: usize, temperature: f32) -> f64 {
    let mut probabilities = logits.to_vec();
    softmax(&mut probabilities, temperature);
    f64::from(probabilities[argmax(&probabilities)] - probabilities[label])
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The mean of each class that has enough samples.
fn by_class(labels: &[u16], numbers: &[f64], classes: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_u32); classes];
    for (&label, number) in labels.iter().zip(numbers) {
        let (sum, count) = &mut sums[usize::from(label)];
        (*sum, *count) = (*sum + number, *count + 1);
    }
    let means = sums.into_iter();
    means.map(|(sum, count)| (count >= CLASS_SAMPLES).then(|| sum / f64::from(count))).collect()
}

/// Logits in the order of the classes before, and labels.
struct Answers {
    classes: usize,
    logits: Vec<f32>,
    labels: Vec<u16>,
}

impl Answers {
    fn new(old: &FeatureCache) -> Self {
        Self { classes: old.classes().len(), logits: Vec::new(), labels: Vec::new() }
    }

    fn push(&mut self, logits: &[f32], label: usize) {
        self.logits.extend(logits);
        self.labels.push(label as u16);
    }

    fn iter(&self) -> impl Iterator<Item = (&[f32], usize)> {
        let labels = self.labels.iter().map(|&label| usize::from(label));
        self.logits.chunks_exact(self.classes).zip(labels)
    }

    fn right(&self) -> u32 {
        self.iter().map(|(logits, label)| u32::from(argmax(logits) == label)).sum()
    }

    /// That of least held-out loss.
    fn temperature(&self) -> Result<f32, Problem> {
        // Only the labels count.
        let rows = vec![0; self.labels.len()];
        let samples = Samples::new(&rows, &self.labels, 1)?;
        Ok(HeldOut::new(&self.logits, samples, self.classes)?.temperature().0)
    }
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
    fn without(&self, cache: &FeatureCache, held: &HashSet<SampleId>) -> Result<Ridge, Problem> {
        let ids = (0_u32..).zip(cache.ids());
        let rest: Vec<u32> = ids.filter(|(_, id)| !held.contains(*id)).map(|(at, _)| at).collect();
        let samples = self.samples.select(&rest)?;
        let features = samples.feature_len();
        let mut scratch = vec![0.0; ridge::scratch_len(rest.len(), features, self.classes)?];
        let mut head =
            Ridge { weights: vec![0.0; self.classes * features], bias: vec![0.0; self.classes] };
        let penalty = ridge::PENALTY;
        ridge::train(samples, penalty, &mut head.weights, &mut head.bias, &mut scratch)?;
        Ok(head)
    }

    /// Mean square distance of these samples of `other` from this side's mean, each feature in units of its
    /// spread here (or of one step of int8, if that is more), as a multiple of this side's own.
    fn strangeness(&self, other: &Self, fresh: &[usize]) -> f64 {
        let (count, features) = (self.samples.len() as f64, self.samples.feature_len());
        let (mut means, mut spreads) = (vec![0.0; features], vec![0.0; features]);
        for at in 0..self.samples.len() {
            for ((mean, spread), &q) in means.iter_mut().zip(&mut spreads).zip(self.samples.row(at))
            {
                *mean += f64::from(q) / count;
                *spread += f64::from(q).powi(2) / count;
            }
        }
        for (spread, mean) in spreads.iter_mut().zip(&means) {
            *spread = (*spread - mean * mean).max(0.0) + 1.0;
        }
        let distance = |row: &[i8]| {
            let each = row.iter().zip(&means).zip(&spreads);
            each.map(|((&q, mean), spread)| (f64::from(q) - mean).powi(2) / spread).sum::<f64>()
        };
        let own = (0..self.samples.len()).map(|at| distance(self.samples.row(at))).sum::<f64>();
        let found = fresh.iter().map(|&at| distance(other.samples.row(at))).sum::<f64>();
        // No distance at all where every known sample is the same.
        if own > 0.0 { found / fresh.len() as f64 / (own / count) } else { 0.0 }
    }
}

struct Ridge {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Ridge {
    fn logits(&self, row: &[i8]) -> Result<Vec<f32>, Problem> {
        let mut logits = vec![0.0; self.bias.len()];
        LinearHead::new(&self.weights, &self.bias, row.len())?.logits(row, &mut logits)?;
        Ok(logits)
    }
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    const FEATURES: usize = 16;
    const CLASSES: usize = 3;

    /// Samples around a mean of each class; `label` and `row` say what becomes of them.
    fn add(
        cache: &mut FeatureCache,
        first: u8,
        count: u8,
        label: impl Fn(usize) -> usize,
        row: impl Fn(Vec<i8>) -> Vec<i8>,
    ) {
        let mut random = Random::new(u64::from(first));
        let names = ["cup", "jar", "mug"];
        for sample in 0..count {
            let class = usize::from(sample) % CLASSES;
            let features = (0..FEATURES).map(|at| {
                let mean = if at % CLASSES == class { 40 } else { -20 };
                mean + random.below(41) as i8 - 20
            });
            let features = row(features.collect());
            let place = cache.class(names[label(class)]).unwrap();
            cache.insert([first + sample; 16], place, &features);
        }
    }

    /// The effect of 30 samples on 36.
    fn of(label: impl Fn(usize) -> usize, row: impl Fn(Vec<i8>) -> Vec<i8>) -> Effect {
        let mut old = FeatureCache::new(FEATURES);
        add(&mut old, 0, 36, |class| class, |row| row);
        let mut new = old.clone();
        add(&mut new, 100, 30, label, row);
        old.sort();
        new.sort();
        effect(&old, &new).unwrap().unwrap()
    }

    #[test]
    fn right_labels_pass_and_wrong_ones_are_contradicted() {
        let right = of(|class| class, |row| row);
        assert_eq!((right.harm(), right.held_out, right.new, right.agreed), (None, 36, 30, 30));
        assert!(right.contradiction.abs() < 0.1, "{right:?}");
        assert!((0.5..2.0).contains(&right.strangeness), "{right:?}");
        let wrong = of(|class| (class + 1) % CLASSES, |row| row);
        assert_eq!((wrong.agreed, wrong.harm().is_some()), (0, true), "{wrong:?}");
        assert!(wrong.contradiction > 0.5, "{wrong:?}");
        let flood = of(|_| 1, |row| row);
        assert!(flood.harm().is_some(), "{flood:?}");
    }

    #[test]
    fn a_covered_camera_lies_far_out_and_does_not_pass() {
        let covered = of(|class| class, |row| vec![-128; row.len()]);
        assert!(covered.strangeness > STRANGENESS && covered.harm().is_some(), "{covered:?}");
    }

    #[test]
    fn a_corrected_label_counts_as_one_that_was_brought() {
        let mut old = FeatureCache::new(FEATURES);
        add(&mut old, 0, 36, |class| class, |row| row);
        let mut new = old.clone();
        new.label(&[0; 16], 1).unwrap();
        old.sort();
        new.sort();
        let effect = effect(&old, &new).unwrap().unwrap();
        assert_eq!((effect.held_out, effect.new, effect.agreed), (35, 1, 0));
    }

    #[test]
    fn each_limit_has_its_reason() {
        let fine = Effect {
            held_out: 100,
            before: 90,
            after: 90,
            after_among_known: 90,
            share: 1.0,
            ..Default::default()
        };
        let cases = [
            (fine, None),
            (Effect { loss: 0.07, error: 0.01, ..fine }, Some(Harm::Loss)),
            // No more than chance.
            (Effect { loss: 0.07, error: 0.08, ..fine }, None),
            (Effect { loss: 0.05, contradiction: 0.3, ..fine }, Some(Harm::Labels)),
            (Effect { loss: -0.05, contradiction: 0.3, ..fine }, None),
            (Effect { loss: 0.05, contradiction: 0.3, share: 0.2, ..fine }, None),
            (Effect { class_loss: 0.2, class_contradiction: 0.8, ..fine }, Some(Harm::Class)),
            (Effect { strangeness: 4.0, contradiction: 0.2, ..fine }, Some(Harm::Strange)),
            (Effect { strangeness: 4.0, contradiction: 0.2, loss: -0.02, ..fine }, None),
            (Effect { after: 84, ..fine }, Some(Harm::NewClasses)),
        ];
        for (effect, harm) in cases {
            assert_eq!(effect.harm(), harm, "{effect:?}");
        }
    }
}
