//! The command line's syntax.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use headstart::kernels::{Isa, Kernels, UnknownIsa};
use headstart_edge::backend::{self, Backend, Device};
use headstart_edge::extract::Engine;
use headstart_edge::state::{Bits, Problem};

use crate::output;

/// Personalises a Headstart pack on this device: nothing leaves it, and the pack never changes.
#[derive(Debug, Parser)]
#[command(name = "headstart-edge", version, arg_required_else_help = true)]
#[command(after_help = "Example:
  headstart-edge learn model.hspk --data photos --state mine
  headstart-edge predict model.hspk --state mine new.jpg

Exit status: 0 done, 1 the input was refused, 2 the machine failed.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What was asked for. A negative number is a value, which its option refuses by name, and no option of its own.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let command = Cli::command().mut_subcommands(|command| command.allow_negative_numbers(true));
    Cli::from_arg_matches(&command.try_get_matches()?)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Learns labelled samples on top of what was learned before.
    Learn(Learn),
    /// Answers for files: label, probability, or "unknown".
    Predict(Predict),
    /// Measures accuracy on labelled samples.
    Eval(Eval),
    /// Says what was learned.
    Status(Status),
    /// Measures time and memory.
    Bench(Bench),
    /// Removes a sample, a class or everything that was learned.
    Forget(Forget),
    /// Gives a class another name, or makes two classes one.
    Rename(Rename),
    /// Takes over what another device learned.
    Merge(Merge),
    /// Learns the kept samples again with another backbone.
    Adopt(Adopt),
    /// Lists the samples, and those that seem to be of another class.
    Samples(Samples),
    /// Lists the commits that are kept.
    History(History),
    /// Returns to an earlier commit.
    Rollback(Rollback),
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The pack (.hspk).
    pub(crate) pack: PathBuf,
    /// Print one JSON object on stdout and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which samples are taken.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// One folder a class, with .jpg, .png or .npy files in it; for a pack that answers a class for each place,
    /// images/NAME.jpg with masks/NAME.png.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Take at most N samples of each class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Seed of the choice that --limit makes.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// Which of the CPU's instructions are used.
#[derive(Debug, Args)]
pub(crate) struct Instructions {
    /// Kernels to run the backbone on, generic, avx2, avxvnni, avx512vnni, neon or dotprod; the
    /// features are the same for all [default: the fastest that this CPU has].
    #[arg(long, value_name = "ISA", env = "HEADSTART_ISA", value_parser = parse_kernels)]
    isa: Option<Kernels>,
}

impl Instructions {
    pub(crate) fn kernels(&self) -> Kernels {
        self.isa.unwrap_or_else(Kernels::best)
    }
}

fn parse_kernels(name: &str) -> Result<Kernels, String> {
    let isa: Isa = name.parse().map_err(|e: UnknownIsa| e.to_string())?;
    Kernels::new(isa).ok_or_else(|| {
        let runnable = Isa::ALL.into_iter().filter(|&isa| Kernels::new(isa).is_some());
        let runnable: Vec<&str> = runnable.map(Isa::name).collect();
        format!("this CPU does not run {isa}; it runs {}", runnable.join(", "))
    })
}

/// How the backbone is run.
#[derive(Debug, Args)]
pub(crate) struct Compute {
    /// Threads that share the images, or one image where there are fewer; the result is the same for
    /// any number [default: one a core].
    #[arg(long = "threads", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    instructions: Instructions,
}

impl Compute {
    pub(crate) fn engine(&self) -> Engine {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or_else(cores, usize::from);
        Engine { kernels: self.instructions.kernels(), threads }
    }
}

/// A Burn backend.
#[derive(Debug, Args)]
pub(crate) struct BackendArgs {
    /// Use this Burn backend instead of the int8 kernels: it runs the backbone on many samples at once, and learn trains on it
    /// by autodiff unless --learner is given. On a CPU learn leaves the backbone to the kernels, which are faster. The program must
    /// be built with the feature of that name.
    #[arg(long, value_enum)]
    engine: Option<EngineChoice>,
    /// Where the engine runs; without a GPU it is the CPU after all [default: cuda with --engine cuda, else cpu].
    #[arg(long, value_enum, requires = "engine")]
    device: Option<DeviceChoice>,
}

