//! `status`: what was learned.

use std::process::ExitCode;

use headstart_device::Status;

use super::classes;
use crate::cli;
use crate::output::{self, Report};

pub(crate) fn run(args: &cli::Status) -> anyhow::Result<ExitCode> {
    let device = super::open(&args.common.pack, &args.state)?;
    output::print(&device.status()?, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Status {
    fn text(&self) -> String {
        let learner = match self.hidden_units {
            Some(units) => format!("{}, {units} hidden units", self.learner),
            None => self.learner.to_owned(),
        };
        let limit = self.false_accepts.map(|limit| format!(", --false-accepts {limit}"));
        let half = if self.half { ", --half" } else { "" };
        let views = self.views.map(|views| format!(", --views {views}"));
        let most = self.max_bytes.map(|bytes| format!(", --max-bytes {bytes}"));
        let tail = self.tail.iter().map(|(setting, value)| match *setting {
            "seed" => format!(", --training-seed {value}"),
            "balanced" => ", --balanced".to_owned(),
            name => format!(", --{} {value}", name.replace('_', "-")),
        });
        let more = limit.into_iter().chain([half.to_owned()]).chain(views).chain(most).chain(tail);
        let settings = format!("--learner {}{}", self.learns_with, more.collect::<String>());
        let facts = [
            ("model", format!("{}, frozen at {}", self.model, self.freeze_point)),
            (
                "backbone",
                format!("{}, {} features", self.backbone, output::thousands(self.features)),
            ),
            (
                "head",
                format!("{} bytes, from the {}", output::thousands(self.head_bytes), self.head),
            ),
            ("learner", learner),
            ("learns on with", settings),
            ("held-out accuracy", output::percent(self.held_out_accuracy)),
            ("unknown below", output::percent(Some(f64::from(self.unknown_threshold)))),
            ("samples", output::thousands(self.samples)),
            ("cached samples", output::thousands(self.cached_samples)),
            (
                "kept samples",
                format!(
                    "{}, {} bytes",
                    output::thousands(self.kept_samples),
                    output::thousands(usize::try_from(self.kept_bytes).unwrap_or(usize::MAX))
                ),
            ),
            ("bits a feature", self.feature_bits.to_string()),
        ];
        format!("{}\n\n{}", output::facts(facts), classes::table(&self.classes, "samples"))
    }
}
