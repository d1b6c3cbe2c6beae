//! Errors of the host tools, and whose fault each is.
//!
//! A message names the file, the node or the tensor and what is wrong there. How a caller of its own kind (a command
//! line, a notebook) mends it is for that caller to say: the variant tells it which advice fits.

mod import;
mod lower;

pub use import::{ImportError, Problem};
pub use lower::{Instead, LowerError, NoForm};

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
        /// Why the model cannot do what was asked of it.
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
        /// The executor's reason.
        problem: ExecuteError,
    },
    /// A node has no int8 form.
    #[error("{}: {problem}{}", shown::path(model), behind_semicolon(instead.as_deref()))]
    Lower {
        /// The model's file.
        model: PathBuf,
        /// The node and what it lacks.
        problem: LowerError,
        /// Where the model can be frozen instead; `None` where another cut is no help.
        instead: Option<Box<Instead>>,
    },
    /// Samples or a state folder were refused.
    #[error(transparent)]
    Samples(#[from] headstart_device::Error),
    /// A decoded picture does not fit the model.
    #[error("{}: {problem}", shown::path(path))]
    Picture {
        /// Path of the picture.
        path: PathBuf,
        /// The rule that the picture breaks.
        problem: headstart::Error,
    },
    /// Several files were refused, or one of those that were given together.
    #[error("{}", lines(.0))]
    Files(Vec<Error>),
    /// A pack was refused, or would break a rule of the format.
    #[error("{}: {problem}", shown::path(pack))]
    Pack {
        /// Path of the pack.
        pack: PathBuf,
        /// The rule that the pack breaks.
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
        /// The name of the model in the pack.
        name: String,
    },
    /// A file holds no key.
    #[error("{}: is not {expected}", shown::path(path))]
    Key {
        /// Path of the file.
        path: PathBuf,
        /// What the file should hold.
        expected: &'static str,
    },
    /// A list of names does not fit the head.
    #[error("{}: {problem}", shown::path(path))]
    Labels {
        /// Path of the list.
        path: PathBuf,
        /// What is wrong with the list.
        problem: LabelProblem,
    },
    /// A head does not fit the pack that is to ship it.
    #[error(transparent)]
    Head(#[from] HeadProblem),
    /// A board family cannot have this name.
    #[error(
        "boards cannot be called {family:?}: use 1 to 32 ASCII letters, digits, dots, hyphens or underscores"
    )]
    Family {
        /// The name that was given.
        family: String,
    },
    /// The pack that is being made breaks a rule of the format.
    #[error("the new pack: {0}")]
    NewPack(headstart::Error),
    /// A file cannot be read, is not a plain file, or is longer than files of its kind.
    #[error("{}: {problem}", shown::path(path))]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with the file.
        problem: PlainProblem,
    },
    /// The machine has no randomness for a key.
    #[error("the machine gives no randomness ({0})")]
    Randomness(getrandom::Error),
}

