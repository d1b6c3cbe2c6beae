//! `learn`: labelled samples on top of what was learned before.

use std::path::PathBuf;
use std::process::ExitCode;

use headstart_device::{
    GivenAs, Learned, LearnedHead, LearnedPlaces, Outcome, Outweighed, Reported, Unknown,
};

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
    let skip = args.selection.skip_bad;
    let report = |folder: &PathBuf| Ok(device.read(folder, None)?.skipping_bad(skip));
    let reports = args.report.iter().map(report).collect::<Result<_, headstart_device::Error>>()?;
    let options = headstart_device::LearnOptions { reports, ..options };
    let samples = device.read(&args.selection.data, args.selection.most())?.skipping_bad(skip);
    let outcome = device.learn(&samples, &options, &Terminal::default())?;
    let is_rejected = matches!(outcome, Outcome::Rejected(_));
    if let Learned::Head(learned) = outcome.report() {
        output::warn_alike(&learned.look_alike);
    }
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
    let mut unknown = super::unknown(learned.unknown_threshold, learned.threshold_kept);
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
    let facts = facts.into_iter().chain(super::settings(&learned.changed_settings));
    let classes = classes::table(&learned.classes, "samples");
    let mut text = format!("{}\n\n{classes}", output::facts(facts));
    if let Some(outweighed) = &learned.outweighed {
        text += &format!("\n\n{}", drowned(outweighed));
    }
    if !learned.reports.is_empty() {
        text += &format!("\n\n{}", reports(&learned.reports));
    }
    text
}

/// What many samples of before leave of few new ones, and what helps.
fn drowned(outweighed: &Outweighed) -> String {
    let percent = |part: f64| output::percent(Some(part));
    format!(
        "The samples of before count {:.0} times as much as these: the head answers {} of these rightly, a head of these alone {} without having seen them. \
         --weight recent lets these count as much as all others, --weight N each of them as N.",
        outweighed.others,
        percent(outweighed.together),
        percent(outweighed.alone)
    )
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
    samples += &given_twice(learned.duplicate_samples, &learned.conflicts);
    samples += &super::left_out(&learned.bad_files);
    if let [first, ..] = &learned.near_duplicates[..] {
        let like = match first.class == first.like_class {
            true => first.like.clone(),
            false => format!("{} of {}", first.like, first.like_class),
        };
        samples += &format!(
            ", {} show the same as another one ({} as {like} first; --json lists them)",
            learned.near_duplicates.len(),
            first.file
        );
    }
    if learned.kept_samples > 0 {
        samples += &format!(", copies of {} kept", output::thousands(learned.kept_samples));
    }
    samples + ")"
}

/// What was given more than once.
fn given_twice(duplicates: usize, conflicts: &[Vec<GivenAs>]) -> String {
    let mut text = String::new();
    if duplicates > 0 {
        text += &format!(", {} given twice", output::counted(duplicates, "file"));
    }
    if let [first, ..] = conflicts {
        let of = |given: &GivenAs| match &given.class {
            Some(class) => format!("{} as {class}", given.file),
            None => given.file.clone(),
        };
        text += &format!(
            ", {} set aside: one content under several classes or masks ({} first; --json lists them)",
            conflicts.len(),
            first.iter().map(of).collect::<Vec<_>>().join(", ")
        );
    }
    text
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
    let given = given_twice(learned.duplicate_samples, &learned.conflicts);
    let given = given + &super::left_out(&learned.bad_files);
    let samples = output::thousands(learned.samples);
    let peak = learned.peak_rss_bytes.map(|bytes| bytes as usize);
    let facts = [
        ("pictures", format!("{samples} ({} new{corrected}{given})", learned.new_samples)),
        ("held-out places right", output::percent(learned.held_out_accuracy)),
        ("head", format!("{} bytes", output::thousands(learned.head_bytes))),
        ("time", time(learned.seconds, learned.training_seconds)),
        ("peak memory", format!("{} bytes", output::bytes(peak))),
    ];
    let facts = facts.into_iter().chain(super::settings(&learned.changed_settings));
    format!("{}\n\n{}", output::facts(facts), classes::table(&learned.classes, "pictures"))
}
