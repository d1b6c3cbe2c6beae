//! Which option or command mends what the library refused. Libraries know no options: this is the one place that
//! tells them from an error.

use headstart_cable::Refusal;
use headstart_tools::cut::freeze::FreezeError;
use headstart_tools::error::{
    Error, HeadProblem, ImportError, LowerError, ModelProblem, NoForm, Problem,
};
use headstart_tools::ship::board::Shortage;

/// What to do about a refusal, in the words of the command line; nothing where the error says it all.
pub(crate) fn on_refusal(error: &Error) -> Option<String> {
    let advice = match error {
        Error::Head(HeadProblem::TooManyClasses { classes, .. }) => {
            return Some(format!("raise --max-classes to {classes}"));
        }
        Error::Model { problem, .. } => of_model(problem),
        Error::Files(_) => Some("where they come from a folder, --skip-bad goes on without them"),
        Error::Import(ImportError { problem: Problem::Open { is_size: true, .. }, .. }) => {
            Some("or give its rows and columns with --input-size")
        }
        Error::Head(problem) => of_head(problem),
        Error::Lower { problem: LowerError { why: NoForm::NoRange { .. }, .. }, .. } => {
            Some("give samples with --calib DIR, and its range is measured")
        }
        Error::Family { .. } => Some("name them so with --family"),
        _ => None,
    };
    advice.map(str::to_owned)
}

/// The same where no cut was chosen.
pub(crate) fn on_freezing<E>(error: &FreezeError<E>) -> Option<String> {
    let advice = match error {
        FreezeError::TooFewSamples { .. } => {
            "give more with --data DIR, or name a cut with --freeze NAME"
        }
        FreezeError::Budget => "raise --max-head or --max-macs",
        FreezeError::Features => "name a cut with --freeze NAME (`headstart inspect` marks them)",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// The same for a board that is too small.
pub(crate) fn on_shortage(shortage: &Shortage) -> Option<String> {
    let advice = match shortage {
        Shortage::Ram { .. } => "see --freeze NAME and --max-classes",
        Shortage::Slot { .. } => "see --max-classes and --pool 1",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// The same for what a board refuses.
pub(crate) fn on_board(refusal: &Refusal) -> Option<String> {
    let advice = match refusal {
        Refusal::LastClass => "that is forget --yes",
        Refusal::NothingKept => "that is learn --learner step",
        Refusal::TooManyKept { .. } => "see learn --limit and --learner sgd",
        Refusal::OtherBackbone => {
            "device head reads it back; then see forget --yes and update --forget"
        }
        Refusal::NoPack => "that is update PACK",
        Refusal::TooLong { limit: 0 } => "that is `headstart image` and `headstart flash`",
        Refusal::Memory { .. } | Refusal::Slot { .. } => "see --max-classes of `headstart pack`",
        Refusal::Untrusted => "that is `headstart sign`",
        _ => return None,
    };
    Some(advice.to_owned())
}

fn of_model(problem: &ModelProblem) -> Option<&'static str> {
    Some(match problem {
        ModelProblem::TooCostly(_) => {
            "freeze at an earlier tensor with --freeze NAME, give smaller pictures with --input-size, or choose a \
             smaller model"
        }
        ModelProblem::TailTooCostly(_) => {
            "freeze at a later tensor with --freeze NAME, give smaller pictures with --input-size, or use --tail drop"
        }
        ModelProblem::Behind { .. } => "`headstart inspect` shows the cuts before it",
        ModelProblem::TrainedBehind { .. } => "use --tail drop",
        ModelProblem::NotFinite { .. } => {
            "--freeze NAME before it, with --tail drop, leaves it out"
        }
        ModelProblem::PastHalf { .. } => "--tail-storage f32",
        ModelProblem::TooManyFeatures { .. } => {
            "--freeze NAME, or smaller pictures by --input-size"
        }
        ModelProblem::FixedSize => "leave out --input-size",
        ModelProblem::Name(_) | ModelProblem::Pattern(_) => "`headstart inspect` lists them",
        ModelProblem::NoClassifier | ModelProblem::Unfinished { .. } => {
            "name the tensor to freeze at with --freeze NAME (`headstart inspect` lists them)"
        }
        ModelProblem::NoClassifierBehind | ModelProblem::OnlyTheLastLayer => {
            "name an earlier tensor with --freeze NAME, or use --tail drop"
        }
        ModelProblem::FrozenBehindTrained { .. } => {
            "--train names what is trained; freeze it in the trainable part with `headstart-edge learn --freeze`"
        }
        ModelProblem::OwnDecoder { .. } => {
            "say with --freeze NAME or a pattern where its encoder ends, or --freeze none"
        }
        ModelProblem::NoMaps { .. } => "lower --stride, or give a model that takes larger pictures",
        _ => return None,
    })
}

fn of_head(problem: &HeadProblem) -> Option<&'static str> {
    Some(match problem {
        HeadProblem::NotLinear | HeadProblem::MoreThanAHeadHolds { .. } => "use --head new",
        HeadProblem::OtherFeatures { .. } => "--head keep needs --freeze head",
        HeadProblem::Weights { .. } | HeadProblem::NoClassifier => "use --head new",
        HeadProblem::None { .. } => {
            "--head takes `new`, `keep` or a folder where `headstart-edge learn` keeps a head"
        }
        _ => return None,
    })
}
