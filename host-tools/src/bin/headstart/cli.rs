//! The command line's syntax. What it means is decided in [`commands`](crate::commands).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use headstart::pack::{Filter, TailStorage};
use headstart_tools::quantise::plan::Aim;
use headstart_tools::tasks::{self, PackOptions, PreprocessOptions};

pub(crate) use device::{DeviceArgs, DeviceCommand, DeviceLearn, DeviceLearner};

mod device;

/// Packs pretrained models for devices that learn.
#[derive(Debug, Parser)]
#[command(name = "headstart", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print one JSON object on standard output and nothing else there.
    #[arg(long, global = true)]
    pub json: bool,
    /// Threads for passes over many samples [default: as many as there are cores].
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List a model's layers and where it could be frozen.
    #[command(after_help = "Example:\n  headstart inspect mobilenet.onnx")]
    Inspect {
        /// The model: `.onnx` or `.tflite`.
        model: PathBuf,
        /// Rows and columns of the input, for a model that takes pictures of any size [default: the model's].
        #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = size)]
        input_size: Option<[usize; 2]>,
    },
    /// Freeze, calibrate and quantise a model into one file for the device.
    #[command(after_help = "Examples:
  headstart pack mobilenet.onnx --calib photos --preprocess imagenet -o mobilenet.hspk
  headstart pack mobilenet.onnx --calib photos --preprocess imagenet \\
      --freeze auto --data photos -o mobilenet.hspk")]
    Pack(Box<PackArgs>),
    /// Say what a pack holds.
    #[command(after_help = "Example:\n  headstart info mobilenet.hspk")]
    Info {
        /// The pack.
        pack: PathBuf,
    },
    /// Check every byte of a pack, and who signed it.
    #[command(after_help = "Examples:
  headstart verify mobilenet.hspk
  headstart verify mobilenet.hspk --key mine.pub --family camera-2")]
    Verify {
        /// The pack.
        pack: PathBuf,
        /// The public key that must have signed it; two while one replaces the other.
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
        /// The boards that it must be for [default: any].
        #[arg(long, value_name = "NAME", requires = "key")]
        family: Option<String>,
        /// The least security counter.
        #[arg(long, value_name = "N", default_value_t = 0, requires = "key")]
        least_counter: u64,
    },
    /// Make a key that signs packs: NAME.key, the secret, and NAME.pub.
    #[command(after_help = "Example:\n  headstart keygen -o mine")]
    Keygen {
        /// The files to write, without their ends.
        #[arg(short, long, value_name = "NAME")]
        output: PathBuf,
    },
    /// Sign a pack, in place of a signature that it may have.
    #[command(after_help = "Example:
  headstart sign mobilenet.hspk --key mine.key --family camera-2 --counter 3 -o signed.hspk")]
    Sign(SignArgs),
    /// Show what quantisation cost, layer by layer and in the head's accuracy.
    #[command(after_help = "Example:
  headstart compare mobilenet.hspk mobilenet.onnx --data photos")]
    Compare {
        /// The pack.
        pack: PathBuf,
        /// The model file that it was made from.
        model: PathBuf,
        /// Labelled samples: one folder a class.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Which of them are taken.
        #[command(flatten)]
        sampling: Sampling,
    },
    /// Write what is flashed: a pack, and the firmware of a board, each at its address.
    #[command(after_help = "Examples:
  headstart image --board pico2 mobilenet.hspk --firmware serve -o board.uf2
  headstart image --board nucleo-h743zi mobilenet.hspk -o pack.hex")]
    Image(ImageArgs),
    /// Flash an image by probe-rs, picotool or a mounted drive, or say how.
    #[command(after_help = "Example:\n  headstart flash --board pico2 board.uf2")]
    Flash(FlashArgs),
    /// Teach, ask and update a board at the end of a cable.
    #[command(after_help = "Examples:
  headstart device --port /dev/ttyACM0 status
  headstart device --port /dev/ttyACM0 learn mobilenet.hspk --data photos
  headstart device --port tcp:127.0.0.1:4444 predict mobilenet.hspk new.jpg")]
    Device(Box<DeviceArgs>),
    /// Write the personalised model as one float ONNX file.
    #[command(after_help = "Example:
  headstart export mobilenet.hspk mobilenet.onnx --state my-head -o mine.onnx")]
    Export {
        /// The pack.
        pack: PathBuf,
        /// The model file that it was made from.
        model: PathBuf,
        /// Where `headstart-edge learn` keeps its head [default: the head in the pack].
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// The file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Write man pages and completions for bash, zsh and fish below a folder laid out as /usr/share is.
    #[command(hide = true, after_help = "Example:\n  headstart manual ~/.local/share")]
    Manual {
        /// The folder.
        share: PathBuf,
    },
}

