//! `rollback`: an earlier commit, as a new one.

use std::process::ExitCode;

use headstart_edge::PackFile;
use headstart_edge::state::{Problem, StateFolder};
use serde::Serialize;

use super::relearn::Change;
use crate::cli::Rollback;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Returned {
    /// The commit whose head answers now.
    to: u32,
    samples: usize,
    /// Samples that it does not have, and that are no longer kept.
    dropped_samples: usize,
}

pub(crate) fn run(args: &Rollback) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let backbone = file.pack()?.backbone_digest();
    let change = Change::begin(&args.state, &file)?;
    let folder = StateFolder::new(&args.state);
    let (commits, head) = (folder.commits(&backbone)?, folder.head()?);
    let current = commits.iter().rposition(|commit| Some(&commit.head) == head.as_ref());
    let found = match args.to {
        Some(number) => commits
            .iter()
            .find(|commit| commit.number == number)
            .ok_or_else(|| change.refuse(Problem::NoCommit(number)))?,
        None => commits[..current.unwrap_or(commits.len())]
            .last()
            .ok_or_else(|| change.refuse(Problem::NoEarlierCommit))?,
    };
    let gone = || change.refuse(Problem::SamplesGone(found.number));
    let cache = found.cache(&change.cache).ok_or_else(gone)?;
    let note = format!("rollback to {}", found.number);
    change.lock.commit(&cache, &backbone, &found.head, &note)?;
    let report = Returned {
        to: found.number,
        samples: cache.len(),
        dropped_samples: change.cache.len() - cache.len(),
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Returned {
    fn text(&self) -> String {
        let mut text = format!(
            "The head of commit {} answers now, learned from {} samples.",
            self.to,
            output::thousands(self.samples)
        );
        if self.dropped_samples > 0 {
            let count = output::thousands(self.dropped_samples);
            text += &format!(" {count} that it does not have are no longer kept.");
        }
        text
    }
}
