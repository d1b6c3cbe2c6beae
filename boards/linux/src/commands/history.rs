//! `history`: the commits that are kept.

use std::process::ExitCode;

use headstart_device::{CommitEntry, History};

use crate::advice;
use crate::cli;
use crate::output::{self, Report};

pub(crate) fn run(args: &cli::History) -> anyhow::Result<ExitCode> {
    let device = super::open(&args.common.pack, &args.state)?;
    let mut history = device.history()?;
    if let Some(rejected) = &mut history.rejected {
        rejected.note = advice::rejected(&rejected.note);
    }
    output::print(&history, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for History {
    fn text(&self) -> String {
        let rows = self.commits.iter().map(|entry| {
            vec![
                format!("{}{}", entry.number, mark(entry)),
                entry.note.clone(),
                entry.learner.unwrap_or("of another backbone").to_owned(),
                output::thousands(entry.samples),
                entry.classes.to_string(),
                output::percent(entry.held_out_accuracy),
            ]
        });
        let header = ["commit", "made by", "learner", "samples", "classes", "held-out accuracy"];
        let mut text = output::table(&header, rows);
        if self.commits.iter().any(|entry| !entry.returnable) {
            text += "\n\nRollback passes over commits whose samples are gone: learn these again to return there.";
        }
        for damaged in &self.damaged {
            text += &match damaged.number {
                0 => format!(
                    "\n\nThe last candidate that was rejected is lost: {}.",
                    damaged.problem
                ),
                number => format!("\n\nNothing returns to commit {number}: {}.", damaged.problem),
            };
        }
        if let Some(rejected) = &self.rejected {
            text += &format!("\n\nThe last candidate was rejected: {}.", rejected.note);
        }
        text
    }
}

fn mark(entry: &CommitEntry) -> &'static str {
    match entry {
        CommitEntry { current: true, .. } => " (current)",
        CommitEntry { returnable: false, .. } => " (samples gone)",
        _ => "",
    }
}