/// What `image` takes.
#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    /// The pack.
    pub pack: PathBuf,
    /// The board.
    #[arg(long, value_name = "NAME")]
    pub board: String,
    /// The board's firmware, an ELF file; without it the image is the pack alone.
    #[arg(long, value_name = "ELF")]
    pub firmware: Option<PathBuf>,
    /// The file to write: .elf, .hex, .bin or, for RP2350, .uf2.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// What `flash` takes.
#[derive(Debug, Args)]
pub(crate) struct FlashArgs {
    /// What `image` wrote: .elf, .hex or .uf2.
    pub image: PathBuf,
    /// The board.
    #[arg(long, value_name = "NAME")]
    pub board: String,
    /// Where to look for the board's drive [default: where systems mount drives].
    #[arg(long = "drive", value_name = "DIR")]
    pub drives: Vec<PathBuf>,
}

/// What `sign` takes.
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The pack.
    pub pack: PathBuf,
    /// The secret key that `keygen` made.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The boards that the pack is for; others refuse it.
    #[arg(long, value_name = "NAME")]
    pub family: String,
    /// Security counter: a device refuses packs with a lower one than it has used.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub counter: u64,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Which samples of a folder are taken.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Sampling {
    /// Take at most N samples a class.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Which ones, if there are more.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Go on without files that cannot be read or decoded, and say which; without, they are refused, all at once.
    #[arg(long)]
    pub skip_bad: bool,
}

impl Sampling {
    /// The same for the library.
    pub(crate) fn taken(self) -> tasks::Sampling {
        tasks::Sampling { limit: self.limit, seed: self.seed, skip_bad: self.skip_bad }
    }
}

