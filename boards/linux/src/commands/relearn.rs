//! A change of what is kept, and the head that follows from it.

use std::path::Path;

use headstart_device::segmentation::row_len;
use headstart_device::state::{FeatureCache, Kept, Problem, StateFolder, StateLock};
use headstart_device::training;
use headstart_device::{Error, Head, PackFile};
use serde::Serialize;

use super::classes::{self, Class};
use crate::output;

/// What every change reports.
#[derive(Serialize)]
pub(crate) struct Changed {
    pub(crate) samples: usize,
    pub(crate) classes: Vec<Class>,
    pub(crate) learner: &'static str,
    pub(crate) held_out_accuracy: Option<f64>,
}

/// A state folder that is being changed.
pub(crate) struct Change<'a> {
    path: &'a Path,
    folder: StateFolder,
    pub(crate) lock: StateLock,
    of_state: Head,
    of_pack: Option<Head>,
    backbone: [u8; 32],
    has_tail: bool,
    pub(crate) cache: FeatureCache,
    /// Copies of samples that are kept before the commit.
    pub(crate) copies: Kept,
}

impl<'a> Change<'a> {
    /// Locks the folder and reads what is there.
    pub(crate) fn begin(path: &'a Path, file: &PackFile) -> Result<Self, Error> {
        let (pack, counter) = file.trusted()?;
        let folder = StateFolder::new(path);
        let refuse = |problem| Error::State { path: path.to_owned(), problem };
        // Locking would create the folder.
        if super::state_head(&folder, &pack)?.is_none() {
            return Err(refuse(Problem::NoHead));
        }
        let lock = folder.lock()?;
        // Verified, then stored, then used.
        file.raise_counter(counter, &lock)?;
        let of_state = super::state_head(&folder, &pack)?.ok_or_else(|| refuse(Problem::NoHead))?;
        let backbone = pack.backbone_digest();
        let cache = folder.features(&backbone, row_len(&pack))?;
        let cache = cache.ok_or_else(|| refuse(Problem::NoFeatures))?;
        let of_pack = super::pack_head(file, &pack)?;
        let has_tail = pack.tail().is_some();
        Ok(Self {
            path,
            folder,
            lock,
            of_state,
            of_pack,
            backbone,
            has_tail,
            cache,
            copies: Kept::new(),
        })
    }

    pub(crate) fn refuse(&self, problem: Problem) -> Error {
        Error::State { path: self.path.to_owned(), problem }
    }

    /// Whether the head before knows a class.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.of_state.labels().iter().any(|label| label == name)
    }

    /// The other device's samples, of the same backbone.
    pub(crate) fn other(&self, path: &Path) -> Result<FeatureCache, Error> {
        let folder = StateFolder::new(path);
        let other = folder.features(&self.backbone, self.cache.feature_len())?;
        let problem = match folder.head()? {
            Some(_) => Problem::NoFeatures,
            None => Problem::NoSamples,
        };
        other.ok_or_else(|| Error::State { path: path.to_owned(), problem })
    }

    /// Learns the head of the samples that are there now, with the learner of the head before, and
    /// commits both; `alone`, so that no earlier commit stays.
    pub(crate) fn finish(mut self, note: &str, alone: bool) -> Result<Changed, Error> {
        if self.has_tail {
            return Err(self.refuse(Problem::TailChange));
        }
        let of_pack = self.of_pack.as_ref().map_or(&[][..], Head::labels);
        for name in of_pack {
            self.cache.class(name);
        }
        self.cache.drop_empty_classes(of_pack);
        self.cache.sort();
        if self.cache.classes().len() < 2 {
            return Err(self.refuse(Problem::OneClassLeft));
        }
        let initial = self.of_pack.as_ref();
        let record = training::train_as(&self.of_state, &self.cache, initial, self.backbone)
            .map_err(|problem| self.refuse(problem))?;
        if !self.copies.is_empty() {
            self.lock.keep(self.copies.iter().map(|(id, path)| (*id, path.as_path())))?;
        }
        if alone {
            self.lock.commit_alone(&self.cache, &self.backbone, &record, note)?;
        } else {
            self.lock.commit(&self.cache, &self.backbone, &record, note)?;
        }
        let head = Head::parse(&self.folder.head_path(), &record, &self.backbone)?;
        Ok(Changed {
            samples: self.cache.len(),
            classes: classes::of(&head),
            learner: head.learner().name(),
            held_out_accuracy: head.held_out_accuracy(),
        })
    }
}

impl Changed {
    pub(crate) fn text(&self, done: &str) -> String {
        let facts = [
            ("samples", output::thousands(self.samples)),
            ("learner", self.learner.to_owned()),
            ("held-out accuracy", output::percent(self.held_out_accuracy)),
        ];
        let table = classes::table(&self.classes, "samples");
        format!("{done}\n\n{}\n\n{table}", output::facts(facts))
    }
}
