//! `eval`: how often the head is right.

use std::process::ExitCode;

use headstart_device::{
    ClassEvaluation, Error, Evaluation, PlaceEvaluation, RequestProblem, Setting,
};

use super::{confusion, masks};
use crate::cli::Eval;
use crate::output::{self, Report};
use crate::watch::Terminal;

pub(crate) fn run(args: &Eval) -> anyhow::Result<ExitCode> {
    let pack = &args.common.pack;
    let device = super::computing(pack, args.state.as_deref(), &args.backend, &args.compute)?;
    // First, so that without one no folder is made.
    device.head()?;
    if args.overlays.is_some() && !device.is_per_place() {
        let problem = RequestProblem::OfPlaces(Setting::Overlays);
        return Err(Error::Request { path: pack.clone(), problem }.into());
    }
    let samples = device.read(&args.selection.data, args.selection.most())?;
    let samples = samples.skipping_bad(args.selection.skip_bad);
    let watch = Terminal::default();
    let evaluation = match &args.overlays {
        None => device.evaluate(&samples, &watch)?,
        Some(folder) => {
            masks::prepare(folder, &samples.pictures(), &samples.files())?;
            device
                .evaluate_showing(&samples, &watch, &|shown| masks::write_overlay(folder, shown))?
        }
    };
    output::print(&evaluation, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Evaluation {
    fn text(&self) -> String {
        match self {
            Self::Classes(evaluation) => of_classes(evaluation),
            Self::Places(evaluation) => of_places(evaluation),
        }
    }
}

fn of_classes(evaluation: &ClassEvaluation) -> String {
    let rows = evaluation.classes.iter().map(|class| {
        vec![
            class.name.clone(),
            class.samples.to_string(),
            output::percent(class.precision),
            output::percent(class.recall),
        ]
    });
    format!(
        "accuracy {} on {}{}; {} called unknown\n\n{}\n\n{}",
        output::percent(Some(evaluation.accuracy)),
        output::counted(evaluation.samples, "sample"),
        super::left_out(&evaluation.bad_files),
        output::percent(Some(evaluation.unknown)),
        output::table(&["class", "samples", "precision", "recall"], rows),
        confusion::table(evaluation)
    )
}

fn of_places(evaluation: &PlaceEvaluation) -> String {
    let rows = evaluation.classes.iter().map(|class| {
        let pixels = output::thousands(class.pixels as usize);
        vec![class.name.clone(), pixels, output::percent(class.iou)]
    });
    format!(
        "mean IoU {} on {}{}; {} of {} pixels right\n\n{}",
        output::percent(evaluation.mean_iou),
        output::counted(evaluation.samples, "picture"),
        super::left_out(&evaluation.bad_files),
        output::percent(evaluation.pixel_accuracy),
        output::thousands(evaluation.pixels as usize),
        output::table(&["class", "pixels", "IoU"], rows)
    )
}
