//! The syntax of `headstart device`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Sampling;

/// What `device` takes.
#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// The board's serial port, or `tcp:HOST:PORT`.
    #[arg(long, value_name = "PATH|tcp:HOST:PORT", env = "HEADSTART_PORT")]
    pub port: String,
    /// Bits a second of a UART; USB has no such thing.
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    pub baud: u32,
    /// Seconds without an answer before the board is given up.
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
    /// What to do.
    #[command(subcommand)]
    pub command: DeviceCommand,
}

/// What a board can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Say which board it is, and what it has learned.
    Status,
    /// Teach it labelled samples. All of them are learned, each once, or none.
    Learn(DeviceLearn),
    /// Answer for files: label, probability, or "unknown".
    Predict {
        /// The pack that the board uses: it says how files become its input.
        pack: PathBuf,
        /// Images or .npy arrays.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Measure accuracy on labelled samples.
    Eval {
        /// The pack that the board uses.
        pack: PathBuf,
        /// One folder a class, with .jpg, .png or .npy files in it.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Which of them are taken.
        #[command(flatten)]
        sampling: Sampling,
    },
    /// Make durable what `learn --hold` has taught it.
    Commit,
    /// Have it forget a class, or everything that it learned.
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Forget {
        /// The class.
        #[arg(long, value_name = "NAME", group = "what")]
        class: Option<String>,
        /// Everything, because nothing asks again.
        #[arg(long, group = "what")]
        yes: bool,
    },
    /// Give it another pack. The old one is used until the new one is whole and verified.
    Update {
        /// The new pack.
        pack: PathBuf,
        /// Let it forget a head that was learned on another backbone.
        #[arg(long)]
        forget: bool,
    },
    /// Read back the head record that it committed last.
    Head {
        /// The file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// What `device learn` takes.
#[derive(Debug, Args)]
pub(crate) struct DeviceLearn {
    /// The pack that the board uses.
    pub pack: PathBuf,
    /// One folder a class, with .jpg, .png or .npy files in it.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Which of them are taken.
    #[command(flatten)]
    pub sampling: Sampling,
    /// How the head is trained.
    #[arg(long, value_enum, default_value_t = DeviceLearner::Sgd)]
    pub learner: DeviceLearner,
    /// Commit nothing yet: a reset of the board drops it.
    #[arg(long)]
    pub hold: bool,
}

/// How a board trains its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceLearner {
    /// Gradient steps, many times over all samples, from the head that is there.
    Sgd,
    /// Least squares in closed form, of these samples alone.
    Ridge,
    /// Class means, of these samples alone.
    Imprint,
    /// One gradient step a sample: no features are kept.
    Step,
}