/// A reason why a sound model cannot do what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelProblem {
    /// The model has a fixed size, and another was asked for.
    #[error("a TensorFlow Lite model has the size that it was made for")]
    FixedSize,
    /// The model has no node or tensor of that name.
    #[error("no node or tensor is called '{0}'")]
    Name(String),
    /// Several nodes of the model have that name, and no tensor has it.
    #[error("{nodes} nodes are called '{name}'; name one of their results: {}", listed(tensors))]
    SharedName {
        /// The name.
        name: String,
        /// How many nodes have the name.
        nodes: usize,
        /// The nodes' results, which have names of their own.
        tensors: Vec<String>,
    },
    /// The cut needs a node that is not supported.
    #[error("a cut at '{name}' needs what is not supported: {why}")]
    Behind {
        /// The name at which the model was to be cut.
        name: String,
        /// The node, and what could be done.
        why: String,
    },
    /// A layer that is to be trained lies behind a node that is not supported.
    #[error("the part behind the cut needs what is not supported: {why}")]
    TrainedBehind {
        /// The node, and what could be done.
        why: String,
    },
    /// No node, tensor or layer of the model matches the pattern.
    #[error("no node or tensor is called '{0}', and no layer matches it")]
    Pattern(String),
    /// No fully-connected layer stands before the model's output.
    #[error("no fully-connected layer stands before the output")]
    NoClassifier,
    /// Weights stand behind a node that is not supported, so that it is not known where the model is usually frozen.
    #[error("not all of its layers are supported, so where to freeze must be said: {why}")]
    Unfinished {
        /// The node, and what could be done.
        why: String,
    },
    /// There is no tensor at which the model can be frozen.
    #[error("no tensor of it can be frozen at ({why})")]
    NoFreezePoint {
        /// The reason why no tensor can be frozen at, and what could be done.
        why: String,
    },
    /// No fully-connected layer stands behind the cut, which a new one could replace.
    #[error(
        "behind this cut there is no fully-connected layer that a new one could replace; freeze earlier"
    )]
    NoClassifierBehind,
    /// Nothing is left behind the cut to train.
    #[error("this cannot be cut (nothing is left behind the cut to train)")]
    NothingBehind,
    /// Nothing but the last layer is left behind the cut to train.
    #[error("nothing but the last layer is left to train; freeze earlier")]
    OnlyTheLastLayer,
    /// Something that is frozen stands behind something that is trained.
    #[error("'{frozen}' is frozen and stands behind what is trained: cut before both")]
    FrozenBehindTrained {
        /// The tensor that is frozen and stands behind.
        frozen: String,
    },
    /// The model has a decoder of its own, and which tensor its encoder ends in was not said.
    #[error("has a decoder of its own, whose last map is '{features}'")]
    OwnDecoder {
        /// The tensor that the model's last layer reads.
        features: String,
    },
    /// The model has no feature map that a decoder could read.
    #[error(
        "it has no feature map of at least 2 x 2 places for a decoder to read at a stride of {stride} or above"
    )]
    NoMaps {
        /// Input pixels for one place of the decoder's map.
        stride: usize,
    },
    /// A decoder does not fit the model.
    #[error("a decoder does not fit it ({0})")]
    Decoder(GraphError),
    /// The model cannot be cut there.
    #[error("this cannot be cut ({0})")]
    Cut(GraphError),
    /// A weight or another constant of the model is no number.
    #[error(
        "tensor '{tensor}' holds {found} at element {element}, and nothing can be computed with that: export the model again"
    )]
    NotFinite {
        /// The tensor's name.
        tensor: String,
        /// The element that is infinite, or not a number.
        found: f32,
        /// The element's place, row-major.
        element: usize,
    },
    /// A weight is larger than the storage of a tail's weights can hold.
    #[error(
        "tensor '{tensor}' holds {found} at element {element}, and float16 holds at most 65504: keep the tail's weights as \
         float32"
    )]
    PastHalf {
        /// The tensor's name.
        tensor: String,
        /// The element that is past the range of float16.
        found: f32,
        /// The element's place, row-major.
        element: usize,
    },
    /// The features of a sample are more than a head or a tail reads.
    #[error(
        "'{tensors}' gives {found} features a sample; at most {limit} are read: freeze behind it"
    )]
    TooManyFeatures {
        /// The names of the tensors at the cut.
        tensors: String,
        /// How many features there are.
        found: u64,
        /// How many are read at most.
        limit: usize,
    },
    /// The head does not fit the model.
    #[error("the head does not fit it ({0})")]
    Head(GraphError),
    /// A run of the model would take too long or too much memory.
    #[error(transparent)]
    TooCostly(#[from] TooCostly),
    /// Training what lies behind the cut would ask for more than its budget.
    #[error("behind the cut {0}")]
    TailTooCostly(TooCostly),
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
    /// The node's operator.
    pub operator: &'static str,
    /// The thing that there is too much of.
    pub what: &'static str,
    /// How much of it the node takes.
    pub found: u64,
    /// How much is accepted in all.
    pub limit: u64,
    /// Elements of the constants in the file, which the limit follows from.
    pub weights: u64,
}

/// A reason why a list of names was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelProblem {
    /// The file does not hold one name for each class.
    #[error("{found} labels for {classes} classes; one a line")]
    Count {
        /// How many names the file has.
        found: usize,
        /// How many classes the head has.
        classes: usize,
    },
    /// A name is too long, or empty, for a head record.
    #[error("'{0}': a label is 1 to {MAX_LABEL_BYTES} bytes long")]
    Length(String),
}

/// A reason why a head does not fit the pack that is to ship it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadProblem {
    /// The pretrained classifier is not linear: something that is not follows it.
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
        /// How many weights the classifier has.
        weights: usize,
        /// How many features the pack has.
        features: u32,
        /// How many classes the classifier has.
        classes: usize,
    },
    /// The model does not end in a classifier that a pack could keep.
    #[error("the model does not end in a classifier")]
    NoClassifier,
    /// The folder keeps no head.
    #[error("{}: no head is kept here", shown::path(folder))]
    None {
        /// Path of the state folder.
        folder: PathBuf,
    },
    /// The state folder keeps a tail that a device trained, which a pack cannot take.
    #[error("a trained tail is not taken into a pack yet; copy the state folder to the device")]
    OfTail,
    /// The head has more classes than any head can hold.
    #[error("the head has {classes} classes; a head holds at most {MAX_CLASSES}")]
    MoreThanAHeadHolds {
        /// How many classes the head has.
        classes: usize,
    },
    /// The head has more classes than the pack has room for.
    #[error("the head has {classes} classes and the device may learn {most}")]
    TooManyClasses {
        /// How many classes the head has.
        classes: usize,
        /// The most classes of the pack.
        most: u32,
    },
}

/// The party that can mend an error: whoever gave the input, or whoever keeps the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The giver of a file, or of what was asked of it.
    Input,
    /// The keeper of the machine: its disk, its memory, its system.
    Machine,
}

impl Error {
    /// The party that can mend an error: whoever gave the input, or whoever keeps the machine.
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

fn behind_semicolon(instead: Option<&Instead>) -> String {
    instead.map_or_else(String::new, |instead| format!("; {instead}"))
}

/// Names that a message lists.
const LISTED: usize = 8;

/// The first names of a list, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).map(|name| format!("'{name}'"));
    let more = names.len().saturating_sub(LISTED);
    let rest = (more > 0).then(|| format!("{more} more"));
    shown.chain(rest).collect::<Vec<_>>().join(", ")
}

/// Each on its line, behind their number; one alone as it is.
fn lines(errors: &[Error]) -> String {
    if let [error] = errors {
        return error.to_string();
    }
    let each: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    format!("{} files are refused:{}", errors.len(), each.concat())
}