/// What `pack` takes.
#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// The model: `.onnx` or `.tflite`.
    pub model: PathBuf,
    /// Samples that show what the device will see: one folder a class, or one flat folder of
    /// JPEG, PNG, WebP, BMP or .npy files. A model that is already quantised needs none: it keeps its own scales.
    #[arg(long, value_name = "DIR")]
    pub calib: Option<PathBuf>,
    /// Calibrate with at most N samples, spread evenly over the folder, and with no more than fill 256 MiB.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub calib_limit: u32,
    /// Where the backbone ends: `head` (the classifier is replaced), `auto` (the best cut for
    /// `--data`), `none` (all is trained, with `--tail keep`), or the name of a node or tensor (see
    /// `inspect`). With `--tail keep` also several with commas between, and patterns of layer names as
    /// the framework wrote them: 'features.1*'.
    #[arg(long, value_name = "head|auto|none|NAME", default_value = "head")]
    pub freeze: String,
    /// Train what this name or pattern means, though `--freeze` names it too: `--freeze 'features.*' --train
    /// 'features.18.*'`, with `--tail keep`.
    #[arg(long, value_name = "NAME")]
    pub train: Vec<String>,
    /// What the device learns to answer: a class for a picture, or for each place of it.
    #[arg(long, value_enum, default_value_t = Task::Classification)]
    pub task: Task,
    /// Classes of a segmentation, the background (0) included: masks hold 0 to N − 1, and 255 for what does not
    /// count.
    #[arg(long, value_name = "N", required_if_eq("task", "segmentation"),
        value_parser = clap::value_parser!(u32).range(2..=255), conflicts_with = "max_classes")]
    pub classes: Option<u32>,
    /// Channels of the decoder that a segmentation puts on a model without one.
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub decoder: u16,
    /// Input pixels for one place of the decoder's map, on each axis.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub stride: u16,
    /// Seed of the decoder's weights.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub decoder_seed: u64,
    /// Rows and columns of the input, for a model that takes pictures of any size [default: the model's].
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = size)]
    pub input_size: Option<[usize; 2]>,
    /// What stands behind the cut: `drop` it and put one new layer on the pooled features, or `keep` it
    /// as a float graph that the device trains.
    #[arg(long, value_enum, default_value_t = Tail::Drop)]
    pub tail: Tail,
    /// How the weights of a kept tail are stored.
    #[arg(long, value_enum, default_value_t = Storage::F16)]
    pub tail_storage: Storage,
    /// Pool a feature map to an N × N grid [default: 1; with `--freeze auto`: the best].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub pool: Option<u8>,
    /// Labelled samples for `--freeze auto`: one folder a class.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Which of them are taken.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Largest head that `--freeze auto` may choose, in bytes.
    #[arg(long, value_name = "BYTES")]
    pub max_head: Option<u64>,
    /// Most multiply-accumulates of the backbone that `--freeze auto` may choose.
    #[arg(long, value_name = "N")]
    pub max_macs: Option<u64>,
    /// Show all cuts that `--freeze auto` tried, not only the best ten and the cheapest good ones.
    #[arg(long)]
    pub all: bool,
    /// How pixels become input values.
    #[command(flatten)]
    pub preprocess: PreprocessArgs,
    /// The head to start from: `new`, `keep` (the pretrained classifier), or the state folder of a
    /// head that `headstart-edge learn` made with this backbone.
    #[arg(long, value_name = "new|keep|DIR", default_value = "new")]
    pub head: String,
    /// Names of the classes, one a line: the pretrained ones of `--head keep`, or those of a segmentation.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Sign the pack with this secret key of `keygen`.
    #[arg(long, value_name = "FILE", requires = "family")]
    pub sign: Option<PathBuf>,
    /// The boards that a signed pack is for; others refuse it.
    #[arg(long, value_name = "NAME", requires = "sign")]
    pub family: Option<String>,
    /// Security counter of a signed pack: a device refuses packs with a lower one than it has used.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "sign")]
    pub counter: u64,
    /// Most classes that the device may learn [default: 32, or those of the head that it starts from].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_classes: Option<u32>,
    /// Show what the pack takes of a board's flash and RAM, and refuse a pack that does not fit.
    #[arg(long, value_name = "NAME")]
    pub board: Option<String>,
    /// What the plan of the arena is good at: `speed`, or `size`, which runs layers in strips of few
    /// rows wherever that saves memory. The features are the same.
    #[arg(long, value_name = "speed|size", default_value = "speed")]
    pub arena: Arena,
    /// The pack to write.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

impl PackArgs {
    /// The same for the library.
    pub(crate) fn options(&self) -> PackOptions {
        PackOptions {
            calib: self.calib.clone(),
            calib_limit: self.calib_limit,
            freeze: self.freeze.clone(),
            train: self.train.clone(),
            task: match self.task {
                Task::Classification => tasks::Task::Classification,
                Task::Segmentation => tasks::Task::Segmentation,
            },
            classes: self.classes,
            decoder: self.decoder,
            stride: self.stride,
            decoder_seed: self.decoder_seed,
            input_size: self.input_size,
            tail: match self.tail {
                Tail::Drop => tasks::Tail::Drop,
                Tail::Keep => tasks::Tail::Keep,
            },
            tail_storage: match self.tail_storage {
                Storage::F16 => TailStorage::F16,
                Storage::F32 => TailStorage::F32,
            },
            pool: self.pool,
            data: self.data.clone(),
            sampling: self.sampling.taken(),
            max_head: self.max_head,
            max_macs: self.max_macs,
            preprocess: self.preprocess.options(),
            head: self.head.clone(),
            labels: self.labels.clone(),
            sign: self.sign.clone(),
            family: self.family.clone(),
            counter: self.counter,
            max_classes: self.max_classes,
            board: self.board.clone(),
            arena: match self.arena {
                Arena::Speed => Aim::Speed,
                Arena::Size => Aim::Size,
            },
        }
    }
}

