//! Puts a lost or damaged head back without being asked to, where nothing else is wrong.

use super::foreign::state_head;
use super::handle::Device;
use super::mended::Mended;
use crate::segmentation::row_len;
use crate::state::{Commit, StateFolder, StateProblem};
use crate::{Error, Head};

impl Device {
    /// The state's head. One of another backbone is refused with the way that leads to this pack; one that was damaged is put
    /// back from the newest commit, where that has all that it was learned from.
    pub(super) fn state_head(&self) -> Result<Option<Head>, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        let found = state_head(folder, &pack);
        if damage(folder, &found).is_none() || self.mend(folder).is_none() {
            return found;
        }
        state_head(folder, &pack)
    }

    /// That there is no head, neither here nor in the pack.
    pub(super) fn no_head(&self, folder: &StateFolder) -> Error {
        let is_left = folder.commits().is_ok_and(|mut commits| commits.next().is_some())
            || folder.has_features();
        let problem = if is_left { StateProblem::HeadLost } else { StateProblem::NoHead };
        Error::state(folder.path(), problem)
    }

    /// The newest commit, where everything of it is sound.
    pub(super) fn whole_commit(&self, folder: &StateFolder) -> Result<Option<Commit>, Error> {
        let pack = self.pack();
        let commit = folder.whole_commit(&pack.backbone_digest(), row_len(&pack))?;
        let is_head = |commit: &Commit| Head::parse_for(folder.path(), &commit.head, &pack).is_ok();
        Ok(commit.filter(is_head))
    }

    fn mend(&self, folder: &StateFolder) -> Option<()> {
        // Where this cannot be done, nothing is changed, and the error says what to do. So it is where another process learns.
        self.whole_commit(folder).ok()??;
        let lock = folder.lock().ok()?;
        let problem = damage(folder, &state_head(folder, &self.pack()))?;
        let commit = self.whole_commit(folder).ok()??;
        lock.restore(&commit.head).ok()?;
        if let Some(tell) = self.on_mend {
            tell(&Mended { commit: commit.number, problem });
        }
        Some(())
    }
}

/// What is wrong with the head itself, if anything.
pub(super) fn damage(folder: &StateFolder, head: &Result<Option<Head>, Error>) -> Option<String> {
    let path = folder.head_path();
    let what = match head {
        Ok(Some(_)) => return None,
        Ok(None) => "is gone".to_owned(),
        Err(Error::State { problem: StateProblem::Head(problem), .. }) => match problem {
            headstart::Error::BackboneMismatch { .. } => return None,
            problem => format!("is damaged ({problem})"),
        },
        Err(Error::State { problem: StateProblem::TooLarge { bytes, .. }, path: found })
            if *found == path =>
        {
            format!("is damaged ({bytes} bytes)")
        }
        Err(_) => return None,
    };
    Some(format!("{} {what}", path.display()))
}
