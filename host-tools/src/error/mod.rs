//! What the host tools refuse, and whose fault it is.
//!
//! A message names the file, the node or the tensor and what is wrong there. How a caller of its own kind (a command
//! line, a notebook) mends it is for that caller to say: the variant tells it which advice fits.

mod import;
mod lower;

pub use import::{ImportError, Problem};
pub use lower::{LowerError, NoForm};

use std::path::PathBuf;

use headstart::burn::ExecuteError;
use headstart::graph::GraphError;
use headstart::head::{MAX_CLASSES, MAX_LABEL_BYTES};
use headstart_device::plain::PlainProblem;
use headstart_device::shown;

/// An error of the host tools.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model's file was refused.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The model is sound, but does not have what is asked of it.
    #[error("{}: {problem}", shown::path(model))]
    Model {
        /// The model's file.
        model: PathBuf,
        /// What it does not have.
        problem: ModelProblem,
    },
    /// The model's input is no tensor that a device could fill.
    #[error(
        "{}: its input has shape {shape:?}; a batch of 1 and one to three dimensions are needed",
        shown::path(model)
    )]
    Input {
        /// The model's file.
        model: PathBuf,
        /// The input's shape.
        shape: Vec<usize>,
    },
    /// The float graph cannot be executed.
    #[error("{}: {problem}", shown::path(model))]
    Execute {
        /// The model's file.
        model: PathBuf,
        /// What the executor says.
        problem: ExecuteError,
    },
    /// A node has no int8 form.
    #[error("{}: {problem}", shown::path(model))]
    Lower {
        /// The model's file.
        model: PathBuf,
        /// The node and what could be done.
        problem: LowerError,
    },
    /// Samples or a state folder were refused.
    #[error(transparent)]
    Samples(#[from] headstart_device::Error),
    /// A decoded picture does not fit the model.
    #[error("{}: {problem}", shown::path(path))]
    Picture {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks.
        problem: headstart::Error,
    },
    /// Several files were refused, or one of those that were given together.
    #[error("{}", lines(.0))]
    Files(Vec<Error>),
    /// A pack was refused, or would break a rule of the format.
    #[error("{}: {problem}", shown::path(pack))]
    Pack {
        /// The pack.
        pack: PathBuf,
        /// The rule.
        problem: headstart::Error,
    },
    /// A pack was made of another file than the model that is given.
    #[error(
        "{}: the pack was made of another file of the model '{name}'; give the one it was made of",
        shown::path(model)
    )]
    OtherSource {
        /// The model's file.
        model: PathBuf,
        /// What the pack calls its model.
        name: String,
    },
    /// A file that is no key.
    #[error("{}: is not {expected}", shown::path(path))]
    Key {
        /// The file.
        path: PathBuf,
        /// What was expected.
        expected: &'static str,
    },
    /// A list of names that does not fit the head.
    #[error("{}: {problem}", shown::path(path))]
    Labels {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: LabelProblem,
    },
    /// A head does not fit the pack that is to ship it.
    #[error(transparent)]
    Head(#[from] HeadProblem),
    /// No signature holds this name of boards.
    #[error(
        "boards cannot be called {family:?}: use 1 to 32 ASCII letters, digits, dots, hyphens or underscores"
    )]
    Family {
        /// The name.
        family: String,
    },
    /// The pack that is being made breaks a rule of the format.
    #[error("the new pack: {0}")]
    NewPack(headstart::Error),
    /// A file cannot be read, is none, or is longer than files of its kind.
    #[error("{}: {problem}", shown::path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: PlainProblem,
    },
    /// The machine has no randomness for a key.
    #[error("the machine gives no randomness ({0})")]
    Randomness(getrandom::Error),
}

