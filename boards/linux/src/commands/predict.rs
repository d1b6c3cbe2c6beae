//! `predict`: one answer a file.

use std::path::Path;
use std::process::ExitCode;

use headstart_device::extract::Job;
use headstart_device::segmentation::is_per_place;
use headstart_device::state::Problem;
use headstart_device::{Answer, Error};
use serde::Serialize;

use crate::cli::Predict;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Predictions {
    files: Vec<Prediction>,
}

#[derive(Serialize)]
struct Prediction {
    file: String,
    /// `null` for "unknown" and for a file that was refused.
    label: Option<String>,
    /// The most probable class, known or not.
    best: Option<String>,
    probability: Option<f32>,
    unknown: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(args: &Predict) -> anyhow::Result<ExitCode> {
    let file = super::pack_file(&args.common.pack, args.state.as_deref())?;
    let (pack, counter) = file.trusted()?;
    let head = super::required_head(args.state.as_deref(), &file, &pack)?;
    super::keep_counter(&file, args.state.as_deref(), counter)?;
    let refuse = |problem| Error::State { path: args.common.pack.clone(), problem };
    let backend = args.backend.choose().map_err(refuse)?;
    if is_per_place(&pack) {
        return super::segmentation::predict(args, backend, &pack, &head);
    }
    if args.masks.is_some() {
        return Err(refuse(Problem::OfPlaces("--masks")).into());
    }
    let paths: Vec<&Path> = args.files.iter().map(AsRef::as_ref).collect();
    let bar = output::progress("predicting", paths.len());
    let extraction = super::warned(args.compute.with(backend).open(pack));
    let job = Job { extraction: &extraction, views: 1, done: &|| bar.inc(1) };
    let answers = job.one_by_one(&paths, |file, features| {
        head.answer(features)
            .map_err(|problem| Error::Pack { path: file.path().to_owned(), problem })
    });
    bar.finish_and_clear();

    let (status, files) =
        super::rows(&paths, answers, |file, answer| prediction(file, answer, head.labels()));
    output::print(&Predictions { files }, args.common.json)?;
    Ok(ExitCode::from(status))
}

fn prediction(file: String, answer: Result<Answer, Error>, labels: &[String]) -> Prediction {
    match answer {
        Ok(Answer { class, probability, unknown }) => {
            let best = labels.get(class).cloned();
            let label = best.clone().filter(|_| !unknown);
            Prediction { file, label, best, probability: Some(probability), unknown, error: None }
        }
        Err(error) => Prediction {
            file,
            label: None,
            best: None,
            probability: None,
            unknown: false,
            error: Some(error.to_string()),
        },
    }
}

impl Report for Predictions {
    fn text(&self) -> String {
        let rows = self.files.iter().map(|p| {
            let best = p.best.as_deref().unwrap_or("–");
            let answer = match (&p.error, p.unknown) {
                (Some(_), _) => "refused".to_owned(),
                (None, true) => format!("unknown (nearest: {best})"),
                (None, false) => best.to_owned(),
            };
            vec![p.file.clone(), answer, output::percent(p.probability.map(f64::from))]
        });
        output::table(&["file", "answer", "probability"], rows)
    }
}
