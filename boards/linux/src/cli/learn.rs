//! What `learn` takes.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use headstart_device::state::Bits;
use headstart_device::training::tail::Augment;
use headstart_device::{
    LearnOptions, Learner, Learning, Optimiser, TailSettings, TailWeights, Weight,
};

use super::{BackendArgs, Common, ComputeArgs, Selection};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge learn model.hspk --data photos --state mine

photos/mug/*.jpg and photos/cup/*.jpg teach the classes mug and cup. A second call with new
samples or new classes keeps the first; a sample that is there already costs nothing, and under
another class it is a correction. A head that answers what was known before worse is kept as
rejected, and nothing changes.")]
pub(crate) struct Learn {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Folder of what was learned; created if need be.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// How the head is trained [default: as the state's heads are, auto for the first, or by autodiff with --engine].
    #[arg(long, value_enum)]
    pub(crate) learner: Option<LearnerChoice>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    /// Units of a hidden layer between features and classes.
    #[arg(long, value_name = "N", requires = "engine", conflicts_with = "learner", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) hidden: Option<u16>,
    /// Show each new picture to the backbone N times, 1 to 5, whole and as N − 1 crops, or as often as suits (`auto`): 3 times with
    /// --learner auto and at most 50 samples a class, else once. It holds for later commands too.
    #[arg(long, value_name = "N|auto", value_parser = views)]
    pub(crate) views: Option<u8>,
    /// Call so much "unknown" that at most this part of the samples of classes that were never taught is answered, as
    /// measured by leaving each class out in turn. It holds for later commands too; 1 takes the limit away.
    #[arg(long, value_name = "PART", value_parser = share)]
    pub(crate) false_accepts: Option<f32>,
    /// Keep the head's weights as float16 and leave its prototypes out: 2 bytes a weight instead of 5. It holds for later
    /// commands too; --half=false takes it back.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) half: Option<bool>,
    /// Keep so many bytes of features at most: where there are more, the classes that have most lose samples. It holds for later
    /// commands too; `none` takes the limit away.
    #[arg(long, value_name = "N|none", value_parser = max_bytes)]
    pub(crate) max_bytes: Option<u64>,
    /// Keep features in four bits from now on, those of before too: half the room, for a little accuracy. What is lost does not come back.
    #[arg(long, value_name = "BITS")]
    pub(crate) kept_bits: Option<BitsChoice>,
    /// Keep a copy of each sample's file in the state folder, from now on: also in later calls, until the folder kept-samples is
    /// removed or everything is forgotten. A pack with another backbone learns from them (adopt). Samples of before are kept
    /// when they are given again.
    #[arg(long)]
    pub(crate) keep_samples: bool,
    /// Let each of these samples, the known ones among them, count as N samples, 1 to 100, or all of them together about as much as all
    /// others (`recent`): where many samples of before leave few new ones little room. Kept with each sample.
    #[arg(long, value_name = "N|recent", value_parser = weight)]
    pub(crate) weight: Option<Weight>,
    #[command(flatten)]
    pub(crate) tail: TailArgs,
    /// Say how often the heads before and after are right on the samples of this folder, which are not learned from:
    /// of the place that a device comes from, and of the one where it is now.
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Vec<PathBuf>,
    /// Bytes that training may take [default: what is free]. Where auto would take more, sgd learns the head, and harm is
    /// judged by heads of fewer samples.
    #[arg(long, value_name = "N")]
    pub(crate) memory: Option<u64>,
    /// Make the head current even if it answers what was known before worse.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// How the tail of a pack that was made with `--tail keep` is trained.
#[derive(Debug, Args)]
#[command(next_help_heading = "For a pack with a trainable tail")]
pub(crate) struct TailArgs {
    /// Passes over the samples [default: 30].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) epochs: Option<u16>,
    /// Samples a step [default: 20].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) batch: Option<u16>,
    /// The rule by which gradients change the weights [default: adamw].
    #[arg(long, value_enum)]
    pub(crate) optimiser: Option<OptimiserChoice>,
    /// Largest step size; it rises to it, then falls to 0 along half a cosine [default: 0.001, with sgd 0.01].
    #[arg(long, value_name = "R", value_parser = positive)]
    pub(crate) rate: Option<f32>,
    /// Part of the training in which the step size rises [default: 0.1].
    #[arg(long, value_name = "PART", value_parser = part)]
    pub(crate) warm_up: Option<f32>,
    /// What of the last step goes into the next, with sgd [default: 0.9].
    #[arg(long, value_name = "M", value_parser = part)]
    pub(crate) momentum: Option<f32>,
    /// Decay of the weights [default: 0.01, with sgd 0.0001].
    #[arg(long, value_name = "D", value_parser = part)]
    pub(crate) weight_decay: Option<f32>,
    /// Longest gradient, 0 for any [default: 1].
    #[arg(long, value_name = "NORM", value_parser = not_negative)]
    pub(crate) clip: Option<f32>,
    /// Part of the probability that is spread over all classes [default: 0.1].
    #[arg(long, value_name = "PART", value_parser = part)]
    pub(crate) label_smoothing: Option<f32>,
    /// Percent of each class that is held out to tell the best epoch [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=90))]
    pub(crate) held_out: Option<u8>,
    /// Stop after N epochs without a better one [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) patience: Option<u16>,
    /// Seed of all that is random in training [default: 1].
    #[arg(long, value_name = "S")]
    pub(crate) training_seed: Option<u64>,
    /// Train only layers that this pattern names, as the framework wrote them ('features.18.*'), and the last; with
    /// --freeze also all others that this does not name.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) train: Vec<String>,
    /// Do not train layers that this pattern names, unless --train names them too.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) freeze: Vec<String>,
    /// Let every class count the same, however few samples it has.
    #[arg(long)]
    pub(crate) balanced: bool,
    /// Show pictures otherwise each time, where the tail begins at the input.
    #[arg(long, value_name = "flip,crop,colour", value_delimiter = ',')]
    pub(crate) augment: Vec<AugmentChoice>,
    /// How the tail's weights are kept [default: f16].
    #[arg(long, value_enum)]
    pub(crate) storage: Option<StorageChoice>,
    /// All that is named here holds for later calls too: take back what was asked for before, but for what this call names.
    #[arg(long)]
    pub(crate) tail_anew: bool,
}

impl Learn {
    /// The same for the library.
    pub(crate) fn options(&self) -> LearnOptions<'static> {
        LearnOptions {
            learner: self.learner.map(LearnerChoice::named),
            hidden: self.hidden.map(usize::from),
            views: self.views.map(usize::from),
            false_accepts: self.false_accepts,
            half: self.half,
            max_bytes: self.max_bytes,
            kept_bits: self.kept_bits.map(Bits::from),
            keep_samples: self.keep_samples,
            weight: self.weight,
            tail: self.tail.settings(),
            tail_anew: self.tail.tail_anew,
            reports: Vec::new(),
            memory: self.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            force: self.force,
        }
    }
}

impl TailArgs {
    fn settings(&self) -> TailSettings {
        TailSettings {
            epochs: self.epochs.map(usize::from),
            batch: self.batch.map(usize::from),
            optimiser: self.optimiser.map(|optimiser| match optimiser {
                OptimiserChoice::Adamw => Optimiser::AdamW,
                OptimiserChoice::Sgd => Optimiser::Sgd,
            }),
            rate: self.rate,
            warm_up: self.warm_up,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            clip: self.clip,
            label_smoothing: self.label_smoothing,
            balanced: self.balanced,
            held_out: self.held_out,
            patience: self.patience.map(usize::from),
            seed: self.training_seed,
            train: self.train.clone(),
            freeze: self.freeze.clone(),
            augment: Augment {
                flip: self.augment.contains(&AugmentChoice::Flip),
                crop: self.augment.contains(&AugmentChoice::Crop),
                colour: self.augment.contains(&AugmentChoice::Colour),
            },
            storage: self.storage.map(|storage| match storage {
                StorageChoice::F16 => TailWeights::F16,
                StorageChoice::F32 => TailWeights::F32,
            }),
        }
    }
}

impl LearnerChoice {
    fn named(self) -> Learning {
        match self {
            Self::Auto => Learning::Auto,
            Self::Named(learner) => Learning::Named(learner),
        }
    }
}

fn number(text: &str, allowed: impl Fn(f32) -> bool, what: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|&number: &f32| number.is_finite() && allowed(number));
    number.ok_or_else(|| format!("{what} is needed"))
}

fn weight(text: &str) -> Result<Weight, String> {
    if text == "recent" {
        return Ok(Weight::AsAllOthers);
    }
    let number = text.parse().ok().filter(|number| (1..=100).contains(number));
    number
        .map(Weight::Each)
        .ok_or_else(|| "a number from 1 to 100, or recent, is needed".to_owned())
}

fn views(text: &str) -> Result<u8, String> {
    if text == "auto" {
        return Ok(0);
    }
    let number = text.parse().ok().filter(|number| (1..=5).contains(number));
    number.ok_or_else(|| "a number from 1 to 5, or auto, is needed".to_owned())
}

fn max_bytes(text: &str) -> Result<u64, String> {
    if text == "none" {
        return Ok(u64::MAX);
    }
    text.parse().map_err(|_| "a number of bytes, or none, is needed".to_owned())
}

fn positive(text: &str) -> Result<f32, String> {
    number(text, |n| n > 0.0, "a number above 0")
}

fn not_negative(text: &str) -> Result<f32, String> {
    number(text, |n| n >= 0.0, "a number from 0")
}

fn share(text: &str) -> Result<f32, String> {
    number(text, |n| (0.0..=1.0).contains(&n), "a number from 0 to 1")
}

fn part(text: &str) -> Result<f32, String> {
    number(text, |n| (0.0..1.0).contains(&n), "a number from 0 to below 1")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimiserChoice {
    /// Adam with decoupled decay.
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AugmentChoice {
    /// Mirrored left to right, every second time.
    Flip,
    /// Moved by up to an eighth.
    Crop,
    /// Brightness, contrast and saturation changed by up to a fifth.
    Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StorageChoice {
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
}

/// In how many bits features are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BitsChoice {
    /// As the nearest of 16 levels of each sample.
    #[value(name = "4")]
    Four,
    /// As the backbone gives them.
    #[value(name = "8")]
    Eight,
}

impl From<BitsChoice> for Bits {
    fn from(choice: BitsChoice) -> Self {
        match choice {
            BitsChoice::Four => Self::Four,
            BitsChoice::Eight => Self::Eight,
        }
    }
}

/// How a head is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LearnerChoice {
    /// Picks and regularises by held-out accuracy, as far as memory goes.
    Auto,
    /// This learner, and no other.
    Named(Learner),
}

impl ValueEnum for LearnerChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Auto,
            Self::Named(Learner::Sgd),
            Self::Named(Learner::Ridge),
            Self::Named(Learner::Imprint),
            Self::Named(Learner::Lda),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Auto => {
                ("auto", "Picks and regularises by held-out accuracy, as far as memory goes")
            }
            Self::Named(learner) => (
                learner.name(),
                match learner {
                    Learner::Sgd => "Softmax regression by stochastic gradients",
                    Learner::Ridge => "Least squares in closed form",
                    Learner::Imprint => "Class means",
                    Learner::Lda => "Linear discriminant analysis, from exact sums",
                    Learner::Logistic | Learner::Blend | Learner::Other => return None,
                },
            ),
        };
        Some(PossibleValue::new(name).help(help))
    }
}
