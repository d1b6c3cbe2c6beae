//! Why a command did not do its work, as a person reads it: what is wrong, and which option mends it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use headstart_tools::cut::freeze::FreezeError;
use headstart_tools::error::Fault;
use headstart_tools::ship::board::{BoardError, Shortage};
use headstart_tools::ship::export::ExportError;
use headstart_tools::ship::image::ImageError;
use headstart_tools::tasks;

use crate::advice;

/// An error of a command. What it shows ends with [`advice`], where there is some.
#[derive(Debug)]
pub(crate) enum Error {
    /// What the library refused.
    Library(headstart_tools::error::Error),
    /// No cut was chosen.
    Freeze(FreezeError<headstart_tools::error::Error>),
    /// No such board, or none that can be flashed.
    Board(BoardError),
    /// A board does not have what a pack takes.
    Shortage(Shortage),
    /// There is no image of what was given.
    Image { output: PathBuf, problem: ImageError },
    /// A graph cannot be written.
    Export { output: PathBuf, problem: ExportError },
    /// Options or files that do not fit each other, and what would.
    Usage(String),
    /// A board at a cable refused, or cannot be reached.
    Cable(headstart_cable::client::Error),
    /// The same of a lesson that committed nothing.
    Lesson(headstart_cable::client::Error),
    /// Another program could not do its work.
    Tool { command: String, source: io::Error },
    /// A file cannot be written; what was there before is unchanged.
    Unwritable { path: PathBuf, source: io::Error },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => write!(f, "{error}")?,
            Self::Freeze(error) => write!(f, "{error}")?,
            Self::Board(error) => write!(f, "{error}")?,
            Self::Shortage(error) => write!(f, "{error}")?,
            Self::Image { output, problem } => write!(f, "{}: {problem}", output.display())?,
            Self::Export { output, problem } => write!(f, "{}: {problem}", output.display())?,
            Self::Usage(what) => f.write_str(what)?,
            Self::Cable(error) | Self::Lesson(error) => write!(f, "{error}")?,
            Self::Tool { command, source } => write!(f, "{command}: {source}")?,
            Self::Unwritable { path, source } => write!(
                f,
                "{}: cannot be written ({source}); what was there before is unchanged",
                path.display()
            )?,
        }
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        match self {
            Self::Lesson(_) => f.write_str("; nothing was committed"),
            _ => Ok(()),
        }
    }
}

impl Error {
    /// 1 where the input was refused, 2 where the machine failed.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Unwritable { .. } | Self::Tool { .. } => 2,
            Self::Library(error) => match error.fault() {
                Fault::Input => 1,
                Fault::Machine => 2,
            },
            Self::Cable(error) | Self::Lesson(error) => error.exit_status(),
            _ => 1,
        }
    }

    fn advice(&self) -> Option<String> {
        match self {
            Self::Library(error) => advice::on_refusal(error),
            Self::Freeze(error) => advice::on_freezing(error),
            Self::Shortage(shortage) => advice::on_shortage(shortage),
            Self::Cable(headstart_cable::client::Error::Refused(refusal))
            | Self::Lesson(headstart_cable::client::Error::Refused(refusal)) => {
                advice::on_board(refusal)
            }
            _ => None,
        }
    }

    /// The rule that a pack breaks.
    pub(crate) fn in_pack(path: &Path) -> impl Fn(headstart::Error) -> Self + Copy {
        |problem| headstart_tools::error::Error::Pack { pack: path.to_owned(), problem }.into()
    }
}

impl From<headstart_tools::error::Error> for Error {
    fn from(error: headstart_tools::error::Error) -> Self {
        Self::Library(error)
    }
}

impl From<tasks::Error> for Error {
    fn from(error: tasks::Error) -> Self {
        match error {
            tasks::Error::Refused(error) => Self::Library(error),
            tasks::Error::Freeze(error) => Self::Freeze(error),
            tasks::Error::Board(error) => Self::Board(error),
            tasks::Error::Shortage(error) => Self::Shortage(error),
            tasks::Error::Export { output, problem } => Self::Export { output, problem },
            tasks::Error::Usage(usage) => Self::Usage(advice::on_usage(&usage)),
            tasks::Error::Unwritable { path, source } => Self::Unwritable { path, source },
            other => Self::Usage(other.to_string()),
        }
    }
}

impl From<headstart_device::Error> for Error {
    fn from(error: headstart_device::Error) -> Self {
        Self::Library(error.into())
    }
}

