//! Samples and states are kept apart: what a state keeps is no data, though its folders look like some.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::handle::Device;
use super::labelled::Labelled;
use crate::Error;
use crate::os::fs;
use crate::samples::{Sample, SampleProblem};
use crate::state::StateFolder;

impl Device {
    /// Refuses a folder in a state, or with the device's own state in it, before it is listed.
    pub(super) fn refuse_state(&self, folder: &Path) -> Result<(), Error> {
        let found = absolute(folder);
        if let Some(state) = state_around(&found) {
            return Err(Error::sample(folder, SampleProblem::InsideState(state)));
        }
        let Some(state) = self.state() else { return Ok(()) };
        let of_device = absolute(state);
        let problem = if found.starts_with(&of_device) {
            SampleProblem::InsideState(state.to_owned())
        } else if of_device.starts_with(&found) {
            SampleProblem::HoldsState(state.to_owned())
        } else {
            return Ok(());
        };
        Err(Error::sample(folder, problem))
    }

    /// Refuses listed samples that lie in a state, and looks at each folder with samples in it: a link may lead into a state.
    pub(super) fn refuse_state_among(&self, samples: &Labelled<'_>) -> Result<(), Error> {
        if !samples.is_listed {
            return Ok(());
        }
        self.refuse_state(&samples.origin)?;
        let files = samples.samples.iter().filter_map(Sample::path);
        let folders: BTreeSet<&Path> = files.filter_map(Path::parent).collect();
        folders.into_iter().try_for_each(|folder| self.refuse_state(folder))
    }
}

/// The state folder, of whatever device, that this is, or whose kept samples it holds.
fn state_around(folder: &Path) -> Option<PathBuf> {
    let is_kept = folder.file_name() == Some(OsStr::new(StateFolder::KEPT));
    let above = folder.parent().filter(|_| is_kept);
    let mut candidates = std::iter::once(folder).chain(above);
    candidates.find(|folder| StateFolder::new(folder).is_one()).map(Path::to_owned)
}

/// The path without links; what does not exist yet stands below what does.
fn absolute(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut at = path;
    loop {
        if let Ok(found) = fs::canonicalize(at) {
            return rest.into_iter().rev().fold(found, |path, name| path.join(name));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else {
            return path.to_owned();
        };
        rest.push(name);
        at = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_same_with_links_and_before_it_exists() {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, root.path().join("link")).unwrap();
        let expected = real.canonicalize().unwrap().join("a/b");
        assert_eq!(absolute(&root.path().join("link/a/b")), expected);
        assert_eq!(absolute(&real.join("../link/a/b")), expected);
    }

    #[test]
    fn a_state_is_known_by_its_files() {
        let root = tempfile::tempdir().unwrap();
        let kept = root.path().join("kept-samples");
        std::fs::create_dir(&kept).unwrap();
        assert_eq!(state_around(&kept), None);
        std::fs::write(root.path().join("head.hshr"), "").unwrap();
        for folder in [root.path(), &kept] {
            assert_eq!(state_around(folder).as_deref(), Some(root.path()));
        }
    }
}
