//! Training a tail: the float graph behind the frozen features, and the last layer behind that, which answers
//! for a sample, or for each place of a map.
//!
//! Losses and updates are PyTorch's: cross-entropy with label smoothing, SGD with momentum (no dampening)
//! or AdamW, gradients clipped by their common norm.

use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::{Device, FloatTensor, FloatTensorOps};
use burn::tensor::{Scalar, Shape, TensorData, TensorMetadata};

use super::tensor::Array;
use super::{ExecuteError, Executor, FloatBackend};
use crate::graph::{Graph, ValueId};
pub use crate::tail::training::{Constants, LastLayer, Optimiser, Settings, Snapshot};

/// A tensor that is trained, and what the optimiser remembers of it.
struct Parameter<B: Backend> {
    value: FloatTensor<B>,
    /// Velocity, or first moment.
    first: Option<FloatTensor<B>>,
    /// Second moment.
    second: Option<FloatTensor<B>>,
    decays: bool,
}

type Inner<B> = <B as AutodiffBackend>::InnerBackend;

/// A tail in training on the autodiff backend `B`.
pub struct TailTrainer<B: FloatBackend + AutodiffBackend> {
    executor: Executor<B>,
    device: Device<B>,
    inputs: Vec<Vec<usize>>,
    width: usize,
    /// Answers a sample.
    places: usize,
    /// Weight of the overlap in the loss.
    dice: f32,
    classes: usize,
    /// What a sample of each class weighs in the loss.
    class_weights: Vec<f32>,
    /// The graph's constants that are trained.
    ids: Vec<ValueId>,
    /// Those, then weights and bias of the last layer.
    parameters: Vec<Parameter<Inner<B>>>,
    settings: Settings,
    steps: u32,
}

impl<B: FloatBackend + AutodiffBackend> TailTrainer<B> {
    /// Uploads the graph; `trained` are the constants that gradients change, all others stay as they are.
    ///
    /// # Errors
    ///
    /// Those of [`Executor::new`]; [`ExecuteError::Undefined`] for a trained value that is no constant,
    /// [`ExecuteError::Sample`] for a last layer of another width.
    pub fn new(
        graph: &Graph,
        trained: &[ValueId],
        last: LastLayer,
        settings: Settings,
    ) -> Result<Self, ExecuteError> {
        Self::on(&Device::<B>::default(), graph, trained, last, settings)
    }