impl From<headstart_cable::client::Error> for Error {
    fn from(error: headstart_cable::client::Error) -> Self {
        Self::Cable(error)
    }
}

impl From<BoardError> for Error {
    fn from(error: BoardError) -> Self {
        Self::Board(error)
    }
}

impl From<Shortage> for Error {
    fn from(error: Shortage) -> Self {
        Self::Shortage(error)
    }
}

#[cfg(test)]
mod tests {
    use headstart_cable::Refusal;
    use headstart_tools::error::{Error as Refused, HeadProblem, LowerError, ModelProblem, NoForm};

    use super::*;

    fn model(problem: ModelProblem) -> Error {
        Refused::Model { model: PathBuf::from("test.onnx"), problem }.into()
    }

    /// What the library refuses is shown with its file and with the option that mends it.
    #[test]
    fn what_an_option_mends_is_told_with_the_option() {
        let range = NoForm::NoRange { tensor: "a".into() };
        let problem = LowerError { node: "n".into(), operator: "Sigmoid", why: range };
        let head = |problem: HeadProblem| Error::Library(problem.into());
        let board = |refusal| Error::Cable(headstart_cable::client::Error::Refused(refusal));
        let lesson = |refusal| Error::Lesson(headstart_cable::client::Error::Refused(refusal));
        let cases: Vec<(Error, [&str; 2])> = vec![
            (model(ModelProblem::FixedSize), ["test.onnx", "--input-size"]),
            (model(ModelProblem::Name("x".into())), ["'x'", "`headstart inspect`"]),
            (model(ModelProblem::Pattern("x*".into())), ["'x*'", "`headstart inspect`"]),
            (model(ModelProblem::NoClassifier), ["test.onnx", "--freeze NAME"]),
            (model(ModelProblem::NoClassifierBehind), ["test.onnx", "--tail drop"]),
            (model(ModelProblem::OnlyTheLastLayer), ["test.onnx", "--tail drop"]),
            (
                model(ModelProblem::FrozenBehindTrained { frozen: "wide".into() }),
                ["'wide'", "learn --freeze"],
            ),
            (
                model(ModelProblem::OwnDecoder { features: "joined".into() }),
                ["'joined'", "--freeze NAME"],
            ),
            (
                model(ModelProblem::NotFinite { tensor: "w".into(), found: f32::NAN, element: 3 }),
                ["tensor 'w' holds NaN at element 3", "--freeze NAME"],
            ),
            (
                model(ModelProblem::PastHalf { tensor: "w".into(), found: 1e6, element: 3 }),
                ["tensor 'w' holds 1000000", "--tail-storage f32"],
            ),
            (
                model(ModelProblem::TooManyFeatures { tensors: "x".into(), found: 9, limit: 4 }),
                ["'x' gives 9 features", "--input-size"],
            ),
            (model(ModelProblem::NoMaps { stride: 32 }), ["stride of 32", "--stride"]),
            (
                Refused::Lower { model: "test.onnx".into(), problem, instead: None }.into(),
                ["tensor 'a'", "--calib DIR"],
            ),
            (head(HeadProblem::NotLinear), ["not linear", "--head new"]),
            (head(HeadProblem::OtherFeatures { reads: "f".into() }), ["'f'", "--freeze head"]),
            (
                head(HeadProblem::TooManyClasses { classes: 9, most: 4 }),
                ["9 classes", "raise --max-classes to 9"],
            ),
            (head(HeadProblem::None { folder: "mine".into() }), ["mine", "`keep`"]),
            (Refused::Family { family: "a b".into() }.into(), ["\"a b\"", "--family"]),
            (board(Refusal::LastClass), ["only class", "--yes"]),
            (board(Refusal::OtherBackbone), ["another backbone", "--forget"]),
            (board(Refusal::TooManyKept { kept: 99 }), ["99 samples", "--limit"]),
            (board(Refusal::NoPack), ["no pack", "update PACK"]),
            (board(Refusal::TooLong { limit: 0 }), ["no place for another", "`headstart flash`"]),
            (lesson(Refusal::NothingKept), ["nothing was committed", "--learner step"]),
            (Error::Freeze(FreezeError::Budget), ["budget", "--max-macs"]),
            (Error::Freeze(FreezeError::TooFewSamples { classes: 1 }), ["1 classes", "--data DIR"]),
        ];
        for (error, parts) in cases {
            let message = error.to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
