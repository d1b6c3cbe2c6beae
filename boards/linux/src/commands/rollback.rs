//! `rollback`: an earlier commit, as a new one.

use std::process::ExitCode;

use headstart_device::RolledBack;

use crate::cli::Rollback;
use crate::output::{self, Report};
use crate::watch::Terminal;

pub(crate) fn run(args: &Rollback) -> anyhow::Result<ExitCode> {
    let options = args.compute.choose(super::options(Some(&args.state)));
    let device = options.open(&args.common.pack)?;
    output::print(&device.rollback(args.to, &Terminal::default())?, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for RolledBack {
    fn text(&self) -> String {
        let mut text = format!(
            "The head of commit {} answers now, learned from {}.",
            self.to,
            output::counted(self.samples, "sample")
        );
        if !self.passed_over.is_empty() {
            let numbers: Vec<String> = self.passed_over.iter().map(u32::to_string).collect();
            text += &format!(
                " Passed over, because their samples are no longer kept: {}.",
                numbers.join(", ")
            );
        }
        for damaged in &self.damaged {
            text += &format!(" Commit {} was stepped over: {}.", damaged.number, damaged.problem);
        }
        if self.dropped_samples > 0 {
            let samples = output::counted(self.dropped_samples, "sample");
            let are = if self.dropped_samples == 1 { "is" } else { "are" };
            text += &format!(" {samples} that it does not have {are} no longer kept.");
        }
        if let Some((_, changed)) = super::settings(&self.changed_settings) {
            text += &format!(" Its settings hold again: {changed}.");
        }
        text
    }
}
