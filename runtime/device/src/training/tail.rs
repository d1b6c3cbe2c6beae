//! Training the tail of a pack on cached features, through Burn.

use headstart::burn::FloatBackend;
use headstart::burn::backend::{Autodiff, AutodiffBackend, Device};
use headstart::burn::tail::{LastLayer, Optimiser, Settings, TailTrainer};
use headstart::graph::ValueId;
use headstart::head::calibrate::HeldOut;
use headstart::head::{HeadParts, Learner, LinearHead, Random, Samples, Storage};
use headstart::pack::{Pack, TailStorage};
use headstart::tail::{Tail, TailRecord};

use super::TailOptions;
use super::augment::{Augment, Levels, augmented};
pub use super::descent::Step;
use super::descent::{self, Learned, Lesson, descend, failed};
pub use super::progress::Keep;
use super::progress::Kept;
use super::trial::{self, Changes};
use crate::Head;
use crate::backend::{Backend, on_backend};
use crate::state::{FeatureCache, Problem};

/// Trains the tail and a last layer for the cache's classes, and writes their record. `epoch` is told how
/// many are done, and the mean loss of the last one.
///
/// `initial` is the pack's own head: training starts from its last layer. All that is random follows from
/// the seed, so that the same samples give the same record. A training that was killed goes on behind the last epoch that
/// was kept, and gives the record that it would have given.
///
/// # Errors
/// [`Problem::Engine`], [`Problem::EngineMissing`], [`Problem::NoLayer`], [`Problem::Training`], [`Problem::Progress`].
pub fn train(
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    options: &TailOptions,
    keep: Option<Keep<'_>>,
    epoch: impl FnMut(usize, f32),
) -> Result<Vec<u8>, Problem> {
    let tail = Tail::parse(pack)?.ok_or(Problem::Training(headstart::Error::BadTail))?;
    let backend = options.backend.or(Backend::fastest()).ok_or(Problem::EngineMissing)?;
    let kept = Kept::new(keep, cache, pack, options, backend);
    let run = Run { cache, pack, tail, initial, options };
    on_backend!(backend, B, device => run.train::<Autodiff<B>>(device, kept, epoch))
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

/// How many of these samples the head answers as they are labelled, and how many they are.
pub(super) fn right(
    cache: &FeatureCache,
    head: &Head,
    samples: &[usize],
) -> Result<(u32, u32), Problem> {
    let mut right = 0;
    for &sample in samples {
        let row = &cache.features()[sample * cache.feature_len()..][..cache.feature_len()];
        right += u32::from(head.answer(row)?.class == usize::from(cache.labels()[sample]));
    }
    Ok((right, samples.len() as u32))
}

/// The steps that [`train`] takes, a row an epoch, where it is not ended early: another trainer that takes them from the same
/// weights learns the same. Of a sample with several crops, which are drawn in between, they do not tell which.
#[must_use]
pub fn steps(cache: &FeatureCache, options: &TailOptions) -> Vec<Vec<Step>> {
    let (train, _) = split(cache, options);
    (1..=options.epochs).map(|epoch| descent::steps(&train, options, epoch).0).collect()
}

/// See [`trial`].
pub(super) fn changes(run: &Run<'_>, backend: Backend) -> Result<Changes, Problem> {
    on_backend!(backend, B, device => run.second_step::<Autodiff<B>>(device))
}

pub(super) struct Run<'a> {
    pub(super) cache: &'a FeatureCache,
    pub(super) pack: &'a Pack<'a>,
    pub(super) tail: Tail,
    pub(super) initial: Option<&'a Head>,
    pub(super) options: &'a TailOptions,
}

