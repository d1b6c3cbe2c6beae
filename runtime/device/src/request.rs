//! What cannot be done with a pack and a state, each with what to do instead.

/// Why a request was refused: the caller asked for what this pack, this state or this program does not offer.
///
/// What it was about stands in [`Error::Request`](crate::Error::Request) beside it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestProblem {
    /// No folder for the security counter.
    #[error(
        "this program uses signed packs, and keeps the newest one's security counter in the state folder: name one"
    )]
    StateNeeded,
    /// A change without a folder to keep it in.
    #[error("the device was opened without a state folder, and keeps nothing: name one")]
    NoState,
    /// A class that is not there.
    #[error("knows no class {0}: status lists them")]
    NoClass(String),
    /// A sample that is not there.
    #[error(
        "does not hold the sample {0}: give its file, or the id or file name that samples shows"
    )]
    NoSample(String),
    /// A name that no class can have.
    #[error("cannot name a class {0:?}: use 1 to 64 bytes of plain text")]
    BadName(String),
    /// One class would be left.
    #[error(
        "would know one class only, and answer it for everything: learn another class first; where nothing is to stay, forget everything"
    )]
    OneClassLeft,
    /// A number out of its range.
    #[error("{setting} is {found}, and {allowed} is allowed")]
    OutOfRange {
        /// What was set.
        setting: Setting,
        /// To what.
        found: String,
        /// What it can be.
        allowed: &'static str,
    },
    /// A setting of what an engine trains, where none does.
    #[error(
        "{0} is for a head that an engine trains: open the device with an engine and name no learner, or leave it out"
    )]
    NeedsEngine(Setting),
    /// Nothing to learn from, or to measure on.
    #[error("there are no samples: give some")]
    NoSamples,
    /// Features of eight bits where they were kept in four.
    #[error(
        "the features are kept in four bits, and what they lost does not come back: leave the bits as they are, or learn in a new state folder"
    )]
    KeptBits,
    /// Features of another number of bits than the state's.
    #[error(
        "one of the two devices keeps its features in four bits, and the other one in eight: learn with four on both first"
    )]
    MergedBits,
    /// A budget that one sample of each class does not fit.
    #[error("a budget of {bytes} bytes does not hold one sample of each class: {least} bytes do")]
    Budget {
        /// The budget.
        bytes: u64,
        /// What one sample of each class takes.
        least: usize,
    },
    /// A limit to false accepts with a trainable tail, or with a pack whose own head knows classes without samples here.
    #[error(
        "a limit to false accepts trains a head without each class, from samples of all of them: set none for a pack with a trainable tail or a head of its own"
    )]
    Strangers,
    /// A setting that is for tails.
    #[error("the pack keeps no trainable tail, and {0} is for one: leave it out")]
    NoTail(Setting),
    /// What is for heads, of a pack with a tail.
    #[error("the pack keeps a trainable tail, and {0} is for heads alone: leave it out")]
    OfHeads(Setting),
    /// Copies that nothing would use.
    #[error(
        "the pack keeps a trainable tail, whose samples adopt does not learn again: keep no copies of them"
    )]
    TailKeep,
    /// What cannot be done without training the tail again.
    #[error(
        "the pack keeps a trainable tail, which is not trained again by this: roll back, or learn what is to stay in another state folder"
    )]
    TailChange,
    /// Adoption of or from a trainable tail.
    #[error(
        "a trainable tail is not adopted, and nothing is learned again into one: go on with the pack before, or learn the samples in another state folder"
    )]
    TailAdopt,
    /// What answers for whole pictures only.
    #[error(
        "the pack answers a class for each place of a picture, and {0} is for one answer a picture: leave it out"
    )]
    NotOfPlaces(Setting),
    /// What is for answers a place.
    #[error(
        "the pack answers one class a picture, and {0} is for a class a place: leave it out, or pack the model for segmentation"
    )]
    OfPlaces(Setting),
    /// A sample without the mask that a pack of this kind learns from, or with one that it does not.
    #[error("{0}")]
    WrongTarget(&'static str),
    /// A tail on a build without an engine.
    #[error(
        "node '{0}' is the first of the pack's trainable tail, which is float arithmetic, and this program was built without an engine for that: build it with one, or pack the model without its tail"
    )]
    NoEngine(String),
    /// An engine that was not compiled.
    #[error("this program was built without that engine: build it with one of them, or use none")]
    EngineMissing,
    /// A GPU for an engine that was compiled without; the feature that brings it.
    #[error(
        "this program's engine was built for the CPU alone: build it for a GPU, or name no device"
    )]
    DeviceMissing(&'static str),
    /// A GPU for an engine that has none.
    #[error("{0} runs on the CPU alone: use an engine that has a GPU, or name no device")]
    NoSuchDevice(&'static str),
}

/// Something that a caller can set, by the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each is the field of that name in `LearnOptions` or `TailSettings`"
)]
pub enum Setting {
    Learner,
    Hidden,
    Views,
    FalseAccepts,
    Half,
    MaxBytes,
    KeptBits,
    KeepSamples,
    Weight,
    Reports,
    Doubtful,
    Masks,
    Overlays,
    Epochs,
    Batch,
    Optimiser,
    Rate,
    WarmUp,
    Momentum,
    WeightDecay,
    Clip,
    LabelSmoothing,
    Balanced,
    HeldOut,
    Patience,
    Seed,
    Train,
    Freeze,
    Augment,
    Storage,
}

impl Setting {
    /// The field's name.
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
