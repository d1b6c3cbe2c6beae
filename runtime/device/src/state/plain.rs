//! The files of a state as bytes: plain files, each kind up to its limit.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::StateProblem;
use super::cache;
use super::commit::{self, MAX_HEAD_BYTES};
use crate::os::fs::{self, File};
use crate::{Error, head};

/// A kind of file.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The most bytes of one.
    pub(super) limit: u64,
    /// How each begins, where it must.
    pub(super) magic: &'static [u8],
    /// The version of a file with this front, where a later program wrote it.
    pub(super) newer: fn(&[u8]) -> Option<u16>,
    /// The most bytes that a file with this front can have, as far as the front tells.
    pub(super) longest: fn(&[u8]) -> Option<u64>,
}

/// Bytes that tell how long the rest can be.
pub(super) const FRONT_BYTES: usize = 64;

/// A feature cache: four times a million samples of 256 features.
pub(super) const CACHE: Kind =
    Kind { limit: 1 << 30, magic: &cache::MAGIC, newer: cache::newer, longest: cache::longest };

/// A commit, or a candidate that was rejected: a head, and samples without their features.
pub(super) const COMMIT_FILE: Kind = Kind {
    limit: commit::MAX_BYTES,
    magic: &commit::MAGIC,
    newer: commit::newer,
    longest: commit::longest,
};

/// A head, with what stands before its last layer. Its forms begin in different ways.
pub(super) const HEAD_FILE: Kind =
    Kind { limit: MAX_HEAD_BYTES as u64, magic: b"", newer: head::newer, longest: |_| None };

pub(super) const COUNTER_MAGIC: [u8; 8] = *b"HSCT\r\n\x1a\n";
/// A security counter. It has no version: any other form is refused.
pub(super) const COUNTER_FILE: Kind =
    Kind { limit: 24, magic: &COUNTER_MAGIC, newer: |_| None, longest: |_| None };

/// How far a training has come: weights, moments of their gradients, and the best so far. Only the same version of the program
/// goes on from it.
pub(super) const TRAINING_FILE: Kind =
    Kind { limit: 1 << 30, magic: b"HSTP", newer: |_| None, longest: |_| None };

/// The file's bytes; `None` where there is none. Of a file that does not begin as its kind does, or that is longer than
/// what it begins with can be, only the front is read: nothing more is needed to refuse it.
///
/// # Errors
/// [`StateProblem::NotAFile`], [`StateProblem::CacheVersion`] (whatever its size), [`StateProblem::TooLarge`],
/// [`StateProblem::Unreadable`].
pub(super) fn read(path: &Path, kind: &Kind) -> Result<Option<Vec<u8>>, Error> {
    let refuse = |e| Error::state(path, StateProblem::Unreadable(e));
    let Some((file, bytes)) = open(path)? else { return Ok(None) };
    let mut content = Vec::with_capacity(FRONT_BYTES);
    let mut file = file.take(kind.limit);
    file.by_ref().take(FRONT_BYTES as u64).read_to_end(&mut content).map_err(refuse)?;
    if let Some(found) = (kind.newer)(&content) {
        return Err(Error::state(path, StateProblem::CacheVersion { found }));
    }
    if bytes > kind.limit {
        return Err(Error::state(path, StateProblem::TooLarge { bytes, limit: kind.limit }));
    }
    if !content.starts_with(kind.magic) {
        return Ok(Some(content));
    }
    if let Some(limit) = (kind.longest)(&content).filter(|&limit| bytes > limit) {
        return Err(Error::state(path, StateProblem::TooLarge { bytes, limit }));
    }
    // It may be shorter, where it is cut meanwhile.
    content.reserve_exact((bytes as usize).saturating_sub(content.len()));
    file.read_to_end(&mut content).map_err(refuse)?;
    Ok(Some(content))
}

/// A plain file, and how many bytes it has; `None` where there is none.
///
/// # Errors
/// [`StateProblem::NotAFile`], [`StateProblem::Unreadable`].
pub(super) fn open(path: &Path) -> Result<Option<(File, u64)>, Error> {
    let refuse = |e| Error::state(path, StateProblem::Unreadable(e));
    // Before it is opened: opening a pipe waits for whoever writes into it.
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == ErrorKind::NotADirectory => {
            return Err(Error::state(path.parent().unwrap_or(path), StateProblem::NotAFolder));
        }
        Err(e) => return Err(refuse(e)),
    };
    if !metadata.is_file() {
        return Err(Error::state(path, StateProblem::NotAFile));
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(refuse(e)),
    };
    let bytes = file.metadata().map_err(refuse)?.len();
    Ok(Some((file, bytes)))
}