impl PreprocessArgs {
    /// The same for the library.
    fn options(&self) -> PreprocessOptions {
        PreprocessOptions {
            preprocess: self.preprocess.clone(),
            mean: self.mean.clone(),
            std: self.std.clone(),
            resize: self.resize,
            filter: self.resize_filter.map(|filter| match filter {
                ResizeFilter::PilBilinear => Filter::PilBilinear,
                ResizeFilter::PilBicubic => Filter::PilBicubic,
                ResizeFilter::OpenCvBilinear => Filter::OpenCvBilinear,
                ResizeFilter::OpenCvBicubic => Filter::OpenCvBicubic,
                ResizeFilter::OpenCvArea => Filter::OpenCvArea,
            }),
        }
    }
}

/// `128x96`, or `128` for a square.
fn size(text: &str) -> Result<[usize; 2], String> {
    let (rows, columns) = text.split_once('x').unwrap_or((text, text));
    let extent = |text: &str| text.parse().ok().filter(|n| (1..=1_usize << 14).contains(n));
    match (extent(rows), extent(columns)) {
        (Some(rows), Some(columns)) => Ok([rows, columns]),
        _ => Err("rows and columns are needed, such as 128x96, each from 1 to 16384".into()),
    }
}

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Task {
    /// A class for a picture.
    Classification,
    /// A class for each place of a picture.
    Segmentation,
}

/// What becomes of the model behind the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tail {
    /// One new layer stands for it.
    Drop,
    /// The device trains it.
    Keep,
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Storage {
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
}

/// What the plan of the arena is good at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arena {
    /// Strips only where intermediate results are too large for a core's own cache.
    Speed,
    /// Strips wherever they lower the peak.
    Size,
}

/// How pixels become input values.
#[derive(Clone, Debug, Args)]
pub(crate) struct PreprocessArgs {
    /// `(pixel − mean) / std` by name: `imagenet` (torchvision's numbers), `tf` (127.5, 127.5), `unit` (0, 255) or `raw` (0, 1).
    /// `torchvision` and `timm` are the whole evaluation transform: those numbers, the shorter side to 8/7 of the input (256
    /// for 224) by Pillow's bilinear or bicubic filter, and the middle.
    #[arg(long, value_name = "NAME", value_parser = ["imagenet", "tf", "unit", "raw", "torchvision", "timm"])]
    pub preprocess: Option<String>,
    /// Mean in pixel units, one number or one a channel.
    #[arg(
        long,
        value_name = "A[,B,C]",
        value_delimiter = ',',
        allow_hyphen_values = true,
        conflicts_with = "preprocess"
    )]
    pub mean: Option<Vec<f32>>,
    /// Standard deviation in pixel units, one number or one a channel.
    #[arg(long, value_name = "A[,B,C]", value_delimiter = ',', conflicts_with = "preprocess")]
    pub std: Option<Vec<f32>>,
    /// Scale the shorter side to N pixels, keeping the aspect ratio, and cut the middle out
    /// (needs `--crop`) [default: both sides are scaled to the input].
    #[arg(long, value_name = "N", requires = "crop")]
    pub resize: Option<u32>,
    /// Cut the middle out after `--resize`.
    #[arg(long, requires = "resize")]
    pub crop: bool,
    /// Resize as the network's pictures were resized in training [default: a bilinear filter of our own, close to
    /// `pil-bilinear`]. Matters where small things or fine textures decide.
    #[arg(long, value_name = "FILTER", value_enum)]
    pub resize_filter: Option<ResizeFilter>,
}

/// How pixels are put together where a picture shrinks or grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ResizeFilter {
    /// Pillow's `BILINEAR` (torchvision's default); widened where the picture shrinks.
    PilBilinear,
    /// Pillow's `BICUBIC` (most of timm's models); widened where the picture shrinks.
    PilBicubic,
    /// OpenCV's `INTER_LINEAR`: two pixels on each axis, not widened.
    #[value(name = "opencv-bilinear")]
    OpenCvBilinear,
    /// OpenCV's `INTER_CUBIC`: four pixels on each axis, not widened.
    #[value(name = "opencv-bicubic")]
    OpenCvBicubic,
    /// OpenCV's `INTER_AREA`: the mean of what a pixel covers.
    #[value(name = "opencv-area")]
    OpenCvArea,
}
