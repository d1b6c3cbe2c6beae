//! What an engine does for a device, whichever it is.

use headstart::Error;
use headstart::tail::training::{Constants, LastLayer, Snapshot};

use crate::training::TrainingProblem;

/// From preprocessed samples, one after another, to their features.
pub(super) type RunBackbone = Box<dyn Fn(&[i8]) -> Result<Vec<i8>, String> + Send + Sync>;

/// A backbone where the engine computes.
pub(super) struct Uploaded {
    pub(super) run: RunBackbone,
    /// Samples that it is best given at once.
    pub(super) size: usize,
    /// Whether its features are those of the int8 kernels, by proof.
    pub(super) proven: bool,
}

/// From one row for each input of a tail's graph to what the last layer reads.
pub(super) type RunTail = Box<dyn Fn(Vec<Vec<f32>>) -> Result<Vec<f32>, Error> + Send + Sync>;

/// The tail's trained constants, and the last layer.
pub(crate) type Learned = (Constants, LastLayer);

/// A tail in training; inputs have one row a sample for every input of the graph.
pub(crate) trait TailTrainer {
    /// Weighs the classes in the loss from now on.
    ///
    /// # Errors
    /// [`TrainingProblem::Engine`], here and below.
    fn weigh_classes(&mut self, weights: &[f32]) -> Result<(), TrainingProblem>;

    /// One step of that size on labelled samples. Returns their mean loss before it, in nats.
    fn step(
        &mut self,
        inputs: &[Vec<f32>],
        labels: &[u16],
        rate: f32,
    ) -> Result<f32, TrainingProblem>;

    /// One step of that size on so many samples, towards shares of the classes: `[sample][place][class]`, zeros for a place that does not count.
    fn step_towards(
        &mut self,
        inputs: &[Vec<f32>],
        samples: usize,
        shares: Vec<f32>,
        rate: f32,
    ) -> Result<f32, TrainingProblem>;

    /// The logits of so many samples, `[sample][class]` or `[sample][place][class]`.
    fn logits(&self, inputs: &[Vec<f32>], samples: usize) -> Result<Vec<f32>, TrainingProblem>;

    /// What was learned so far.
    fn learned(&self) -> Result<Learned, TrainingProblem>;

    /// What the training would go on from.
    fn snapshot(&self) -> Result<Snapshot, TrainingProblem>;

    /// Goes on from there. Returns whether it fits.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<bool, TrainingProblem>;
}
