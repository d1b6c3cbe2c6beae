//! What was known before, asked for what an update does to it.

use std::collections::{HashMap, HashSet};

use headstart::head::argmax;

use super::answers::{Answers, by_class, by_class_weighed, lead, mean, preference};
use super::effect::{DOUBTFUL, Effect};
use super::heavy::Heavy;
use super::parts::{PARTS, in_parts};
use super::rest::Rest;
use super::side::Side;
use crate::samples::SampleId;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;
use crate::training::known::{Known, Linear};
use crate::training::many;

/// With more samples before, only the first parts are held out.
const FEW: usize = 1200;
/// So many parts of fewer samples that are many already.
const PARTS_OF_MANY: usize = 2;

/// The samples before, and heads of them.
pub(super) struct Before<'a> {
    cache: &'a FeatureCache,
    side: Side<'a>,
    /// Bytes that learning a head may take.
    memory: usize,
    parts: Vec<Part>,
    /// The head of all of them; of many that of the first part, which is nearly the same.
    whole: Option<Linear>,
    many: bool,
}

/// Samples to hold out, and the head of all others.
struct Part {
    places: Vec<usize>,
    head: Linear,
    /// Of many samples the sums that the head follows from, where there is memory to keep them.
    sums: Option<Known>,
}

/// How often the memory that learning a head takes must be there for sums to be kept beside it.
const KEPT: usize = 4;

/// New samples of known classes, and by how much the head before prefers other classes to theirs.
pub(super) type Doubts = Vec<(SampleId, f64)>;