impl Run<'_> {
    fn train<B: FloatBackend + AutodiffBackend>(
        &self,
        device: &Device<B>,
        kept: Kept<'_>,
        epoch: impl FnMut(usize, f32),
    ) -> Result<Vec<u8>, Problem> {
        let trainer = self.trainer::<B>(device, self.settings())?;
        let (whole, train) = self.lesson();
        let (learned, logits) = descend(&whole, trainer, &train, self.options, kept, epoch)?;
        self.record(learned, &whole.held, &logits.unwrap_or_default())
    }

    fn second_step<B: FloatBackend + AutodiffBackend>(
        &self,
        device: &Device<B>,
    ) -> Result<Changes, Problem> {
        let trainer = self.trainer::<B>(device, trial::settings(self.settings()))?;
        let (whole, train) = self.lesson();
        trial::second_step(&whole, trainer, &train, self.options)
    }

    fn trainer<B: FloatBackend + AutodiffBackend>(
        &self,
        device: &Device<B>,
        settings: Settings,
    ) -> Result<TailTrainer<B>, Problem> {
        let (graph, trained) = (&self.tail.graph, self.trained()?);
        let mut trainer = TailTrainer::on(device, graph, &trained, self.last_layer(), settings)
            .map_err(failed)?;
        if self.options.balanced {
            let counts: Vec<f64> = self.cache.counts().iter().map(|&n| f64::from(n)).collect();
            trainer.weigh_classes(&balanced(&counts));
        }
        Ok(trainer)
    }

    /// What is measured on, and the samples to learn from.
    fn lesson(&self) -> (Whole<'_>, Vec<usize>) {
        let (train, held) = split(self.cache, self.options);
        let (held, views) = (Held::new(held, self.cache), Views::new(self.cache));
        (Whole { run: self, held, views }, train)
    }

    pub(super) fn levels(&self) -> Levels {
        let preprocessing = &self.pack.input().preprocessing;
        Levels { mean: preprocessing.mean, std: preprocessing.std }
    }

    pub(super) fn settings(&self) -> Settings {
        let options = self.options;
        Settings {
            optimiser: options.optimiser,
            weight_decay: options.weight_decay,
            clip: options.clip,
            label_smoothing: options.label_smoothing,
        }
    }

    /// The constants that gradients change: what `freeze` does not name, and what `train` names; without `freeze`
    /// what `train` names alone.
    pub(super) fn trained(&self) -> Result<Vec<ValueId>, Problem> {
        let parameters = self.tail.parameters();
        let named = |pattern: &String| {
            let found: Vec<ValueId> =
                parameters.iter().copied().filter(|&id| self.tail.is_named(id, pattern)).collect();
            if found.is_empty() { Err(Problem::NoLayer(pattern.clone())) } else { Ok(found) }
        };
        let all = |patterns: &[String]| -> Result<Vec<ValueId>, Problem> {
            Ok(patterns.iter().map(named).collect::<Result<Vec<_>, _>>()?.concat())
        };
        let (train, freeze) = (&self.options.train, &self.options.freeze);
        let (mut trained, frozen) = (all(train)?, all(freeze)?);
        if train.is_empty() || !freeze.is_empty() {
            trained.extend(parameters.iter().filter(|id| !frozen.contains(id)));
        }
        trained.sort_unstable();
        trained.dedup();
        Ok(trained)
    }

    /// Zeros, but for the classes that the pack's own head knows.
    pub(super) fn last_layer(&self) -> LastLayer {
        let (width, classes) = (self.pack.head_inputs(), self.cache.classes());
        let mut last =
            LastLayer { weights: vec![0.0; classes.len() * width], bias: vec![0.0; classes.len()] };
        let Some((head, linear)) = self.initial.and_then(|head| Some((head, head.last()?))) else {
            return last;
        };
        for (from, label) in head.labels().iter().enumerate() {
            let Some(to) = classes.iter().position(|class| class == label) else { continue };
            let row = &linear.weights()[from * width..][..width];
            last.weights[to * width..][..width].copy_from_slice(row);
            last.bias[to] = linear.bias()[from];
        }
        last
    }

    pub(super) fn append(
        &self,
        inputs: &mut [Vec<f32>],
        row: &[i8],
        augment: Option<(Augment, &mut Random)>,
    ) -> Result<(), Problem> {
        let wrong =
            headstart::Error::BufferLength { expected: self.pack.feature_len(), found: row.len() };
        let mut values = self.tail.inputs(row).ok_or(wrong)?;
        if let Some((augment, random)) = augment
            && augment.any()
            && let ([values], [input]) = (&mut values[..], &self.tail.graph.inputs[..])
        {
            let shape = &self.tail.graph.values[*input].shape;
            *values = augmented(values, shape, augment, self.levels(), random);
        }
        inputs.iter_mut().zip(values).for_each(|(all, own)| all.extend(own));
        Ok(())
    }

    fn record(&self, learned: Learned, held: &Held, logits: &[f32]) -> Result<Vec<u8>, Problem> {
        let (mut temperature, mut unknown_threshold, mut held_out) = (1.0, 0.0, None);
        if !logits.is_empty() {
            let measured = held.measure(logits)?;
            (temperature, _) = measured.temperature();
            let count = held.samples.len();
            let mut memory = vec![0.0; count + held.classes];
            unknown_threshold = measured.unknown_threshold(temperature, &mut memory)?;
            held_out = Some((measured.correct(), count as u32));
        }
        let certainty = Certainty { temperature, unknown_threshold, held_out };
        self.write(learned, &self.cache.counts(), certainty)
    }

    /// The record of what was learned from so many samples a class.
    pub(super) fn write(
        &self,
        (constants, last): Learned,
        counts: &[u32],
        certainty: Certainty,
    ) -> Result<Vec<u8>, Problem> {
        let digest = self.pack.backbone_digest();
        let labels: Vec<&str> = self.cache.classes().iter().map(String::as_str).collect();
        let parts = HeadParts {
            head: LinearHead::new(&last.weights, &last.bias, self.pack.head_inputs())?,
            backbone_digest: digest,
            labels: &labels,
            samples: counts,
            learner: Learner::Other,
            storage: Storage::F32,
            temperature: certainty.temperature,
            unknown_threshold: certainty.unknown_threshold,
            held_out: certainty.held_out,
            prototypes: None,
        };
        let mut record = vec![0; parts.encoded_len()?];
        parts.emit(&mut record)?;
        let storage = if self.options.half { TailStorage::F16 } else { TailStorage::F32 };
        let tail = TailRecord { constants }.emit(&self.tail, &digest, storage)?;
        Ok([tail, record].concat())
    }
}

