//! What the training of a tail begins with, and what it gives, whatever trains it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::Vec;

use crate::graph::ValueId;

/// The numbers of trained constants, by the values that they are.
pub type Constants = BTreeMap<ValueId, Arc<[f32]>>;

/// How gradients change the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimiser {
    /// `v ← momentum · v + g`, `w ← w − rate · v`; the decay is part of `g`.
    Sgd {
        /// What of the last step goes into the next.
        momentum: f32,
    },
    /// Adam with decoupled decay (Loshchilov and Hutter, 2019): β 0.9 and 0.999, ε 1e-8.
    AdamW,
}

/// Settings of a training, which do not change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The rule.
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
    /// `[class][input]`.
    pub weights: Vec<f32>,
    /// One a class.
    pub bias: Vec<f32>,
}

/// Everything that training goes on from, in the host's memory.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Snapshot {
    /// Steps so far.
    pub steps: u32,
    /// For each parameter, the last layer's weights and bias behind the graph's: value, first and
    /// second moment (empty before the first step).
    pub tensors: Vec<[Vec<f32>; 3]>,
}
