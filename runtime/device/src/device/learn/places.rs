//! Learning where the pack answers a class for each place of a picture.

use std::collections::HashMap;

use headstart::pack::Pack;

use super::super::answer::decoded;
use super::super::changed::Shape;
use super::super::labelled::Target;
use super::super::report::{BadFile, ClassCount};
use super::super::targets::truth;
use super::given::Given;
use super::lesson::Lesson;
use super::outcome::LearnedPlaces;
use crate::extract::{Compute, Job};
use crate::observer::{Watched, Work};
use crate::os::Instant;
use crate::samples::{SampleFile, SampleId, SampleProblem};
use crate::segmentation::{VOID, row_len};
use crate::state::{Commit, FeatureCache, Insertion, Made, StateProblem};
use crate::training::harm::CORRECTED_PART;
use crate::{Error, Head, memory};

/// A picture's name, its most frequent class but the background, its mask at the input's size, and its features
/// unless they are cached.
type Extracted = (SampleId, u16, Vec<i8>, Option<Vec<i8>>);

/// What came of the pictures, before anything is trained.
struct TakenPlaces {
    /// Their names, in their order.
    ids: Vec<SampleId>,
    given: Given,
    new_samples: usize,
    corrected_samples: usize,
}

impl Lesson<'_> {
    /// Trains the tail and the layer of classes on pictures and their masks.
    pub(super) fn learn_places(&self) -> Result<LearnedPlaces, Error> {
        let (folder, pack) = (self.device.folder()?, self.device.pack());
        let digest = pack.backbone_digest();
        let of_pack = self.device.pack_head()?;
        let load = || -> Result<(Option<Head>, FeatureCache, Vec<String>), Error> {
            let of_state = self.device.state_head()?;
            let cache = folder.features(&digest, row_len(&pack))?;
            if of_state.is_some() && cache.is_none() {
                return Err(Error::state(folder.path(), StateProblem::NoFeatures));
            }
            let known = of_state.as_ref().or(of_pack.as_ref()).map(|head| head.labels().to_vec());
            let names = self.place_names(&pack, known)?;
            Ok((of_state, cache.unwrap_or_else(|| FeatureCache::new(row_len(&pack))), names))
        };
        let truths = self.device.truths(self.samples)?;
        // Before the lock, so that a refused call leaves no folder behind.
        folder.refuse_files(&load()?.1, &self.samples.samples, &self.device.input(), None)?;
        let lock = folder.lock()?;
        self.device.raise_counter(&lock)?;
        let (of_state, mut cache, names) = load()?;
        let (was, settings) = self.settings_on(of_state.as_ref())?;
        let trainer = Lesson { settings: &settings, ..*self };
        cache.order(&names);
        let known = cache.clone();

        let (pictures, bad) = self.extract_places(&cache, &truths)?;
        let places: Vec<usize> = bad.iter().map(|(at, _)| *at).collect();
        let bad_files = BadFile::unless_all(self.samples, bad)?;
        let rest = self.samples.without(&places);
        let this = Lesson { samples: &rest, ..*self };
        let TakenPlaces { ids, given, new_samples, corrected_samples } =
            take_places(&mut cache, pictures);
        cache.order(&names);
        self.unless_stopped()?;
        let training = Instant::now();
        let record = trainer
            .train_tail(&cache, of_pack.as_ref(), &lock)
            .map_err(|problem| Error::training(folder.path(), problem))?;
        let training_seconds = training.elapsed().as_secs_f64();
        let head = Head::parse_for(&folder.head_path(), &record, &pack)?;
        let rejected = match &of_state {
            Some(before) if !self.options.force => match corrected(&known, &cache, &pack) {
                None => trainer.setback(&known, &cache, [before, &head])?,
                reason => reason,
            },
            _ => None,
        };
        self.unless_stopped()?;
        match &rejected {
            Some(reason) => lock.reject(&Commit::new(0, reason, &cache, &record), &digest)?,
            None => {
                this.keep_names(&lock, &cache, &ids)?;
                lock.commit(&cache, &digest, &record, Made::by("learn", &settings, &head))?;
            }
        }
        drop(lock);
        let bits = cache.bits();
        let shape = Shape::of(&settings, bits, &head);
        let before = of_state.as_ref().zip(was).map(|(head, was)| Shape::of(&was, bits, head));
        Ok(LearnedPlaces {
            changed_settings: before.map_or_else(Vec::new, |before| shape.changes(&before)),
            samples: cache.len(),
            new_samples,
            corrected_samples,
            duplicate_samples: given.duplicates,
            conflicts: given.named(&this.samples.samples, |_| None),
            skipped_files: self.samples.skipped.len(),
            bad_files,
            seconds: self.start.elapsed().as_secs_f64(),
            training_seconds,
            peak_rss_bytes: memory::peak(),
            held_out_accuracy: head.held_out_accuracy(),
            classes: ClassCount::of(&head),
            head_bytes: record.len(),
            rejected,
        })
    }

    /// Names of the classes, from 0 on: those that are known, else the samples', else numbers.
    fn place_names(
        &self,
        pack: &Pack<'_>,
        known: Option<Vec<String>>,
    ) -> Result<Vec<String>, Error> {
        let classes = pack.plan().max_classes as usize;
        let of_data = self.samples.places.as_ref();
        if let Some(found) = of_data.map(Vec::len).filter(|&found| found != classes) {
            let path = self.samples.origin.join("classes.txt");
            return Err(Error::sample(&path, SampleProblem::ClassCount { found, classes }));
        }
        let numbers = || (0..classes).map(|class| format!("class {class}")).collect();
        Ok(known.or_else(|| of_data.cloned()).unwrap_or_else(numbers))
    }

    /// The pictures with their masks, and those that are bad.
    #[expect(clippy::type_complexity, reason = "one use")]
    fn extract_places(
        &self,
        cache: &FeatureCache,
        truths: &[&Target],
    ) -> Result<(Vec<Extracted>, Vec<(usize, Error)>), Error> {
        let (pack, compute) = (self.device.pack(), self.device.compute);
        let engine = compute.engine.filter(|engine| engine.is_on_gpu());
        let extraction = self.device.kept_features(Compute { engine, ..compute });
        if let Some(declined) = extraction.declined() {
            declined.tell(self.observer);
        }
        let watched = Watched::begin(self.observer, Work::Features, self.samples.len());
        let job = Job { extraction: &extraction, views: 1, watched: &watched };
        let is_new = |file: &SampleFile| !cache.contains(&file.id());
        let check = |at: usize, file: &SampleFile| {
            truth(&pack, file, truths[at], &decoded(&pack, file)?).map(drop)
        };
        let (samples, skip) = (&self.samples.samples, self.samples.skips_bad);
        let found = job.sound(samples, skip, is_new, &check, |at, file, features| {
            let mask = truth(&pack, file, truths[at], &decoded(&pack, file)?)?;
            let mask =
                mask.at_input(pack.input()).map_err(|problem| Error::pack(file.path(), problem))?;
            let mut counts = [0_usize; 256];
            mask.classes().iter().for_each(|&class| counts[usize::from(class)] += 1);
            let label = (1..usize::from(VOID)).max_by_key(|&class| (counts[class], 256 - class));
            let label = label.filter(|&class| counts[class] > 0).unwrap_or(0) as u16;
            let mask: Vec<i8> = mask.classes().iter().map(|class| class.cast_signed()).collect();
            let features = (!features.is_empty()).then(|| features.to_vec());
            Ok((file.id(), label, mask, features))
        })?;
        Ok((found.results.into_iter().flatten().collect(), found.bad))
    }
}

