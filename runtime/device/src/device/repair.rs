//! A state that was damaged: what can be brought back, and what is lost.

use headstart::pack::Pack;
use serde::Serialize;

use super::copies::Wanted;
use super::foreign::state_head;
use super::handle::Device;
use super::mend::damage;
use crate::observer::Observer;
use crate::request::RequestProblem;
use crate::samples::SampleId;
use crate::segmentation::row_len;
use crate::state::{Commit, FeatureCache, Made, Settings, StateFolder, StateLock, StateProblem};
use crate::training::Choice;
use crate::training::settled::Bases;
use crate::{Error, Head};

/// Outcome of [`Device::repair`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repaired {
    /// What became of the head.
    pub head: RepairedHead,
    /// The commit that the head was brought back from, if it was.
    pub commit: Option<u32>,
    /// How many samples have their features.
    pub samples: usize,
    /// How many of these were computed again, from copies.
    pub computed_samples: usize,
    /// How many samples are lost: by force, or where a head without its samples is all that could be brought back.
    pub lost_samples: usize,
    /// Files of earlier commits that are damaged; they stay, and nothing returns to them.
    pub damaged: Vec<String>,
}

/// What became of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairedHead {
    /// The head was sound.
    Sound,
    /// The head was brought back from a commit.
    Restored,
    /// The head was learned again from the features.
    LearnedAgain,
    /// The head is lost: a tail is trained again by the next call of learning, on the features that are there.
    Lost,
}

impl Device {
    /// Brings back what was damaged: the features from what was written beside them and from copies of the samples, the head from the newest commit or, where
    /// that is damaged as well, by learning it again from the features. Nothing is lost by it; where samples are lost already, it
    /// goes on without them only with `force`.
    ///
    /// # Errors
    /// [`StateProblem::NoSamples`] where there is nothing, [`StateProblem::Lost`], [`StateProblem::AllLost`],
    /// [`StateProblem::OtherPack`], [`RequestProblem::OneClassLeft`]; [`Error::Stopped`].
    pub fn repair(&self, force: bool, observer: &dyn Observer) -> Result<Repaired, Error> {
        let _changing = self.changing();
        let (folder, pack) = (self.folder()?, self.pack());
        let is_left = folder.exists()?
            && (folder.has_features() || folder.has_head() || folder.commits()?.next().is_some());
        if !is_left {
            return Err(Error::state(folder.path(), StateProblem::NoSamples));
        }
        let lock = folder.lock()?;
        self.raise_counter(&lock)?;
        let digest = pack.backbone_digest();
        let head = state_head(folder, &pack);
        let head = match damage(folder, &head) {
            Some(_) => None,
            None => head?,
        };
        let bytes = if head.is_some() { folder.head()? } else { None };
        let known = known(folder, &pack, bytes.as_deref())?;
        let cached = folder.features(&digest, row_len(&pack));
        let repair = Repair { device: self, folder, lock, known, force };
        let (cache, saved) = match cached {
            Ok(Some(cache)) => (cache, None),
            Err(error) if !is_damage(&error) => return Err(error),
            Ok(None) | Err(_) => match (repair.saved(observer), &repair.known) {
                (Err(Error::State { problem: StateProblem::AllLost, .. }), Some(commit))
                    if bytes.is_none() =>
                {
                    return repair.head_alone(commit);
                }
                (saved, _) => {
                    let saved = saved?;
                    (saved.cache.clone(), Some(saved))
                }
            },
        };
        let (head, commit) = match bytes {
            Some(bytes) => {
                repair.keep(&cache, &bytes, saved.is_some())?;
                (RepairedHead::Sound, None)
            }
            None => repair.head(&cache, saved.is_some())?,
        };
        let samples = folder.features(&digest, row_len(&pack))?.map_or(0, |cache| cache.len());
        Ok(Repaired {
            head,
            commit,
            samples,
            computed_samples: saved.as_ref().map_or(0, |saved| saved.computed),
            lost_samples: saved.as_ref().map_or(0, |saved| saved.lost),
            damaged: damaged(folder)?,
        })
    }
}

