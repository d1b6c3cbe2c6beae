//! Errors of whole pieces of work.

use std::io;
use std::path::{Path, PathBuf};

use headstart_device::shown;

use crate::cut::freeze::FreezeError;
use crate::error::{Error as Refused, Fault};
use crate::ship::board::{BoardError, Shortage};
use crate::ship::export::ExportError;

/// An error of a whole piece of work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A step of the work refused its input.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No cut was chosen.
    #[error(transparent)]
    Freeze(FreezeError<Refused>),
    /// No such board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// A board does not have what a pack takes.
    #[error(transparent)]
    Shortage(#[from] Shortage),
    /// A graph cannot be written.
    #[error("{}: {problem}", shown::path(output))]
    Export {
        /// The file that was to be written.
        output: PathBuf,
        /// Why the graph cannot be written.
        problem: ExportError,
    },
    /// Settings or files that do not fit each other.
    #[error(transparent)]
    Usage(#[from] Usage),
    /// A file cannot be written; what was there before is unchanged.
    #[error(
        "{}: cannot be written ({source}); what was there before is unchanged",
        shown::path(path)
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The operating system's message.
        source: io::Error,
    },
}

/// Settings or files that do not fit each other, or the work. Which option or argument mends it is for the caller to say.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Usage {
    /// Nothing says how pixels become input values.
    #[error(
        "how pixels become input values is not known: name a preprocessing, torchvision, timm, imagenet, tf, unit or raw, or give mean and std (.npy samples are never preprocessed: raw is right for them)"
    )]
    NoPreprocessing,
    /// There is no preprocessing of that name.
    #[error(
        "there is no preprocessing {0:?}: imagenet, tf, unit, raw, torchvision and timm are known"
    )]
    PreprocessingName(String),
    /// Both a name and numbers are given.
    #[error(
        "a preprocessing by name has a mean and a std of its own: give the name or the numbers"
    )]
    NameAndNumbers,
    /// A standard deviation is 0.
    #[error("std: a deviation of 0 would divide by 0")]
    ZeroDeviation,
    /// Mean or standard deviation are no numbers of that count.
    #[error("{0}: one or three finite numbers are needed")]
    NotNumbers(&'static str),
    /// Pixels would become other values than the model's input is quantised for.
    #[error(
        "{}: its input is quantised for values of {:.4} to {:.4}, and pixels would become {:.4} to {:.4}; {}",
        shown::path(model), own[0], own[1], given[0], given[1],
        match preset {
            Some(name) => format!("name the preprocessing {name}"),
            None => "give the mean and the std that the model was trained with".to_owned(),
        }
    )]
    OtherScale {
        /// The model's file.
        model: PathBuf,
        /// The least and the greatest value of the model's input.
        own: [f32; 2],
        /// The least and the greatest value that a pixel would become.
        given: [f32; 2],
        /// The name of a preprocessing that fits.
        preset: Option<&'static str>,
    },
    /// The pretrained classifier is to be kept, and the cut is to be chosen.
    #[error(
        "the pretrained classifier reads one tensor only, which another cut may not have: freeze at the head to keep it"
    )]
    KeepWithAuto,
    /// The model brings no scales along, and there are no samples to measure them.
    #[error(
        "{}: this model brings no scales along; show what the device will see with samples for calibration",
        shown::path(model)
    )]
    NoScales {
        /// The model's file.
        model: PathBuf,
    },
    /// A feature map that is none is to be pooled.
    #[error(
        "which axes of '{tensor}' are places is not known, so all of it is kept: pool nothing, or freeze at another tensor"
    )]
    PoolOfNoPlaces {
        /// The tensor at the cut.
        tensor: String,
    },
    /// Layers are named to be trained, and no tail is kept.
    #[error("what is trained is said of a tail that is kept: keep it, or name nothing to train")]
    TrainWithoutTail,
    /// Classes are given for one answer a picture.
    #[error("classes are those of a segmentation: leave them out")]
    ClassesWithoutPlaces,
    /// Nothing is to be frozen, and nothing trained.
    #[error(
        "nothing is left to freeze: keep the tail to train the whole network, or freeze at the head, at a name, or auto"
    )]
    NothingFrozen,
    /// A tail is kept, and it is not said where it begins.
    #[error("say where the trainable part begins: freeze at names or a pattern, or none")]
    TailWithoutCut,
    /// What is trained is no part of what is frozen by name.
    #[error(
        "what is trained after all is a part of what is frozen by names or a pattern: freeze so"
    )]
    TrainOfNothing,
    /// A tail is kept for a microcontroller, or pooled.
    #[error(
        "the features before a tail are kept as they are, for boards with an operating system: pool nothing, and name no board"
    )]
    TailOnBoard,
    /// No name is given to freeze at.
    #[error("name a node, a tensor or a pattern to freeze at")]
    NoFreezeName,
    /// The cut is to be chosen, and there are no labelled samples.
    #[error("a cut is chosen by labelled samples: give some")]
    AutoNeedsData,
    /// No cut was tried on that grid.
    #[error("no cut was tried on a grid of that size: pool to none")]
    NoSuchPool,
    /// There is no head to export.
    #[error("there is no head to export: give the state folder of a device")]
    NoHead,
    /// The pack keeps a trainable tail.
    #[error(
        "{}: this is not done yet for a pack with a trainable tail; give one that was made without",
        shown::path(pack)
    )]
    HasTail {
        /// The pack's file.
        pack: PathBuf,
    },
    /// Another version lowered the model otherwise.
    #[error(
        "the pack was made by version {version} of this tool, which lowered the model differently; pack it again"
    )]
    OtherTool {
        /// The version.
        version: String,
    },
    /// A number is out of its range.
    #[error("{setting} is {found}, and {allowed} is allowed")]
    OutOfRange {
        /// The setting, by its field's name.
        setting: &'static str,
        /// The number that was given.
        found: u64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A setting is needed by another one.
    #[error("{by} needs {setting}")]
    Missing {
        /// The setting, by its field's name.
        setting: &'static str,
        /// What needs it.
        by: &'static str,
    },
}

impl Error {
    /// Who is at fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unwritable { .. } => Fault::Machine,
            Self::Refused(error) => error.fault(),
            _ => Fault::Input,
        }
    }

    /// For `map_err`: the rule that a pack breaks.
    pub(super) fn in_pack(path: &Path) -> impl Fn(headstart::Error) -> Self + Copy {
        |problem| Refused::Pack { pack: path.to_owned(), problem }.into()
    }
}

impl From<headstart_device::Error> for Error {
    fn from(error: headstart_device::Error) -> Self {
        Self::Refused(error.into())
    }
}