impl BackendArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.engine.is_some()
    }

    /// What was asked for, if anything; why it is not on the GPU is said on stderr.
    pub(crate) fn choose(&self) -> Result<Option<Backend>, Problem> {
        let Some(engine) = self.engine else { return Ok(None) };
        let engine = match engine {
            EngineChoice::Ndarray => backend::Engine::Ndarray,
            EngineChoice::Candle => backend::Engine::Candle,
            EngineChoice::Flex => backend::Engine::Flex,
            EngineChoice::Cuda => backend::Engine::Cuda,
        };
        let device = self.device.map(|device| match device {
            DeviceChoice::Cpu => Device::Cpu,
            DeviceChoice::Cuda => Device::Cuda,
        });
        let (backend, no_gpu) = Backend::choose(engine, device)?;
        if let Some(reason) = no_gpu {
            output::warn(&format!("no GPU is used ({reason}): {backend} takes its place"));
        }
        Ok(Some(backend))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge learn model.hspk --data photos --state mine

photos/mug/*.jpg and photos/cup/*.jpg teach the classes mug and cup. A second call with new samples or
new classes keeps the first; a sample that is there already costs nothing, and under another class it
is a correction. A head that answers what was known before worse is kept as rejected, and nothing changes.")]
pub(crate) struct Learn {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Folder of what was learned; created if need be.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// How the head is trained [default: auto, or by autodiff with --engine].
    #[arg(long, value_enum)]
    pub(crate) learner: Option<LearnerChoice>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    /// Units of a hidden layer between features and classes.
    #[arg(long, value_name = "N", requires = "engine", conflicts_with = "learner", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) hidden: Option<u16>,
    /// Show each new picture to the backbone N times, whole and as N − 1 crops [default: 3 with
    /// --learner auto and at most 50 samples a class, else 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) views: Option<u8>,
    /// Call so much "unknown" that at most this part of the samples of classes that were never taught is answered, as
    /// measured by leaving each class out in turn.
    #[arg(long, value_name = "PART", value_parser = part)]
    pub(crate) false_accepts: Option<f32>,
    /// Keep the head's weights as float16 and leave its prototypes out: 2 bytes a weight instead of 5.
    #[arg(long)]
    pub(crate) half: bool,
    /// Keep so many bytes of features at most: where there are more, the classes that have most lose samples.
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<u64>,
    /// Keep features in four bits from now on, those of before too: half the room, for a little accuracy. What is lost does not come back.
    #[arg(long, value_name = "BITS")]
    pub(crate) kept_bits: Option<BitsChoice>,
    /// Keep a copy of each sample's file in the state folder, from now on: also in later calls, until the folder kept-samples is
    /// removed or everything is forgotten. A pack with another backbone learns from them (adopt). Samples of before are kept
    /// when they are given again.
    #[arg(long)]
    pub(crate) keep_samples: bool,
    #[command(flatten)]
    pub(crate) tail: TailArgs,
    /// Say how often the heads before and after are right on the samples of this folder, which are not learned from:
    /// of the place that a device comes from, and of the one where it is now.
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Vec<PathBuf>,
    /// Make the head current even if it answers what was known before worse.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) compute: Compute,
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
}

impl TailArgs {
    /// The first option that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            (self.epochs.is_some(), "--epochs"),
            (self.batch.is_some(), "--batch"),
            (self.optimiser.is_some(), "--optimiser"),
            (self.rate.is_some(), "--rate"),
            (self.warm_up.is_some(), "--warm-up"),
            (self.momentum.is_some(), "--momentum"),
            (self.weight_decay.is_some(), "--weight-decay"),
            (self.clip.is_some(), "--clip"),
            (self.label_smoothing.is_some(), "--label-smoothing"),
            (self.balanced, "--balanced"),
            (self.held_out.is_some(), "--held-out"),
            (self.patience.is_some(), "--patience"),
            (self.training_seed.is_some(), "--training-seed"),
            (!self.train.is_empty(), "--train"),
            (!self.freeze.is_empty(), "--freeze"),
            (!self.augment.is_empty(), "--augment"),
            (self.storage.is_some(), "--storage"),
        ]
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
    }
}

fn number(text: &str, allowed: impl Fn(f32) -> bool, what: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|&number: &f32| number.is_finite() && allowed(number));
    number.ok_or_else(|| format!("{what} is needed"))
}

fn positive(text: &str) -> Result<f32, String> {
    number(text, |n| n > 0.0, "a number above 0")
}

fn not_negative(text: &str) -> Result<f32, String> {
    number(text, |n| n >= 0.0, "a number from 0")
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// The ndarray crate.
    Ndarray,
    /// Hugging Face's candle.
    Candle,
    /// Burn's own CPU backend.
    Flex,
    /// Burn's own kernels on an NVIDIA GPU.
    Cuda,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceChoice {
    /// The processor.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LearnerChoice {
    /// Picks and regularises by held-out accuracy.
    Auto,
    /// Softmax regression by stochastic gradients.
    Sgd,
    /// Least squares in closed form.
    Ridge,
    /// Class means.
    Imprint,
    /// Linear discriminant analysis, from exact sums.
    Lda,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge predict model.hspk --state mine new.jpg other.png

A file that cannot be read makes the exit status 1; the others are answered all the same.")]
pub(crate) struct Predict {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned; without it, or where it has no head, the pack's own head
    /// answers. A program for signed packs needs it.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Where answers are written as masks, for a pack that answers a class for each place: MASKS/NAME.png.
    #[arg(long, value_name = "DIR")]
    pub(crate) masks: Option<PathBuf>,
    /// Images or .npy arrays.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    #[command(flatten)]
    pub(crate) compute: Compute,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge eval model.hspk --state mine --data test-photos")]
pub(crate) struct Eval {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned; without it, or where it has no head, the pack's own head
    /// answers. A program for signed packs needs it.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Where each picture is written with the answer over it, for a pack that answers a class for each place.
    #[arg(long, value_name = "DIR")]
    pub(crate) overlays: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    #[command(flatten)]
    pub(crate) compute: Compute,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge status model.hspk --state mine")]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge bench model.hspk --state mine --threads 1

With N threads, all of them work on one sample.")]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned; without a head anywhere, one of 10 classes stands in.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Threads that share one sample.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: u16,
    /// Time each node of the backbone too, on one thread.
    #[arg(long)]
    pub(crate) layers: bool,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    #[command(flatten)]
    pub(crate) instructions: Instructions,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge forget model.hspk --state mine --yes
  headstart-edge forget model.hspk --state mine --class mug
  headstart-edge forget model.hspk --state mine --sample photos/mug/7.jpg

With --yes alone, everything learned is removed and cannot be brought back; a head that the pack ships
stays in the pack. With --class or --sample the head is learned again from the rest: the state is then the one that
never saw them, and earlier commits, which did, are removed.")]
pub(crate) struct Forget {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Forget this class and all of its samples.
    #[arg(long, value_name = "NAME")]
    pub(crate) class: Vec<String>,
    /// Forget this sample: its file, or the id that `samples` shows.
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) sample: Vec<PathBuf>,
    /// Needed to forget everything, because nothing asks again.
    #[arg(long, conflicts_with_all = ["class", "sample"])]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge rename model.hspk --state mine --class cup --to mug

Where mug is a class already, the samples of both become one class.")]
pub(crate) struct Rename {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The class.
    #[arg(long, value_name = "NAME")]
    pub(crate) class: String,
    /// Its new name.
    #[arg(long, value_name = "NAME")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge merge model.hspk --state mine --from theirs

The state is then the one of a device that saw the samples of both. A sample that both know under different
classes keeps the class that it has here.")]
pub(crate) struct Merge {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Folder of what the other device learned; it stays as it is.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge adopt model.hspk --state mine

model.hspk is the new pack. A head belongs to a backbone, so with another one the state's samples are learned again, as its
learner did, from the copies that learn --keep-samples has kept. Until that is committed, the old pack answers; from then on the new one does, and
rollback with the old pack returns to what was before. Where the new backbone answers the samples worse, or not all of them were
kept, nothing is changed. A pack with the same backbone needs no adoption. Trainable tails are not adopted.")]
pub(crate) struct Adopt {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Learn from the samples that are kept even if some are missing, and make the head current even if it answers them
    /// worse.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) compute: Compute,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge samples model.hspk --state mine --doubtful

With --doubtful, only samples that a head that was learned without them answers with another class, the
surest first: perhaps their label is wrong. forget --sample removes one, learn under another class corrects it.")]
pub(crate) struct Samples {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Only the samples of this class.
    #[arg(long, value_name = "NAME")]
    pub(crate) class: Option<String>,
    /// Only samples that seem to be of another class.
    #[arg(long)]
    pub(crate) doubtful: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge history model.hspk --state mine")]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge rollback model.hspk --state mine --to 3

Samples that the commit does not have are no longer kept: learn them again to have them back. Behind an adopt, rollback with
the old pack returns to the last commit of its backbone; it computes that one's features again, from the kept samples.")]
pub(crate) struct Rollback {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The number that history shows [default: the one before the current].
    #[arg(long, value_name = "N")]
    pub(crate) to: Option<u32>,
    #[command(flatten)]
    pub(crate) compute: Compute,
}