/// A class for each sample.
struct Whole<'a> {
    run: &'a Run<'a>,
    held: Held,
    views: Views<'a>,
}

impl<B: FloatBackend + AutodiffBackend> Lesson<B> for Whole<'_> {
    /// Logits of what is held out.
    type Measured = Vec<f32>;

    fn step(
        &self,
        trainer: &mut TailTrainer<B>,
        batch: &[usize],
        rate: f32,
        random: &mut Random,
    ) -> Result<f32, Problem> {
        let run = self.run;
        let mut inputs = vec![Vec::new(); run.tail.graph.inputs.len()];
        let mut labels = Vec::with_capacity(batch.len());
        for &sample in batch {
            let row = self.views.any(sample, random);
            run.append(&mut inputs, row, Some((run.options.augment, random)))?;
            labels.push(run.cache.labels()[sample]);
        }
        trainer.step(&inputs, &labels, rate).map_err(failed)
    }

    fn measure(&self, trainer: &TailTrainer<B>) -> Result<Option<(f64, Vec<f32>)>, Problem> {
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

impl Whole<'_> {
    fn logits<B: FloatBackend + AutodiffBackend>(
        &self,
        trainer: &TailTrainer<B>,
    ) -> Result<Vec<f32>, Problem> {
        let samples = &self.held.samples;
        let mut logits = Vec::with_capacity(samples.len() * self.run.cache.classes().len());
        let features = self.run.cache.feature_len();
        for batch in samples.chunks(self.run.options.batch) {
            let mut inputs = vec![Vec::new(); self.run.tail.graph.inputs.len()];
            for &sample in batch {
                let row = &self.run.cache.features()[sample * features..][..features];
                self.run.append(&mut inputs, row, None)?;
            }
            logits.extend(trainer.logits(&inputs, batch.len()).map_err(failed)?);
        }
        Ok(logits)
    }
}

/// What held-out samples say of a head.
pub(super) struct Certainty {
    pub(super) temperature: f32,
    pub(super) unknown_threshold: f32,
    pub(super) held_out: Option<(u32, u32)>,
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

/// Weights with which every class counts the same: `n / (k · n of the class)` for `n` samples of `k` classes that have any.
pub(super) fn balanced(counts: &[f64]) -> Vec<f32> {
    let (all, shown) = (counts.iter().sum::<f64>(), counts.iter().filter(|&&n| n > 0.0).count());
    let weight = |&n: &f64| if n > 0.0 { (all / (shown as f64 * n)) as f32 } else { 0.0 };
    counts.iter().map(weight).collect()
}

impl TailOptions {
    /// What nothing else was asked for.
    pub fn usual() -> Self {
        Self {
            backend: None,
            epochs: 30,
            batch: 20,
            rate: 1e-3,
            optimiser: Optimiser::AdamW,
            weight_decay: 0.01,
            clip: Some(1.0),
            label_smoothing: 0.1,
            balanced: false,
            warm_up: 0.1,
            held_out: 10,
            patience: 10,
            seed: 1,
            train: Vec::new(),
            freeze: Vec::new(),
            augment: Augment::default(),
            half: true,
        }
    }

    /// The same by gradient descent, in steps of the size that suits it.
    #[must_use]
    pub fn by_sgd(self, momentum: f32) -> Self {
        Self { optimiser: Optimiser::Sgd { momentum }, rate: 0.01, weight_decay: 1e-4, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::balanced;

    #[test]
    fn balanced_classes_weigh_the_same_in_all() {
        let counts = [30.0, 10.0, 0.0, 20.0];
        let weights = balanced(&counts);
        assert_eq!(weights[2], 0.0);
        for at in [0, 1, 3] {
            assert!((f64::from(weights[at]) * counts[at] - 20.0).abs() < 1e-5, "{weights:?}");
        }
    }
}
