//! Settings, results and snapshots of a tail's training, whatever trains it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::Vec;

use crate::graph::ValueId;

/// The numbers of trained constants, by value of the tail's graph.
pub type Constants = BTreeMap<ValueId, Arc<[f32]>>;

/// The rule by which gradients change the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimiser {
    /// Stochastic gradient descent: `v ← momentum · v + g`, `w ← w − rate · v`; the decay is part of `g`.
    Sgd {
        /// Momentum: the part of the last step that goes into the next.
        momentum: f32,
    },
    /// Adam with decoupled decay (Loshchilov and Hutter, 2019): β 0.9 and 0.999, ε 1e-8.
    AdamW,
}

/// Settings of a training, which do not change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The rule by which gradients change the weights.
    pub optimiser: Optimiser,
    /// Decay of all weights of two and more dimensions.
    pub weight_decay: f32,
    /// Longest gradient, as the norm over all parameters; longer ones are scaled to it.
    pub clip: Option<f32>,
    /// Part of the probability that is spread over all classes, 0 to 1.
    pub label_smoothing: f32,
}

/// The last layer: `logits[c] = bias[c] + Σ weights[c][i] · x[i]`.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct LastLayer {
    /// The weights, `[class][input]`.
    pub weights: Vec<f32>,
    /// The bias of each class.
    pub bias: Vec<f32>,
}

/// Everything that training goes on from, in the host's memory.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Snapshot {
    /// How many steps were taken so far.
    pub steps: u32,
    /// The state of each parameter, the last layer's weights and bias behind the graph's: value, first and second moment (empty before the
    /// first step).
    pub tensors: Vec<[Vec<f32>; 3]>,
}
