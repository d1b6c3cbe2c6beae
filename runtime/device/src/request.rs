//! What cannot be done with a pack and a state, each with what to do instead.

use crate::samples::{look_alike, told_apart};

/// A reason why a request was refused: the caller asked for what this pack, this state or this program does not offer.
///
/// What it was about stands in [`Error::Request`](crate::Error::Request) beside it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestProblem {
    /// No state folder is named, which would keep the newest signed pack's security counter.
    #[error(
        "this program uses signed packs, and keeps the newest one's security counter in the state folder: name one"
    )]
    StateNeeded,
    /// No state folder is named, so there is nowhere to keep a change.
    #[error("the device was opened without a state folder, and keeps nothing: name one")]
    NoState,
    /// The state knows no class of this name.
    #[error("knows no class {0}: status lists them")]
    NoClass(String),
    /// The state knows no class of this name, but one that looks the same.
    #[error("knows no class {name}, but {known}, which looks the same ({}): give that name", told_apart(.name, .known))]
    LooksLike {
        /// The name that was given.
        name: String,
        /// The class that looks the same.
        known: String,
    },
    /// The state holds no sample of this name.
    #[error(
        "does not hold the sample {0}: give its file, or the id or file name that samples shows"
    )]
    NoSample(String),
    /// The name is one that no class can have.
    #[error("cannot name a class {0:?}: use 1 to 64 bytes of plain text")]
    BadName(String),
    /// Only one class would be left.
    #[error(
        "would know one class only, and answer it for everything: learn another class first; where nothing is to stay, forget everything"
    )]
    OneClassLeft,
    /// A setting is outside of its range.
    #[error("{setting} is {found}, and {allowed} is allowed")]
    OutOfRange {
        /// The setting that is out of range.
        setting: Setting,
        /// The value that was given.
        found: String,
        /// The range that is allowed.
        allowed: &'static str,
    },
    /// The setting is for a head that an engine trains, and none does.
    #[error(
        "{0} is for a head that an engine trains: open the device with an engine and name no learner, or leave it out"
    )]
    NeedsEngine(Setting),
    /// There are no samples to learn from, or to measure on.
    #[error("there are no samples: give some")]
    NoSamples,
    /// Features that are kept in four bits cannot be brought back to eight.
    #[error(
        "the features are kept in four bits, and what they lost does not come back: leave the bits as they are, or learn in a new state folder"
    )]
    KeptBits,
    /// Two states that are to be merged keep features in different numbers of bits.
    #[error(
        "one of the two devices keeps its features in four bits, and the other one in eight: learn with four on both first"
    )]
    MergedBits,
    /// The budget of bytes does not hold one sample of each class.
    #[error("a budget of {bytes} bytes does not hold one sample of each class: {least} bytes do")]
    Budget {
        /// The budget in bytes.
        bytes: u64,
        /// Bytes that one sample of each class takes.
        least: usize,
    },
    /// A limit to false accepts cannot be set for a pack with a trainable tail, or whose own head knows classes without samples here.
    #[error(
        "a limit to false accepts trains a head without each class, from samples of all of them: set none for a pack with a trainable tail or a head of its own"
    )]
    Strangers,
    /// The setting is for a trainable tail, and the pack keeps none.
    #[error("the pack keeps no trainable tail, and {0} is for one: leave it out")]
    NoTail(Setting),
    /// The setting is for heads alone, and the pack keeps a trainable tail.
    #[error("the pack keeps a trainable tail, and {0} is for heads alone: leave it out")]
    OfHeads(Setting),
    /// Copies of samples would serve nothing: [`adopt`](crate::Device::adopt) does not learn a trainable tail again.
    #[error(
        "the pack keeps a trainable tail, whose samples adopt does not learn again: keep no copies of them"
    )]
    TailKeep,
    /// The change cannot be made without training the tail again.
    #[error(
        "the pack keeps a trainable tail, which is not trained again by this: roll back, or learn what is to stay in another state folder"
    )]
    TailChange,
    /// A trainable tail cannot be adopted, and nothing is learned again into one.
    #[error(
        "a trainable tail is not adopted, and nothing is learned again into one: go on with the pack before, or learn the samples in another state folder"
    )]
    TailAdopt,
    /// The setting is for packs that give one answer a picture, and this pack answers a class for each place.
    #[error(
        "the pack answers a class for each place of a picture, and {0} is for one answer a picture: leave it out"
    )]
    NotOfPlaces(Setting),
    /// The setting is for packs that answer a class for each place, and this one answers one class a picture.
    #[error(
        "the pack answers one class a picture, and {0} is for a class a place: leave it out, or pack the model for segmentation"
    )]
    OfPlaces(Setting),
    /// A sample comes without the mask that a pack of this kind learns from, or with one that the pack does not learn from.
    #[error("{0}")]
    WrongTarget(&'static str),
    /// The pack keeps a trainable tail, and this program was built without an engine to run it.
    #[error(
        "node '{0}' is the first of the pack's trainable tail, which is float arithmetic, and this program was built without an engine for that: build it with one, or pack the model without its tail"
    )]
    NoEngine(String),
    /// The engine is not compiled into this program.
    #[error("this program was built without that engine: build it with one of them, or use none")]
    EngineMissing,
    /// The engine was built for the CPU alone; the feature that brings the GPU is named.
    #[error(
        "this program's engine was built for the CPU alone: build it for a GPU, or name no device"
    )]
    DeviceMissing(&'static str),
    /// The engine runs on the CPU alone.
    #[error("{0} runs on the CPU alone: use an engine that has a GPU, or name no device")]
    NoSuchDevice(&'static str),
}

impl RequestProblem {
    /// That no class of this name is among those that are known.
    pub(crate) fn no_class<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> Self {
        match look_alike(name, known.into_iter().map(String::as_str)) {
            Some(known) => Self::LooksLike { name: name.to_owned(), known: known.to_owned() },
            None => Self::NoClass(name.to_owned()),
        }
    }
}

/// A setting that a caller can make, named after its field in [`LearnOptions`](crate::LearnOptions) or
/// [`TailSettings`](crate::TailSettings), where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// The learner of the head.
    Learner,
    /// Units of a hidden layer.
    Hidden,
    /// How often each picture is shown.
    Views,
    /// The most false accepts.
    FalseAccepts,
    /// The head's weights as float16.
    Half,
    /// The most bytes of features to keep.
    MaxBytes,
    /// Bits that features are kept in.
    KeptBits,
    /// Copies of the samples' files.
    KeepSamples,
    /// The weight of samples beside others.
    Weight,
    /// Samples to report on, not learned from.
    Reports,
    /// A list of the samples whose label is in doubt.
    Doubtful,
    /// Masks of a segmentation, written as pictures.
    Masks,
    /// Masks of a segmentation, drawn over their pictures.
    Overlays,
    /// Passes over the samples in a tail's training.
    Epochs,
    /// Samples a step of a tail's training.
    Batch,
    /// The rule by which gradients change a tail's weights.
    Optimiser,
    /// The largest step size of a tail's training.
    Rate,
    /// The part of a tail's training in which the step size rises.
    WarmUp,
    /// Momentum of stochastic gradient descent.
    Momentum,
    /// Decay of a tail's weights.
    WeightDecay,
    /// The longest gradient.
    Clip,
    /// The part of the probability that is spread over all classes.
    LabelSmoothing,
    /// Every class counts the same.
    Balanced,
    /// Percent of each class that is held out.
    HeldOut,
    /// Epochs without a better one after which training stops.
    Patience,
    /// The seed of all that is random in a tail's training.
    Seed,
    /// Layers of a tail that are trained.
    Train,
    /// Layers of a tail that are not trained.
    Freeze,
    /// Random changes to pictures.
    Augment,
    /// The form in which a tail's weights are kept.
    Storage,
}

impl Setting {
    /// The name of the field.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Learner => "learner",
            Self::Hidden => "hidden",
            Self::Views => "views",
            Self::FalseAccepts => "false_accepts",
            Self::Half => "half",
            Self::MaxBytes => "max_bytes",
            Self::KeptBits => "kept_bits",
            Self::KeepSamples => "keep_samples",
            Self::Weight => "weight",
            Self::Reports => "reports",
            Self::Doubtful => "doubtful",
            Self::Masks => "masks",
            Self::Overlays => "overlays",
            Self::Epochs => "epochs",
            Self::Batch => "batch",
            Self::Optimiser => "optimiser",
            Self::Rate => "rate",
            Self::WarmUp => "warm_up",
            Self::Momentum => "momentum",
            Self::WeightDecay => "weight_decay",
            Self::Clip => "clip",
            Self::LabelSmoothing => "label_smoothing",
            Self::Balanced => "balanced",
            Self::HeldOut => "held_out",
            Self::Patience => "patience",
            Self::Seed => "seed",
            Self::Train => "train",
            Self::Freeze => "freeze",
            Self::Augment => "augment",
            Self::Storage => "storage",
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
