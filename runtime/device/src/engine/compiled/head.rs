//! A head through Burn's autodiff: the linear one, or one with a hidden layer.

use headstart::burn::ExecuteError;
use headstart::burn::backend::{Autodiff, AutodiffBackend, Device};
use headstart::burn::head::{Layer, Step, Table, Trainer};
use headstart::head::{Random, Samples};

use super::super::Backend;
use super::backends::{failed, on_backend};
use crate::hidden::HiddenLayer;
use crate::model::Model;
use crate::training::TrainingProblem;

const EPOCHS: usize = 40;
const BATCH: usize = 16;
const MOMENTUM: f32 = 0.9;
const WEIGHT_DECAY: f32 = 1e-4;
/// Step size at the start, on features of mean variance 1; it falls to 0 along half a cosine.
const RATE: f32 = 0.01;

/// Trains on all samples: features centred and scaled, classes in turn, nothing held out.
pub(crate) fn fit_head(
    backend: Backend,
    hidden: Option<usize>,
    samples: Samples<'_>,
    classes: usize,
    seed: u64,
) -> Result<Model, TrainingProblem> {
    let run = Run::new(samples, classes, seed);
    let layers =
        on_backend!(backend, B, device => run.train::<Autodiff<B>>(device, hidden).map_err(failed));
    run.model(layers?)
}

/// Samples as the engines take them.
struct Run {
    features: usize,
    classes: usize,
    seed: u64,
    /// Mean of each feature.
    centre: Vec<f32>,
    /// One over the root of the features' mean variance.
    scale: f32,
    /// `[sample][feature]`, centred and scaled.
    values: Vec<f32>,
    labels: Vec<u16>,
}

impl Run {
    fn new(samples: Samples<'_>, classes: usize, seed: u64) -> Self {
        let (count, features) = (samples.len(), samples.feature_len());
        let mut sums = vec![0_i64; features];
        for (row, _) in samples.iter() {
            sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += i64::from(*q));
        }
        let centre: Vec<f32> = sums.into_iter().map(|sum| sum as f32 / count as f32).collect();
        let mut values = Vec::with_capacity(count * features);
        for (row, _) in samples.iter() {
            values.extend(row.iter().zip(&centre).map(|(q, mean)| f32::from(*q) - mean));
        }
        let square = values.iter().map(|v| f64::from(v * v)).sum::<f64>();
        let variance = (square / values.len() as f64) as f32;
        let scale = if variance > 0.0 { variance.sqrt().recip() } else { 1.0 };
        values.iter_mut().for_each(|value| *value *= scale);
        let labels = samples.iter().map(|(_, label)| label).collect();
        Self { features, classes, seed, centre, scale, values, labels }
    }

    fn train<B: AutodiffBackend>(
        &self,
        device: &Device<B>,
        hidden: Option<usize>,
    ) -> Result<Vec<Layer>, ExecuteError> {
        let table = Table { values: &self.values, labels: &self.labels, features: self.features };
        let mut trainer = Trainer::<B>::on(device, self.features, self.classes, hidden, self.seed)
            .with(MOMENTUM, WEIGHT_DECAY);
        let mut order = Order::new(&self.labels, self.classes, self.seed);
        let steps = EPOCHS * self.labels.len().div_ceil(BATCH);
        for index in 0..steps {
            let angle = std::f32::consts::PI * index as f32 / steps as f32;
            let rate = RATE * 0.5 * (1.0 + angle.cos());
            trainer.step(table, &Step { samples: order.batch(), rate })?;
        }
        trainer.layers()
    }

    /// Takes centre and scale into the first layer, so that it reads raw features.
    fn model(&self, mut layers: Vec<Layer>) -> Result<Model, TrainingProblem> {
        let missing = || TrainingProblem::Engine("it gave no layer".to_owned());
        let first = layers.first_mut().ok_or_else(missing)?;
        for (row, bias) in first.weights.chunks_exact_mut(self.features).zip(&mut first.bias) {
            for (weight, mean) in row.iter_mut().zip(&self.centre) {
                *weight *= self.scale;
                *bias -= *weight * mean;
            }
        }
        let last = layers.pop().ok_or_else(missing)?;
        let hidden = layers.pop().map(|l| HiddenLayer { weights: l.weights, bias: l.bias });
        let inputs = hidden.as_ref().map_or(self.features, |layer| layer.bias.len());
        Ok(Model { hidden, weights: last.weights, bias: last.bias, inputs })
    }
}

/// Samples class by class in turn, so that a rare class counts as much as a frequent one.
struct Order {
    members: Vec<Vec<usize>>,
    /// How far each class was read.
    places: Vec<usize>,
    next: usize,
    random: Random,
}

impl Order {
    fn new(labels: &[u16], classes: usize, seed: u64) -> Self {
        let mut members = vec![Vec::new(); classes];
        labels.iter().enumerate().for_each(|(at, label)| members[usize::from(*label)].push(at));
        members.retain(|class| !class.is_empty());
        let places = members.iter().map(Vec::len).collect();
        Self { members, places, next: 0, random: Random::new(seed) }
    }

    fn batch(&mut self) -> Vec<usize> {
        (0..BATCH).map(|_| self.sample()).collect()
    }

    fn sample(&mut self) -> usize {
        let class = self.next;
        self.next = (class + 1) % self.members.len();
        if self.places[class] == self.members[class].len() {
            self.random.shuffle(&mut self.members[class]);
            self.places[class] = 0;
        }
        self.places[class] += 1;
        self.members[class][self.places[class] - 1]
    }
}