    /// Uploads the graph to this device; otherwise as [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn on(
        device: &Device<B>,
        graph: &Graph,
        trained: &[ValueId],
        last: LastLayer,
        settings: Settings,
    ) -> Result<Self, ExecuteError> {
        let width = output_shape(graph).iter().product();
        Self::answering(device, graph, trained, (last, settings), [width, 1], 0.0)
    }

    /// Uploads a graph that gives a map `[1, width, rows, columns]`, each place of which the last layer
    /// answers. To the mean cross-entropy of the places `dice · (1 − D)` is added, where `D` is the mean over the
    /// classes of `(2 Σ p·t + 1) / (Σ p + Σ t + 1)` over all places of a step (Milletari, Navab, Ahmadi, 2016),
    /// with probabilities `p` and targets `t`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); [`ExecuteError::Sample`] for a graph that gives no map.
    pub fn per_place(
        device: &Device<B>,
        graph: &Graph,
        trained: &[ValueId],
        last: LastLayer,
        settings: Settings,
        dice: f32,
    ) -> Result<Self, ExecuteError> {
        let [1, width, rows, columns] = *output_shape(graph) else {
            return Err(ExecuteError::Sample { index: 0 });
        };
        Self::answering(device, graph, trained, (last, settings), [width, rows * columns], dice)
    }

    fn answering(
        device: &Device<B>,
        graph: &Graph,
        trained: &[ValueId],
        (last, settings): (LastLayer, Settings),
        [width, places]: [usize; 2],
        dice: f32,
    ) -> Result<Self, ExecuteError> {
        let device = device.clone();
        let executor = Executor::new(graph, &device)?;
        let shape = |id: ValueId| graph.values.get(id).map(|value| value.shape.clone());
        let classes = last.bias.len();
        if classes == 0 || last.weights.len() != classes * width {
            return Err(ExecuteError::Sample { index: 0 });
        }
        let parameter = |data: Vec<f32>, shape: Vec<usize>| Parameter {
            decays: shape.len() > 1,
            value: Inner::<B>::float_from_data(TensorData::new(data, shape), &device),
            first: None,
            second: None,
        };
        let mut parameters = Vec::with_capacity(trained.len() + 2);
        for &id in trained {
            let value = graph.values.get(id).and_then(|v| Some((v.constant.as_ref()?, &v.shape)));
            let (data, shape) = value.ok_or_else(|| ExecuteError::Undefined {
                value: graph.values.get(id).map_or_else(Default::default, |v| v.name.clone()),
            })?;
            parameters.push(parameter(data.to_vec(), shape.clone()));
        }
        parameters.push(parameter(last.weights, vec![classes, width]));
        let mut bias = parameter(last.bias, vec![1, classes]);
        bias.decays = false;
        parameters.push(bias);
        let inputs = graph.inputs.iter().map(|&id| shape(id).unwrap_or_default()).collect();
        let ids = trained.to_vec();
        let steps = 0;
        Ok(Self {
            executor,
            device,
            inputs,
            width,
            places,
            dice,
            classes,
            class_weights: vec![1.0; classes],
            ids,
            parameters,
            settings,
            steps,
        })
    }

    /// Weighs the classes in the cross-entropy from now on, as PyTorch's `weight` does: the loss is
    /// `Σ w[y] · loss / Σ w[y]`, and a smoothed target's part of each class has that class's weight. Dice has a mean over
    /// the classes as it is. Returns whether there is one number a class, each finite and not below 0.
    pub fn weigh_classes(&mut self, weights: &[f32]) -> bool {
        let fits = weights.len() == self.classes
            && weights.iter().all(|&weight| weight.is_finite() && weight >= 0.0);
        if fits {
            self.class_weights = weights.to_vec();
        }
        fits
    }

    /// Takes one step of size `rate` on samples that each have one row for every input of the graph; returns their mean loss before it, in
    /// nats.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Sample`] for rows or classes that do not fit, and those of [`Executor::run`].
    pub fn step(
        &mut self,
        inputs: &[Vec<f32>],
        labels: &[u16],
        rate: f32,
    ) -> Result<f32, ExecuteError> {
        let mut targets = vec![0.0; labels.len() * self.classes];
        for (sample, (&label, row)) in
            labels.iter().zip(targets.chunks_exact_mut(self.classes)).enumerate()
        {
            let target = row.get_mut(usize::from(label));
            *target.ok_or(ExecuteError::Sample { index: sample })? = 1.0;
        }
        self.step_towards(inputs, labels.len(), targets, rate)
    }

    /// Takes one step towards targets that are shares of classes, `[sample][place][class]`: each row has the sum 1, or is all
    /// zeros for an answer that does not count.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub fn step_towards(
        &mut self,
        inputs: &[Vec<f32>],
        samples: usize,
        targets: Vec<f32>,
        rate: f32,
    ) -> Result<f32, ExecuteError> {
        let tracked: Vec<FloatTensor<B>> = self
            .parameters
            .iter()
            .map(|p| B::float_set_require_grad(B::from_inner(p.value.clone()), true))
            .collect();
        let logits = self.forward(inputs, samples, &tracked)?;
        let loss = self.loss(logits, targets)?;
        let value = number::<Inner<B>>(B::inner(loss.clone()))?;
        let gradients = B::backward(loss);
        let missing = || ExecuteError::Backend("it gave no gradient".into());
        let mut found = Vec::with_capacity(tracked.len());
        for tensor in &tracked {
            found.push(B::grad(tensor, &gradients).ok_or_else(missing)?);
        }
        drop((tracked, gradients));
        self.clip(&mut found)?;
        self.update(found, rate);
        Ok(value)
    }

    /// The logits of some samples, `[sample][class]` or `[sample][place][class]`.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub fn logits(&self, inputs: &[Vec<f32>], samples: usize) -> Result<Vec<f32>, ExecuteError> {
        let parameters: Vec<FloatTensor<B>> =
            self.parameters.iter().map(|p| B::from_inner(p.value.clone())).collect();
        let logits = self.forward(inputs, samples, &parameters)?;
        values::<Inner<B>>(B::inner(logits))
    }

    /// The trained constants, and the last layer.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Backend`].
    pub fn learned(&self) -> Result<(Constants, LastLayer), ExecuteError> {
        let mut data = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            data.push(values::<Inner<B>>(parameter.value.clone())?);
        }
        let bias = data.pop().unwrap_or_default();
        let weights = data.pop().unwrap_or_default();
        let constants = self.ids.iter().copied().zip(data.into_iter().map(Arc::from)).collect();
        Ok((constants, LastLayer { weights, bias }))
    }

    /// Everything that training would go on from, in the host's memory.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Backend`].
    pub fn snapshot(&self) -> Result<Snapshot, ExecuteError> {
        let optional = |tensor: &Option<FloatTensor<Inner<B>>>| {
            tensor.clone().map_or(Ok(Vec::new()), values::<Inner<B>>)
        };
        let mut tensors = Vec::with_capacity(self.parameters.len());
        for p in &self.parameters {
            let value = values::<Inner<B>>(p.value.clone())?;
            tensors.push([value, optional(&p.first)?, optional(&p.second)?]);
        }
        Ok(Snapshot { steps: self.steps, tensors })
    }

    /// Goes on from a snapshot of a trainer of the same graph and settings. Returns whether it fits.
    pub fn restore(&mut self, snapshot: &Snapshot) -> bool {
        let lengths = |p: &Parameter<Inner<B>>| p.value.shape().num_elements();
        let fits = snapshot.tensors.len() == self.parameters.len()
            && snapshot.tensors.iter().zip(&self.parameters).all(|([value, first, second], p)| {
                let length = lengths(p);
                value.len() == length
                    && [first, second].iter().all(|m| m.is_empty() || m.len() == length)
            });
        if !fits {
            return false;
        }
        for ([value, first, second], p) in snapshot.tensors.iter().zip(&mut self.parameters) {
            let shape = p.value.shape();
            let upload = |data: &Vec<f32>| {
                let data = TensorData::new(data.clone(), shape.clone());
                Inner::<B>::float_from_data(data, &self.device)
            };
            p.value = upload(value);
            p.first = (!first.is_empty()).then(|| upload(first));
            p.second = (!second.is_empty()).then(|| upload(second));
        }
        self.steps = snapshot.steps;
        true
    }

    fn loss(
        &self,
        logits: FloatTensor<B>,
        targets: Vec<f32>,
    ) -> Result<FloatTensor<B>, ExecuteError> {
        let rows = logits.shape().num_elements() / self.classes;
        if targets.len() != rows * self.classes {
            return Err(ExecuteError::Sample { index: 0 });
        }
        let sums: Vec<f32> =
            targets.chunks_exact(self.classes).map(|row| row.iter().sum()).collect();
        let weighed = |row: &[f32]| -> f32 {
            row.iter().zip(&self.class_weights).map(|(target, weight)| target * weight).sum()
        };
        let counted: f32 = targets.chunks_exact(self.classes).map(weighed).sum();
        let logs = B::log_softmax(logits, 1);
        let overlap = (self.dice > 0.0).then(|| {
            let upload = |data: Vec<f32>, shape: [usize; 2]| self.upload(data, shape.to_vec());
            // What does not count has neither probability nor target.
            let counts = upload(sums.clone(), [rows, 1]);
            let probabilities = B::float_mul(B::float_exp(logs.clone()), counts);
            let targets = upload(targets.clone(), [rows, self.classes]);
            let over_rows = |x: FloatTensor<B>| B::float_sum_dim(x, 0);
            let both = over_rows(B::float_mul(probabilities.clone(), targets.clone()));
            let each = B::float_add(over_rows(probabilities), over_rows(targets));
            let both = B::float_add_scalar(scaled::<B>(both, 2.0), scalar(1.0));
            let dice = B::float_sum(B::float_div(both, B::float_add_scalar(each, scalar(1.0))));
            let missing = scaled::<B>(dice, -self.dice / self.classes as f32);
            B::float_add_scalar(missing, scalar(self.dice))
        });
        let smoothing = self.settings.label_smoothing;
        let mut smooth = targets;
        for (row, sum) in smooth.chunks_exact_mut(self.classes).zip(&sums) {
            let spread = smoothing / self.classes as f32 * sum;
            for (target, weight) in row.iter_mut().zip(&self.class_weights) {
                *target = weight * (*target * (1.0 - smoothing) + spread);
            }
        }
        let targets = self.upload(smooth, vec![rows, self.classes]);
        let likelihoods = B::float_sum(B::float_mul(logs, targets));
        let entropy = scaled::<B>(likelihoods, if counted > 0.0 { -1.0 / counted } else { 0.0 });
        Ok(match overlap {
            Some(overlap) => B::float_add(entropy, overlap),
            None => entropy,
        })
    }

    fn upload(&self, data: Vec<f32>, shape: Vec<usize>) -> FloatTensor<B> {
        B::float_from_data(TensorData::new(data, shape), &self.device)
    }

    fn forward(
        &self,
        inputs: &[Vec<f32>],
        samples: usize,
        parameters: &[FloatTensor<B>],
    ) -> Result<FloatTensor<B>, ExecuteError> {
        let mut tensors = Vec::with_capacity(inputs.len());
        for (data, shape) in inputs.iter().zip(&self.inputs) {
            let mut shape = shape.clone();
            if let Some(first) = shape.first_mut() {
                *first = samples;
            }
            if samples == 0 || data.len() != shape.iter().product::<usize>() {
                return Err(ExecuteError::Sample { index: 0 });
            }
            tensors.push(self.upload(data.clone(), shape));
        }
        let constants = self.ids.iter().copied().zip(parameters.iter().cloned()).collect();
        let mut outputs = self.executor.forward_with(tensors, &constants)?;
        let missing = || ExecuteError::Backend("it gave no result".into());
        let x = outputs.pop().ok_or_else(missing)?;
        let [.., weights, bias] = parameters else { return Err(missing()) };
        let x = match self.places {
            1 => B::float_reshape(x, Shape::from([samples, self.width])),
            places => {
                let maps = B::float_reshape(x, Shape::from([samples, self.width, places]));
                let rows = Shape::from([samples * places, self.width]);
                B::float_reshape(B::float_swap_dims(maps, 1, 2), rows)
            }
        };
        let product = B::float_matmul(x, B::float_swap_dims(weights.clone(), 0, 1));
        Ok(B::float_add(product, bias.clone()))
    }

    /// Scales the gradients to the longest norm that is allowed.
    fn clip(&self, gradients: &mut Vec<FloatTensor<Inner<B>>>) -> Result<(), ExecuteError> {
        let Some(longest) = self.settings.clip else { return Ok(()) };
        let mut square = 0.0_f64;
        for gradient in gradients.iter() {
            let squares = Inner::<B>::float_mul(gradient.clone(), gradient.clone());
            square += f64::from(number::<Inner<B>>(Inner::<B>::float_sum(squares))?);
        }
        let factor = longest / (libm::sqrt(square) as f32 + 1e-6);
        if factor < 1.0 {
            let scaled =
                gradients.drain(..).map(|g| Inner::<B>::float_mul_scalar(g, scalar(factor)));
            *gradients = scaled.collect();
        }
        Ok(())
    }

    fn update(&mut self, gradients: Vec<FloatTensor<Inner<B>>>, rate: f32) {
        self.steps = self.steps.saturating_add(1);
        let steps = self.steps.min(i32::MAX as u32) as i32;
        for (p, gradient) in self.parameters.iter_mut().zip(gradients) {
            let decay = if p.decays { self.settings.weight_decay } else { 0.0 };
            match self.settings.optimiser {
                Optimiser::Sgd { momentum } => p.sgd(gradient, rate, momentum, decay),
                Optimiser::AdamW => p.adamw(gradient, rate, decay, steps),
            }
        }
    }
}

