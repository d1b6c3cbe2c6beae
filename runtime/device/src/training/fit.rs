//! Fitting a head, and measuring it on samples that are held out.

use std::ops::Range;

use headstart::Error;
use headstart::head::calibrate::HeldOut;
use headstart::head::{Learner, LinearHead, Random, Samples};
use headstart::head::{auto, dual, exact, imprint, logistic, sgd};

use super::inherited::Inherited;
use super::known::Counted;
use super::many;
use super::weights::{again, repeated};
use crate::engine::{self, Backend};
use crate::memory::{filled, reserve};
use crate::model::Model;
use crate::training::TrainingProblem;

/// Seed of every choice in training: the same samples always give the same head.
const SEED: u64 = 1;
/// One sample in this many is held out at a time.
const PARTS: usize = 4;
/// Up to so many samples each part is held out once; with more, one part says enough.
const FEW: usize = 600;
/// The temperature of logits with spread 1 where nothing can be held out: the same as `auto` takes.
const UNMEASURED_TEMPERATURE: f32 = 0.25;
/// Penalty on the way from an initial head with stand-ins; 1e-3 keeps the old classes less well
/// (measured as the margin of the stand-ins was).
const CONTINUED_PENALTY: f32 = 1e-2;

/// A learner with its setting.
#[derive(Clone, Copy)]
pub(super) enum Fit {
    /// Softmax regression on all samples at once, with this penalty on the distance from the
    /// initial head.
    Logistic(f32),
    Sgd,
    /// Least squares with this penalty, as a part of the sum of squares of the centred features.
    Ridge(f64),
    Imprint,
    /// Linear discriminants with this shrinkage.
    Lda(f64),
    /// Through Burn, perhaps with so many hidden units.
    Engine(Backend, Option<usize>),
}

pub(super) struct Trained {
    pub(super) model: Model,
    pub(super) learner: Learner,
    pub(super) temperature: f32,
    pub(super) unknown_threshold: f32,
    pub(super) held_out: Option<(u32, u32)>,
}

pub(super) struct Task<'a> {
    pub(super) samples: Samples<'a>,
    pub(super) labels: &'a [u16],
    pub(super) classes: usize,
    pub(super) inherited: &'a Inherited,
    /// Whether some samples are stand-ins: then nothing can be measured, because old classes have no
    /// other.
    pub(super) with_stand_ins: bool,
    /// Rows that show samples again, and which; only `auto` learns from them.
    pub(super) crops: (Vec<i8>, Vec<u32>),
    /// How often each sample is learned; stand-ins behind them once.
    pub(super) times: Vec<u16>,
}

