//! An earlier commit, as a new one.

use serde::Serialize;

use super::change::Change;
use super::foreign::{Foreign, state_head};
use super::handle::Device;
use crate::Error;
use crate::observer::Observer;
use crate::samples::{SampleId, hex};
use crate::state::{Commit, StateProblem};

/// What [`Device::rollback`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// The commit whose head answers now.
    pub to: u32,
    /// Samples that it was learned from.
    pub samples: usize,
    /// Samples that it does not have, and that are no longer kept.
    pub dropped_samples: usize,
}

type Numbered = ([u8; 32], Commit);

impl Device {
    /// Returns to an earlier commit: the one of this number, or the one before the current. Samples that it does not have
    /// are no longer kept. Behind an adoption, a device that was opened with the old pack returns to the last commit of its
    /// backbone, and computes that one's features again, from the kept samples.
    ///
    /// # Errors
    /// [`StateProblem::NoCommit`], [`StateProblem::NoEarlierCommit`], [`StateProblem::SamplesGone`],
    /// [`StateProblem::CommitOfOther`], [`StateProblem::CopiesGone`]; [`Error::Stopped`] while features are computed.
    pub fn rollback(&self, to: Option<u32>, observer: &dyn Observer) -> Result<RolledBack, Error> {
        match state_head(self.folder()?, &self.pack()) {
            Err(other @ Error::State { problem: StateProblem::OtherPack { .. }, .. }) => {
                self.across(to, other, observer)
            }
            // What else there is to say is said there.
            _ => self.within(to),
        }
    }

    /// To a commit of the current head's backbone, whose features are cached.
    fn within(&self, to: Option<u32>) -> Result<RolledBack, Error> {
        let backbone = self.pack().backbone_digest();
        let change = Change::begin(self)?;
        let folder = self.folder()?;
        let refuse = |problem| Error::state(folder.path(), problem);
        let (commits, head) = (folder.commits()?, folder.head()?);
        let found = match to {
            Some(number) => numbered(&commits, number),
            None => {
                let current =
                    commits.iter().rposition(|(_, commit)| Some(&commit.head) == head.as_ref());
                commits[..current.unwrap_or(commits.len())].last()
            }
        };
        let missing = to.map_or(StateProblem::NoEarlierCommit, StateProblem::NoCommit);
        let (digest, found) = found.ok_or_else(|| refuse(missing))?;
        if *digest != backbone {
            return Err(refuse(of_other(digest, found)));
        }
        let gone = || refuse(StateProblem::SamplesGone(found.number));
        let cache = found.cache(&change.cache).ok_or_else(gone)?;
        change.lock.commit(&cache, &backbone, &found.head, &note(found))?;
        let dropped_samples = change.cache.len() - cache.len();
        Ok(RolledBack { to: found.number, samples: cache.len(), dropped_samples })
    }

    /// To a commit of another backbone than the current head's, whose features are computed again.
    fn across(
        &self,
        to: Option<u32>,
        other: Error,
        observer: &dyn Observer,
    ) -> Result<RolledBack, Error> {
        let _changing = self.changing();
        let backbone = self.pack().backbone_digest();
        let state = Foreign::begin(self)?;
        let commits = self.folder()?.commits()?;
        let found = match to {
            Some(number) => numbered(&commits, number)
                .ok_or_else(|| state.refuse(StateProblem::NoCommit(number)))?,
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
        let gone = || state.refuse(StateProblem::CopiesGone(found.number));
        if !ids.iter().all(|id| state.kept.contains_key(id)) {
            return Err(gone());
        }
        let cache = state.features(&ids, &self.kept_features(self.compute), observer)?;
        let cache = found.cache(&cache).ok_or_else(gone)?;
        state.lock.adopt(&cache, &backbone, &found.head, &note(found))?;
        // Behind the commit, as adopt does it.
        self.raise_counter(&state.lock)?;
        let dropped_samples = state.cache.len() - cache.len();
        Ok(RolledBack { to: found.number, samples: cache.len(), dropped_samples })
    }
}

fn numbered(commits: &[Numbered], number: u32) -> Option<&Numbered> {
    commits.iter().find(|(_, commit)| commit.number == number)
}

fn of_other(digest: &[u8; 32], commit: &Commit) -> StateProblem {
    StateProblem::CommitOfOther { number: commit.number, backbone: hex(&digest[..8]) }
}

fn note(commit: &Commit) -> String {
    format!("rollback to {}", commit.number)
}