/// Puts the pictures and their masks into the cache.
fn take_places(cache: &mut FeatureCache, pictures: Vec<Extracted>) -> TakenPlaces {
    let ids: Vec<SampleId> = pictures.iter().map(|(id, ..)| *id).collect();
    let given = Given::of(pictures.iter().map(|(id, _, mask, _)| (*id, mask)));
    let learned = given.learned(ids.len());
    let (mut new, mut corrected) = (0, 0);
    let pictures = pictures.into_iter().zip(learned).filter(|(_, learned)| *learned);
    for ((id, label, mask, features), _) in pictures {
        match features {
            Some(features) => {
                let row = [&features[..], &mask].concat();
                new += usize::from(cache.insert(id, label, &row) == Insertion::New);
            }
            None => {
                cache.label(&id, label);
                corrected += usize::from(cache.set_end(&id, &mask) == Some(true));
            }
        }
    }
    TakenPlaces { ids, given, new_samples: new, corrected_samples: corrected }
}

/// Why masks that take the place of known ones are not learned, where they differ in more than [`CORRECTED_PART`] of all that
/// was known: then there is nothing left to judge a tail by.
fn corrected(known: &FeatureCache, cache: &FeatureCache, pack: &Pack<'_>) -> Option<String> {
    let length = known.feature_len();
    let front = pack.feature_len();
    let after: HashMap<_, _> =
        cache.ids().iter().zip(cache.features().chunks_exact(length)).collect();
    let (mut all, mut changed) = (0_usize, 0_usize);
    for (id, row) in known.ids().iter().zip(known.features().chunks_exact(length)) {
        let Some(now) = after.get(id) else { continue };
        let pairs = row[front..].iter().zip(&now[front..]);
        let counts = pairs.filter(|(a, b)| ![**a, **b].contains(&VOID.cast_signed()));
        for (before, now) in counts {
            all += 1;
            changed += usize::from(before != now);
        }
    }
    let part = changed as f64 / all.max(1) as f64;
    (part > CORRECTED_PART).then(|| {
        format!(
            "{:.0} % of what the known masks show would get another class, and what is corrected is not there to judge by: look at the masks",
            100.0 * part
        )
    })
}