impl Task<'_> {
    fn initial(&self) -> Result<Option<LinearHead<'_>>, TrainingProblem> {
        let head = self.inherited.head.as_ref();
        let linear =
            head.map(|(weights, bias)| LinearHead::new(weights, bias, self.samples.feature_len()));
        Ok(linear.transpose()?)
    }

    fn empty_head(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; self.classes * self.samples.feature_len()], vec![0.0; self.classes])
    }

    fn linear(&self, weights: Vec<f32>, bias: Vec<f32>) -> Model {
        Model { hidden: None, weights, bias, inputs: self.samples.feature_len() }
    }

    /// The runtime's default learner; with stand-ins, the initial head moved as little as the
    /// samples ask for.
    pub(super) fn automatic(&self) -> Result<Trained, TrainingProblem> {
        if self.with_stand_ins {
            return self.explicit(Learner::Logistic, &[Fit::Logistic(CONTINUED_PENALTY)]);
        }
        let feature_len = self.samples.feature_len();
        if self.inherited.head.is_none() && many::are_many(self.samples.len(), feature_len) {
            return self.of_many();
        }
        let (mut weights, mut bias) = self.empty_head();
        let (rows, owners) = &again(self.samples, &self.crops, &self.times);
        let (floats, indices) =
            auto::scratch_len(self.samples.len(), owners.len(), feature_len, self.classes)?;
        let mut features: Vec<i8> = Vec::new();
        reserve(&mut features, self.samples.len() * feature_len + rows.len())?;
        self.samples.iter().for_each(|(row, _)| features.extend_from_slice(row));
        features.extend_from_slice(rows);
        let of_owners = owners.iter().map(|&owner| self.labels[owner as usize]);
        let labels: Vec<u16> = self.labels.iter().copied().chain(of_owners).collect();
        let samples = Samples::new(&features, &labels, feature_len)?.showing_again(owners)?;
        let outcome = auto::train(
            samples,
            self.initial()?,
            SEED,
            &mut weights,
            &mut bias,
            &mut filled(0.0, floats)?,
            &mut filled(0, indices)?,
        )?;
        Ok(Trained {
            model: self.linear(weights, bias),
            learner: outcome.learner.unwrap_or(self.inherited.learner),
            temperature: outcome.temperature,
            unknown_threshold: outcome.unknown_threshold,
            held_out: outcome.held_out,
        })
    }

    fn of_many(&self) -> Result<Trained, TrainingProblem> {
        let of = Counted { samples: self.samples, times: &self.times };
        let found = many::train(of, self.labels, &self.crops, self.classes)?;
        Ok(Trained {
            model: self.linear(found.head.weights, found.head.bias),
            learner: Learner::Blend,
            temperature: found.temperature,
            unknown_threshold: found.unknown_threshold,
            held_out: found.held_out,
        })
    }

    /// The best of `fits` by the loss on held-out samples, trained on everything.
    pub(super) fn explicit(
        &self,
        learner: Learner,
        fits: &[Fit],
    ) -> Result<Trained, TrainingProblem> {
        let (order, mut folds) = self.folds();
        if self.with_stand_ins {
            folds.clear();
        }
        let held_indices: Vec<u32> =
            folds.iter().flat_map(|range| &order[range.clone()]).copied().collect();
        let mut best: Option<(f32, Fit, Vec<f32>)> = None;
        if !held_indices.is_empty() {
            for fit in fits {
                let logits = self.held_out_logits(*fit, &order, &folds)?;
                let held =
                    HeldOut::new(&logits, self.samples.select(&held_indices)?, self.classes)?;
                let (_, loss) = held.temperature();
                if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                    best = Some((loss, *fit, logits));
                }
            }
        }
        let fit = best.as_ref().map_or(fits[0], |(_, fit, _)| *fit);
        let mut trained = Trained {
            model: self.fit_all(fit)?,
            learner,
            temperature: 1.0,
            unknown_threshold: self.inherited.unknown_threshold,
            held_out: None,
        };
        if let Some((_, _, logits)) = best {
            let held = HeldOut::new(&logits, self.samples.select(&held_indices)?, self.classes)?;
            (trained.temperature, _) = held.temperature();
            let mut memory = vec![0.0; held_indices.len() + self.classes];
            trained.unknown_threshold = held.unknown_threshold(trained.temperature, &mut memory)?;
            trained.held_out = Some((held.correct(), held_indices.len() as u32));
        } else if matches!(fit, Fit::Ridge(_) | Fit::Imprint) {
            trained.temperature = UNMEASURED_TEMPERATURE * self.spread(&trained)?;
        }
        Ok(trained)
    }

    /// Samples by part, and the range of each part that is held out. A class with one sample is
    /// never held out.
    fn folds(&self) -> (Vec<u32>, Vec<Range<usize>>) {
        let mut random = Random::new(SEED);
        let mut parts: [Vec<u32>; PARTS] = Default::default();
        let mut never = Vec::new();
        for class in 0..self.classes {
            let members = self.labels.iter().enumerate().filter(|(_, l)| usize::from(**l) == class);
            let mut members: Vec<u32> = members.map(|(at, _)| at as u32).collect();
            random.shuffle(&mut members);
            if let [single] = members[..] {
                never.push(single);
            } else {
                members.iter().enumerate().for_each(|(at, member)| parts[at % PARTS].push(*member));
            }
        }
        let count = if self.labels.len() <= FEW { PARTS } else { 1 };
        let mut ranges = Vec::new();
        let mut order = Vec::with_capacity(self.labels.len());
        for (at, part) in parts.iter().enumerate() {
            if at < count && !part.is_empty() {
                ranges.push(order.len()..order.len() + part.len());
            }
            order.extend(part);
        }
        order.extend(never);
        (order, ranges)
    }

    /// `[held-out sample, class]`, fold by fold.
    fn held_out_logits(
        &self,
        fit: Fit,
        order: &[u32],
        folds: &[Range<usize>],
    ) -> Result<Vec<f32>, TrainingProblem> {
        let mut logits = Vec::new();
        for range in folds {
            let train: Vec<u32> = [&order[..range.start], &order[range.end..]].concat();
            let train = repeated(&train, &self.times);
            let model = self.fit(fit, self.samples.select(&train)?)?;
            let test = self.samples.select(&order[range.clone()])?;
            for (row, _) in test.iter() {
                logits.extend(model.logits(row)?);
            }
        }
        Ok(logits)
    }

    /// The head of all samples, each as often as it counts.
    fn fit_all(&self, fit: Fit) -> Result<Model, TrainingProblem> {
        if self.times.iter().all(|times| *times == 1) {
            return self.fit(fit, self.samples);
        }
        let all: Vec<u32> = (0..self.samples.len() as u32).collect();
        self.fit(fit, self.samples.select(&repeated(&all, &self.times))?)
    }

    fn fit(&self, fit: Fit, samples: Samples<'_>) -> Result<Model, TrainingProblem> {
        let (mut weights, mut bias) = self.empty_head();
        let (count, features) = (samples.len(), samples.feature_len());
        match fit {
            Fit::Logistic(penalty) => {
                let floats = logistic::scratch_len(count, features, self.classes)?;
                let (initial, mut scratch) = (self.initial()?, filled(0.0, floats)?);
                logistic::train(samples, penalty, initial, &mut weights, &mut bias, &mut scratch)?;
            }
            Fit::Sgd => {
                let settings = sgd::Settings { seed: SEED, ..Default::default() };
                let (floats, indices) = sgd::scratch_len(count, features, self.classes, &settings)?;
                let (mut floats, mut indices) = (filled(0.0, floats)?, filled(0, indices)?);
                let initial = self.initial()?;
                sgd::train(
                    samples,
                    &settings,
                    initial,
                    &mut weights,
                    &mut bias,
                    &mut floats,
                    &mut indices,
                )?;
            }
            Fit::Imprint => {
                imprint::train(samples, &mut vec![0; self.classes], &mut weights, &mut bias)?;
            }
            Fit::Ridge(part) => {
                let penalty = part * features as f64;
                closed_form(samples, dual::ridge, exact::ridge, penalty, &mut weights, &mut bias)?;
            }
            Fit::Lda(shrinkage) => {
                closed_form(samples, dual::lda, exact::lda, shrinkage, &mut weights, &mut bias)?;
            }
            Fit::Engine(backend, hidden) => {
                return engine::fit_head(backend, hidden, samples, self.classes, SEED);
            }
        }
        Ok(self.linear(weights, bias))
    }

    /// Root mean square of the logits' distance from their sample's mean, on all samples.
    fn spread(&self, trained: &Trained) -> Result<f32, TrainingProblem> {
        let mut square = 0.0_f64;
        for (row, _) in self.samples.iter() {
            let logits = trained.model.logits(row)?;
            let mean = logits.iter().sum::<f32>() / self.classes as f32;
            square += logits.iter().map(|l| f64::from(l - mean).powi(2)).sum::<f64>();
        }
        let spread = (square / (self.samples.len() * self.classes) as f64).sqrt() as f32;
        Ok(if spread > 0.0 { spread } else { 1.0 })
    }
}

