//! Files that a later program wrote. They are sound, and this program does not know what they say: a state that has one is
//! not changed.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::StateProblem;
use super::folder::{HEAD, StateFolder};
use super::names::{self, NAMES_FILE};
use super::plain::{CACHE, COMMIT_FILE, FRONT_BYTES, HEAD_FILE, Kind, open};
use super::reader::DIGEST_BYTES;
use crate::{Error, head};

impl StateFolder {
    /// Refuses a state with a file that a later program wrote, by the file's name: whatever changes such a state would take it for
    /// damage, or drop what it says.
    ///
    /// # Errors
    /// [`StateProblem::CacheVersion`]; [`StateProblem::Unreadable`] for a file that may be one.
    pub(super) fn refuse_newer(&self) -> Result<(), Error> {
        for name in self.names()? {
            let Some(kind) = kind_of(&name) else { continue };
            let path = self.path().join(&name);
            match version(&path, &kind) {
                Ok(None) => {}
                // What is no file is told where it is in the way.
                Err(Error::State { problem: StateProblem::NotAFile, .. }) => {}
                Ok(Some(found)) => {
                    return Err(Error::state(&path, StateProblem::CacheVersion { found }));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The kind of a state's file that has versions.
fn kind_of(name: &str) -> Option<Kind> {
    let end = Path::new(name).extension().and_then(|end| end.to_str());
    match (name, end) {
        (HEAD, _) => Some(HEAD_FILE),
        (names::FILE, _) => Some(NAMES_FILE),
        (_, Some("hsfc")) => Some(CACHE),
        (_, Some("hsco")) => Some(COMMIT_FILE),
        _ => None,
    }
}

/// The later version that the file has, or the head in it.
fn version(path: &Path, kind: &Kind) -> Result<Option<u16>, Error> {
    let refuse = |e| Error::state(path, StateProblem::Unreadable(e));
    let Some((mut file, bytes)) = open(path)? else { return Ok(None) };
    let mut front = Vec::with_capacity(FRONT_BYTES);
    file.by_ref().take(FRONT_BYTES as u64).read_to_end(&mut front).map_err(refuse)?;
    let found = (kind.newer)(&front);
    if found.is_some() || kind.magic != COMMIT_FILE.magic || !front.starts_with(kind.magic) {
        return Ok(found);
    }
    // The head is the last thing in a commit, and its length the last of the counts.
    let Some(length) = front.get(60..).and_then(|rest| rest.first_chunk()) else { return Ok(None) };
    let behind = u64::from(u32::from_le_bytes(*length)) + DIGEST_BYTES as u64;
    let Some(start) = bytes.checked_sub(behind) else { return Ok(None) };
    let mut of_head = Vec::with_capacity(FRONT_BYTES);
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(FRONT_BYTES as u64).read_to_end(&mut of_head))
        .map_err(refuse)?;
    Ok(head::newer(&of_head))
}

#[cfg(test)]
mod tests {
    use headstart::head::{HeadParts, LinearHead};

    use super::super::folder::{ADOPTED, FEATURES, REJECTED, commit_name};
    use super::super::{Commit, FeatureCache};
    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    fn record() -> Vec<u8> {
        let head = LinearHead::new(&[1.0, -1.0], &[0.0, 0.5], 1).unwrap();
        HeadParts::new(head, BACKBONE, &["cup", "mug"], &[1, 1]).to_vec().unwrap()
    }

    #[test]
    fn a_state_with_any_file_of_a_later_program_is_not_locked_and_keeps_every_byte() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let mut cache = FeatureCache::new(1);
        cache.class("mug").unwrap();
        cache.insert([1; 16], 0, &[3]);
        let lock = state.lock().unwrap();
        lock.name_samples([([1; 16], "a.jpg".to_owned())], &cache).unwrap();
        lock.commit(&cache, &BACKBONE, &record(), "learn").unwrap();
        drop(lock);
        let of = |name: &str| std::fs::read(root.path().join(name)).unwrap();
        let (features, commit) = (of(FEATURES), of(&commit_name(1)));
        let inside = commit.len() - DIGEST_BYTES - record().len();
        // Each file with the place of its version.
        let cases: [(&str, Vec<u8>, usize); 9] = [
            (HEAD, record(), 8),
            (FEATURES, features.clone(), 8),
            (ADOPTED, features.clone(), 8),
            ("added-00112233445566778899aabbccddeeff.hsfc", features.clone(), 8),
            ("waiting-00112233445566778899aabbccddeeff.hsfc", features, 8),
            (&commit_name(1), commit.clone(), 8),
            (REJECTED, commit.clone(), 8),
            (&commit_name(1), commit, inside + 8),
            (names::FILE, of(names::FILE), 8),
        ];
        for (name, bytes, at) in cases {
            let path = root.path().join(name);
            let before = std::fs::read(&path).ok();
            let mut later = bytes;
            later[at] = 9;
            std::fs::write(&path, &later).unwrap();
            let message = state.lock().unwrap_err().to_string();
            let words = [name, "made by a newer version", "format version 9"];
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
            assert_eq!(std::fs::read(&path).unwrap(), later, "{name}");
            // Whatever its size.
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_len(1 << 31).unwrap();
            if at == 8 {
                let message = state.lock().unwrap_err().to_string();
                assert!(message.contains("made by a newer version"), "{message}");
            }
            match before {
                Some(before) => std::fs::write(&path, before).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            state.lock().unwrap();
        }
        // All may be forgotten, by who asks for it.
        std::fs::write(root.path().join(HEAD), b"HSHEAD\x1a\n\x09\0").unwrap();
        assert!(state.lock_to_forget().unwrap().forget().unwrap());
        assert!(!root.path().join(HEAD).exists());
    }

    #[test]
    fn a_commit_with_a_head_of_a_later_program_is_named() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let mut head = record();
        head[8] = 9;
        let commit = Commit::new(3, "learn", &FeatureCache::new(1), &head).emit(&BACKBONE);
        let path = root.path().join(commit_name(3));
        std::fs::write(path, commit).unwrap();
        let message = state.commit(3).unwrap_err().to_string();
        assert!(
            message.contains("commit-00000003") && message.contains("newer version"),
            "{message}"
        );
    }
}
