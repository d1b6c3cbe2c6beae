//! Heads trained through Burn's autodiff: linear, or with one hidden layer.
//!
//! The linear head is the one that [`crate::head::sgd`] trains without a heap: same loss, same
//! update, so that either can be checked against the other. The update is written here, on plain
//! tensors; Burn's optimisers differ (their momentum dampens by 0.1 unless told otherwise), and
//! nothing of Burn's records is ever read.

use std::vec;
use std::vec::Vec;

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::{Device, FloatTensor, FloatTensorOps};
use burn::tensor::{Scalar, Shape, TensorData};

use super::ExecuteError;
use super::tensor::Array;
use crate::head::Random;

/// One fully connected layer: `y[o] = bias[o] + Σ weights[o][i] · x[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The weights, `[output][input]`, row-major.
    pub weights: Vec<f32>,
    /// The bias of each output.
    pub bias: Vec<f32>,
}

/// Samples as the head sees them: `features` values each, best of mean 0 and like scale.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The features of all samples, `[sample][feature]`, row-major.
    pub values: &'a [f32],
    /// The class of each sample.
    pub labels: &'a [u16],
    /// How many features a sample has.
    pub features: usize,
}

/// One step of training: its samples, and how far it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Indices of the step's samples, in the order in which they count; an index may stand there twice.
    pub samples: Vec<usize>,
    /// The step size.
    pub rate: f32,
}

/// A head in training on the autodiff backend `B`.
///
/// Step by step, for every parameter `w` with velocity `v` (0 at first) and the mean gradient `g`
/// of the softmax cross-entropy over the step's samples:
/// `v ← momentum · v − rate · (g + weight_decay · w)`, `w ← w + v`; biases do not decay.
pub struct Trainer<B: AutodiffBackend> {
    device: Device<B>,
    layers: Vec<Parameters<B>>,
    classes: usize,
    momentum: f32,
    weight_decay: f32,
}

/// Parameters and velocities of a layer: weights `[outputs, inputs]`, bias `[1, outputs]`.
struct Parameters<B: AutodiffBackend> {
    weights: FloatTensor<B::InnerBackend>,
    bias: FloatTensor<B::InnerBackend>,
    weight_velocity: FloatTensor<B::InnerBackend>,
    bias_velocity: FloatTensor<B::InnerBackend>,
    inputs: usize,
}

type Inner<B> = <B as AutodiffBackend>::InnerBackend;

impl<B: AutodiffBackend> Trainer<B> {
    /// A linear head of zeros, or with `hidden` units in between (ReLU), whose weights are drawn
    /// by He's rule (He et al., 2015) from a uniform distribution seeded with `seed`.
    #[must_use]
    pub fn new(features: usize, classes: usize, hidden: Option<usize>, seed: u64) -> Self {
        Self::on(&Device::<B>::default(), features, classes, hidden, seed)
    }

    /// A new head on this device, otherwise as [`new`](Self::new) makes it.
    #[must_use]
    pub fn on(
        device: &Device<B>,
        features: usize,
        classes: usize,
        hidden: Option<usize>,
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed);
        let layers = match hidden {
            None => {
                vec![Layer { weights: vec![0.0; features * classes], bias: vec![0.0; classes] }]
            }
            Some(hidden) => {
                let mut drawn = |inputs: usize, outputs: usize| {
                    let bound = libm::sqrtf(6.0 / inputs.max(1) as f32);
                    let mut next =
                        || (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * bound;
                    Layer {
                        weights: (0..inputs * outputs).map(|_| next()).collect(),
                        bias: vec![0.0; outputs],
                    }
                };
                vec![drawn(features, hidden), drawn(hidden, classes)]
            }
        };
        let layers = layers.into_iter().map(|layer| Parameters::upload(layer, device)).collect();
        Self { device: device.clone(), layers, classes, momentum: 0.9, weight_decay: 0.0 }
    }

    /// Sets momentum, the part of the last step that goes into the next (0.9 otherwise), and the decay of weights (0 otherwise).
    #[must_use]
    pub fn with(mut self, momentum: f32, weight_decay: f32) -> Self {
        (self.momentum, self.weight_decay) = (momentum, weight_decay);
        self
    }

    /// Takes one step and returns the mean loss of its samples before it, in nats.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Sample`] for an index past the table, a class past the head's, or rows of
    /// another length; [`ExecuteError::Backend`].
    pub fn step(&mut self, table: Table<'_>, step: &Step) -> Result<f32, ExecuteError> {
        let (loss, gradients) = self.gradients(table, &step.samples)?;
        let scaled = |x, factor: f32| Inner::<B>::float_mul_scalar(x, scalar(factor));
        for (layer, (weights, bias)) in self.layers.iter_mut().zip(gradients) {
            let decayed =
                Inner::<B>::float_add(weights, scaled(layer.weights.clone(), self.weight_decay));
            layer.weight_velocity = Inner::<B>::float_sub(
                scaled(layer.weight_velocity.clone(), self.momentum),
                scaled(decayed, step.rate),
            );
            layer.bias_velocity = Inner::<B>::float_sub(
                scaled(layer.bias_velocity.clone(), self.momentum),
                scaled(bias, step.rate),
            );
            layer.weights =
                Inner::<B>::float_add(layer.weights.clone(), layer.weight_velocity.clone());
            layer.bias = Inner::<B>::float_add(layer.bias.clone(), layer.bias_velocity.clone());
        }
        Ok(loss)
    }

