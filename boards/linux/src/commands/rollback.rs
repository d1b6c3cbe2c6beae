//! `rollback`: an earlier commit, as a new one.

use std::process::ExitCode;

use headstart_device::samples::{SampleId, hex};
use headstart_device::state::{Commit, Problem, StateFolder};
use headstart_device::{Error, PackFile};
use serde::Serialize;

use super::kept::Foreign;
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
    let report = match super::state_head(&StateFolder::new(&args.state), &file.pack()?) {
        Err(other @ Error::State { problem: Problem::OtherPack { .. }, .. }) => {
            across(args, &file, other)?
        }
        // What else there is to say is said there.
        _ => within(args, &file)?,
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// To a commit of the current head's backbone, whose features are cached.
fn within(args: &Rollback, file: &PackFile) -> Result<Returned, Error> {
    let backbone = file.pack()?.backbone_digest();
    let change = Change::begin(&args.state, file)?;
    let folder = StateFolder::new(&args.state);
    let (commits, head) = (folder.commits()?, folder.head()?);
    let found = match args.to {
        Some(number) => numbered(&commits, number),
        None => {
            let current =
                commits.iter().rposition(|(_, commit)| Some(&commit.head) == head.as_ref());
            commits[..current.unwrap_or(commits.len())].last()
        }
    };
    let missing = args.to.map_or(Problem::NoEarlierCommit, Problem::NoCommit);
    let (digest, found) = found.ok_or_else(|| change.refuse(missing))?;
    if *digest != backbone {
        return Err(change.refuse(of_other(digest, found)));
    }
    let gone = || change.refuse(Problem::SamplesGone(found.number));
    let cache = found.cache(&change.cache).ok_or_else(gone)?;
    change.lock.commit(&cache, &backbone, &found.head, &note(found))?;
    let dropped_samples = change.cache.len() - cache.len();
    Ok(Returned { to: found.number, samples: cache.len(), dropped_samples })
}

/// To a commit of another backbone than the current head's, whose features are computed again.
fn across(args: &Rollback, file: &PackFile, other: Error) -> Result<Returned, Error> {
    let (pack, counter) = file.trusted()?;
    let backbone = pack.backbone_digest();
    let state = Foreign::begin(&args.state, file)?;
    let commits = StateFolder::new(&args.state).commits()?;
    let found = match args.to {
        Some(number) => {
            numbered(&commits, number).ok_or_else(|| state.refuse(Problem::NoCommit(number)))?
        }
        None => match commits.iter().rfind(|(digest, _)| *digest == backbone) {
            Some(found) => found,
            // The pack is a new one.
            None => return Err(other),
        },
    };
    let (digest, found) = found;
    if *digest != backbone {
        return Err(state.refuse(of_other(digest, found)));
    }
    let ids: Vec<SampleId> = found.samples.iter().map(|(id, _)| *id).collect();
    if !ids.iter().all(|id| state.kept.contains_key(id)) {
        return Err(state.refuse(Problem::CopiesGone(found.number)));
    }
    let cache = state.features(&ids, pack, args.compute.with(None))?;
    let gone = || state.refuse(Problem::CopiesGone(found.number));
    let cache = found.cache(&cache).ok_or_else(gone)?;
    state.lock.adopt(&cache, &backbone, &found.head, &note(found))?;
    // Behind the commit, as adopt does it.
    file.raise_counter(counter, &state.lock)?;
    let dropped_samples = state.cache.len() - cache.len();
    Ok(Returned { to: found.number, samples: cache.len(), dropped_samples })
}

fn numbered(commits: &[([u8; 32], Commit)], number: u32) -> Option<&([u8; 32], Commit)> {
    commits.iter().find(|(_, commit)| commit.number == number)
}

fn of_other(digest: &[u8; 32], commit: &Commit) -> Problem {
    Problem::CommitOfOther { number: commit.number, backbone: hex(&digest[..8]) }
}

fn note(commit: &Commit) -> String {
    format!("rollback to {}", commit.number)
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
