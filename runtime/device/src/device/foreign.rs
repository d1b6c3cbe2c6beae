//! A state that was learned with another backbone, and its kept samples as features of a pack.

use std::path::PathBuf;

use headstart::pack::Pack;

use super::copies::Wanted;
use super::handle::Device;
use crate::observer::Observer;
use crate::request::RequestProblem;
use crate::samples::{SampleId, hex};
use crate::state::{
    Commit, FeatureCache, Kept, Settings, StateFolder, StateLock, StateProblem, Way,
};
use crate::{Error, Head};

/// The copies of samples that the cache holds.
pub(super) fn copies(folder: &StateFolder, cache: &FeatureCache) -> Result<Kept, Error> {
    let mut kept = folder.kept()?;
    kept.retain(|id, _| cache.contains(id));
    Ok(kept)
}

/// Whether there is a copy of each of its samples.
pub(super) fn has_copies(commit: &Commit, kept: &Kept) -> bool {
    commit.samples.iter().all(|(id, _)| kept.contains_key(id))
}

/// The state's head. One of another backbone is refused with the way that leads to this pack.
pub(super) fn state_head(folder: &StateFolder, pack: &Pack<'_>) -> Result<Option<Head>, Error> {
    let Some(bytes) = folder.head()? else { return Ok(None) };
    Head::parse_for(&folder.head_path(), &bytes, pack).map(Some).map_err(|error| match error {
        Error::State {
            problem: StateProblem::Head(headstart::Error::BackboneMismatch { found, .. }),
            path,
        } => {
            let way = way(folder, &pack.backbone_digest());
            let (expected, found) = (hex(&pack.backbone_digest()[..4]), hex(&found));
            Error::State { path, problem: StateProblem::OtherPack { expected, found, way } }
        }
        error => error,
    })
}

/// What leads from the state's head to a pack with this backbone, as far as it can be told.
fn way(folder: &StateFolder, backbone: &[u8; 32]) -> Way {
    let cache = folder.any_features().ok().flatten().map(|(_, cache)| cache);
    let kept = cache.as_ref().and_then(|cache| copies(folder, cache).ok());
    let (Some(cache), Some(kept)) = (cache, kept) else { return Way::Anew };
    let can_return =
        |(digest, commit): &([u8; 32], Commit)| digest == backbone && has_copies(commit, &kept);
    // Commits that cannot be read lead nowhere.
    let sound = folder.commits().ok().into_iter().flatten().filter_map(|(_, found)| found.ok());
    if let Some((_, commit)) = sound.rev().find(can_return) {
        return Way::Return(commit.number);
    }
    if kept.is_empty() { Way::Anew } else { Way::Adopt { kept: kept.len(), of: cache.len() } }
}

/// A state of another backbone, locked.
pub(super) struct Foreign {
    path: PathBuf,
    pub(super) lock: StateLock,
    pub(super) head: Head,
    /// Features of the other backbone, in their order.
    pub(super) cache: FeatureCache,
    /// Copies of its samples.
    pub(super) kept: Kept,
}

impl Foreign {
    /// Locks the folder and reads what is there.
    ///
    /// # Errors
    /// [`StateProblem::NoSamples`], [`StateProblem::NoFeatures`], [`RequestProblem::TailAdopt`] for a pack with a tail; those of
    /// the files.
    pub(super) fn begin(device: &Device) -> Result<Self, Error> {
        let folder = device.folder()?;
        let path = folder.path();
        if device.pack().tail().is_some() {
            return Err(device.refuse(RequestProblem::TailAdopt));
        }
        let lock = folder.lock()?;
        device.pack_file().refuse_older(device.pack.counter(), &lock)?;
        let none = || Error::state(path, StateProblem::NoSamples);
        let bytes = folder.head()?.ok_or_else(none)?;
        let lost = || Error::state(path, StateProblem::NoFeatures);
        let (digest, mut cache) = folder.any_features()?.ok_or_else(lost)?;
        let head = Head::parse(&folder.head_path(), &bytes, &digest)?;
        // No pack says how many features there are, but the head does.
        let expected =
            head.layers().next().map_or(0, |layer| layer.weights.len() / layer.bias.len().max(1));
        let found = cache.feature_len();
        if found != expected {
            let problem = StateProblem::Head(headstart::Error::BufferLength { expected, found });
            return Err(Error::state(&folder.head_path(), problem));
        }
        cache.sort();
        let kept = copies(folder, &cache)?;
        Ok(Self { path: path.to_owned(), lock, head, cache, kept })
    }

    pub(super) fn refuse(&self, problem: StateProblem) -> Error {
        Error::state(&self.path, problem)
    }

    /// How its head was learned.
    pub(super) fn settings(&self) -> Settings {
        StateFolder::new(&self.path).settings(&self.head)
    }

    /// Features that this backbone gives for these samples, all of which are kept: with their classes, as often
    /// as they are shown, and in as many bits as before.
    ///
    /// # Errors
    /// Those of [`Device::features_of`].
    pub(super) fn features(
        &self,
        device: &Device,
        samples: &[SampleId],
        observer: &dyn Observer,
    ) -> Result<FeatureCache, Error> {
        let wanted = |id: &SampleId| {
            Some(Wanted {
                id: *id,
                class: self.cache.name_of(id)?.to_owned(),
                views: self.cache.views(id)?,
                weight: self.cache.weight(id),
                path: self.kept.get(id)?.clone(),
            })
        };
        let wanted: Vec<Wanted> = samples.iter().filter_map(wanted).collect();
        let extraction = device.kept_features(device.compute);
        device.features_of(&wanted, self.cache.bits(), &extraction, observer)
    }
}