impl<B: Backend> Parameter<B> {
    fn sgd(&mut self, gradient: FloatTensor<B>, rate: f32, momentum: f32, decay: f32) {
        let decayed = match decay {
            0.0 => gradient,
            _ => B::float_add(gradient, scaled::<B>(self.value.clone(), decay)),
        };
        let velocity = match self.first.take() {
            Some(velocity) => B::float_add(scaled::<B>(velocity, momentum), decayed),
            None => decayed,
        };
        self.value = B::float_sub(self.value.clone(), scaled::<B>(velocity.clone(), rate));
        self.first = Some(velocity);
    }

    fn adamw(&mut self, gradient: FloatTensor<B>, rate: f32, decay: f32, steps: i32) {
        const BETA: [f32; 2] = [0.9, 0.999];
        const EPSILON: f32 = 1e-8;
        let mean = |old: Option<FloatTensor<B>>, new: FloatTensor<B>, beta: f32| {
            let new = scaled::<B>(new, 1.0 - beta);
            match old {
                Some(old) => B::float_add(scaled::<B>(old, beta), new),
                None => new,
            }
        };
        let square = B::float_mul(gradient.clone(), gradient.clone());
        let first = mean(self.first.take(), gradient, BETA[0]);
        let second = mean(self.second.take(), square, BETA[1]);
        let corrected = BETA.map(|beta| 1.0 - f64::from(beta).powi(steps));
        let root = libm::sqrt(corrected[1]) as f32;
        let length = scaled::<B>(B::float_sqrt(second.clone()), root.recip());
        let length = B::float_add_scalar(length, scalar(EPSILON));
        let step = scaled::<B>(B::float_div(first.clone(), length), rate / corrected[0] as f32);
        let value = match decay {
            0.0 => self.value.clone(),
            _ => scaled::<B>(self.value.clone(), 1.0 - rate * decay),
        };
        self.value = B::float_sub(value, step);
        (self.first, self.second) = (Some(first), Some(second));
    }
}

fn output_shape(graph: &Graph) -> &[usize] {
    let value = graph.outputs.first().and_then(|&id| graph.values.get(id));
    value.map(|value| value.shape.as_slice()).unwrap_or_default()
}

fn scaled<B: Backend>(x: FloatTensor<B>, factor: f32) -> FloatTensor<B> {
    B::float_mul_scalar(x, scalar(factor))
}

fn scalar(value: f32) -> Scalar {
    Scalar::Float(f64::from(value))
}

fn values<B: Backend>(primitive: FloatTensor<B>) -> Result<Vec<f32>, ExecuteError> {
    Array::<B> { primitive, shape: Vec::new() }.download().map(|tensor| tensor.data)
}

fn number<B: Backend>(primitive: FloatTensor<B>) -> Result<f32, ExecuteError> {
    Ok(values::<B>(primitive)?.first().copied().unwrap_or(f32::NAN))
}
