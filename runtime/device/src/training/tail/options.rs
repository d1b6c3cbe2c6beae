//! Options of training a tail, as plain data.

use headstart::pack::Pack;
pub use headstart::tail::training::Optimiser;
use headstart::tail::training::Settings;

use crate::engine::Backend;
use crate::segmentation::is_per_place;
use crate::state::Augment;

/// Options of training a tail.
#[derive(Clone, Debug, PartialEq)]
pub struct TailOptions {
    /// The backend that trains; the fastest one where none is named.
    pub backend: Option<Backend>,
    /// Passes over the samples, at least 1.
    pub epochs: usize,
    /// How many samples a step takes, at least 1.
    pub batch: usize,
    /// Largest step size.
    pub rate: f32,
    /// The rule by which gradients change the weights.
    pub optimiser: Optimiser,
    /// Decay of weights of two and more dimensions.
    pub weight_decay: f32,
    /// The longest gradient; longer ones are scaled to it.
    pub clip: Option<f32>,
    /// Part of the probability that is spread over all classes, 0 to 1.
    pub label_smoothing: f32,
    /// Whether every class counts the same, however many samples (or, for a class a place, places) it has.
    pub balanced: bool,
    /// Part of the steps in which the step size rises, 0 to 1.
    pub warm_up: f32,
    /// Percent of each class that is held out: the best epoch is the one that answers these best.
    pub held_out: u8,
    /// Epochs without a better one after which training ends.
    pub patience: usize,
    /// Seed of all that is random.
    pub seed: u64,
    /// Patterns of the layers that are trained; all without.
    pub train: Vec<String>,
    /// Patterns of layers that are not trained.
    pub freeze: Vec<String>,
    /// Random changes to pictures, where the tail begins at the input.
    pub augment: Augment,
    /// Whether weights are kept as float16.
    pub half: bool,
}

impl TailOptions {
    /// The usual options of a tail that answers for a whole sample.
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

    /// The usual options of this pack's tail.
    pub fn usual_for(pack: &Pack<'_>) -> Self {
        if !is_per_place(pack) {
            return Self::usual();
        }
        // A picture has many places.
        Self { batch: 8, label_smoothing: 0.0, ..Self::usual() }
    }

    /// These options with stochastic gradient descent, in steps of the size that suits it.
    #[must_use]
    pub fn by_sgd(self, momentum: f32) -> Self {
        Self { optimiser: Optimiser::Sgd { momentum }, rate: 0.01, weight_decay: 1e-4, ..self }
    }

    /// What does not change from step to step.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            optimiser: self.optimiser,
            weight_decay: self.weight_decay,
            clip: self.clip,
            label_smoothing: self.label_smoothing,
        }
    }
}
