//! A tail, at work and in training.

use headstart::Error;
use headstart::burn::backend::{Autodiff, AutodiffBackend};
use headstart::burn::tail::TailTrainer as Trainer;
use headstart::burn::{Executor, FloatBackend, Tensor};
use headstart::graph::{Graph, ValueId};
use headstart::tail::training::{LastLayer, Settings, Snapshot};

use super::super::Backend;
use super::super::work::{Learned, RunTail, TailTrainer};
use super::backends::{caught, failed, on_backend};
use crate::training::TrainingProblem;

/// The tail's graph on the fastest engine.
pub(in crate::engine) fn upload_tail(graph: &Graph) -> Result<RunTail, TrainingProblem> {
    let fastest = Backend::fastest().ok_or(TrainingProblem::EngineMissing)?;
    on_backend!(fastest, B, device => {
        let executor = Executor::<B>::new(graph, device).map_err(failed)?;
        let inputs = graph.inputs.iter();
        let shapes: Vec<Vec<usize>> = inputs.map(|&id| graph.values[id].shape.clone()).collect();
        let run = move |rows: Vec<Vec<f32>>| {
            let inputs = shapes.iter().cloned().zip(rows);
            let inputs: Vec<Tensor> = inputs.map(|(shape, data)| Tensor { shape, data }).collect();
            let outputs = executor.run(&inputs).map_err(|_| Error::BadTail)?;
            outputs.into_iter().next().map(|output| output.data).ok_or(Error::BadTail)
        };
        Ok(Box::new(run) as RunTail)
    })
}

/// A tail in training on that engine, from this last layer; gradients change the constants in `trained`. With `dice` the last
/// layer answers each place of a map, and the overlap weighs so much beside the cross-entropy.
pub(crate) fn train_tail(
    backend: Backend,
    graph: &Graph,
    trained: &[ValueId],
    (last, settings): (LastLayer, Settings),
    dice: Option<f32>,
) -> Result<Box<dyn TailTrainer>, TrainingProblem> {
    on_backend!(backend, B, device => {
        let trainer = match dice {
            None => Trainer::<Autodiff<B>>::on(device, graph, trained, last, settings),
            Some(dice) => Trainer::per_place(device, graph, trained, last, settings, dice),
        };
        Ok(Box::new(trainer.map_err(failed)?) as Box<dyn TailTrainer>)
    })
}

impl<B: FloatBackend + AutodiffBackend> TailTrainer for Trainer<B> {
    fn weigh_classes(&mut self, weights: &[f32]) -> Result<(), TrainingProblem> {
        Self::weigh_classes(self, weights);
        Ok(())
    }

    fn step(
        &mut self,
        inputs: &[Vec<f32>],
        labels: &[u16],
        rate: f32,
    ) -> Result<f32, TrainingProblem> {
        caught(|| Self::step(self, inputs, labels, rate).map_err(failed))
    }

    fn step_towards(
        &mut self,
        inputs: &[Vec<f32>],
        samples: usize,
        shares: Vec<f32>,
        rate: f32,
    ) -> Result<f32, TrainingProblem> {
        caught(|| Self::step_towards(self, inputs, samples, shares, rate).map_err(failed))
    }

    fn logits(&self, inputs: &[Vec<f32>], samples: usize) -> Result<Vec<f32>, TrainingProblem> {
        caught(|| Self::logits(self, inputs, samples).map_err(failed))
    }

    fn learned(&self) -> Result<Learned, TrainingProblem> {
        caught(|| Self::learned(self).map_err(failed))
    }

    fn snapshot(&self) -> Result<Snapshot, TrainingProblem> {
        caught(|| Self::snapshot(self).map_err(failed))
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<bool, TrainingProblem> {
        caught(|| Ok(Self::restore(self, snapshot)))
    }
}
