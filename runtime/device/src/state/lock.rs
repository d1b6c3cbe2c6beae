//! Locking a state folder, and changing it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::folder::{
    ADOPTED, COUNTER, FEATURES, HEAD, REJECTED, TRAINING, commit_name, sealed_counter,
};
use super::plain::{TRAINING_FILE, read, unless_damaged};
use super::replace::{add, remove_leftovers, replace, sync_folder, temporary};
use super::{Commit, FeatureCache, Made, StateFolder, StateProblem};
use crate::Error;
use crate::os::folder;
use crate::os::fs::{self, File, TryLockError};

/// So many commits are kept.
const KEPT: usize = 8;
/// So often the folder may be removed by another process while it is locked.
const TRIES: usize = 16;

impl StateFolder {
    /// Creates the folder if need be, and keeps every other process from changing it until the lock
    /// is dropped.
    ///
    /// The lock is the operating system's (advisory, on the folder itself): a killed process leaves
    /// none behind. What a killed process had begun is ended or removed: temporary files, commits, an adoption, copies of
    /// samples that nothing was learned from. A folder that cannot be
    /// written is found here, before any work is done.
    ///
    /// # Errors
    /// [`Error::State`] where the path is no folder or in use, or a later program wrote in it ([`StateProblem::CacheVersion`]);
    /// [`Error::Machine`] where it cannot be created or written.
    pub fn lock(&self) -> Result<StateLock, Error> {
        let lock = self.held()?;
        self.refuse_newer()?;
        lock.tidy()?;
        Ok(lock)
    }

    /// Locks the folder to forget everything in it, also what a later program wrote.
    ///
    /// # Errors
    /// As [`lock`](Self::lock), but for [`StateProblem::CacheVersion`].
    pub fn lock_to_forget(&self) -> Result<StateLock, Error> {
        let lock = self.held()?;
        match self.refuse_newer() {
            Ok(()) => lock.tidy()?,
            // Nothing of it is ended; all of it goes.
            Err(_) => remove_leftovers(self.path())?,
        }
        Ok(lock)
    }

    fn held(&self) -> Result<StateLock, Error> {
        let mut made = Vec::new();
        let lock = self.hold(&mut made)?;
        Ok(StateLock { folder: self.clone(), made, _lock: lock })
    }

    /// Locks the folder that has this path.
    ///
    /// Whoever forgets everything removes the folder while it is locked. A process that had opened it before then locks a
    /// folder without a name, while another one creates and locks the next. So the two are compared, and it is tried again.
    fn hold(&self, made: &mut Vec<PathBuf>) -> Result<File, Error> {
        for _ in 0..TRIES {
            match fs::metadata(self.path()) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(Error::state(self.path(), StateProblem::NotAFolder)),
                Err(e) if e.kind() == ErrorKind::NotFound => create(self.path(), made)?,
                Err(e) => return Err(Error::machine(self.path(), "looking for the folder")(e)),
            }
            let open = match folder::to_lock(self.path()) {
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                open => open.map_err(Error::machine(self.path(), "opening the folder"))?,
            };
            open.try_lock().map_err(|e| match e {
                TryLockError::WouldBlock => Error::state(self.path(), StateProblem::Busy),
                TryLockError::Error(e) => Error::machine(self.path(), "locking the folder")(e),
            })?;
            if self.is(&open)? {
                return Ok(open);
            }
        }
        Err(Error::state(self.path(), StateProblem::Busy))
    }

    /// Whether this path still names that open folder.
    fn is(&self, open: &File) -> Result<bool, Error> {
        folder::is(self.path(), open).map_err(Error::machine(self.path(), "looking for the folder"))
    }
}

/// The right to change a state folder, held until this is dropped.
#[derive(Debug)]
pub struct StateLock {
    pub(super) folder: StateFolder,
    /// Folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
    _lock: File,
}

impl Drop for StateLock {
    /// Folders that were made for what was then refused are removed again: those that are empty can be.
    fn drop(&mut self) {
        let _ = self.made.iter().rev().try_for_each(fs::remove_dir);
    }
}

