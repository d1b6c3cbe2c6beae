//! What a state that was damaged still has.

use super::folder::{ADOPTED, HEAD};
use super::waiting::waiting_name;
use super::{Commit, FeatureCache, StateFolder, StateLock, StateProblem};
use crate::Error;

impl StateFolder {
    /// The newest commit, where its file and all that it was learned from are sound: its head is the one that answered last.
    #[must_use]
    pub fn whole_commit(&self, backbone: &[u8; 32], feature_len: usize) -> Option<Commit> {
        let newest = self.numbers().ok()?.pop()?;
        let (digest, commit) = self.commit(newest).ok().flatten()?;
        let cache = self.features_with(&commit.head, backbone, feature_len)?;
        (digest == *backbone && commit.cache(&cache).is_some()).then_some(commit)
    }

    /// The features that this head would find here.
    fn features_with(
        &self,
        head: &[u8],
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Option<FeatureCache> {
        let cache = |name: &str| self.cache(name, backbone, feature_len).ok().flatten();
        let stored = || self.stored(Some((backbone, feature_len))).ok().flatten();
        let waiting = cache(&waiting_name(head));
        waiting.or_else(|| stored().map(|(_, cache)| cache)).or_else(|| cache(ADOPTED))
    }

    /// Features of this backbone in files beside a `features.hsfc` that is lost: what was added to it, what waits.
    ///
    /// # Errors
    /// [`Error::Machine`] where the folder cannot be listed.
    pub fn pieces(
        &self,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Vec<FeatureCache>, Error> {
        let mut names = self.waiting_names()?;
        names.extend(self.added_names()?);
        names.push(ADOPTED.to_owned());
        // Those that are damaged too are lost.
        let sound = |name: String| self.cache(&name, backbone, feature_len).ok().flatten();
        Ok(names.into_iter().filter_map(sound).collect())
    }

    /// The head's bytes; `None` also for what is no file, or too large to be one. A machine that fails is another matter: what
    /// it does not show must not be taken for lost.
    pub(super) fn sane_head(&self) -> Result<Option<Vec<u8>>, Error> {
        match self.head() {
            Err(Error::State {
                problem: StateProblem::TooLarge { .. } | StateProblem::NotAFile,
                ..
            }) => Ok(None),
            head => head,
        }
    }

    /// Whether the head that is there is that of a commit which is kept: only then can it be told what was cut off.
    pub(super) fn knows_its_head(&self) -> Result<bool, Error> {
        let Some(head) = self.sane_head()? else { return Ok(false) };
        let is_its = |(_, found): super::Found| found.is_ok_and(|(_, commit)| commit.head == head);
        Ok(self.commits()?.rev().any(is_its))
    }
}

impl StateLock {
    /// Puts a head back whose file was lost or damaged; what it was learned from is there.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn restore(&self, head: &[u8]) -> Result<(), Error> {
        self.folder.refuse_head(head)?;
        self.replace(HEAD, head)?;
        self.end_adoption()?;
        self.end_waiting()?;
        self.remove_outdated().map(drop)
    }

    /// Removes a head that cannot be read, where nothing has a copy of it: the next training begins without one.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn drop_head(&self) -> Result<(), Error> {
        self.remove([HEAD.to_owned()]).map(drop)
    }
}
