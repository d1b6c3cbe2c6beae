//! The options of the commands `serve` and `watch`.

use std::path::PathBuf;

use clap::Args;
use headstart_serve::camera::Source;

use super::{BackendArgs, ComputeArgs};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge serve model.hspk --state mine
  headstart-edge serve model.hspk --state mine --lan --keep-samples

The page is for this machine alone. With --lan a phone can open it: the terminal shows a code
for its camera, and a link with a token that is another one at every start.")]
pub(crate) struct Serve {
    /// The pack (.hspk).
    pub(crate) pack: PathBuf,
    /// Folder of what was learned; created if need be.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The port; 0 takes one that is free.
    #[arg(long, value_name = "N", default_value_t = 8321)]
    pub(crate) port: u16,
    /// Let other machines of the network in, by https and with the token that the terminal shows.
    #[arg(long)]
    pub(crate) lan: bool,
    /// A name by which requests may call this machine, beside its addresses.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// Show answers, and change nothing.
    #[arg(long, conflicts_with = "keep_samples")]
    pub(crate) read_only: bool,
    /// Keep a copy of each picture that is learned, in the state folder. Without, pictures are forgotten as soon as they are learned.
    #[arg(long)]
    pub(crate) keep_samples: bool,
    /// A camera of this device: - for motion JPEG on standard input, a file or a named pipe of it, or http://… of an IP camera; in a program with the feature v4l also /dev/videoN.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) camera: Option<Source>,
    /// The ONNX model that the pack was made from: the page then exports the personalised model. The program headstart must be beside this one or
    /// in PATH.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,
    /// The most pixels of a picture that is taken. One of N takes up to 6 N bytes a thread while it is read.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=400_000_000))]
    pub(crate) max_pixels: Option<u64>,
    /// Write the address of the API into this file when the server listens, for scripts; with --lan the token stands in a second line.
    #[arg(long, value_name = "FILE")]
    pub(crate) link: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  headstart-edge watch model.hspk --state mine --camera http://192.168.1.9/video.mjpg
  libcamera-vid -t 0 --codec mjpeg -o - | headstart-edge watch model.hspk --state mine --camera -

Each line is a JSON object. `smoothed` is the most common label of the last answers (--smooth), null
for \"unknown\"; where several are as common, the one before stays. `changed` is true where it is
another one than in the line before. A frame that comes while another one is answered gives way to
the next, and `dropped` counts it; a plain file loses none. A source that ends or breaks is told on
stderr and tried again, but for a plain file and standard input, whose end is the end.")]
pub(crate) struct Watch {
    /// The pack (.hspk).
    pub(crate) pack: PathBuf,
    /// Folder of what was learned; without it, or where it has no head, the pack's own head answers.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Motion JPEG: - for standard input, a file or a named pipe, or http://… of an IP camera; in a program with the feature v4l also /dev/videoN.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) camera: Source,
    /// Smooth over so many answers.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) smooth: u16,
    /// Print only lines in which the smoothed label has changed.
    #[arg(long)]
    pub(crate) changes: bool,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}