impl StateLock {
    /// Ends or removes what a killed process had begun.
    fn tidy(&self) -> Result<(), Error> {
        let path = self.folder.path();
        remove_leftovers(path)?;
        self.end_adoption()?;
        self.end_waiting()?;
        // A cache that was damaged keeps nobody from forgetting it; whatever changes it tries this again.
        let _ = self.end_additions();
        self.remove_cut_off()?;
        self.remove_strays()?;
        let what = "writing in the folder (the old state is kept)";
        temporary(path).map(drop).map_err(Error::machine(path, what))
    }

    /// Replaces the cache, keeps the commit and replaces the head. `made` says what made it.
    ///
    /// # Errors
    /// [`Error::Machine`]; the state is then the old one, perhaps with the new cache. [`Error::State`] where it could
    /// not be read again; nothing is changed then.
    pub fn commit<'m>(
        &self,
        cache: &FeatureCache,
        backbone: &[u8; 32],
        head: &[u8],
        made: impl Into<Made<'m>>,
    ) -> Result<(), Error> {
        self.folder.refuse_commit(cache, head)?;
        let file = self.file_of(cache, backbone, head)?;
        self.put(file, cache, backbone, head, made)
    }

    /// Commits with the cache in this file, where all can be read again.
    pub(super) fn put<'m>(
        &self,
        (name, bytes): (String, Vec<u8>),
        cache: &FeatureCache,
        backbone: &[u8; 32],
        head: &[u8],
        made: impl Into<Made<'m>>,
    ) -> Result<(), Error> {
        let folder = &self.folder;
        add(folder.path(), &name, &bytes)?;
        let mut numbers = folder.numbers()?;
        let last = numbers.last().copied();
        let commit = Commit::new(last.map_or(1, |last| last.saturating_add(1)), made, cache, head);
        // A damaged file is no reason to refuse a commit; reading it says so.
        let current = match last {
            Some(last) => unless_damaged(folder.commit(last))?,
            None => None,
        };
        let is_same = |(digest, current): ([u8; 32], Commit)| {
            digest == *backbone && current.holds_the_same(&commit)
        };
        if !current.is_some_and(is_same) {
            add(folder.path(), &commit_name(commit.number), &commit.emit(backbone))?;
            numbers.push(commit.number);
        }
        // Either of the two may be durable without the other; the head comes behind both.
        sync_folder(folder.path())?;
        self.replace(HEAD, head)?;
        self.end_adoption()?;
        self.end_waiting()?;
        self.remove_outdated()?;
        // One that comes back with a power cut is removed by the next commit.
        let old = numbers.len().saturating_sub(KEPT);
        self.unlink(numbers[..old].iter().map(|&number| commit_name(number)))?;
        self.remove([REJECTED, TRAINING].map(str::to_owned))?;
        self.keep_only(cache)
    }

    /// Reads what a training that was killed left here; nothing where that cannot be read.
    pub fn training(&self) -> Option<Vec<u8>> {
        read(&self.folder.path().join(TRAINING), &TRAINING_FILE).ok().flatten()
    }

    /// Keeps how far a training has come, until it is committed or rejected.
    ///
    /// # Errors
    /// [`Error::Machine`].
    pub fn keep_training(&self, progress: &[u8]) -> Result<(), Error> {
        self.replace(TRAINING, progress)
    }

    /// Commits as [`commit`](Self::commit) does, and removes earlier commits: they know what was forgotten. Nor does a copy of a sample
    /// that was.
    ///
    /// # Errors
    /// [`Error::Machine`]; running it again finishes the work.
    pub fn commit_alone<'m>(
        &self,
        cache: &FeatureCache,
        backbone: &[u8; 32],
        head: &[u8],
        made: impl Into<Made<'m>>,
    ) -> Result<(), Error> {
        self.folder.refuse_commit(cache, head)?;
        self.replace(FEATURES, &cache.emit(backbone))?;
        self.remove_outdated()?;
        self.forget_waiting()?;
        self.forget_commits()?;
        let commit = Commit::new(1, made, cache, head);
        self.replace(&commit_name(commit.number), &commit.emit(backbone))?;
        self.replace(HEAD, head)?;
        self.keep_only(cache)
    }

    /// Reads the security counter; no other process changes it meanwhile.
    ///
    /// # Errors
    /// As [`StateFolder::counter`].
    pub fn counter(&self) -> Result<u64, Error> {
        self.folder.counter()
    }

    /// Stores the security counter of a pack that is going to be used, where it is higher than before.
    ///
    /// # Errors
    /// [`Error::Machine`]: then the pack must not be used.
    pub fn raise_counter(&self, counter: u64) -> Result<(), Error> {
        if counter <= self.folder.counter()? {
            return Ok(());
        }
        self.replace(COUNTER, &sealed_counter(counter))
    }

    /// Keeps a candidate that was not made current; its note is the reason.
    ///
    /// # Errors
    /// [`Error::Machine`]; the state is the old one.
    pub fn reject(&self, candidate: &Commit, backbone: &[u8; 32]) -> Result<(), Error> {
        self.folder.refuse_head(&candidate.head)?;
        self.replace(REJECTED, &candidate.emit(backbone))?;
        self.remove([TRAINING.to_owned()]).map(drop)
    }

    /// Removes all files, and the folder if nothing else is in it. Returns whether there was anything.
    ///
    /// The commits go first, then the head: what is left by a cut has nothing to bring a head back from.
    ///
    /// # Errors
    /// [`Error::Machine`] where a file cannot be removed; running it again finishes the work.
    pub fn forget(self) -> Result<bool, Error> {
        let found = self.forget_commits()?;
        let found = self.remove([HEAD, FEATURES, ADOPTED].map(str::to_owned))? || found;
        let found = self.forget_waiting()? || found;
        let found = self.remove_outdated()? || found;
        let found = self.forget_kept()? || found;
        let found = self.forget_names()? || found;
        sync_folder(self.folder.path())?;
        // Only an empty folder can be removed; one with other files in it, or a mount point, stays.
        let _ = fs::remove_dir(self.folder.path());
        Ok(found)
    }

    fn forget_commits(&self) -> Result<bool, Error> {
        let names = self.folder.numbers()?.into_iter().map(commit_name);
        self.remove(names.chain([REJECTED, TRAINING].map(str::to_owned)))
    }

    pub(super) fn replace(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        replace(self.folder.path(), name, content)
    }

    /// Removes files that may be there for good, and returns whether one was.
    pub(super) fn remove(&self, names: impl IntoIterator<Item = String>) -> Result<bool, Error> {
        let found = self.unlink(names)?;
        if found {
            sync_folder(self.folder.path())?;
        }
        Ok(found)
    }

    /// Removes files that may be there, without the folder's fsync, and returns whether one was.
    fn unlink(&self, names: impl IntoIterator<Item = String>) -> Result<bool, Error> {
        let mut found = false;
        for name in names {
            let path = self.folder.path().join(name);
            match fs::remove_file(&path) {
                Ok(()) => found = true,
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(Error::machine(&path, "removing the file")(e)),
            }
        }
        Ok(found)
    }

    /// Removes the files of commits that were cut off: those behind the one of the current head. Where that one cannot be
    /// told, since it was damaged or the head was, all stay: they bring it back.
    fn remove_cut_off(&self) -> Result<(), Error> {
        let folder = &self.folder;
        let Some(head) = folder.sane_head()? else {
            // The first one was cut off, its features were not durable, and nothing brings them back.
            let is_first =
                !folder.has_head() && !folder.has_features() && folder.kept()?.is_empty();
            let names = folder.numbers()?.into_iter().filter(|_| is_first).map(commit_name);
            let names: Vec<String> = names.collect();
            return if names.len() == 1 { self.remove(names).map(drop) } else { Ok(()) };
        };
        let mut cut_off = Vec::new();
        for (number, found) in folder.commits()?.rev() {
            match found {
                Ok((_, commit)) if commit.head == head => {
                    return self.remove(cut_off).map(drop);
                }
                Ok(_) => cut_off.push(commit_name(number)),
                Err(_) => break,
            }
        }
        Ok(())
    }
}

