//! Which option or command mends what the library refused. Libraries know no options: this is the one place that
//! tells them from an error.

use headstart_cable::Refusal;
use headstart_tools::cut::freeze::FreezeError;
use headstart_tools::error::{
    Error, HeadProblem, ImportError, LowerError, ModelProblem, NoForm, Problem,
};
use headstart_tools::ship::board::Shortage;
use headstart_tools::tasks::Usage;

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

/// Options that do not fit each other, and what would, in the words of the command line.
pub(crate) fn on_usage(usage: &Usage) -> String {
    let said = match usage {
        Usage::NoPreprocessing => {
            "how pixels become input values is not known: give --preprocess \
             torchvision|timm|imagenet|tf|unit|raw, or --mean and --std (.npy samples are never \
             preprocessed: `raw` is right for them)"
        }
        Usage::ZeroDeviation => "--std: a deviation of 0 would divide by 0",
        Usage::NotNumbers(setting) => {
            return format!("--{setting}: one or three finite numbers are needed");
        }
        Usage::OtherScale { model, own, given, preset } => {
            let advice = match preset {
                Some(name) => format!("give --preprocess {name}"),
                None => "give the --mean and --std that the model was trained with".to_owned(),
            };
            return format!(
                "{}: its input is quantised for values of {:.4} to {:.4}, and pixels would become {:.4} to {:.4}; {advice}",
                model.display(),
                own[0],
                own[1],
                given[0],
                given[1]
            );
        }
        Usage::KeepWithAuto => {
            "--head keep: the pretrained classifier reads one tensor only, which --freeze auto may not choose; use \
             --freeze head"
        }
        Usage::NoScales { model } => {
            return format!(
                "{}: this model brings no scales along; show what the device will see with --calib DIR",
                model.display()
            );
        }
        Usage::PoolOfNoPlaces { tensor } => {
            return format!(
                "--pool: which axes of '{tensor}' are places is not known, so all of it is kept; leave --pool out, or \
                 freeze at another tensor"
            );
        }
        Usage::TrainWithoutTail => "--train: belongs to --tail keep",
        Usage::ClassesWithoutPlaces => "--classes: belongs to --task segmentation",
        Usage::NothingFrozen => {
            "--freeze none leaves nothing to freeze: add --tail keep, and the device trains the whole \
             network; or use --freeze head, --freeze auto or --freeze NAME"
        }
        Usage::TailWithoutCut => {
            "--tail keep: say where the trainable part begins, with --freeze NAME, a pattern or none"
        }
        Usage::TrainOfNothing => {
            "--train: says what of --freeze is trained after all; give --freeze names or a pattern"
        }
        Usage::TailOnBoard => {
            "--tail keep: features are kept as they are, for boards with an operating system; leave --pool and \
             --board out"
        }
        Usage::NoFreezeName => "--freeze: name a node, a tensor or a pattern",
        Usage::AutoNeedsData => "--freeze auto needs labelled samples: give them with --data DIR",
        Usage::NoSuchPool => "--pool: no cut was tried on a grid of that size; leave it out",
        Usage::NoHead => {
            "there is no head to export: give the folder where `headstart-edge learn` keeps it \
             with --state"
        }
        Usage::HasTail { pack } => {
            return format!(
                "{}: this is not done yet for a pack with a trainable tail; give one that was made with --tail drop",
                pack.display()
            );
        }
        other => return other.to_string(),
    };
    said.to_owned()
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