/// What was asked of a sound model that it does not have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelProblem {
    /// An input of any size.
    #[error("a TensorFlow Lite model has the size that it was made for")]
    FixedSize,
    /// A node or tensor of that name.
    #[error("no node or tensor is called '{0}'")]
    Name(String),
    /// A node, tensor or layer that the pattern means.
    #[error("no node or tensor is called '{0}', and no layer matches it")]
    Pattern(String),
    /// A fully-connected layer before its output.
    #[error("no fully-connected layer stands before the output")]
    NoClassifier,
    /// A fully-connected layer behind the cut.
    #[error(
        "behind this cut there is no fully-connected layer that a new one could replace; freeze earlier"
    )]
    NoClassifierBehind,
    /// Anything behind the cut.
    #[error("this cannot be cut (nothing is left behind the cut to train)")]
    NothingBehind,
    /// Anything behind the cut but its last layer.
    #[error("nothing but the last layer is left to train; freeze earlier")]
    OnlyTheLastLayer,
    /// An order in which what is frozen comes first.
    #[error("'{frozen}' is frozen and stands behind what is trained: cut before both")]
    FrozenBehindTrained {
        /// The tensor behind.
        frozen: String,
    },
    /// An end of its encoder that is known without a name.
    #[error("has a decoder of its own, whose last map is '{features}'")]
    OwnDecoder {
        /// What its last layer reads.
        features: String,
    },
    /// A feature map that a decoder could read.
    #[error(
        "it has no feature map of at least 2 x 2 places for a decoder to read at a stride of {stride} or above"
    )]
    NoMaps {
        /// Input pixels for one place of the decoder's map.
        stride: usize,
    },
    /// A sound graph with a decoder on top.
    #[error("a decoder does not fit it ({0})")]
    Decoder(GraphError),
    /// A sound graph before or behind the cut.
    #[error("this cannot be cut ({0})")]
    Cut(GraphError),
    /// A sound graph with the head on top.
    #[error("the head does not fit it ({0})")]
    Head(GraphError),
    /// A run that takes seconds and megabytes.
    #[error(transparent)]
    TooCostly(#[from] TooCostly),
}

/// A network that would take minutes or gigabytes for one sample.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it takes too many {what}, most of them at node '{node}' ({operator}): {found} there; at most {limit} in all \
     are accepted for a file of {weights} weights"
)]
pub struct TooCostly {
    /// The node that costs most.
    pub node: String,
    /// Its operator.
    pub operator: &'static str,
    /// What there is too much of.
    pub what: &'static str,
    /// How much of it the node takes.
    pub found: u64,
    /// How much is accepted in all.
    pub limit: u64,
    /// Elements of the constants in the file, by which the limit goes.
    pub weights: u64,
}

/// What is wrong with a list of names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelProblem {
    /// Other than one a class.
    #[error("{found} labels for {classes} classes; one a line")]
    Count {
        /// Names in the file.
        found: usize,
        /// Classes of the head.
        classes: usize,
    },
    /// A name that no head record holds.
    #[error("'{0}': a label is 1 to {MAX_LABEL_BYTES} bytes long")]
    Length(String),
}

/// Why a head does not fit the pack that is to ship it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadProblem {
    /// The pretrained classifier is more than one layer.
    #[error("what follows the pretrained classifier is not linear")]
    NotLinear,
    /// The pretrained classifier reads another tensor than the one at which the model is frozen.
    #[error("the pretrained classifier reads '{reads}', so the backbone must end there")]
    OtherFeatures {
        /// The tensor that it reads.
        reads: String,
    },
    /// The pretrained classifier reads other features than the pack gives.
    #[error(
        "the pretrained classifier has {weights} weights, which are not one for each of {features} features and \
         {classes} classes"
    )]
    Weights {
        /// Its weights.
        weights: usize,
        /// Features of the pack.
        features: u32,
        /// Its classes.
        classes: usize,
    },
    /// The folder keeps no head.
    #[error("{}: no head is kept here", shown::path(folder))]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// What a device trained behind the cut belongs to that device.
    #[error("a trained tail is not taken into a pack yet; copy the state folder to the device")]
    OfTail,
    /// No head is that large.
    #[error("the head has {classes} classes; a head holds at most {MAX_CLASSES}")]
    MoreThanAHeadHolds {
        /// Classes of the head.
        classes: usize,
    },
    /// The pack has room for fewer classes.
    #[error("the head has {classes} classes and the device may learn {most}")]
    TooManyClasses {
        /// Classes of the head.
        classes: usize,
        /// Most classes of the pack.
        most: u32,
    },
}

/// Who can mend an error: whoever gave the input, or whoever keeps the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A file that was given, or what was asked of it.
    Input,
    /// The machine: its disk, its memory, its system.
    Machine,
}

impl Error {
    /// Who can mend an error: whoever gave the input, or whoever keeps the machine.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Randomness(_) => Fault::Machine,
            Self::Samples(error) if error.exit_status() == 2 => Fault::Machine,
            Self::Files(errors) if errors.iter().any(|e| e.fault() == Fault::Machine) => {
                Fault::Machine
            }
            _ => Fault::Input,
        }
    }
}

/// Each on its line, behind their number; one alone as it is.
fn lines(errors: &[Error]) -> String {
    if let [error] = errors {
        return error.to_string();
    }
    let each: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    format!("{} files are refused:{}", errors.len(), each.concat())
}
