//! A tail that answers for a sample.

use headstart::head::calibrate::HeldOut;
use headstart::head::{Random, Samples};
use headstart::tail::training::Settings;

use super::TailOptions;
use super::descent::{Changes, Epoch, Lesson, descend, plain, second_step};
use super::progress::Kept;
use super::run::{Certainty, Run};
use super::task::Task;
use crate::Head;
use crate::engine::{Backend, TailTrainer};
use crate::state::FeatureCache;
use crate::training::TrainingProblem;

/// A class for each sample.
pub(super) struct OfSamples<'a> {
    run: &'a Run<'a>,
    train: Vec<usize>,
    held: Held,
    views: Views<'a>,
}

impl<'a> OfSamples<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
        let (train, held) = split(run.cache, run.options);
        Self { run, train, held: Held::new(held, run.cache), views: Views::new(run.cache) }
    }

    fn trainer(
        &self,
        backend: Backend,
        settings: Settings,
    ) -> Result<Box<dyn TailTrainer>, TrainingProblem> {
        let counts = || self.run.cache.counts().iter().map(|&n| f64::from(n)).collect();
        self.run.trainer(backend, settings, None, counts)
    }

    /// Of what is held out.
    fn logits(&self, trainer: &dyn TailTrainer) -> Result<Vec<f32>, TrainingProblem> {
        let samples = &self.held.samples;
        let mut logits = Vec::with_capacity(samples.len() * self.run.cache.classes().len());
        let features = self.run.cache.feature_len();
        for batch in samples.chunks(self.run.options.batch) {
            let mut inputs = vec![Vec::new(); self.run.tail.graph.inputs.len()];
            for &sample in batch {
                let row = &self.run.cache.features()[sample * features..][..features];
                self.run.append(&mut inputs, row, None)?;
            }
            logits.extend(trainer.logits(&inputs, batch.len())?);
        }
        Ok(logits)
    }

    fn certainty(&self, logits: &[f32]) -> Result<Certainty, TrainingProblem> {
        let (mut temperature, mut unknown_threshold, mut held_out) = (1.0, 0.0, None);
        if !logits.is_empty() {
            let measured = self.held.measure(logits)?;
            (temperature, _) = measured.temperature();
            let count = self.held.samples.len();
            let mut memory = vec![0.0; count + self.held.classes];
            unknown_threshold = measured.unknown_threshold(temperature, &mut memory)?;
            held_out = Some((measured.correct(), count as u32));
        }
        Ok(Certainty { temperature, unknown_threshold, held_out })
    }
}

impl Task for OfSamples<'_> {
    fn held(&self) -> &[usize] {
        &self.held.samples
    }

    fn learn(
        &self,
        backend: Backend,
        kept: Kept<'_>,
        epoch: Epoch<'_>,
    ) -> Result<Vec<u8>, TrainingProblem> {
        let trainer = self.trainer(backend, self.run.options.settings())?;
        let (learned, logits) = descend(self, trainer, &self.train, self.run.options, kept, epoch)?;
        let certainty = self.certainty(&logits.unwrap_or_default())?;
        self.run.write(learned, &self.run.cache.counts(), certainty)
    }

    fn changes(&self, backend: Backend) -> Result<Changes, TrainingProblem> {
        let trainer = self.trainer(backend, plain(self.run.options.settings()))?;
        second_step(self, trainer, &self.train, self.run.options)
    }

    fn right(&self, head: &Head, samples: &[usize]) -> Result<(u32, u32), TrainingProblem> {
        let cache = self.run.cache;
        let mut right = 0;
        for &sample in samples {
            let row = &cache.features()[sample * cache.feature_len()..][..cache.feature_len()];
            right += u32::from(head.answer(row)?.class == usize::from(cache.labels()[sample]));
        }
        Ok((right, samples.len() as u32))
    }

    fn independent(&self, answers: u32, _: usize) -> usize {
        answers as usize
    }
}

impl Lesson for OfSamples<'_> {
    /// Logits of what is held out.
    type Measured = Vec<f32>;

    fn step(
        &self,
        trainer: &mut dyn TailTrainer,
        batch: &[usize],
        rate: f32,
        random: &mut Random,
    ) -> Result<f32, TrainingProblem> {
        let run = self.run;
        let mut inputs = vec![Vec::new(); run.tail.graph.inputs.len()];
        let mut labels = Vec::with_capacity(batch.len());
        for &sample in batch {
            let row = self.views.any(sample, random);
            run.append(&mut inputs, row, Some((run.options.augment, random)))?;
            labels.push(run.cache.labels()[sample]);
        }
        trainer.step(&inputs, &labels, rate)
    }

    fn measure(
        &self,
        trainer: &dyn TailTrainer,
    ) -> Result<Option<(f64, Vec<f32>)>, TrainingProblem> {
        if self.held.samples.is_empty() {
            return Ok(None);
        }
        let logits = self.logits(trainer)?;
        // Training that diverges ends with the best before it.
        let diverged = !logits.iter().all(|logit| logit.is_finite());
        let loss = if diverged { f32::INFINITY } else { self.held.measure(&logits)?.mean_loss() };
        Ok(Some((loss.into(), logits)))
    }
}

/// Samples to learn from, and samples to measure on: the same part of each class that can spare it.
pub(super) fn split(cache: &FeatureCache, options: &TailOptions) -> (Vec<usize>, Vec<usize>) {
    let mut random = Random::new(options.seed);
    let (mut train, mut held) = (Vec::new(), Vec::new());
    for class in 0..cache.classes().len() {
        let labels = cache.labels().iter().enumerate();
        let mut members: Vec<usize> =
            labels.filter(|(_, l)| usize::from(**l) == class).map(|(at, _)| at).collect();
        random.shuffle(&mut members);
        let spared = members.len() * usize::from(options.held_out) / 100;
        held.extend(members.drain(..spared));
        train.extend(members);
    }
    (train, held)
}

/// Samples that are not learned from, to measure on.
struct Held {
    samples: Vec<usize>,
    labels: Vec<u16>,
    /// Stand for features: only the labels count.
    stand_ins: Vec<i8>,
    classes: usize,
}

impl Held {
    fn new(samples: Vec<usize>, cache: &FeatureCache) -> Self {
        let labels: Vec<u16> = samples.iter().map(|&at| cache.labels()[at]).collect();
        Self { stand_ins: vec![0; labels.len()], labels, samples, classes: cache.classes().len() }
    }

    fn measure<'a>(&'a self, logits: &'a [f32]) -> Result<HeldOut<'a>, headstart::Error> {
        HeldOut::new(logits, Samples::new(&self.stand_ins, &self.labels, 1)?, self.classes)
    }
}

/// All rows that show each sample.
struct Views<'a> {
    cache: &'a FeatureCache,
    again: Vec<i8>,
    of: Vec<Vec<usize>>,
}

impl<'a> Views<'a> {
    fn new(cache: &'a FeatureCache) -> Self {
        let (again, owners) = cache.again();
        let mut of = vec![Vec::new(); cache.len()];
        owners.iter().enumerate().for_each(|(row, &owner)| of[owner as usize].push(row));
        Self { cache, again, of }
    }

    /// One of a sample's rows.
    fn any(&self, sample: usize, random: &mut Random) -> &[i8] {
        let features = self.cache.feature_len();
        let chosen = random.below(1 + self.of[sample].len() as u32) as usize;
        match chosen.checked_sub(1) {
            None => &self.cache.features()[sample * features..][..features],
            Some(view) => &self.again[self.of[sample][view] * features..][..features],
        }
    }
}
