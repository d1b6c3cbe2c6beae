//! Corrections: what is kept changes, and the head that follows from it is learned again.

use std::path::Path;

use serde::Serialize;

use super::changed::{ChangedSetting, Shape};
use super::foreign::copies;
use super::handle::Device;
use super::report::ClassCount;
use crate::os::fs;
use crate::request::RequestProblem;
use crate::samples::{self, MAX_CLASSES, Sample, SampleFile, SampleId, alike};
use crate::segmentation::row_len;
use crate::state::{
    FeatureCache, Insertion, Kept, Made, Names, StateFolder, StateLock, StateProblem,
};
use crate::training::Choice;
use crate::training::settled::Bases;
use crate::{Error, Head};

/// A report of what a device knows after a correction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// How many samples the head was learned from.
    pub samples: usize,
    /// The head's classes.
    pub classes: Vec<ClassCount>,
    /// The learner of the head.
    pub learner: &'static str,
    /// Share of held-out samples that the head answers rightly.
    pub held_out_accuracy: Option<f64>,
    /// A best probability below this means "unknown".
    pub unknown_threshold: f32,
    /// Whether the threshold of a limit to false accepts is that of before, because it cannot be measured any more.
    pub threshold_kept: bool,
    /// Pairs of classes that look the same, one of which this correction brought.
    pub look_alike: Vec<[String; 2]>,
    /// Settings of the state that this correction changed.
    pub changed_settings: Vec<ChangedSetting>,
    /// How many samples the state's budget of bytes left no room for, of the classes that have most.
    pub dropped_samples: usize,
}

/// Outcome of [`Device::forget_all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Whether there was anything to forget.
    pub forgotten: bool,
    /// Whether the pack ships a head that answers from now on.
    pub pack_has_head: bool,
}

/// Outcome of [`Device::forget`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SomeForgotten {
    /// How many samples are gone.
    pub forgotten_samples: usize,
    /// What the device knows now.
    #[serde(flatten)]
    pub changed: Changed,
}

/// Outcome of [`Device::rename`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Renamed {
    /// Whether the new name was a class already.
    pub joined: bool,
    /// What the device knows now.
    #[serde(flatten)]
    pub changed: Changed,
}

/// Outcome of [`Device::relabel`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Relabelled {
    /// How many samples had another class before.
    pub relabelled_samples: usize,
    /// What the device knows now.
    #[serde(flatten)]
    pub changed: Changed,
}

/// Outcome of [`Device::merge`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Merged {
    /// How many samples were not here before.
    pub new_samples: usize,
    /// How many samples were here with the same class.
    pub known_samples: usize,
    /// How many samples have another class here, which stands.
    pub disputed_samples: usize,
    /// What the device knows now.
    #[serde(flatten)]
    pub changed: Changed,
}

impl Device {
    /// Removes everything that was learned, for good. A head that the pack ships stays in the pack.
    ///
    /// # Errors
    /// [`Error::State`] and [`Error::Machine`].
    pub fn forget_all(&self) -> Result<Forgotten, Error> {
        let _changing = self.changing();
        let folder = self.folder()?;
        // Locking would create the folder.
        let forgotten = folder.exists()? && folder.lock_to_forget()?.forget()?;
        Ok(Forgotten { forgotten, pack_has_head: self.pack().head().is_some() })
    }

    /// Forgets classes, and samples by their names: the state is then one that never saw them. Earlier commits, which did, are removed. The
    /// head is learned again also where nothing is found: a call before may have been cut off.
    ///
    /// # Errors
    /// [`RequestProblem::NoClass`], [`RequestProblem::LooksLike`], [`RequestProblem::OneClassLeft`], [`RequestProblem::TailChange`] for a
    /// pack with a tail.
    pub fn forget(&self, classes: &[String], samples: &[SampleId]) -> Result<SomeForgotten, Error> {
        let mut change = Change::begin(self)?;
        let before = change.cache.len();
        for name in classes {
            let known = change.cache.classes().contains(name) || change.knows(name);
            if !known {
                return Err(change.no_class(name));
            }
            change.cache.forget_class(name);
        }
        for id in samples {
            change.cache.forget_sample(id);
        }
        let forgotten_samples = before - change.cache.len();
        Ok(SomeForgotten { forgotten_samples, changed: change.finish("learn", true)? })
    }

    /// The name of the sample that a person means: a file, by its content; the name itself in hexadecimal; or what its file was
    /// called, where that is known of one sample alone.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that cannot be read, [`RequestProblem::NoSample`] for what is neither.
    pub fn named(&self, sample: &Path) -> Result<SampleId, Error> {
        if fs::is_file(sample) {
            return Ok(SampleFile::read(sample)?.id());
        }
        if let Some(id) = sample.to_str().and_then(samples::id_from_hex) {
            return Ok(id);
        }
        let names = self.folder()?.sample_names();
        let mut called = names.into_iter().filter(|(_, name)| sample.ends_with(name));
        match (called.next(), called.next()) {
            (Some((id, _)), None) => Ok(id),
            _ => Err(self.refuse(RequestProblem::NoSample(sample.display().to_string()))),
        }
    }