    /// The layers as trained so far, from the features to the logits.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Backend`].
    pub fn layers(&self) -> Result<Vec<Layer>, ExecuteError> {
        let values = |primitive: &FloatTensor<Inner<B>>| {
            let array = Array::<Inner<B>> { primitive: primitive.clone(), shape: Vec::new() };
            array.download().map(|tensor| tensor.data)
        };
        let layer = |layer: &Parameters<B>| {
            Ok(Layer { weights: values(&layer.weights)?, bias: values(&layer.bias)? })
        };
        self.layers.iter().map(layer).collect()
    }

    /// Mean loss of some samples, and its gradient by weights and bias of every layer.
    #[allow(clippy::type_complexity, reason = "a pair of tensors a layer, used in one place")]
    fn gradients(
        &self,
        table: Table<'_>,
        samples: &[usize],
    ) -> Result<(f32, Vec<(FloatTensor<Inner<B>>, FloatTensor<Inner<B>>)>), ExecuteError> {
        let inputs = self.layers.first().map_or(0, |layer| layer.inputs);
        let mut rows = Vec::with_capacity(samples.len() * inputs);
        let mut targets = vec![0.0; samples.len() * self.classes];
        for (place, &sample) in samples.iter().enumerate() {
            let row = sample
                .checked_mul(inputs)
                .and_then(|start| table.values.get(start..)?.get(..inputs));
            let label = table.labels.get(sample).map(|&label| usize::from(label));
            let (Some(row), Some(label)) = (row, label.filter(|&label| label < self.classes))
            else {
                return Err(ExecuteError::Sample { index: sample });
            };
            rows.extend_from_slice(row);
            targets[place * self.classes + label] = 1.0;
        }
        if table.features != inputs || samples.is_empty() {
            return Err(ExecuteError::Sample { index: 0 });
        }
        let upload = |data: Vec<f32>, columns: usize| {
            let data = TensorData::new(data, [samples.len(), columns]);
            B::float_from_data(data, &self.device)
        };
        let mut x = upload(rows, inputs);
        let mut tracked = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let weights = B::float_set_require_grad(B::from_inner(layer.weights.clone()), true);
            let bias = B::float_set_require_grad(B::from_inner(layer.bias.clone()), true);
            if index > 0 {
                x = B::relu(x);
            }
            let product = B::float_matmul(x, B::float_swap_dims(weights.clone(), 0, 1));
            x = B::float_add(product, bias.clone());
            tracked.push((weights, bias));
        }
        let likelihoods = B::float_mul(B::log_softmax(x, 1), upload(targets, self.classes));
        let mean = -1.0 / samples.len() as f32;
        let loss = B::float_mul_scalar(B::float_sum(likelihoods), scalar(mean));
        let value = Array::<Inner<B>> { primitive: B::inner(loss.clone()), shape: Vec::new() };
        let value = value.download()?.data.first().copied().unwrap_or(f32::NAN);
        let gradients = B::backward(loss);
        let gradient = |tensor: &FloatTensor<B>| {
            let missing = || ExecuteError::Backend("it gave no gradient".into());
            B::grad(tensor, &gradients).ok_or_else(missing)
        };
        let pairs = tracked.iter().map(|(w, b)| Ok((gradient(w)?, gradient(b)?)));
        Ok((value, pairs.collect::<Result<_, ExecuteError>>()?))
    }
}

impl<B: AutodiffBackend> Parameters<B> {
    fn upload(layer: Layer, device: &Device<B>) -> Self {
        let outputs = layer.bias.len();
        let inputs = layer.weights.len() / outputs.max(1);
        let upload = |data: Vec<f32>, shape: [usize; 2]| {
            Inner::<B>::float_from_data(TensorData::new(data, Shape::from(shape)), device)
        };
        Self {
            weight_velocity: upload(vec![0.0; layer.weights.len()], [outputs, inputs]),
            bias_velocity: upload(vec![0.0; outputs], [1, outputs]),
            weights: upload(layer.weights, [outputs, inputs]),
            bias: upload(layer.bias, [1, outputs]),
            inputs,
        }
    }
}

fn scalar(value: f32) -> Scalar {
    Scalar::Float(f64::from(value))
}

