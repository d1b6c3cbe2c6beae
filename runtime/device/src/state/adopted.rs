//! The cache of another backbone, until the head that was learned from it is there.

use super::folder::{ADOPTED, FEATURES};
use super::plain::{CACHE, read, unless_damaged};
use super::replace::sync_folder;
use super::{FeatureCache, Made, StateFolder, StateLock};
use crate::os::fs;
use crate::{Error, Head};

impl StateFolder {
    /// The cache that is being changed to, where the head is one of its backbone already.
    pub(super) fn adopted(
        &self,
        backbone: &[u8; 32],
        feature_len: usize,
    ) -> Result<Option<FeatureCache>, Error> {
        if !self.head_is_of(backbone)? {
            return Ok(None);
        }
        self.cache(ADOPTED, backbone, feature_len)
    }

    fn head_is_of(&self, backbone: &[u8; 32]) -> Result<bool, Error> {
        let head = self.sane_head()?;
        Ok(head.is_some_and(|head| Head::parse(&self.head_path(), &head, backbone).is_ok()))
    }
}

impl StateLock {
    /// Replaces cache and head by those of another backbone, and keeps the commit.
    ///
    /// The new cache stands beside the old one until the head is replaced; then it takes its place. A cut before leaves
    /// the old pair, and one behind leaves the new one: [`StateFolder::features`] finds the cache of the head's backbone.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn adopt<'m>(
        &self,
        cache: &FeatureCache,
        backbone: &[u8; 32],
        head: &[u8],
        made: impl Into<Made<'m>>,
    ) -> Result<(), Error> {
        self.folder.refuse_commit(cache, head)?;
        self.put((ADOPTED.to_owned(), cache.emit(backbone)), cache, backbone, head, made)
    }

    /// Gives the new cache its place where the head is of its backbone, and removes it where it is not.
    pub(super) fn end_adoption(&self) -> Result<(), Error> {
        let folder = self.folder.path();
        let path = folder.join(ADOPTED);
        let Some(bytes) = unless_damaged(read(&path, &CACHE))? else { return Ok(()) };
        // One that was damaged says nothing of what to do.
        let Ok((backbone, _)) = FeatureCache::parse_any(&bytes) else { return Ok(()) };
        if !self.folder.head_is_of(&backbone)? {
            // A head that was damaged does not tell which of the two counts.
            if !self.folder.knows_its_head()? {
                return Ok(());
            }
            return self.remove([ADOPTED.to_owned()]).map(drop);
        }
        fs::rename(&path, folder.join(FEATURES))
            .map_err(Error::machine(&path, "taking the new features over"))?;
        sync_folder(folder)
    }
}

#[cfg(test)]
mod tests {
    use headstart::head::{HeadParts, Learner, LinearHead};

    use super::*;

    fn head(backbone: [u8; 32]) -> Vec<u8> {
        let parts = HeadParts {
            learner: Learner::Ridge,
            ..HeadParts::new(
                LinearHead::new(&[1.0, -1.0], &[0.0, 0.5], 1).unwrap(),
                backbone,
                &["cup", "mug"],
                &[1, 1],
            )
        };
        parts.to_vec().unwrap()
    }

    fn cache(feature: i8) -> FeatureCache {
        let mut cache = FeatureCache::new(1);
        cache.class("cup").unwrap();
        cache.class("mug").unwrap();
        cache.insert([1; 16], 0, &[feature]);
        cache.insert([2; 16], 1, &[-feature]);
        cache
    }

    #[test]
    fn the_head_decides_which_of_two_caches_counts() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let (old, new) = ([7; 32], [8; 32]);
        let lock = state.lock().unwrap();
        lock.commit(&cache(3), &old, &head(old), "learn").unwrap();
        let adopted = state.path().join(ADOPTED);
        // What a cut before the head leaves.
        std::fs::write(&adopted, cache(5).emit(&new)).unwrap();
        assert_eq!(state.features(&old, 1).unwrap(), Some(cache(3)));
        assert!(state.features(&new, 1).is_err());
        drop(lock);
        drop(state.lock().unwrap());
        assert!(!adopted.exists());
        assert_eq!(state.features(&old, 1).unwrap(), Some(cache(3)));
        // What a cut behind it leaves.
        std::fs::write(&adopted, cache(5).emit(&new)).unwrap();
        std::fs::write(state.head_path(), head(new)).unwrap();
        assert_eq!(state.features(&new, 1).unwrap(), Some(cache(5)));
        assert!(state.features(&old, 1).is_ok_and(|found| found == Some(cache(3))));
        drop(state.lock().unwrap());
        assert!(!adopted.exists());
        assert_eq!(state.features(&new, 1).unwrap(), Some(cache(5)));
        assert!(state.features(&old, 1).is_err());
    }

    #[test]
    fn a_whole_adoption_leaves_its_own_files() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let (old, new) = ([7; 32], [8; 32]);
        let lock = state.lock().unwrap();
        lock.commit(&cache(3), &old, &head(old), "learn").unwrap();
        lock.adopt(&cache(5), &new, &head(new), "adopt").unwrap();
        assert_eq!(state.features(&new, 1).unwrap(), Some(cache(5)));
        // And back: the same head as the first commit's is another commit.
        lock.adopt(&cache(3), &old, &head(old), "rollback to 1").unwrap();
        let commits = state.commits().unwrap();
        let numbers: Vec<_> = commits.map(|(number, c)| (c.unwrap().0[0], number)).collect();
        assert_eq!(numbers, [(7, 1), (8, 2), (7, 3)]);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 5);
    }
}