    /// Gives a class another name; where that is a class already, the samples of both become one.
    ///
    /// # Errors
    /// [`RequestProblem::BadName`], [`RequestProblem::NoClass`], [`RequestProblem::LooksLike`], [`RequestProblem::OneClassLeft`],
    /// [`RequestProblem::TailChange`].
    pub fn rename(&self, class: &str, to: &str) -> Result<Renamed, Error> {
        let mut change = Change::begin(self)?;
        if !headstart::record::label_is_valid(to) {
            return Err(self.refuse(RequestProblem::BadName(to.to_owned())));
        }
        let is_class = change.cache.classes().iter().any(|name| name == to);
        let renamed = change.cache.rename(class, to);
        // A call that was cut off has renamed it, and the head does not know yet.
        let half_done = !renamed && is_class && change.knows(class);
        let joined = if half_done { change.knows(to) } else { is_class };
        if !renamed && !half_done {
            return Err(change.no_class(class));
        }
        change.brought = vec![to.to_owned()];
        let changed = change.finish(&format!("rename {class} to {to}"), false)?;
        Ok(Renamed { joined, changed })
    }

    /// Gives samples, by their names, another class, which may be a new one; their features stay. The head is learned again also where all
    /// have that class already: a call before may have been cut off.
    ///
    /// # Errors
    /// [`RequestProblem::BadName`], [`RequestProblem::NoSample`], [`RequestProblem::OneClassLeft`], [`StateProblem::UnplannedClasses`],
    /// [`RequestProblem::TailChange`].
    pub fn relabel(&self, samples: &[SampleId], class: &str) -> Result<Relabelled, Error> {
        let mut change = Change::begin(self)?;
        if !headstart::record::label_is_valid(class) {
            return Err(self.refuse(RequestProblem::BadName(class.to_owned())));
        }
        if let Some(id) = samples.iter().find(|id| !change.cache.contains(id)) {
            return Err(self.refuse(RequestProblem::NoSample(samples::hex(id))));
        }
        let too_many = || {
            Error::state(change.folder.path(), StateProblem::TooManyClasses { limit: MAX_CLASSES })
        };
        let label = change.cache.class(class).ok_or_else(too_many)?;
        let mut relabelled_samples = 0;
        for id in samples {
            let changed = change.cache.label(id, label) == Some(Insertion::Corrected);
            relabelled_samples += usize::from(changed);
        }
        let left = change.cache.counts().iter().filter(|&&count| count > 0).count();
        let limit = self.pack().plan().max_classes as usize;
        if left > limit {
            let problem = StateProblem::UnplannedClasses { found: left, limit };
            return Err(Error::state(change.folder.path(), problem));
        }
        change.brought = vec![class.to_owned()];
        let changed = change.finish(&format!("relabel to {class}"), false)?;
        Ok(Relabelled { relabelled_samples, changed })
    }

    /// Takes over what another device with the same backbone learned, from its state folder, which stays as it is. A sample that both
    /// know under different classes keeps the class that it has here.
    ///
    /// # Errors
    /// [`RequestProblem::MergedBits`], [`StateProblem::UnplannedClasses`], [`StateProblem::OtherBackbone`],
    /// [`RequestProblem::TailChange`].
    pub fn merge(&self, from: &Path) -> Result<Merged, Error> {
        let mut change = Change::begin(self)?;
        let theirs = StateFolder::new(from);
        let other = change.other(&theirs)?;
        if change.cache.bits() != other.bits() {
            return Err(self.refuse(RequestProblem::MergedBits));
        }
        change.brought = other.classes().to_vec();
        let merged = change.cache.merge(&other);
        // A state that keeps samples takes over those that the other one keeps.
        if change.folder.keeps_samples()? {
            change.copies = copies(&theirs, &other)?;
        }
        let known = change.folder.read_names()?;
        change.names = theirs.read_names()?;
        change.names.retain(|id, _| other.contains(id) && !known.contains_key(id));
        let limit = self.pack().plan().max_classes as usize;
        let found = change.cache.classes().len();
        let refuse = |problem| Error::state(change.folder.path(), problem);
        let too_many = || refuse(StateProblem::TooManyClasses { limit: MAX_CLASSES });
        let merged = merged.ok_or_else(too_many)?;
        if found > limit {
            return Err(refuse(StateProblem::UnplannedClasses { found, limit }));
        }
        Ok(Merged {
            new_samples: merged.new,
            known_samples: merged.known,
            disputed_samples: merged.disputed,
            changed: change.finish("merge", false)?,
        })
    }
}