/// A closed form from products of samples, and the same from sums over them.
type FromSamples =
    fn(Samples<'_>, &[i32], f64, &mut [f64], &mut [f64], &mut [f64]) -> Result<(), Error>;
type FromSums =
    fn(&exact::Statistics<'_>, f64, &mut [f32], &mut [f32], &mut [f64]) -> Result<(), Error>;

/// The head of one learner, by the smaller of both systems.
fn closed_form(
    samples: Samples<'_>,
    from_samples: FromSamples,
    from_sums: FromSums,
    setting: f64,
    weights: &mut [f32],
    bias: &mut [f32],
) -> Result<(), TrainingProblem> {
    let (count, features, classes) = (samples.len(), samples.feature_len(), bias.len());
    if count >= features {
        let (mut counts, mut sums) = (vec![0; classes], filled(0, classes * features)?);
        let mut products = filled(0, exact::products_len(features)?)?;
        let mut statistics =
            exact::Statistics::new(&mut counts, &mut sums, &mut products, features)?;
        samples.iter().try_for_each(|(row, class)| statistics.add(row, class))?;
        let mut scratch = filled(0.0, exact::scratch_len(features, classes)?)?;
        return Ok(from_sums(&statistics, setting, weights, bias, &mut scratch)?);
    }
    let mut products = filled(0, dual::products_len(count)?)?;
    // All in one piece, so that the products count through them.
    let rows: Vec<i8> = samples.iter().flat_map(|(row, _)| row).copied().collect();
    let labels: Vec<u16> = samples.iter().map(|(_, label)| label).collect();
    let samples = Samples::new(&rows, &labels, features)?;
    dual::products(samples, &mut products)?;
    let (mut combination, mut biases) = (filled(0.0, classes * count)?, vec![0.0; classes]);
    let mut scratch = filled(0.0, dual::scratch_len(count, classes)?)?;
    from_samples(samples, &products, setting, &mut combination, &mut biases, &mut scratch)?;
    dual::weights(samples, &combination, weights, &mut vec![0.0; features])?;
    bias.iter_mut().zip(biases).for_each(|(bias, found)| *bias = found as f32);
    Ok(())
}
