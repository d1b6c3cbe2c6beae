//! What a state that was damaged still has.

use std::io::Read;

use super::cache;
use super::folder::{ADOPTED, FEATURES, HEAD};
use super::plain::{FRONT_BYTES, open, unless_damaged};
use super::waiting::waiting_name;
use super::{Commit, FeatureCache, StateFolder, StateLock, StateProblem};
use crate::Error;

impl StateFolder {
    /// The newest commit, where its file and all that it was learned from are sound: its head is the one that answered last.
    ///
    /// # Errors
    /// [`StateProblem::Unreadable`] and [`Error::Machine`]: what a failing machine does not show must not be taken for lost;
    /// [`StateProblem::CacheVersion`]: nor must what a later program wrote.
    pub fn whole_commit(
        &self,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Option<Commit>, Error> {
        let Some(newest) = self.numbers()?.pop() else { return Ok(None) };
        let Some((digest, commit)) = unless_damaged(self.commit(newest))? else { return Ok(None) };
        let cache = self.features_with(&commit.head, backbone, feature_len)?;
        let is_whole = digest == *backbone && cache.is_some_and(|all| commit.cache(&all).is_some());
        Ok(is_whole.then_some(commit))
    }

    /// The features that this head would find here.
    fn features_with(
        &self,
        head: &[u8],
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Option<FeatureCache>, Error> {
        let cache = |name: &str| unless_damaged(self.cache(name, backbone, feature_len));
        if let Some(waiting) = cache(&waiting_name(head))? {
            return Ok(Some(waiting));
        }
        let stored = unless_damaged(self.stored(Some((backbone, feature_len))))?;
        match stored {
            Some((_, stored)) => Ok(Some(stored)),
            None => cache(ADOPTED),
        }
    }

    /// Features of this backbone where `features.hsfc` is damaged or lost: what is sound of it, what was added to it, what waits.
    ///
    /// # Errors
    /// As [`whole_commit`](Self::whole_commit).
    pub fn pieces(
        &self,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Vec<FeatureCache>, Error> {
        let mut names = self.waiting_names()?;
        names.extend(self.added_names()?);
        names.push(ADOPTED.to_owned());
        names.push(FEATURES.to_owned());
        let mut pieces = Vec::new();
        for name in names {
            let sound = match unless_damaged(self.cache(&name, backbone, feature_len))? {
                None => self.without_rest(&name, backbone, feature_len)?,
                sound => sound,
            };
            // Those that are damaged too are lost.
            pieces.extend(sound);
        }
        Ok(pieces)
    }

    /// The cache in a file that was added to: its own check sum says that it is whole up to where it ends. Reading it takes it for
    /// damaged all the same, for a file has one form only.
    fn without_rest(
        &self,
        name: &str,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Option<FeatureCache>, Error> {
        let path = self.path().join(name);
        let refuse = |e| Error::state(&path, StateProblem::Unreadable(e));
        let Some((mut file, _)) = unless_damaged(open(&path))? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.by_ref().take(FRONT_BYTES as u64).read_to_end(&mut bytes).map_err(refuse)?;
        let most = cache::longest(&bytes).unwrap_or(0).min(self.limit);
        file.take(most.saturating_sub(bytes.len() as u64))
            .read_to_end(&mut bytes)
            .map_err(refuse)?;
        let end = cache::end(&bytes).unwrap_or(0);
        Ok(FeatureCache::parse(&bytes[..end], backbone, feature_len).ok())
    }

    /// The newest commit that is sound and `wanted`; damaged ones are stepped over.
    ///
    /// # Errors
    /// As [`whole_commit`](Self::whole_commit).
    pub fn newest_commit(
        &self,
        mut wanted: impl FnMut(&([u8; 32], Commit)) -> bool,
    ) -> Result<Option<([u8; 32], Commit)>, Error> {
        for (_, found) in self.commits()?.rev() {
            if let Some(found) = unless_damaged(found.map(Some))?.filter(|found| wanted(found)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The head's bytes; `None` also for what is no file, or too large to be one. A machine that fails is another matter: what
    /// it does not show must not be taken for lost.
    pub(super) fn sane_head(&self) -> Result<Option<Vec<u8>>, Error> {
        match self.head() {
            Err(Error::State {
                problem:
                    StateProblem::TooLarge { .. }
                    | StateProblem::NotAFile
                    | StateProblem::CacheVersion { .. },
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
        self.end_additions()
    }

    /// Removes a head that cannot be read, where nothing has a copy of it: the next training begins without one.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn drop_head(&self) -> Result<(), Error> {
        self.remove([HEAD.to_owned()]).map(drop)
    }
}
