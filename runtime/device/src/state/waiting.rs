//! A cache that lacks something of the one before, until the head that was learned from it is there.
//!
//! The head of before must find what it was learned from up to the instant when it is replaced, and two files cannot be
//! renamed at once. So `waiting-….hsfc` has the check sum of its head in its name: with that head it counts, and without it
//! is what a command that was cut off has left.

use sha2::{Digest, Sha256};

use super::folder::FEATURES;
use super::plain::{read, unless_damaged};
use super::replace::sync_folder;
use super::{FeatureCache, StateFolder, StateLock};
use crate::Error;
use crate::os::fs;
use crate::samples::hex;

/// How the names of these files begin and end.
const NAME: (&str, &str) = ("waiting-", ".hsfc");
/// Bytes of the check sum in the name.
const NAMED: usize = 16;

impl StateFolder {
    /// The file that waits for the head which is there now, if any.
    pub(super) fn waiting(&self) -> Result<Option<String>, Error> {
        let names = self.waiting_names()?;
        if names.is_empty() {
            return Ok(None);
        }
        let current = self.sane_head()?.map(|head| waiting_name(&head));
        Ok(names.into_iter().find(|name| Some(name) == current.as_ref()))
    }

    /// Names of files that wait for whichever head.
    pub(super) fn waiting_names(&self) -> Result<Vec<String>, Error> {
        self.names_around(NAME, NAMED)
    }
}

impl StateLock {
    /// Gives the cache that has waited for the current head its place, and removes those whose heads never came.
    pub(super) fn end_waiting(&self) -> Result<(), Error> {
        let names = self.folder.waiting_names()?;
        if names.is_empty() {
            return Ok(());
        }
        let folder = self.folder.path();
        let current = self.folder.waiting()?;
        // A head that was damaged does not tell what was cut off.
        if current.is_none() && !self.folder.knows_its_head()? {
            return Ok(());
        }
        if let Some(name) = &current {
            let path = folder.join(name);
            let bytes = unless_damaged(read(&path, &self.folder.cache_kind()))?.unwrap_or_default();
            // One that was damaged must not take the place of what may be sound.
            if FeatureCache::parse_any(&bytes).is_ok() {
                fs::rename(&path, folder.join(FEATURES))
                    .map_err(Error::machine(&path, "taking the new features over"))?;
                sync_folder(folder)?;
            }
        }
        self.remove(names.into_iter().filter(|name| Some(name) != current.as_ref())).map(drop)
    }

    /// Removes all that wait. Returns whether there were any.
    pub(super) fn forget_waiting(&self) -> Result<bool, Error> {
        self.remove(self.folder.waiting_names()?)
    }
}

/// What the cache of a head is called until that head is there.
pub(super) fn waiting_name(head: &[u8]) -> String {
    format!("{}{}{}", NAME.0, hex(&Sha256::digest(head)[..NAMED]), NAME.1)
}

#[cfg(test)]
mod tests {
    use super::super::Bits;
    use super::super::folder::HEAD;
    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    fn of(samples: u8) -> FeatureCache {
        let mut cache = FeatureCache::new(2);
        for id in 0..samples {
            let label = cache.class(["cup", "mug"][usize::from(id) % 2]).unwrap();
            cache.insert([id; 16], label, &[id as i8, -3]);
        }
        cache.sort();
        cache
    }

    fn committed() -> (tempfile::TempDir, StateFolder, FeatureCache) {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        state.lock().unwrap().commit(&of(6), &BACKBONE, b"six", "learn").unwrap();
        let read = state.features(&BACKBONE, 2).unwrap().unwrap();
        (root, state, read)
    }

    #[test]
    fn what_the_current_head_was_learned_from_stays_until_the_head_is_another() {
        type Change = fn(&mut FeatureCache);
        let changes: [(&str, Change); 5] = [
            ("fewer", |cache| assert!(cache.forget_sample(&[3; 16]))),
            ("corrected", |cache| assert!(cache.label(&[3; 16], 0).is_some())),
            ("renamed", |cache| assert!(cache.rename("mug", "dark mug"))),
            ("in four bits", |cache| assert!(cache.keep_in(Bits::Four))),
            ("another row", |cache| assert_eq!(cache.set_end(&[3; 16], &[9]), Some(true))),
        ];
        for (name, change) in changes {
            let (_root, state, mut cache) = committed();
            change(&mut cache);
            let lock = state.lock().unwrap();
            // A folder stands where the head would go: this is cut off in front of it.
            let head = std::fs::read(state.head_path()).unwrap();
            std::fs::remove_file(state.head_path()).unwrap();
            std::fs::create_dir_all(state.head_path().join("x")).unwrap();
            lock.commit(&cache, &BACKBONE, b"new", "").unwrap_err();
            std::fs::remove_dir_all(state.head_path()).unwrap();
            std::fs::write(state.head_path(), head).unwrap();
            assert_eq!(state.features(&BACKBONE, 2).unwrap().unwrap(), of(6), "{name}");
            drop(lock);
            drop(state.lock().unwrap());
            assert_eq!(state.waiting_names().unwrap(), Vec::<String>::new(), "{name}");
            assert_eq!(state.features(&BACKBONE, 2).unwrap().unwrap(), of(6), "{name}");
            state.lock().unwrap().commit(&cache, &BACKBONE, b"new", "").unwrap();
            assert_eq!(state.features(&BACKBONE, 2).unwrap().unwrap(), cache, "{name}");
            assert_eq!(state.waiting_names().unwrap(), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_cut_behind_the_head_is_ended_by_whoever_locks_and_read_before() {
        let (root, state, _) = committed();
        let fewer = of(4);
        std::fs::write(root.path().join(waiting_name(b"four")), fewer.emit(&BACKBONE)).unwrap();
        assert_eq!(state.features(&BACKBONE, 2).unwrap().unwrap().len(), 6);
        std::fs::write(root.path().join(HEAD), b"four").unwrap();
        assert_eq!(state.features(&BACKBONE, 2).unwrap().unwrap(), fewer);
        assert_eq!(state.any_features().unwrap().unwrap().1, fewer);
        drop(state.lock().unwrap());
        assert_eq!(state.waiting_names().unwrap(), Vec::<String>::new());
        assert_eq!(std::fs::read(root.path().join(FEATURES)).unwrap(), fewer.emit(&BACKBONE));
    }

    #[test]
    fn a_damaged_one_takes_no_place_and_is_forgotten_with_the_rest() {
        let (root, state, _) = committed();
        let path = root.path().join(waiting_name(b"six"));
        std::fs::write(&path, "damaged").unwrap();
        let before = std::fs::read(root.path().join(FEATURES)).unwrap();
        let error = state.features(&BACKBONE, 2).unwrap_err().to_string();
        assert!(error.contains("waiting-"), "{error}");
        let lock = state.lock().unwrap();
        assert_eq!(std::fs::read(root.path().join(FEATURES)).unwrap(), before);
        lock.commit_alone(&of(2), &BACKBONE, b"two", "").unwrap();
        assert!(!path.exists());
    }
}
