//! A tail that answers a class for each place of a picture.

use headstart::head::Random;
use headstart::tail::training::Settings;

use super::TailOptions;
use super::augment::augmented;
use super::descent::{Changes, Epoch, Lesson, descend, plain, second_step};
use super::masks::Masks;
use super::progress::Kept;
use super::run::{Certainty, Run};
use super::task::Task;
use crate::Head;
use crate::engine::{Backend, TailTrainer};
use crate::state::Augment;
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// Weight of the overlap beside the cross-entropy.
const DICE: f32 = 1.0;

/// A class for each place.
pub(super) struct OfPlaces<'a> {
    run: &'a Run<'a>,
    masks: Masks<'a>,
    train: Vec<usize>,
    held: Vec<usize>,
}

impl<'a> OfPlaces<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Result<Self, TrainingProblem> {
        let map = run.tail.map().ok_or(TrainingProblem::Samples(headstart::Error::BadTail))?;
        let (train, held) = split(run.cache, run.options);
        Ok(Self { run, masks: Masks::new(run.cache, run.pack, map), train, held })
    }

    fn trainer(
        &self,
        backend: Backend,
        settings: Settings,
    ) -> Result<Box<dyn TailTrainer>, TrainingProblem> {
        let shown = || self.masks.shown(&self.train);
        self.run.trainer(backend, settings, Some(DICE), shown)
    }
}

impl Task for OfPlaces<'_> {
    fn held(&self) -> &[usize] {
        &self.held
    }

    fn learn(
        &self,
        backend: Backend,
        kept: Kept<'_>,
        epoch: Epoch<'_>,
    ) -> Result<Vec<u8>, TrainingProblem> {
        let trainer = self.trainer(backend, self.run.options.settings())?;
        let (learned, held_out) =
            descend(self, trainer, &self.train, self.run.options, kept, epoch)?;
        let certainty = Certainty { temperature: 1.0, unknown_threshold: 0.0, held_out };
        self.run.write(learned, &self.masks.counts(), certainty)
    }

    fn changes(&self, backend: Backend) -> Result<Changes, TrainingProblem> {
        let trainer = self.trainer(backend, plain(self.run.options.settings()))?;
        second_step(self, trainer, &self.train, self.run.options)
    }

    /// Places that are answered as most of their pixels are.
    fn right(&self, head: &Head, samples: &[usize]) -> Result<(u32, u32), TrainingProblem> {
        let broken = || TrainingProblem::Samples(headstart::Error::BadTail);
        let (mut right, mut counted) = (0, 0);
        for &sample in samples {
            let answers =
                head.mask(self.masks.features(sample), self.masks.map)?.ok_or_else(broken)?;
            let targets = self.masks.targets(sample, |mask, _| mask.to_vec());
            let rows = answers.classes().iter().zip(targets.chunks_exact(self.masks.classes));
            for (&answer, targets) in rows.filter(|(_, targets)| targets.iter().sum::<f32>() > 0.0)
            {
                right += u32::from(usize::from(answer) == greatest(targets));
                counted += 1;
            }
        }
        Ok((right, counted))
    }

    /// Places of one picture are not independent: pictures are what counts.
    fn independent(&self, _: u32, samples: usize) -> usize {
        samples
    }
}

impl Lesson for OfPlaces<'_> {
    /// Held-out places that are answered as most of their pixels are, and all of them.
    type Measured = (u32, u32);

    fn step(
        &self,
        trainer: &mut dyn TailTrainer,
        batch: &[usize],
        rate: f32,
        random: &mut Random,
    ) -> Result<f32, TrainingProblem> {
        let Self { run, masks, .. } = self;
        let options = run.options;
        let mut inputs = vec![Vec::new(); run.tail.graph.inputs.len()];
        let mut targets = Vec::new();
        for &sample in batch {
            // The mask moves as its picture does.
            let mut twin = random.clone();
            run.append(&mut inputs, masks.features(sample), Some((options.augment, random)))?;
            let augment = Augment { colour: false, ..options.augment };
            targets.extend(masks.targets(sample, |mask, shape| {
                match augment.any() && inputs.len() == 1 {
                    true => augmented(mask, shape, augment, run.levels(), &mut twin),
                    false => mask.to_vec(),
                }
            }));
        }
        trainer.step_towards(&inputs, batch.len(), targets, rate)
    }

    fn measure(
        &self,
        trainer: &dyn TailTrainer,
    ) -> Result<Option<(f64, (u32, u32))>, TrainingProblem> {
        let held = Some(&self.held[..]).filter(|held| !held.is_empty());
        held.map(|held| measure(self.run, &self.masks, trainer, held)).transpose()
    }
}

/// Mean cross-entropy of the places of some pictures; how many are answered as most of their pixels are, and of
/// how many. Training that diverges has an infinite loss.
fn measure(
    run: &Run<'_>,
    masks: &Masks<'_>,
    trainer: &dyn TailTrainer,
    held: &[usize],
) -> Result<(f64, (u32, u32)), TrainingProblem> {
    let (mut loss, mut right, mut counted) = (0.0, 0_u32, 0_u32);
    for batch in held.chunks(run.options.batch) {
        let mut inputs = vec![Vec::new(); run.tail.graph.inputs.len()];
        let mut targets = Vec::new();
        for &sample in batch {
            run.append(&mut inputs, masks.features(sample), None)?;
            targets.extend(masks.targets(sample, |mask, _| mask.to_vec()));
        }
        let logits = trainer.logits(&inputs, batch.len())?;
        let rows = logits.chunks_exact(masks.classes).zip(targets.chunks_exact(masks.classes));
        for (logits, targets) in rows.filter(|(_, targets)| targets.iter().sum::<f32>() > 0.0) {
            let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
            let log = |logit: &f32| f64::from(logit - most) - sum.ln();
            let pairs = logits.iter().zip(targets).filter(|(_, target)| **target > 0.0);
            loss -= pairs.map(|(logit, target)| f64::from(*target) * log(logit)).sum::<f64>();
            right += u32::from(greatest(logits) == greatest(targets));
            counted += 1;
        }
    }
    let mean = loss / f64::from(counted.max(1));
    Ok((if mean.is_finite() { mean } else { f64::INFINITY }, (right, counted.max(1))))
}

/// Pictures to learn from, and pictures to measure on.
fn split(cache: &FeatureCache, options: &TailOptions) -> (Vec<usize>, Vec<usize>) {
    let mut train: Vec<usize> = (0..cache.len()).collect();
    Random::new(options.seed).shuffle(&mut train);
    let spared = train.len() * usize::from(options.held_out) / 100;
    let held = train.split_off(train.len() - spared);
    (train, held)
}

fn greatest(values: &[f32]) -> usize {
    (0..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}