/// The logits of `row`: what the layers compute, in plain loops.
#[must_use]
pub fn logits(layers: &[Layer], row: &[f32]) -> Vec<f32> {
    let mut x = row.to_vec();
    for (index, layer) in layers.iter().enumerate() {
        if index > 0 {
            x.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        let output = |(weights, bias): (&[f32], &f32)| {
            bias + weights.iter().zip(&x).map(|(w, x)| w * x).sum::<f32>()
        };
        x = layer.weights.chunks_exact(x.len().max(1)).zip(&layer.bias).map(output).collect();
    }
    x
}

#[cfg(test)]
mod tests {
    use burn::backend::Autodiff;
    use burn::tensor::backend::Backend;

    use super::*;
    use crate::burn::testing::on_every_backend;
    use crate::head::sgd::{self, Settings, replay::Replay};
    use crate::head::testing::Blobs;

    /// Settings under which the runtime's own SGD holds nothing out: six samples a class.
    fn own_run(blobs: &Blobs, settings: &Settings) -> (Vec<f32>, Vec<f32>) {
        let samples = blobs.samples();
        let (mut weights, mut bias) = blobs.head();
        let (floats, indices) =
            sgd::scratch_len(samples.len(), samples.feature_len(), blobs.classes, settings)
                .unwrap();
        let (mut scratch, mut indices) = (vec![0.0; floats], vec![0; indices]);
        sgd::train(samples, settings, None, &mut weights, &mut bias, &mut scratch, &mut indices)
            .unwrap();
        (weights, bias)
    }

    fn burn_run<B: AutodiffBackend>(blobs: &Blobs, settings: &Settings) -> (Vec<f32>, Vec<f32>) {
        let samples = blobs.samples();
        let replay = Replay::new(samples, blobs.classes, settings);
        let labels: Vec<u16> = (0..samples.len()).map(|sample| samples.label(sample)).collect();
        let features = samples.feature_len();
        let table = Table { values: &replay.rows, labels: &labels, features };
        let mut trainer = Trainer::<B>::new(features, blobs.classes, None, 0)
            .with(settings.momentum, settings.weight_decay);
        for (samples, rate) in replay.steps {
            trainer.step(table, &Step { samples, rate }).unwrap();
        }
        let mut layer = trainer.layers().unwrap().remove(0);
        sgd::replay::fold(samples, &mut layer.weights, &mut layer.bias);
        (layer.weights, layer.bias)
    }

    #[track_caller]
    fn assert_same(burn: &(Vec<f32>, Vec<f32>), own: &(Vec<f32>, Vec<f32>), tolerance: f32) {
        for (burn, own) in [(&burn.0, &own.0), (&burn.1, &own.1)] {
            let largest = own.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            assert!(largest > 0.0 && burn.len() == own.len());
            for (burn, own) in burn.iter().zip(own) {
                assert!((burn - own).abs() <= tolerance * largest, "{burn} and {own}");
            }
        }
    }

    fn one_step_is_the_own_gradient<B: Backend>() {
        let blobs = Blobs::new(5, 6, 24, 2.0, 9);
        let settings = Settings { epochs: 1, batch: 30, ..Settings::default() };
        let burn = burn_run::<Autodiff<B>>(&blobs, &settings);
        assert_same(&burn, &own_run(&blobs, &settings), 1e-4);
    }
    on_every_backend!(one_step_is_the_own_gradient, in float32);

    fn a_whole_run_is_the_own_run<B: Backend>() {
        let blobs = Blobs::new(5, 6, 24, 2.0, 9);
        let settings = Settings { epochs: 20, batch: 8, weight_decay: 1e-3, ..Settings::default() };
        let burn = burn_run::<Autodiff<B>>(&blobs, &settings);
        assert_same(&burn, &own_run(&blobs, &settings), 1e-3);
    }
    on_every_backend!(a_whole_run_is_the_own_run);

    fn a_hidden_layer_learns_what_no_line_separates<B: Backend>() {
        let corners = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]];
        let (values, labels) = (corners.concat(), [0, 1, 1, 0]);
        let table = Table { values: &values, labels: &labels, features: 2 };
        let right = |hidden| {
            let mut trainer = Trainer::<Autodiff<B>>::new(2, 2, hidden, 3);
            let step = Step { samples: vec![0, 1, 2, 3], rate: 0.1 };
            for _ in 0..200 {
                trainer.step(table, &step).unwrap();
            }
            let layers = trainer.layers().unwrap();
            let answers = corners.iter().zip(labels).filter(|(corner, label)| {
                let logits = logits(&layers, *corner);
                u16::from(logits[1] > logits[0]) == *label
            });
            answers.count()
        };
        assert_eq!(right(Some(16)), 4);
        assert!(right(None) < 4);
    }
    on_every_backend!(a_hidden_layer_learns_what_no_line_separates);

    fn samples_that_do_not_exist_are_refused<B: Backend>() {
        let mut trainer = Trainer::<Autodiff<B>>::new(2, 2, None, 0);
        let table = Table { values: &[1.0, 2.0, 3.0, 4.0], labels: &[0, 5], features: 2 };
        for index in [1, 2, usize::MAX] {
            let refused = trainer.step(table, &Step { samples: vec![index], rate: 1.0 });
            assert_eq!(refused, Err(ExecuteError::Sample { index }));
        }
    }
    on_every_backend!(samples_that_do_not_exist_are_refused);
}
