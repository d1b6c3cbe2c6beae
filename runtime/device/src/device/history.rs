//! The commits that are kept.

use serde::Serialize;

use super::foreign::state_head;
use super::handle::Device;
use crate::samples::hex;
use crate::state::Commit;
use crate::{Error, Head};

/// What [`Device::history`] lists.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// Oldest first.
    pub commits: Vec<CommitEntry>,
    /// The last candidate that was not made current; its note is the reason.
    pub rejected: Option<CommitEntry>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommitEntry {
    /// Its number; 0 for a candidate.
    pub number: u32,
    /// Whether this head answers now.
    pub current: bool,
    /// What made it, or why it was rejected.
    pub note: String,
    /// The first eight bytes of its digest.
    pub backbone: String,
    /// `null` for a commit of another backbone than the pack's.
    pub learner: Option<&'static str>,
    /// Samples that it was learned from.
    pub samples: usize,
    /// Classes that it knows.
    pub classes: usize,
    /// Share of held-out samples that it answers rightly.
    pub held_out_accuracy: Option<f64>,
}

impl Device {
    /// The commits that are kept, and the last candidate that was rejected.
    ///
    /// # Errors
    /// [`Error::State`].
    pub fn history(&self) -> Result<History, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        let backbone = pack.backbone_digest();
        let head = folder.head()?;
        let entry = |(digest, commit): &([u8; 32], Commit), current| -> Result<_, Error> {
            // A head of another backbone is not read: its tail would need its own pack.
            let head = if *digest == backbone {
                Some(Head::parse_for(folder.path(), &commit.head, &pack)?)
            } else {
                None
            };
            Ok(CommitEntry {
                number: commit.number,
                current,
                note: commit.note.clone(),
                backbone: hex(&digest[..8]),
                learner: head.as_ref().map(|head| head.learner().name()),
                samples: commit.samples.len(),
                classes: commit.classes.len(),
                held_out_accuracy: head.and_then(|head| head.held_out_accuracy()),
            })
        };
        state_head(folder, &pack)?;
        let commits = folder.commits()?;
        // A refused or an empty answer leaves no folder behind.
        if !commits.is_empty() {
            self.keep_counter()?;
        }
        let current = commits.iter().rposition(|(_, commit)| Some(&commit.head) == head.as_ref());
        let commits = commits.iter().enumerate().map(|(at, c)| entry(c, Some(at) == current));
        let rejected = folder.rejected()?;
        Ok(History {
            commits: commits.collect::<Result<_, _>>()?,
            rejected: rejected.as_ref().map(|commit| entry(commit, false)).transpose()?,
        })
    }
}
