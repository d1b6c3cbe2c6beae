//! `learn`: labelled samples on top of what was learned before.

use std::process::ExitCode;

use headstart_device::{Labelled, Learned, LearnedHead, LearnedPlaces, Outcome, Reported, Unknown};

use super::classes;
use crate::advice;
use crate::cli::Learn;
use crate::output::{self, Report};
use crate::watch::Terminal;

pub(crate) fn run(args: &Learn) -> anyhow::Result<ExitCode> {
    let (pack, state) = (&args.common.pack, Some(args.state.as_path()));
    let device = super::computing(pack, state, &args.backend, &args.compute)?;
    let options = args.options();
    // What does not fit the pack is refused before any folder is listed.
    device.check(&options)?;
    let reports = args.report.iter().map(|folder| Labelled::folder(folder, None));
    let reports = reports.collect::<Result<_, _>>()?;
    let options = headstart_device::LearnOptions { reports, ..options };
    let samples = device.read(&args.selection.data, args.selection.most())?;
    let outcome = device.learn(&samples, &options, &Terminal::default())?;
    let is_rejected = matches!(outcome, Outcome::Rejected(_));
    output::print(&advised(outcome.into_report()), args.common.json)?;
    Ok(ExitCode::from(u8::from(is_rejected)))
}

/// What was learned, with what helps where it was rejected.
fn advised(mut learned: Learned) -> Learned {
    let (Learned::Head(LearnedHead { rejected, .. })
    | Learned::Places(LearnedPlaces { rejected, .. })) = &mut learned;
    *rejected = rejected.as_deref().map(advice::rejected);
    learned
}

impl Report for Learned {
    fn text(&self) -> String {
        if let Some(reason) = self.rejected() {
            return output::rejection(reason);
        }
        match self {
            Self::Head(learned) => of_head(learned),
            Self::Places(learned) => of_places(learned),
        }
    }
}

fn of_head(learned: &LearnedHead) -> String {
    let mut unknown = output::percent(Some(f64::from(learned.unknown_threshold)));
    if let Some(Unknown { false_accepts, given_up }) = &learned.unknown {
        let percent = |part: &f64| output::percent(Some(*part));
        unknown += &format!(
            ": answers {} of what was never taught, and gives up {} of its right answers",
            percent(false_accepts),
            percent(given_up)
        );
    }
    let mut learner = learned.learner.to_owned();
    if learned.short_of_memory {
        learner += " (auto takes more memory than is free: --memory)";
    }
    let facts = [
        ("samples", samples(learned)),
        ("learner", learner),
        ("held-out accuracy", output::percent(learned.held_out_accuracy)),
        ("unknown below", unknown),
        ("head", format!("{} bytes", output::thousands(learned.head_bytes))),
        ("time", time(learned.seconds, learned.training_seconds)),
    ];
    let classes = classes::table(&learned.classes, "samples");
    let mut text = format!("{}\n\n{classes}", output::facts(facts));
    if !learned.reports.is_empty() {
        text += &format!("\n\n{}", reports(&learned.reports));
    }
    text
}

/// How many samples there are, and what became of the new ones.
fn samples(learned: &LearnedHead) -> String {
    let mut samples =
        format!("{} ({} new", output::thousands(learned.samples), learned.new_samples);
    if learned.corrected_samples > 0 {
        samples += &format!(", {} corrected: the newest class stands", learned.corrected_samples);
    }
    if learned.dropped_samples > 0 {
        samples += &format!(", {} dropped for --max-bytes", learned.dropped_samples);
    }
    if let [first, ..] = &learned.set_aside[..] {
        samples += &format!(
            ", {} set aside: their labels look wrong ({} as {} first; --json lists them, --force learns them)",
            learned.set_aside.len(),
            first.file,
            first.class
        );
    }
    if learned.kept_samples > 0 {
        samples += &format!(", copies of {} kept", output::thousands(learned.kept_samples));
    }
    samples + ")"
}

fn time(seconds: f64, training: f64) -> String {
    format!("{seconds:.1} s, training {training:.1} s of it")
}

fn reports(reports: &[Reported]) -> String {
    let rows = reports.iter().map(|report| {
        vec![
            report.data.clone(),
            report.samples.to_string(),
            output::percent(report.before),
            output::percent(Some(report.after)),
        ]
    });
    output::table(&["report", "samples", "right before", "right after"], rows)
}

fn of_places(learned: &LearnedPlaces) -> String {
    let corrected = match learned.corrected_samples {
        0 => String::new(),
        corrected => format!(", {corrected} with another mask"),
    };
    let samples = output::thousands(learned.samples);
    let peak = learned.peak_rss_bytes.map(|bytes| bytes as usize);
    let facts = [
        ("pictures", format!("{samples} ({} new{corrected})", learned.new_samples)),
        ("held-out places right", output::percent(learned.held_out_accuracy)),
        ("head", format!("{} bytes", output::thousands(learned.head_bytes))),
        ("time", time(learned.seconds, learned.training_seconds)),
        ("peak memory", format!("{} bytes", output::bytes(peak))),
    ];
    format!("{}\n\n{}", output::facts(facts), classes::table(&learned.classes, "pictures"))
}
