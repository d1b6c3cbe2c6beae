//! Which option or command mends what the library refused. Libraries know no options: this is the one place that
//! tells them from an error.

use headstart_tools::cut::freeze::FreezeError;
use headstart_tools::error::{Error as Refused, HeadProblem, LowerError, ModelProblem, NoForm};
use headstart_tools::ship::board::Shortage;

use crate::error::Error;

/// What to do, in the words of the command line; nothing where the error says it all.
pub(crate) fn advice(error: &Error) -> Option<String> {
    let advice = match error {
        Error::Library(Refused::Head(HeadProblem::TooManyClasses { classes, .. })) => {
            return Some(format!("raise --max-classes to {classes}"));
        }
        Error::Library(Refused::Model { problem, .. }) => of_model(problem),
        Error::Library(Refused::Head(problem)) => of_head(problem),
        Error::Library(Refused::Lower { problem: LowerError { why, .. }, .. }) => match why {
            NoForm::NoRange { .. } => {
                Some("give samples with --calib DIR, and its range is measured")
            }
            _ => None,
        },
        Error::Library(Refused::Family { .. }) => Some("name them so with --family"),
        Error::Freeze(FreezeError::TooFewSamples { .. }) => {
            Some("give more with --data DIR, or name a cut with --freeze NAME")
        }
        Error::Freeze(FreezeError::Budget) => Some("raise --max-head or --max-macs"),
        Error::Shortage(Shortage::Ram { .. }) => Some("see --freeze NAME and --max-classes"),
        Error::Shortage(Shortage::Slot { .. }) => Some("see --max-classes and --pool 1"),
        _ => None,
    };
    advice.map(str::to_owned)
}

fn of_model(problem: &ModelProblem) -> Option<&'static str> {
    Some(match problem {
        ModelProblem::FixedSize => "leave out --input-size",
        ModelProblem::Name(_) | ModelProblem::Pattern(_) => "`headstart inspect` lists them",
        ModelProblem::NoClassifier => {
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
        HeadProblem::NotLinear => "use --head new",
        HeadProblem::OtherFeatures { .. } => "--head keep needs --freeze head",
        HeadProblem::Weights { .. } => "use --head new",
        HeadProblem::None { .. } => {
            "--head takes `new`, `keep` or a folder where `headstart-edge learn` keeps a head"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

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
            (model(ModelProblem::NoMaps { stride: 32 }), ["stride of 32", "--stride"]),
            (
                Refused::Lower { model: "test.onnx".into(), problem }.into(),
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
            (Error::Freeze(FreezeError::Budget), ["budget", "--max-macs"]),
            (Error::Freeze(FreezeError::TooFewSamples { classes: 1 }), ["1 classes", "--data DIR"]),
        ];
        for (error, parts) in cases {
            let message = error.to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
