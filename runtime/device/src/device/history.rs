//! The commits that are kept.

use serde::Serialize;

use super::foreign::{copies, has_copies};
use super::handle::Device;
use crate::samples::hex;
use crate::state::Commit;
use crate::{Error, Head};

/// The list of [`Device::history`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// The commits, oldest first.
    pub commits: Vec<CommitEntry>,
    /// Commits that nothing here can return to because their files are damaged, or a later program wrote them, and a rejected candidate
    /// that cannot be read.
    pub damaged: Vec<DamagedCommit>,
    /// The last candidate that was not made current; its note is the reason.
    pub rejected: Option<CommitEntry>,
}

/// A commit whose file was damaged, or written by a later program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamagedCommit {
    /// The commit's number; 0 for a rejected candidate.
    pub number: u32,
    /// The file, and what is wrong with it.
    pub problem: String,
}

/// A commit, or a rejected candidate, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommitEntry {
    /// The commit's number; 0 for a rejected candidate.
    pub number: u32,
    /// Whether the commit's head answers now.
    pub current: bool,
    /// Whether `rollback` can return to it: `false` where some of its samples are no longer kept. A rejected candidate has been no commit.
    pub returnable: bool,
    /// What made the commit, or why the candidate was rejected.
    pub note: String,
    /// The first eight bytes of the backbone's digest.
    pub backbone: String,
    /// The learner of the head; `null` for a commit of another backbone than the pack's.
    pub learner: Option<&'static str>,
    /// How many samples the head was learned from.
    pub samples: usize,
    /// The classes that the head knows.
    pub classes: usize,
    /// Share of held-out samples that the head answers rightly.
    pub held_out_accuracy: Option<f64>,
}

impl Device {
    /// Lists the commits that are kept, and the last candidate that was rejected.
    ///
    /// # Errors
    /// [`Error::State`].
    pub fn history(&self) -> Result<History, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        let backbone = pack.backbone_digest();
        // Where the features cannot be read they are to be repaired first, and nothing is known to be gone.
        let cache = folder.any_features().ok().flatten();
        let kept = cache.as_ref().and_then(|(_, cache)| copies(folder, cache).ok());
        let can_return = |digest: &[u8; 32], commit: &Commit| match &cache {
            Some((of_cache, cache)) if of_cache == digest => commit.is_of(cache),
            // The pack of its backbone computes its features again.
            Some(_) => kept.as_ref().is_none_or(|kept| has_copies(commit, kept)),
            None => true,
        };
        let entry = |(digest, commit): ([u8; 32], Commit)| -> Result<_, Error> {
            // A head of another backbone is not read: its tail would need its own pack.
            let head = if digest == backbone {
                Some(Head::parse_for(folder.path(), &commit.head, &pack)?)
            } else {
                None
            };
            Ok(CommitEntry {
                number: commit.number,
                current: false,
                returnable: commit.number > 0 && can_return(&digest, &commit),
                note: commit.note,
                backbone: hex(&digest[..8]),
                learner: head.as_ref().map(|head| head.learner().name()),
                samples: commit.samples.len(),
                classes: commit.classes.len(),
                held_out_accuracy: head.and_then(|head| head.held_out_accuracy()),
            })
        };
        self.state_head()?;
        let head = folder.head()?;
        let (mut commits, mut damaged, mut current) = (Vec::new(), Vec::new(), None);
        for (number, found) in folder.commits()? {
            let is_current = |(_, commit): &([u8; 32], Commit)| Some(&commit.head) == head.as_ref();
            let is_current = found.as_ref().is_ok_and(is_current);
            match found.and_then(entry) {
                Ok(entry) => {
                    if is_current {
                        current = Some(commits.len());
                    }
                    commits.push(entry);
                }
                Err(error) => damaged.push(DamagedCommit { number, problem: error.to_string() }),
            }
        }
        if let Some(current) = current {
            commits[current].current = true;
        }
        // A refused or an empty answer leaves no folder behind.
        if !commits.is_empty() {
            self.keep_counter()?;
        }
        let rejected = match folder.rejected().and_then(|found| found.map(entry).transpose()) {
            Ok(rejected) => rejected,
            Err(error) => {
                damaged.push(DamagedCommit { number: 0, problem: error.to_string() });
                None
            }
        };
        Ok(History { commits, damaged, rejected })
    }
}