impl<'a> Before<'a> {
    /// For updates that leave the same samples as `new`; `None` where none of them can be held out.
    pub(super) fn new(
        cache: &'a FeatureCache,
        new: &FeatureCache,
        memory: usize,
    ) -> Result<Option<Self>, TrainingProblem> {
        let features = cache.feature_len();
        // The classes after are known only when all is settled: twice as many is more than enough memory.
        let most = many::bytes(features, 2 * new.classes().len().max(cache.classes().len()))?;
        let many = many::are_many(cache.len(), features) && most <= memory;
        let side = Side::new(cache, memory, many)?;
        let mut parts = Vec::new();
        for places in held_out(cache, new, many) {
            let rest = Rest::new(cache, &side, &ids(cache, &places));
            let (sums, head) = match many && most.saturating_mul(KEPT) <= memory {
                true => rest.sums().map(|(sums, head)| (Some(sums), head))?,
                false => (None, rest.head()?),
            };
            parts.push(Part { places, head, sums });
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let all = || Rest::new(cache, &side, &HashSet::new()).head();
        let whole = (!many).then(all).transpose()?;
        Ok(Some(Self { cache, side, memory, parts, whole, many }))
    }

    /// What the step to `new` does; `None` where it leaves no label to compare with. A sample whose class the update
    /// changes is not asked for, but its new label is one that the update brings.
    pub(super) fn measure(
        &self,
        new: &FeatureCache,
    ) -> Result<Option<(Effect, Doubts)>, TrainingProblem> {
        let old = self.cache;
        let new_side = Side::new(new, self.memory, self.many)?;
        let place = |name: &String| new.classes().iter().position(|other| other == name);
        let Some(places) = old.classes().iter().map(place).collect::<Option<Vec<usize>>>() else {
            return Ok(None);
        };
        let mut effect = Effect { known: old.len() as u32, ..Effect::default() };
        let (mut before, mut after) = (Answers::new(old), Answers::new(old));
        // Logits of the head before, and the label that the update gives.
        let mut brought = Answers::new(old);
        let heavy = Heavy::new(old, new);
        let (mut heavy_before, mut heavy_after) = (Answers::new(old), Answers::new(old));
        let mut known_weights = Vec::new();
        let class_of: HashMap<&str, usize> =
            old.classes().iter().map(String::as_str).zip(0..).collect();
        for (at, own) in self.parts.iter().enumerate() {
            let (part, head_before) = (&own.places, &own.head);
            let of_heavy = &heavy.parts[at];
            let held = ids(old, part);
            let known = Rest::new(old, &self.side, &held);
            let rest =
                Rest::new(new, &new_side, &held.into_iter().chain(ids(new, of_heavy)).collect());
            let head_after = match &own.sums {
                Some(sums) => rest.head_after(&known, sums)?,
                None => rest.head()?,
            };
            let answers_before = self.side.answers(head_before, part)?;
            let answers_after = self.side.answers(&head_after, part)?;
            let each = answers_before.chunks_exact(old.classes().len());
            let each = each.zip(answers_after.chunks_exact(new.classes().len()));
            for (&at, (logits, logits_after)) in part.iter().zip(each) {
                let label = usize::from(old.labels()[at]);
                let name = new.name_of(&old.ids()[at]).unwrap_or_default();
                if name != old.classes()[label] {
                    if let Some(&label) = class_of.get(name) {
                        brought.push(logits, label);
                    }
                    continue;
                }
                before.push(logits, label);
                effect.after += u32::from(argmax(logits_after) == places[label]);
                after.push(&chosen(logits_after, &places), label);
                known_weights.push(f64::from(new.weight(&old.ids()[at])));
            }
            let answers_before = new_side.answers(head_before, of_heavy)?;
            let answers_after = new_side.answers(&head_after, of_heavy)?;
            let each = answers_before.chunks_exact(old.classes().len());
            let each = each.zip(answers_after.chunks_exact(new.classes().len()));
            for (&at, (logits, logits_after)) in of_heavy.iter().zip(each) {
                let label = class_of[new.classes()[usize::from(new.labels()[at])].as_str()];
                heavy_before.push(logits, label);
                heavy_after.push(&chosen(logits_after, &places), label);
            }
        }
        if before.labels.is_empty() {
            return Ok(None);
        }
        let (temperature, warm) = (before.temperature()?, after.temperature()?);
        losses(&mut effect, &before, temperature, &after, warm);
        if let Some(weights) = &heavy.weights {
            effect.counted = Some((weights.new, weights.known));
            let known = lost(&before, temperature, &after, warm);
            let of_heavy = lost(&heavy_before, temperature, &heavy_after, warm);
            let both = heavy.balance(&known_weights, of_heavy.len());
            let labels = [&before.labels[..], &heavy_before.labels].concat();
            weigh(&mut effect, &labels, &[known, of_heavy].concat(), &both, before.classes);
        }

        let (mut fresh, mut labels_of_fresh) = (Vec::new(), Vec::new());
        for (at, id) in new.ids().iter().enumerate().filter(|(_, id)| !old.contains(id)) {
            let name = new.classes()[usize::from(new.labels()[at])].as_str();
            if let Some(&label) = class_of.get(name) {
                fresh.push((at, *id));
                labels_of_fresh.push(label);
            }
        }
        let (fresh, ids): (Vec<usize>, Vec<SampleId>) = fresh.into_iter().unzip();
        let whole = self.whole.as_ref().or(self.parts.first().map(|part| &part.head));
        let answers = whole.map(|whole| new_side.answers(whole, &fresh)).transpose()?;
        let answers = answers.unwrap_or_default();
        let mut doubts = Vec::new();
        let each = answers.chunks_exact(old.classes().len()).zip(labels_of_fresh).zip(ids);
        for ((logits, label), id) in each {
            doubts.push((id, preference(logits, label, temperature)));
            brought.push(logits, label);
        }
        if !brought.labels.is_empty() {
            labels(&mut effect, &before, &brought, temperature);
        }
        if !fresh.is_empty() {
            effect.strangeness = self.side.strangeness(&new_side, &fresh);
        }
        Ok(Some((effect, doubts)))
    }
}

/// What known samples are answered before and after, each at its own temperature.
pub(super) fn losses(effect: &mut Effect, before: &Answers, cold: f32, after: &Answers, warm: f32) {
    effect.held_out = before.labels.len() as u32;
    (effect.before, effect.after_among_known) = (before.right(), after.right());
    let losses = lost(before, cold, after, warm);
    weigh(effect, &before.labels, &losses, &vec![1.0; losses.len()], before.classes);
}

/// What each answer lost.
fn lost(before: &Answers, cold: f32, after: &Answers, warm: f32) -> Vec<f64> {
    let sure =
        |answers: &Answers, t| answers.iter().map(|(l, c)| lead(l, c, t)).collect::<Vec<_>>();
    let pairs = sure(before, cold).into_iter().zip(sure(after, warm));
    pairs.map(|(before, after)| before - after).collect()
}

/// The loss of answers that weigh so much.
fn weigh(effect: &mut Effect, labels: &[u16], losses: &[f64], weights: &[f64], classes: usize) {
    let all = weights.iter().sum::<f64>();
    let each = || losses.iter().zip(weights);
    effect.loss = each().map(|(loss, weight)| weight * loss).sum::<f64>() / all;
    let squares = each().map(|(loss, weight)| (weight * (loss - effect.loss)).powi(2));
    effect.error = squares.sum::<f64>().sqrt() / all;
    let of_classes = by_class_weighed(labels, losses, weights, classes).into_iter().flatten();
    effect.class_loss = of_classes.fold(0.0, f64::max);
}

/// The logits of the classes before.
fn chosen(logits: &[f32], places: &[usize]) -> Vec<f32> {
    places.iter().map(|&place| logits[place]).collect()
}

/// What the head before says of the labels that the update brings, of which there are some.
fn labels(effect: &mut Effect, before: &Answers, brought: &Answers, temperature: f32) {
    (effect.new, effect.agreed) = (brought.labels.len() as u32, brought.right());
    effect.given = effect.new;
    let prefers = |answers: &Answers| {
        let each = answers.iter().map(|(logits, label)| preference(logits, label, temperature));
        each.collect::<Vec<_>>()
    };
    let (usual, found) = (prefers(before), prefers(brought));
    effect.contradiction = mean(&found) - mean(&usual);
    let mut doubtful = vec![0_u32; before.classes];
    for (&label, &doubt) in brought.labels.iter().zip(&found) {
        doubtful[usize::from(label)] += u32::from(doubt > DOUBTFUL);
    }
    effect.doubtful = doubtful.iter().sum();
    effect.doubtful_of_one = doubtful.into_iter().max().unwrap_or(0);
    let usual = by_class(&before.labels, &usual, before.classes);
    let found = by_class(&brought.labels, &found, before.classes);
    let more = found.into_iter().zip(usual).filter_map(|(found, usual)| Some(found? - usual?));
    effect.class_contradiction = more.fold(0.0, f64::max);
}

pub(super) fn ids(cache: &FeatureCache, part: &[usize]) -> HashSet<SampleId> {
    part.iter().map(|&at| cache.ids()[at]).collect()
}

/// Samples before, in parts to hold out: those that the update leaves or gives another class. A class
/// keeps at least one to learn from. Of many samples parts are smaller ([`many::step`]).
pub(super) fn held_out(old: &FeatureCache, new: &FeatureCache, many: bool) -> Vec<Vec<usize>> {
    let all = old.counts();
    let step = if many { many::step(old.len()) } else { PARTS };
    let stays = |at: usize, label: usize| all[label] > 1 && new.contains(&old.ids()[at]);
    let mut parts = in_parts(old, step, stays);
    parts.truncate(match old.len() {
        ..=FEW if many => PARTS_OF_MANY,
        ..=FEW => PARTS,
        _ => 1,
    });
    parts.retain(|part| !part.is_empty());
    parts
}
