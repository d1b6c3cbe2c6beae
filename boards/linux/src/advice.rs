//! Which options of this program help with an error. Libraries know no options: they stand here, and nowhere else.

use headstart_device::samples::SampleProblem;
use headstart_device::state::{StateProblem, Way};
use headstart_device::training::TrainingProblem;
use headstart_device::{Error, RequestProblem, Setting};

/// An error as this program says it.
pub(crate) fn said(error: &Error) -> String {
    if let Error::Samples(errors) = error {
        return of_several(errors);
    }
    match advice(error) {
        Some(advice) => format!("{error} ({advice})"),
        None => error.to_string(),
    }
}

/// Why a candidate was not made current, as this program says it. A state of an older version says it so already.
pub(crate) fn rejected(reason: &str) -> String {
    const FORCE: &str = "add --force";
    if reason.ends_with(FORCE) {
        return reason.to_owned();
    }
    // What a tail that was trained badly wants.
    let reason = reason.replace("with another rate", "with another --rate");
    format!("{reason}, or {FORCE}")
}

fn advice(error: &Error) -> Option<String> {
    match error {
        Error::Sample { problem, .. } => of_sample(problem),
        Error::State { problem, .. } => of_state(problem),
        Error::Request { problem, .. } => of_request(problem),
        Error::Training { problem, .. } => of_training(problem),
        Error::Engine { .. } => Some("leave --engine out".to_owned()),
        _ => None,
    }
}

/// Samples that were refused together, each with its own advice.
fn of_several(errors: &[Error]) -> String {
    if let [error] = errors {
        return format!("{} (--skip-bad goes on without it)", said(error));
    }
    let each: Vec<String> = errors.iter().map(|error| format!("\n  {}", said(error))).collect();
    let count = errors.len();
    format!("{count} files are refused (--skip-bad goes on without them):{}", each.concat())
}

fn of_sample(problem: &SampleProblem) -> Option<String> {
    Some(match problem {
        SampleProblem::TooMany { .. } => "--limit N takes fewer".to_owned(),
        SampleProblem::MaskClass { .. } => "headstart pack --classes N".to_owned(),
        _ => return None,
    })
}

fn of_state(problem: &StateProblem) -> Option<String> {
    Some(match problem {
        StateProblem::NotAFolder
        | StateProblem::NotAFile
        | StateProblem::OtherBackbone { .. }
        | StateProblem::TooManyClasses { .. } => "--state DIR".to_owned(),
        StateProblem::WouldBeTooLarge { limit, .. } => format!("learn --max-bytes {limit}"),
        StateProblem::TooManySamples { .. } => "learn --max-bytes N".to_owned(),
        StateProblem::HeadTooLarge { .. } => "headstart pack --freeze".to_owned(),
        StateProblem::NotAllKept { .. } => "learn --keep-samples, adopt --force".to_owned(),
        StateProblem::NoneKept(_) | StateProblem::NotThatSample => {
            "learn --keep-samples".to_owned()
        }
        StateProblem::OtherPack { way: Way::Anew, .. } => {
            "--state DIR; learn --keep-samples keeps copies".to_owned()
        }
        StateProblem::SamplesGone(_) => "rollback --to N; history lists them".to_owned(),
        StateProblem::Lost { .. } => "repair --force".to_owned(),
        StateProblem::AllLost => "--state DIR".to_owned(),
        StateProblem::ClassesLost(_) => "adopt --force".to_owned(),
        StateProblem::UnplannedClasses { found, .. } => {
            format!("headstart pack --max-classes {found}")
        }
        _ => return None,
    })
}

fn of_request(problem: &RequestProblem) -> Option<String> {
    Some(match problem {
        RequestProblem::StateNeeded | RequestProblem::NoState => "--state DIR".to_owned(),
        RequestProblem::OneClassLeft => "forget --yes only where nothing is to stay".to_owned(),
        RequestProblem::TailChange => "--state DIR".to_owned(),
        RequestProblem::KeptBits => "leave --kept-bits out".to_owned(),
        RequestProblem::MergedBits => "learn --kept-bits 4".to_owned(),
        RequestProblem::Budget { .. } => "--max-bytes".to_owned(),
        RequestProblem::Strangers => "leave --false-accepts out".to_owned(),
        RequestProblem::OfHeads(Setting::Half) => {
            "leave --half out; --storage says how the tail's weights are kept".to_owned()
        }
        RequestProblem::OfHeads(setting) | RequestProblem::NotOfPlaces(setting) => {
            format!("leave {} out", option(*setting))
        }
        RequestProblem::NoTail(setting) => {
            format!("leave {} out, or pack the model with --tail keep", option(*setting))
        }
        RequestProblem::OfPlaces(setting) => {
            format!("leave {} out, or pack the model with --task segmentation", option(*setting))
        }
        RequestProblem::TailKeep => "leave --keep-samples out".to_owned(),
        RequestProblem::TailAdopt => "--state DIR".to_owned(),
        RequestProblem::NoEngine(_) => {
            "build it with --features flex, or pack the model with --tail drop".to_owned()
        }
        RequestProblem::NeedsEngine(_) => "--engine".to_owned(),
        RequestProblem::EngineMissing => missing_engine(),
        RequestProblem::DeviceMissing(feature) => {
            format!("build it with --features {feature}, or leave --device out")
        }
        RequestProblem::NoSuchDevice(_) => {
            "--engine cuda or candle, or leave --device out".to_owned()
        }
        _ => return None,
    })
}

fn of_training(problem: &TrainingProblem) -> Option<String> {
    Some(match problem {
        TrainingProblem::Samples(_) => "--learner auto".to_owned(),
        TrainingProblem::FewClasses { .. } => "leave --false-accepts out".to_owned(),
        TrainingProblem::NoLayer(_) => "headstart info lists them".to_owned(),
        TrainingProblem::Engine(_) => "another --engine, or none".to_owned(),
        TrainingProblem::EngineMissing => missing_engine(),
        _ => return None,
    })
}

fn missing_engine() -> String {
    "build it with --features ndarray, candle, flex or cuda, or leave --engine out".to_owned()
}

/// The option that sets it.
fn option(setting: Setting) -> String {
    let name = match setting {
        Setting::Reports => "report",
        Setting::Doubtful => "doubtful",
        Setting::Seed => "training-seed",
        other => other.name(),
    };
    format!("--{}", name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn an_error_is_said_with_the_option_that_helps() {
        let path = PathBuf::from("mine");
        let problem = StateProblem::UnplannedClasses { found: 11, limit: 10 };
        let text = said(&Error::State { path: path.clone(), problem });
        assert!(text.ends_with("(headstart pack --max-classes 11)"), "{text}");
        let problem = RequestProblem::NoTail(Setting::WeightDecay);
        let text = said(&Error::Request { path: path.clone(), problem });
        assert!(text.contains("leave --weight-decay out"), "{text}");
        let error = Error::State { path, problem: StateProblem::NoHead };
        assert_eq!(said(&error), error.to_string());
    }
}