/// Features that were saved.
struct Saved {
    cache: FeatureCache,
    computed: usize,
    lost: usize,
}

/// A repair in progress.
struct Repair<'a> {
    device: &'a Device,
    folder: &'a StateFolder,
    lock: StateLock,
    /// The newest commit that can be read, that of the head if there is one.
    known: Option<Commit>,
    force: bool,
}

impl Repair<'_> {
    /// The features of a cache that cannot be read: those that were written elsewhere, and those of samples that are kept.
    fn saved(&self, observer: &dyn Observer) -> Result<Saved, Error> {
        let (device, pack) = (self.device, self.device.pack());
        let mut cache = FeatureCache::new(row_len(&pack));
        for piece in self.folder.pieces(&pack.backbone_digest(), row_len(&pack))? {
            if cache.keep_in(piece.bits()) && cache.bits() == piece.bits() {
                let _ = cache.merge(&piece);
            }
        }
        let kept = self.folder.kept()?;
        let (mut wanted, mut lost) = (Vec::new(), 0);
        let samples = self.known.iter().flat_map(|commit| {
            let samples = commit.samples.iter().zip(&commit.weights);
            samples
                .map(|((id, label), weight)| (*id, &commit.classes[usize::from(*label)], *weight))
        });
        for (id, name, weight) in samples {
            if let Some(label) = cache.class(name).filter(|_| cache.contains(&id)) {
                cache.label(&id, label);
                cache.set_weight(&id, weight);
            } else if let Some(path) = kept.get(&id).filter(|_| pack.tail().is_none()) {
                let (class, path) = (name.clone(), path.clone());
                wanted.push(Wanted { id, class, views: 1, weight, path });
            } else {
                lost += 1;
            }
        }
        let mut of = self.known.as_ref().map_or(0, |commit| commit.samples.len());
        // Copies of which nothing says what they show.
        let is_unknown =
            |id: &&SampleId| !cache.contains(id) && wanted.iter().all(|one| one.id != **id);
        let unknown = kept.keys().filter(is_unknown).count();
        (lost, of) = (lost + unknown, of + unknown);
        if cache.is_empty() && wanted.is_empty() {
            return Err(Error::state(self.folder.path(), StateProblem::AllLost));
        }
        if lost > 0 && !self.force {
            return Err(Error::state(self.folder.path(), StateProblem::Lost { lost, of }));
        }
        let bits = cache.bits();
        let extraction = device.kept_features(device.compute);
        let computed = device.features_of(&wanted, bits, &extraction, observer)?;
        let too_many = || Error::state(self.folder.path(), StateProblem::AllLost);
        cache.merge(&computed).ok_or_else(too_many)?;
        cache.drop_empty_classes(&[]);
        cache.sort();
        Ok(Saved { cache, computed: computed.len(), lost })
    }

    /// Keeps a head that is sound: with features that were saved, or with a commit where its own is damaged.
    fn keep(&self, cache: &FeatureCache, head: &[u8], saved: bool) -> Result<(), Error> {
        let is_committed = self.known.as_ref().is_some_and(|commit| commit.head == head);
        let parsed = Head::parse_for(&self.folder.head_path(), head, &self.device.pack())?;
        let of_head: usize = parsed.samples().iter().map(|&samples| samples as usize).sum();
        if saved || (!is_committed && of_head == cache.len()) {
            let digest = self.device.pack().backbone_digest();
            let its = self.known.as_ref().filter(|_| is_committed);
            let settings = its.and_then(|commit| commit.settings.clone());
            self.lock.commit(cache, &digest, head, Made { note: "repair", settings })?;
        }
        Ok(())
    }

    /// Brings a head back whose samples are lost: it answers again.
    fn head_alone(&self, commit: &Commit) -> Result<Repaired, Error> {
        self.lock.restore(&commit.head)?;
        Ok(Repaired {
            head: RepairedHead::Restored,
            commit: Some(commit.number),
            samples: 0,
            computed_samples: 0,
            lost_samples: commit.samples.len(),
            damaged: damaged(self.folder)?,
        })
    }

    /// Brings the head back, and keeps features that were saved with it.
    fn head(
        &self,
        cache: &FeatureCache,
        saved: bool,
    ) -> Result<(RepairedHead, Option<u32>), Error> {
        let pack = self.device.pack();
        let digest = pack.backbone_digest();
        if let Some(commit) = self.device.whole_commit(self.folder)? {
            self.lock.restore(&commit.head)?;
            return Ok((RepairedHead::Restored, Some(commit.number)));
        }
        if let Some(commit) = self.known.as_ref().filter(|_| pack.tail().is_some() || saved) {
            // Nothing here trains a tail. And a head that has seen what is lost now knows more than one without.
            if saved {
                let made = Made { note: "repair", settings: commit.settings.clone() };
                self.lock.commit(cache, &digest, &commit.head, made)?;
            } else {
                self.lock.restore(&commit.head)?;
            }
            return Ok((RepairedHead::Restored, Some(commit.number)));
        }
        if pack.tail().is_some() {
            self.lock.drop_head()?;
            return Ok((RepairedHead::Lost, None));
        }
        let (cache, record, settings) = self.learned(cache.clone())?;
        let head = Head::parse(&self.folder.head_path(), &record, &digest)?;
        self.lock.commit(&cache, &digest, &record, Made::by("repair", &settings, &head))?;
        Ok((RepairedHead::LearnedAgain, None))
    }

    /// The head that these features make, as the one of the newest commit was learned.
    fn learned(&self, mut cache: FeatureCache) -> Result<(FeatureCache, Vec<u8>, Settings), Error> {
        let device = self.device;
        let digest = device.pack().backbone_digest();
        let of_pack = device.pack_head()?;
        let names = of_pack.as_ref().map_or(&[][..], Head::labels);
        for name in names {
            cache.class(name);
        }
        cache.drop_empty_classes(names);
        cache.sort();
        if cache.classes().len() < 2 {
            return Err(device.refuse(RequestProblem::OneClassLeft));
        }
        let path = self.folder.head_path();
        let before = self.known.as_ref().map(|commit| Head::parse(&path, &commit.head, &digest));
        let before = before.transpose()?;
        let said = self.known.as_ref().and_then(|commit| commit.settings.clone());
        let settings = said.or(before.as_ref().map(Settings::said_by)).unwrap_or_default();
        let bases = Bases { before: before.as_ref(), initial: of_pack.as_ref() };
        let choice = Choice::by(&settings);
        let (record, _) = device.train(&settings, &cache, bases, choice)?;
        Ok((cache, record, settings))
    }
}

/// The commit of this head, else the newest of this backbone that can be read.
fn known(
    folder: &StateFolder,
    pack: &Pack<'_>,
    head: Option<&[u8]>,
) -> Result<Option<Commit>, Error> {
    let is_sound = |(digest, commit): &([u8; 32], Commit)| {
        *digest == pack.backbone_digest()
            && Head::parse_for(folder.path(), &commit.head, pack).is_ok()
    };
    let is_its = |found: &([u8; 32], Commit)| Some(&found.1.head[..]) == head && is_sound(found);
    let found = match folder.newest_commit(is_its)? {
        None => folder.newest_commit(is_sound)?,
        found => found,
    };
    Ok(found.map(|(_, commit)| commit))
}

/// What is wrong with the files of commits, each by its name.
fn damaged(folder: &StateFolder) -> Result<Vec<String>, Error> {
    Ok(folder.commits()?.filter_map(|(_, found)| Some(found.err()?.to_string())).collect())
}

/// Whether features cannot be read because of their file.
fn is_damage(error: &Error) -> bool {
    matches!(
        error,
        Error::State { problem: StateProblem::Cache { .. } | StateProblem::TooLarge { .. }, .. }
    )
}