/// Creates a folder with its parents, and makes each new name durable; tells which were made.
fn create(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), Error> {
    if fs::is_dir(path) {
        return Ok(());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create(parent, made)?;
    match fs::create_dir(path) {
        Ok(()) => made.push(path.to_owned()),
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::machine(path, "creating the folder")(e));
        }
        _ => {}
    }
    sync_folder(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKBONE: [u8; 32] = [7; 32];

    fn cache() -> FeatureCache {
        let mut cache = FeatureCache::new(2);
        cache.insert([1; 16], 0, &[3, -4]);
        cache.class("mug").unwrap();
        cache
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_commit_is_read_back_and_leaves_its_own_file() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&root.path().join("a/b"));
        assert!(state.head().unwrap().is_none());
        assert!(state.features(&BACKBONE, 2).unwrap().is_none());
        let lock = state.lock().unwrap();
        for head in [&b"one"[..], b"two"] {
            lock.commit(&cache(), &BACKBONE, head, "learn").unwrap();
            assert_eq!(state.head().unwrap().unwrap(), head);
        }
        assert_eq!(state.features(&BACKBONE, 2).unwrap().unwrap(), cache());
        let commits = [1, 2].map(commit_name);
        assert_eq!(names(state.path()), [&commits[0], &commits[1], FEATURES, HEAD]);
    }

    #[test]
    fn only_one_holds_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let lock = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(Error::State { problem: StateProblem::Busy, .. })));
        drop(lock);
        assert!(state.lock().is_ok());
    }

    #[test]
    fn a_folder_that_was_made_for_nothing_is_removed_again() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&root.path().join("a/b/state"));
        drop(state.lock().unwrap());
        assert_eq!(names(root.path()), Vec::<String>::new());
        std::fs::create_dir(root.path().join("a")).unwrap();
        drop(state.lock().unwrap());
        assert_eq!(names(root.path()), ["a"]);
        let lock = state.lock().unwrap();
        lock.raise_counter(3).unwrap();
        drop(lock);
        assert_eq!(state.counter().unwrap(), 3);
        // One that was there stays, empty or not.
        let there = StateFolder::new(&root.path().join("there"));
        std::fs::create_dir(there.path()).unwrap();
        drop(there.lock().unwrap());
        assert!(there.path().is_dir());
    }

    #[test]
    fn a_folder_that_was_removed_meanwhile_is_not_what_is_locked() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&root.path().join("state"));
        let lock = state.lock().unwrap();
        let opened = File::open(state.path()).unwrap();
        assert!(state.is(&opened).unwrap());
        lock.forget().unwrap();
        assert!(!state.is(&opened).unwrap());
        let _next = state.lock().unwrap();
        assert!(!state.is(&opened).unwrap());
    }

    #[test]
    fn whoever_locks_while_others_forget_holds_what_the_path_names() {
        let root = tempfile::tempdir().unwrap();
        let state = &StateFolder::new(&root.path().join("state"));
        let mine = |name: String| {
            for _ in 0..300 {
                // Busy, or gone while it is set up: another one is at it.
                let Ok(lock) = state.lock() else { continue };
                let path = state.path().join(&name);
                std::fs::write(&path, "").expect("the folder is locked");
                assert_eq!(names(state.path()), std::slice::from_ref(&name));
                std::fs::remove_file(path).unwrap();
                lock.forget().unwrap();
            }
        };
        std::thread::scope(|scope| {
            for name in ["a", "b", "c"] {
                scope.spawn(move || mine(name.to_owned()));
            }
        });
    }

    #[test]
    fn leftovers_of_a_killed_process_are_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        for name in [".headstart-x1.tmp", "mine.txt", ".headstart-notes"] {
            std::fs::write(root.path().join(name), name).unwrap();
        }
        let _lock = StateFolder::new(root.path()).lock().unwrap();
        assert_eq!(names(root.path()), [".headstart-notes", "mine.txt"]);
    }

    #[test]
    fn a_failed_replacement_keeps_the_old_file_and_leaves_none_behind() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let lock = state.lock().unwrap();
        // A folder stands where the head would go: the rename fails after everything was written.
        std::fs::create_dir(state.head_path()).unwrap();
        std::fs::write(state.head_path().join("x"), "").unwrap();
        let error = lock.commit(&cache(), &BACKBONE, b"head", "learn").unwrap_err();
        assert_eq!(error.exit_status(), 2);
        assert_eq!(names(root.path()), [&commit_name(1), FEATURES, HEAD]);
    }

    #[test]
    fn forgetting_removes_what_we_made_and_only_that() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&root.path().join("state"));
        state.lock().unwrap().commit(&cache(), &BACKBONE, b"head", "").unwrap();
        std::fs::write(state.path().join("mine.txt"), "").unwrap();
        assert!(state.lock().unwrap().forget().unwrap());
        assert_eq!(names(state.path()), ["mine.txt"]);
        std::fs::remove_file(state.path().join("mine.txt")).unwrap();
        assert!(!state.lock().unwrap().forget().unwrap());
        assert!(!state.path().exists());
    }

    #[test]
    fn the_last_commits_are_kept_and_a_cut_off_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let lock = state.lock().unwrap();
        for number in 0..20 {
            lock.commit(&cache(), &BACKBONE, &[number], "learn").unwrap();
            // Nothing new: no commit.
            lock.commit(&cache(), &BACKBONE, &[number], "learn").unwrap();
        }
        let numbers =
            |state: &StateFolder| state.commits().unwrap().map(|(number, _)| number).collect();
        let kept: Vec<u32> = numbers(&state);
        assert_eq!(kept, (13..=20).collect::<Vec<_>>());
        // What a cut before the head was replaced leaves.
        std::fs::write(state.head_path(), [18]).unwrap();
        drop(lock);
        let lock = state.lock().unwrap();
        let kept: Vec<u32> = numbers(&state);
        assert_eq!(kept, (13..=19).collect::<Vec<_>>());
        lock.reject(&Commit::new(0, "worse", &cache(), b"x"), &BACKBONE).unwrap();
        assert_eq!(state.rejected().unwrap().unwrap().1.note, "worse");
        lock.commit_alone(&cache(), &BACKBONE, b"clean", "forget").unwrap();
        assert_eq!(names(root.path()), [&commit_name(1), FEATURES, HEAD]);
    }

    #[test]
    fn a_counter_only_rises_and_outlives_forgetting() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        let lock = state.lock().unwrap();
        for (raised, expected) in [(0, 0), (7, 7), (3, 7), (u64::MAX, u64::MAX)] {
            lock.raise_counter(raised).unwrap();
            assert_eq!(state.counter().unwrap(), expected);
        }
        assert!(!lock.forget().unwrap());
        assert_eq!(state.counter().unwrap(), u64::MAX);
        let path = root.path().join(COUNTER);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert!(state.counter().is_err(), "byte {at}");
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert!(state.counter().is_err(), "{at} bytes");
        }
    }

    #[test]
    fn what_is_no_plain_file_is_refused_unread() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path());
        for (target, exists) in
            [("/dev/zero", true), ("/dev/tty", true), ("/", true), ("/absent", false)]
        {
            std::os::unix::fs::symlink(target, state.head_path()).unwrap();
            match state.head() {
                Ok(None) => assert!(!exists, "{target}"),
                Err(Error::State { problem: StateProblem::NotAFile, .. }) => {
                    assert!(exists, "{target}")
                }
                other => panic!("{target}: {other:?}"),
            }
            std::fs::remove_file(state.head_path()).unwrap();
        }
        // Opening it would wait for a writer. No process makes it: a child would hold the locks of other tests for a moment.
        nix::unistd::mkfifo(&state.head_path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(state.head(), Err(Error::State { problem: StateProblem::NotAFile, .. })));
    }

    #[test]
    fn a_file_is_no_state_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let state = StateFolder::new(file.path());
        for error in
            [state.lock().unwrap_err(), state.counter().unwrap_err(), state.head().unwrap_err()]
        {
            assert!(
                matches!(error, Error::State { problem: StateProblem::NotAFolder, .. }),
                "{error}"
            );
            assert!(error.to_string().starts_with(&file.path().display().to_string()), "{error}");
        }
    }
}