/// What was found, and nothing where its file was damaged. What the machine does not show, or a later program wrote, is no damage.
pub(super) fn unless_damaged<T>(found: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match found {
        Err(Error::State {
            problem: StateProblem::Unreadable(_) | StateProblem::CacheVersion { .. },
            ..
        }) => found,
        Err(Error::State { .. }) => Ok(None),
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::{ADOPTED, COUNTER, FEATURES, HEAD, REJECTED, TRAINING, commit_name};
    use super::super::{FeatureCache, StateFolder};
    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    /// Tries to read each kind of file.
    fn each(state: &StateFolder) -> Vec<(String, Result<(), Error>)> {
        let path = |name: &str| state.path().join(name);
        let training = read(&path(TRAINING), &TRAINING_FILE).map(drop);
        let adopted = read(&path(ADOPTED), &state.cache_kind()).map(drop);
        vec![
            (HEAD.to_owned(), state.head().map(drop)),
            (FEATURES.to_owned(), state.features(&BACKBONE, 2).map(drop)),
            (COUNTER.to_owned(), state.counter().map(drop)),
            (commit_name(3), state.commit(3).map(drop)),
            (REJECTED.to_owned(), state.rejected().map(drop)),
            (TRAINING.to_owned(), training),
            (ADOPTED.to_owned(), adopted),
        ]
    }

    fn long(path: &Path, front: &[u8], bytes: u64) {
        std::fs::write(path, front).unwrap();
        File::options().write(true).open(path).unwrap().set_len(bytes).unwrap();
    }

    #[test]
    fn every_kind_is_read_up_to_its_limit_and_refused_by_name_and_size() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let limits = [1 << 28, 1 << 30, 24, commit::MAX_BYTES, commit::MAX_BYTES, 1 << 30, 1 << 30];
        for (at, limit) in limits.into_iter().enumerate() {
            let name = each(&state)[at].0.clone();
            let path = root.path().join(&name);
            long(&path, b"", limit + 1);
            let error = each(&state).remove(at).1.unwrap_err();
            let problem = StateProblem::TooLarge { bytes: limit + 1, limit };
            assert_eq!(error.to_string(), format!("{}: {problem}", path.display()));
            std::fs::remove_file(path).unwrap();
        }
        assert!(each(&state).into_iter().all(|(_, found)| found.is_ok()));
    }

    #[test]
    fn of_a_file_that_cannot_be_right_the_front_is_read_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(FEATURES);
        // No such file, whatever its length.
        long(&path, b"HSXX", 1 << 30);
        assert_eq!(read(&path, &CACHE).unwrap().unwrap().len(), FRONT_BYTES);
        // Counts that belong to a shorter one.
        let mut cache = FeatureCache::new(2);
        cache.class("mug").unwrap();
        cache.insert([1; 16], 0, &[3, 4]);
        let bytes = cache.emit(&BACKBONE);
        long(&path, &bytes, 1 << 30);
        let state = StateFolder::new(root.path());
        let error = state.features(&BACKBONE, 2).unwrap_err();
        let is_so = |limit: u64| (bytes.len() as u64..1000).contains(&limit);
        assert!(
            matches!(error, Error::State { problem: StateProblem::TooLarge { limit, .. }, .. } if is_so(limit)),
            "{error}"
        );
        long(&root.path().join(commit_name(3)), b"HSCO\r\n\x1a\n", commit::MAX_BYTES);
        assert!(state.commit(3).is_err());
    }

    #[test]
    fn no_kind_is_read_from_a_pipe_a_folder_or_a_device() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        for at in 0..each(&state).len() {
            let name = each(&state)[at].0.clone();
            let path = root.path().join(&name);
            let makes: [fn(&Path); 3] = [
                |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
                |path| std::fs::create_dir(path).unwrap(),
                |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            ];
            for make in makes {
                make(&path);
                let error = each(&state).remove(at).1.unwrap_err();
                let is_named = error.to_string().starts_with(&path.display().to_string());
                assert!(is_named, "{error}");
                assert!(
                    matches!(error, Error::State { problem: StateProblem::NotAFile, .. }),
                    "{error}"
                );
                let _ = std::fs::remove_dir(&path);
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}
