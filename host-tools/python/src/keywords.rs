//! Keyword arguments as the options of the device library. Ranges are the library's to check; what is no option at all is refused here.

use headstart_device::state::Bits;
use headstart_device::{
    Augment, LearnOptions, Learner, Learning, Optimiser, TailSettings, TailWeights, Weight,
};
use pyo3::prelude::*;
use pythonize::depythonize;
use serde::Deserialize;

use crate::errors::of_caller;

/// Keywords of `Device.learn` as they come.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Learn {
    learner: Option<String>,
    hidden: Option<usize>,
    views: Option<NumberOrWord<usize>>,
    false_accepts: Option<f32>,
    half: Option<bool>,
    max_bytes: Option<NumberOrWord<u64>>,
    kept_bits: Option<u8>,
    keep_samples: bool,
    weight: Option<NumberOrWord<u16>>,
    memory: Option<usize>,
    force: bool,
    tail_anew: bool,
    tail: Tail,
}

/// A number, or a word in its place.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberOrWord<N> {
    Number(N),
    Word(String),
}

impl<N> NumberOrWord<N> {
    /// The number; `of_word` where it is that word.
    fn number(self, name: &str, word: &str, of_word: N) -> Result<N, String> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Word(found) if found == word => Ok(of_word),
            Self::Word(found) => {
                Err(format!("{name} is {found:?}, and a number or {word:?} is allowed"))
            }
        }
    }
}

/// Keywords of a tail's training.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tail {
    epochs: Option<usize>,
    batch: Option<usize>,
    optimiser: Option<String>,
    rate: Option<f32>,
    warm_up: Option<f32>,
    momentum: Option<f32>,
    weight_decay: Option<f32>,
    clip: Option<f32>,
    label_smoothing: Option<f32>,
    balanced: bool,
    held_out: Option<u8>,
    patience: Option<usize>,
    seed: Option<u64>,
    train: Vec<String>,
    freeze: Vec<String>,
    augment: Vec<String>,
    storage: Option<String>,
}

/// The learner of this name.
pub(crate) fn learning(name: &str) -> Result<Learning, String> {
    const LEARNERS: [Learner; 4] = [Learner::Sgd, Learner::Ridge, Learner::Imprint, Learner::Lda];
    let named = LEARNERS.into_iter().find(|learner| learner.name() == name);
    match named {
        Some(learner) => Ok(Learning::Named(learner)),
        None if name == "auto" => Ok(Learning::Auto),
        None => one_of("learner", name, "'auto', 'sgd', 'ridge', 'imprint' or 'lda'"),
    }
}

fn one_of<T>(name: &str, found: &str, allowed: &str) -> Result<T, String> {
    Err(format!("{name} is {found:?}, and {allowed} is allowed"))
}

/// The options that these keywords mean.
pub(crate) fn learn(keywords: &Bound<'_, PyAny>) -> PyResult<LearnOptions<'static>> {
    let refuse = |message: String| of_caller(keywords.py(), message);
    let given: Learn = depythonize(keywords).map_err(|error| refuse(error.to_string()))?;
    given.options().map_err(refuse)
}

impl Learn {
    fn options(self) -> Result<LearnOptions<'static>, String> {
        let kept_bits = match self.kept_bits {
            None => None,
            Some(4) => Some(Bits::Four),
            Some(8) => Some(Bits::Eight),
            Some(other) => one_of("kept_bits", &other.to_string(), "4 or 8")?,
        };
        let weight = match self.weight {
            None => None,
            Some(NumberOrWord::Number(each)) => Some(Weight::Each(each)),
            Some(NumberOrWord::Word(word)) if word == "recent" => Some(Weight::AsAllOthers),
            Some(NumberOrWord::Word(word)) => one_of("weight", &word, "a number or 'recent'")?,
        };
        Ok(LearnOptions {
            learner: self.learner.as_deref().map(learning).transpose()?,
            hidden: self.hidden,
            views: self.views.map(|views| views.number("views", "auto", 0)).transpose()?,
            false_accepts: self.false_accepts,
            half: self.half,
            max_bytes: self
                .max_bytes
                .map(|bytes| bytes.number("max_bytes", "none", u64::MAX))
                .transpose()?,
            kept_bits,
            keep_samples: self.keep_samples,
            weight,
            tail: self.tail.settings()?,
            tail_anew: self.tail_anew,
            reports: Vec::new(),
            memory: self.memory,
            force: self.force,
        })
    }
}

impl Tail {
    fn settings(self) -> Result<TailSettings, String> {
        let optimiser = match self.optimiser.as_deref() {
            None => None,
            Some("adamw") => Some(Optimiser::AdamW),
            Some("sgd") => Some(Optimiser::Sgd),
            Some(other) => one_of("optimiser", other, "'adamw' or 'sgd'")?,
        };
        let storage = match self.storage.as_deref() {
            None => None,
            Some("f16") => Some(TailWeights::F16),
            Some("f32") => Some(TailWeights::F32),
            Some(other) => one_of("storage", other, "'f16' or 'f32'")?,
        };
        let mut augment = Augment::default();
        for change in &self.augment {
            match change.as_str() {
                "flip" => augment.flip = true,
                "crop" => augment.crop = true,
                "colour" => augment.colour = true,
                other => one_of("augment", other, "'flip', 'crop' and 'colour'")?,
            }
        }
        Ok(TailSettings {
            epochs: self.epochs,
            batch: self.batch,
            optimiser,
            rate: self.rate,
            warm_up: self.warm_up,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            clip: self.clip,
            label_smoothing: self.label_smoothing,
            balanced: self.balanced,
            held_out: self.held_out,
            patience: self.patience,
            seed: self.seed,
            train: self.train,
            freeze: self.freeze,
            augment,
            storage,
        })
    }
}
