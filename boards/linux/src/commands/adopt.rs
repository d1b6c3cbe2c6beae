//! `adopt`: kept samples learned again with another backbone.

use std::process::ExitCode;

use headstart_device::{AdoptOutcome, Adopted};
use serde::Serialize;

use super::classes;
use crate::advice;
use crate::cli::Adopt;
use crate::output::{self, Report};
use crate::watch::Terminal;

#[derive(Serialize)]
struct Same {
    same_backbone: bool,
}

pub(crate) fn run(args: &Adopt) -> anyhow::Result<ExitCode> {
    let options = args.compute.choose(super::options(Some(&args.state)));
    let device = options.open(&args.common.pack)?;
    let outcome = match device.adopt(args.force, &Terminal::default())? {
        AdoptOutcome::Learned(outcome) => outcome,
        AdoptOutcome::SameBackbone => {
            output::print(&Same { same_backbone: true }, args.common.json)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut report = outcome.into_report();
    report.rejected = report.rejected.as_deref().map(advice::rejected);
    output::print(&report, args.common.json)?;
    Ok(ExitCode::from(u8::from(report.rejected.is_some())))
}

impl Report for Same {
    fn text(&self) -> String {
        "The pack has the backbone that the state was learned with: nothing needs to be done, and it can be used at once."
            .to_owned()
    }
}

impl Report for Adopted {
    fn text(&self) -> String {
        if let Some(reason) = &self.rejected {
            return output::rejection(reason);
        }
        let mut samples = output::thousands(self.samples);
        if self.missing_samples > 0 {
            samples += &format!(
                " ({} of which no copy was kept are forgotten)",
                output::thousands(self.missing_samples)
            );
        }
        if self.dropped_samples > 0 {
            let dropped = output::thousands(self.dropped_samples);
            samples += &format!(" ({dropped} dropped for --max-bytes)");
        }
        let known = self.known_samples.as_ref().map_or_else(
            || "–".to_owned(),
            |known| {
                format!(
                    "{} before, {} after, of {}",
                    known.right_before, known.right_after, known.held_out
                )
            },
        );
        let facts = [
            ("samples", samples),
            ("learner", self.learner.to_owned()),
            ("held-out accuracy", output::percent(self.held_out_accuracy)),
            ("unknown below", super::unknown(self.unknown_threshold, self.threshold_kept)),
            ("held out and right", known),
            ("head", format!("{} bytes", output::thousands(self.head_bytes))),
            (
                "time",
                format!("{:.1} s, training {:.1} s of it", self.seconds, self.training_seconds),
            ),
        ];
        let facts = facts.into_iter().chain(super::settings(&self.changed_settings));
        let classes = classes::table(&self.classes, "samples");
        format!("The new pack answers now.\n\n{}\n\n{classes}", output::facts(facts))
    }
}