/// A state folder that is being changed.
pub(super) struct Change<'a> {
    device: &'a Device,
    folder: &'a StateFolder,
    _changing: std::sync::MutexGuard<'a, ()>,
    pub(super) lock: StateLock,
    pub(super) of_state: Head,
    of_pack: Option<Head>,
    pub(super) cache: FeatureCache,
    /// Copies of samples that are kept before the commit.
    copies: Kept,
    /// Names of samples that are kept before it, too.
    names: Names,
    /// Classes that the change brings.
    brought: Vec<String>,
}

impl<'a> Change<'a> {
    /// Locks the folder and reads what is there.
    pub(super) fn begin(device: &'a Device) -> Result<Self, Error> {
        let (changing, folder, pack) = (device.changing(), device.folder()?, device.pack());
        let none = || device.no_head(folder);
        // Locking would create the folder.
        device.state_head()?.ok_or_else(none)?;
        let lock = folder.lock()?;
        device.raise_counter(&lock)?;
        let of_state = device.state_head()?.ok_or_else(none)?;
        let cache = folder.features(&pack.backbone_digest(), row_len(&pack))?;
        let lost = || Error::state(folder.path(), StateProblem::NoFeatures);
        Ok(Self {
            device,
            folder,
            _changing: changing,
            lock,
            of_state,
            of_pack: device.pack_head()?,
            cache: cache.ok_or_else(lost)?,
            copies: Kept::new(),
            names: Names::new(),
            brought: Vec::new(),
        })
    }

    /// Whether the head before knows a class.
    fn knows(&self, name: &str) -> bool {
        self.of_state.labels().iter().any(|label| label == name)
    }

    fn no_class(&self, name: &str) -> Error {
        let known = self.cache.classes().iter().chain(self.of_state.labels());
        self.device.refuse(RequestProblem::no_class(name, known))
    }

    /// The other device's samples, of the same backbone.
    fn other(&self, folder: &StateFolder) -> Result<FeatureCache, Error> {
        let backbone = self.device.pack().backbone_digest();
        let other = folder.features(&backbone, self.cache.feature_len())?;
        let problem = match folder.head()? {
            Some(_) => StateProblem::NoFeatures,
            None => StateProblem::NoSamples,
        };
        other.ok_or_else(|| Error::state(folder.path(), problem))
    }

    /// Learns the head of the samples that are there now, with the learner of the head before, and
    /// commits both; `alone`, so that no earlier commit stays.
    fn finish(mut self, note: &str, alone: bool) -> Result<Changed, Error> {
        let pack = self.device.pack();
        if pack.tail().is_some() {
            return Err(self.device.refuse(RequestProblem::TailChange));
        }
        let of_pack = self.of_pack.as_ref().map_or(&[][..], Head::labels);
        for name in of_pack {
            self.cache.class(name);
        }
        self.cache.drop_empty_classes(of_pack);
        let settings = self.folder.settings(&self.of_state);
        let dropped_samples = self.device.fit(&mut self.cache, &settings)?;
        self.cache.sort();
        if self.cache.classes().len() < 2 {
            return Err(self.device.refuse(RequestProblem::OneClassLeft));
        }
        let (backbone, initial) = (pack.backbone_digest(), self.of_pack.as_ref());
        let bases = Bases { before: Some(&self.of_state), initial };
        let choice = Choice::by(&settings);
        let (record, threshold) = self.device.train(&settings, &self.cache, bases, choice)?;
        let head = Head::parse(&self.folder.head_path(), &record, &backbone)?;
        let made = Made::by(note, &settings, &head);
        if !self.copies.is_empty() {
            let copies = self.copies.iter().map(|(id, path)| (*id, Sample::file(path)));
            let copies: Vec<_> = copies.collect();
            let each = copies.iter().map(|(id, sample)| (*id, sample));
            self.lock.keep(&self.device.input(), each)?;
        }
        self.lock.name_samples(std::mem::take(&mut self.names), &self.cache)?;
        if alone {
            self.lock.commit_alone(&self.cache, &backbone, &record, made)?;
        } else {
            self.lock.commit(&self.cache, &backbone, &record, made)?;
        }
        let brought = self.brought.iter().map(String::as_str);
        let look_alike = alike(brought, head.labels().iter().map(String::as_str));
        let bits = self.cache.bits();
        let before = Shape::of(&settings, bits, &self.of_state);
        Ok(Changed {
            samples: self.cache.len(),
            classes: ClassCount::of(&head),
            learner: head.learner().name(),
            held_out_accuracy: head.held_out_accuracy(),
            unknown_threshold: head.unknown_threshold(),
            threshold_kept: threshold.is_kept,
            look_alike,
            changed_settings: Shape::of(&settings, bits, &head).changes(&before),
            dropped_samples,
        })
    }
}
