//! `predict`: one answer a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use headstart_device::{Error, Prediction, RequestProblem, Sample, Setting};
use serde::Serialize;

use super::masks;
use crate::advice;
use crate::cli::Predict;
use crate::output::{self, Report};
use crate::watch::Terminal;

/// Answers, a row a file.
#[derive(Serialize)]
struct Answers<R> {
    files: Vec<R>,
}

/// One class for a file.
#[derive(Serialize)]
struct OneClass {
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

/// A class for each place of a picture.
#[derive(Serialize)]
struct Places {
    file: String,
    /// Where the answer was written; `null` for a file that was refused.
    mask: Option<PathBuf>,
    /// Shares of the picture's pixels, by class; those without an answer are none.
    shares: Vec<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Share {
    name: String,
    share: f64,
}

pub(crate) fn run(args: &Predict) -> anyhow::Result<ExitCode> {
    let pack = &args.common.pack;
    let device = super::computing(pack, args.state.as_deref(), &args.backend, &args.compute)?;
    // First, so that without one nothing is said of masks.
    device.head()?;
    let refuse = |problem| Error::Request { path: pack.clone(), problem };
    let paths: Vec<&Path> = args.files.iter().map(AsRef::as_ref).collect();
    let folder = match (&args.masks, device.is_per_place()) {
        (Some(folder), true) => {
            masks::prepare(folder, &paths, &paths)?;
            Some(folder)
        }
        (Some(_), false) => {
            return Err(refuse(RequestProblem::OfPlaces(Setting::Masks)).into());
        }
        (None, true) => anyhow::bail!(
            "{}: the pack answers a class for each place of a picture: say with --masks DIR where the answers are written",
            pack.display()
        ),
        (None, false) => None,
    };
    let samples: Vec<Sample<'_>> = args.files.iter().map(Sample::file).collect();
    let watch = Terminal::default();
    let status = match folder {
        None => {
            let answers = device.predict_all(&samples, &watch)?;
            let (status, files) = rows(&paths, answers, OneClass::new);
            output::print(&Answers { files }, args.common.json)?;
            status
        }
        Some(folder) => {
            let written = device.predict_each(&samples, &watch, |at, answer| {
                Ok((masks::write(folder, paths[at], &answer)?, Share::of(&answer)))
            })?;
            let (status, files) = rows(&paths, written, Places::new);
            output::print(&Answers { files }, args.common.json)?;
            status
        }
    };
    Ok(ExitCode::from(status))
}

/// Rows of a report on files, each with its own error, which is said at once; and the exit status.
fn rows<T, R>(
    paths: &[&Path],
    answers: Vec<Result<T, Error>>,
    row: impl Fn(String, Result<T, String>) -> R,
) -> (u8, Vec<R>) {
    let mut status = 0;
    let rows = paths.iter().zip(answers).map(|(path, answer)| {
        let answer = answer.map_err(|error| {
            let said = advice::said(&error);
            output::error(&said);
            status = status.max(error.exit_status());
            said
        });
        row(path.display().to_string(), answer)
    });
    let rows = rows.collect();
    (status, rows)
}

impl OneClass {
    fn new(file: String, answer: Result<Prediction, String>) -> Self {
        match answer {
            Ok(answer) => Self {
                file,
                label: answer.label().map(str::to_owned),
                best: answer.best().map(str::to_owned),
                probability: answer.probability(),
                unknown: answer.is_unknown(),
                error: None,
            },
            Err(error) => Self {
                file,
                label: None,
                best: None,
                probability: None,
                unknown: false,
                error: Some(error),
            },
        }
    }
}

impl Share {
    fn of(answer: &Prediction) -> Vec<Self> {
        let share = |(name, share): (&str, f64)| Self { name: name.to_owned(), share };
        answer.shares().into_iter().map(share).collect()
    }
}

impl Places {
    fn new(file: String, answer: Result<(PathBuf, Vec<Share>), String>) -> Self {
        match answer {
            Ok((path, shares)) => Self { file, mask: Some(path), shares, error: None },
            Err(error) => Self { file, mask: None, shares: Vec::new(), error: Some(error) },
        }
    }
}

impl Report for Answers<OneClass> {
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

impl Report for Answers<Places> {
    fn text(&self) -> String {
        let rows = self.files.iter().map(|p| {
            let shares = p.shares.iter().map(|s| format!("{} {:.0} %", s.name, 100.0 * s.share));
            let mask = p.mask.as_ref().map(|path| path.display().to_string());
            let mask = mask.unwrap_or_else(|| "refused".to_owned());
            vec![p.file.clone(), mask, shares.collect::<Vec<_>>().join(", ")]
        });
        output::table(&["file", "mask", "shows"], rows)
    }
}
