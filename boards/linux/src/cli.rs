//! The command line's syntax.

pub(crate) mod learn;
#[cfg(feature = "serve")]
pub(crate) mod serve;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use headstart::kernels::{Isa, Kernels, UnknownIsa};
use headstart_device::engine::{Backend, Engine, Processor};
use headstart_device::{DeviceOptions, Most, RequestProblem};

pub(crate) use self::learn::Learn;
#[cfg(feature = "serve")]
pub(crate) use self::serve::{Serve, Watch};
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
    Learn(Box<Learn>),
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
    /// Gives samples another class.
    Relabel(Relabel),
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
    /// Brings back what was damaged.
    Repair(Repair),
    /// Serves a page that teaches with a camera, and the API behind it.
    #[cfg(feature = "serve")]
    Serve(Box<Serve>),
    /// Answers what a camera shows, one JSON line a frame.
    #[cfg(feature = "serve")]
    Watch(Watch),
    /// Writes man pages and completions for bash, zsh and fish below a folder laid out as /usr/share is.
    #[command(hide = true)]
    Manual(Manual),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge manual ~/.local/share")]
pub(crate) struct Manual {
    /// The folder.
    pub(crate) share: PathBuf,
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
    /// One folder a class, with JPEG, PNG, WebP, BMP or .npy files in it; for a pack that answers a class for each place,
    /// images/NAME.jpg with masks/NAME.png.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Take at most N samples of each class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Seed of the choice that --limit makes.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Go on without files that cannot be read or decoded, and say how many; without, they are refused, all at once.
    #[arg(long)]
    pub(crate) skip_bad: bool,
}

impl Selection {
    /// How many samples are taken, if not all.
    pub(crate) fn most(&self) -> Option<Most> {
        self.limit.map(|limit| Most { count: limit as usize, seed: self.seed })
    }
}

/// Which of the CPU's instructions are used.
#[derive(Debug, Args)]
pub(crate) struct Instructions {
    #[arg(long, value_name = "ISA", env = "HEADSTART_ISA", value_parser = parse_kernels, help = kernels_help())]
    isa: Option<Kernels>,
}

impl Instructions {
    pub(crate) fn kernels(&self) -> Kernels {
        self.isa.unwrap_or_else(Kernels::best)
    }
}

fn kernels_help() -> String {
    let compiled = Isa::ALL.into_iter().filter(|isa| isa.is_compiled());
    let names = compiled.map(Isa::name).collect::<Vec<_>>().join(", ");
    format!(
        "Kernels to run the backbone on ({names}); the features are the same for all [default: the fastest that this CPU has]"
    )
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
pub(crate) struct ComputeArgs {
    /// Threads that share the images, or one image where there are fewer; the result is the same for
    /// any number [default: one a core].
    #[arg(long = "threads", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    instructions: Instructions,
}

impl ComputeArgs {
    /// A device that computes so.
    pub(crate) fn choose(&self, options: DeviceOptions) -> DeviceOptions {
        let options = options.kernels(self.instructions.kernels());
        match self.threads {
            Some(threads) => options.threads(threads.into()),
            None => options,
        }
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
    /// A device with the engine that was asked for, if any; why it is not on the GPU is said on stderr.
    pub(crate) fn choose(&self, options: DeviceOptions) -> Result<DeviceOptions, RequestProblem> {
        let Some(engine) = self.engine else { return Ok(options) };
        let engine = match engine {
            EngineChoice::Ndarray => Engine::Ndarray,
            EngineChoice::Candle => Engine::Candle,
            EngineChoice::Flex => Engine::Flex,
            EngineChoice::Cuda => Engine::Cuda,
        };
        let device = self.device.map(|device| match device {
            DeviceChoice::Cpu => Processor::Cpu,
            DeviceChoice::Cuda => Processor::Cuda,
        });
        let (backend, no_gpu) = Backend::choose(engine, device)?;
        if let Some(reason) = no_gpu {
            output::warn(&format!("no GPU is used ({reason}): {backend} takes its place"));
        }
        Ok(options.engine(backend))
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
    pub(crate) compute: ComputeArgs,
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
    pub(crate) compute: ComputeArgs,
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

With --yes alone, everything learned is removed and cannot be brought back; a head that the
pack ships stays in the pack. With --class or --sample the head is learned again from the rest:
the state is then the one that never saw them, and earlier commits, which did, are removed.")]
pub(crate) struct Forget {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Forget this class and all of its samples.
    #[arg(long, value_name = "NAME")]
    pub(crate) class: Vec<String>,
    /// Forget this sample: its file, or the id or file name that `samples` shows.
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
  headstart-edge relabel model.hspk --state mine --sample photos/mug/7.jpg --class cup

The state is then the one of a device that learned these samples under that class from the
first. It needs no file of them.")]
pub(crate) struct Relabel {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// This sample: its file, or the id or file name that `samples` shows.
    #[arg(long, required = true, value_name = "ID|FILE")]
    pub(crate) sample: Vec<PathBuf>,
    /// Its class, known or new.
    #[arg(long, value_name = "NAME")]
    pub(crate) class: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge merge model.hspk --state mine --from theirs

The state is then the one of a device that saw the samples of both. A sample that both know
under different classes keeps the class that it has here.")]
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

model.hspk is the new pack. A head belongs to a backbone, so with another one the state's
samples are learned again, as its learner did, from the copies that learn --keep-samples has
kept. Until that is committed, the old pack answers; from then on the new one does, and
rollback with the old pack returns to what was before. Where the new backbone answers the
samples worse, or not all of them were kept, nothing is changed. A pack with the same backbone
needs no adoption. Trainable tails are not adopted.")]
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
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge samples model.hspk --state mine --doubtful

With --doubtful, only samples that a head that was learned without them answers with another
class, the surest first: perhaps their label is wrong. forget --sample removes one, learn under
another class corrects it.")]
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

A rollback is itself a commit; a second one goes back one lesson more. Commits whose samples
are gone are passed over. Samples that the commit does not have are no longer kept: learn them
again to have them back. Behind an adopt, rollback with the old pack returns to the last commit
of its backbone; it computes that one's features again, from the kept samples.")]
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
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge repair model.hspk --state mine

Features that cannot be read are computed again from the copies that learn --keep-samples has
kept. A head comes back from the newest commit or, where that is damaged as well, is learned
again from the features. Every command puts a head back by itself where nothing else is
damaged, and says so.")]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Folder of what was learned.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// Go on without the samples that are lost.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}
