//! Learning where the pack answers one class a sample.

use std::collections::HashSet;

use super::super::changed::Shape;
use super::super::foreign::copies;
use super::super::report::{BadFile, ClassCount};
use super::before::Before;
use super::given::Given;
use super::harm::{reason, settle};
use super::lesson::Lesson;
use super::outcome::{Aside, Known, LearnedHead, Outweighed, Unknown};
use super::reports::Compared;
use crate::engine::Backend;
use crate::extract::{Compute, Job};
use crate::observer::{Watched, Work};
use crate::os::Instant;
use crate::samples::{MAX_CLASSES, Sample, SampleFile, SampleId, SampleProblem, alike};
use crate::state::{Commit, FeatureCache, Insertion, Made, Settings, StateLock, StateProblem};
use crate::training::Limit;
use crate::training::harm::{Corrections, Effect, Settled};
use crate::training::outweighed;
use crate::training::settled::{Bases, Threshold};
use crate::{Error, Head};

/// Up to so many samples a class, pictures are also learned as crops.
const FEW: usize = 50;

/// What came of the samples, before anything is trained.
struct Taken {
    /// The samples' names, in their order.
    ids: Vec<SampleId>,
    given: Given,
    new: usize,
    corrected: usize,
    dropped: usize,
}

/// A sample's name and its features, none where they are cached already.
type Featured = (SampleId, Option<Vec<i8>>);

impl Taken {
    /// The names of samples that are learned from.
    fn learned(&self) -> impl Iterator<Item = SampleId> {
        let learned = self.given.learned(self.ids.len());
        self.ids.iter().zip(learned).filter(|(_, learned)| *learned).map(|(id, _)| *id)
    }
}

/// A head that was trained, and not yet committed.
struct Trained {
    record: Vec<u8>,
    head: Head,
    threshold: Threshold,
    short_of_memory: bool,
    seconds: f64,
}

impl Lesson<'_> {
    pub(super) fn learn_head(&self) -> Result<LearnedHead, Error> {
        let folder = self.device.folder()?;
        // Before the lock, so that a refused call leaves no folder behind; and after it, because
        // another process may have learned.
        let before = self.before()?;
        let (_, settings) = self.settings_on(before.of_state.as_ref())?;
        let (input, max_bytes) = (self.device.input(), settings.max_bytes);
        folder.refuse_files(&before.cache, &self.samples.samples, &input, max_bytes)?;
        let lock = folder.lock()?;
        self.device.raise_counter(&lock)?;
        let before = self.before()?;
        let (was, settings) = self.settings_on(before.of_state.as_ref())?;
        Lesson { settings: &settings, ..*self }.learn_on(lock, before, was)
    }

    /// Learns in a state that is locked, on what there is in it.
    fn learn_on(
        &self,
        lock: StateLock,
        before: Before,
        was: Option<Settings>,
    ) -> Result<LearnedHead, Error> {
        let folder = self.device.folder()?;
        let Before { of_state, of_pack, bits, mut cache } = before;
        let mut known = cache.clone();
        known.sort();

        let labels = self.name_classes(&mut cache, of_state.iter().chain(&of_pack))?;
        let heads = of_state.iter().chain(&of_pack);
        let of_heads: HashSet<&String> = heads.flat_map(Head::labels).collect();
        // First, so that wrong samples cost no time.
        let compared = self.compared(cache.classes())?;
        let (features, bad, backbone) = self.extract(&cache)?;
        let places: Vec<usize> = bad.iter().map(|(at, _)| *at).collect();
        let bad_files = BadFile::unless_all(self.samples, bad)?;
        let rest = self.samples.without(&places);
        let this = Lesson { samples: &rest, ..*self };
        let taken = this.take(&mut cache, &labels, &of_heads, features)?;
        let training = Instant::now();
        let Settled { effect, aside } = if known.is_empty() || known == cache {
            Settled::default()
        } else {
            let given: HashSet<_> = taken.learned().collect();
            settle(this.device, this.options, &known, &mut cache, given.len())?
        };
        let trained = this.train(&cache, [&of_state, &of_pack], &lock, training)?;
        let outweighed = this.outweighed(&cache, &taken.ids, &trained.head)?;
        let rejected = this.judge(&known, &cache, effect, of_state.as_ref(), &trained.head)?;
        let near_duplicates = this.near(&known, &cache, &taken.ids);
        this.keep(&lock, &cache, &trained, &taken.ids, rejected.as_deref())?;
        let kept_samples = copies(folder, &cache)?.len();
        drop(lock);

        let head_before = of_state.as_ref().or(of_pack.as_ref());
        let reports = compared.iter().map(|compared| compared.report(head_before, &trained.head));
        let reports = reports.collect::<Result<_, _>>();
        let reports =
            reports.map_err(|problem| Error::pack(self.device.pack_file().path(), problem))?;
        let head = &trained.head;
        let brought = this.samples.classes.iter().map(String::as_str);
        let look_alike = alike(brought, head.labels().iter().map(String::as_str));
        let shape = Shape::of(self.settings, cache.bits(), head);
        let shape_before =
            of_state.as_ref().zip(was).map(|(head, was)| Shape::of(&was, bits, head));
        let changed_settings = shape_before.map_or_else(Vec::new, |before| shape.changes(&before));
        Ok(LearnedHead {
            samples: cache.len(),
            new_samples: taken.new - aside.len(),
            corrected_samples: taken.corrected,
            dropped_samples: taken.dropped,
            kept_samples,
            duplicate_samples: taken.given.duplicates,
            conflicts: this.conflicts(&taken.given)?,
            near_duplicates,
            set_aside: this.set_aside(&taken.ids, &aside)?,
            skipped_files: this.samples.skipped.len(),
            bad_files,
            seconds: self.start.elapsed().as_secs_f64(),
            training_seconds: trained.seconds,
            held_out_accuracy: head.held_out_accuracy(),
            learner: if head.has_tail() { "tail" } else { head.learner().name() },
            short_of_memory: trained.short_of_memory,
            backbone,
            classes: ClassCount::of(head),
            look_alike,
            unknown_threshold: head.unknown_threshold(),
            threshold_kept: trained.threshold.is_kept,
            changed_settings,
            unknown: trained
                .threshold
                .limit
                .map(|limit| Unknown { false_accepts: limit.answered, given_up: limit.given_up }),
            head_bytes: trained.record.len(),
            known_samples: effect.map(Known::from),
            outweighed,
            reports,
            rejected,
        })
    }

    /// Names the classes that a head has first, in its order, and gives the label of each of the samples' classes.
    fn name_classes<'h>(
        &self,
        cache: &mut FeatureCache,
        heads: impl Iterator<Item = &'h Head>,
    ) -> Result<Vec<u16>, Error> {
        let path = self.device.folder()?.path();
        let mut label_of = |name: &str| {
            let problem = StateProblem::TooManyClasses { limit: MAX_CLASSES };
            cache.class(name).ok_or(Error::state(path, problem))
        };
        for name in heads.flat_map(Head::labels) {
            label_of(name)?;
        }
        self.samples.classes.iter().map(|name| label_of(name)).collect()
    }

    fn compared(&self, known: &[String]) -> Result<Vec<Compared>, Error> {
        let reports = self.options.reports.iter();
        reports.map(|data| Compared::read(self.device, data, known, self.observer)).collect()
    }

    /// Puts the samples into the cache, those that it does not know with their features, and keeps to the budget.
    fn take(
        &self,
        cache: &mut FeatureCache,
        labels: &[u16],
        of_heads: &HashSet<&String>,
        features: Vec<Featured>,
    ) -> Result<Taken, Error> {
        let shown = self.device.labels(self.samples)?;
        let ids: Vec<SampleId> = features.iter().map(|(id, _)| *id).collect();
        let given = Given::of(ids.iter().copied().zip(shown.iter().copied()));
        let learned = given.learned(ids.len());
        let (mut new, mut corrected) = (0, 0);
        let samples = shown.into_iter().zip(features).zip(learned);
        for ((shown, (id, features)), _) in samples.filter(|(_, learned)| *learned) {
            let label = labels[shown];
            let insertion = match features {
                Some(features) => cache.insert(id, label, &features),
                None => cache.label(&id, label).unwrap_or(Insertion::Known),
            };
            new += usize::from(insertion == Insertion::New);
            corrected += usize::from(insertion == Insertion::Corrected);
        }
        self.weigh(cache, &ids);
        let dropped = self.device.fit(cache, self.settings)?;
        let counts = cache.classes().iter().zip(cache.counts());
        let mut lost = counts.filter(|(name, count)| *count == 0 && !of_heads.contains(name));
        if let Some((name, _)) = lost.next() {
            return Err(Error::sample(&self.samples.origin, SampleProblem::NoneLeft(name.clone())));
        }
        cache.sort();
        Ok(Taken { ids, given, new, corrected, dropped })
    }

    /// Lets the samples count as it is asked for.
    fn weigh(&self, cache: &mut FeatureCache, ids: &[SampleId]) {
        let Some(weight) = self.options.weight else { return };
        let given: HashSet<&SampleId> = ids.iter().collect();
        let all = cache.ids().iter().zip(cache.weights());
        let others = all.filter(|(id, _)| !given.contains(id)).map(|(_, w)| usize::from(*w)).sum();
        let each = weight.of_each(others, given.len());
        for id in given {
            cache.set_weight(id, each);
        }
    }

    /// The samples with their features, those that are bad, and what computed the features.
    #[expect(clippy::type_complexity, reason = "one use")]
    fn extract(
        &self,
        cache: &FeatureCache,
    ) -> Result<(Vec<Featured>, Vec<(usize, Error)>, String), Error> {
        let (pack, compute) = (self.device.pack(), self.device.compute);
        let from_input = pack.tail().is_some_and(|tail| tail.crossing().any(|value| value == 0));
        let views = match self.settings.views {
            Some(views) => views.into(),
            // Pictures are moved when they are shown.
            None if from_input => 1,
            None => self.default_views()?,
        };
        // On a CPU the int8 kernels give the same features sooner; where the engine does not train, it was named for this.
        let runs = |engine: &Backend| engine.is_on_gpu() || self.options.learner.is_some();
        let extraction =
            self.device.kept_features(Compute { engine: compute.engine.filter(runs), ..compute });
        if let Some(declined) = extraction.declined() {
            declined.tell(self.observer);
        }
        let watched = Watched::begin(self.observer, Work::Features, self.samples.len());
        let job = Job { extraction: &extraction, views, watched: &watched };
        let is_new = |file: &SampleFile| !cache.contains(&file.id());
        let (samples, skip) = (&self.samples.samples, self.samples.skips_bad);
        let found = job.sound(samples, skip, is_new, &|_, _| Ok(()), |_, file, rows| {
            Ok((file.id(), (!rows.is_empty()).then(|| rows.to_vec())))
        })?;
        Ok((found.results.into_iter().flatten().collect(), found.bad, extraction.to_string()))
    }

    /// Two crops beside each picture where no class has more than [`FEW`] samples: they cost two more
    /// backbone passes each, and with many samples they tell little new. Only `auto` learns from them.
    fn default_views(&self) -> Result<usize, Error> {
        let on_engine = self.options.trains_on_engine(self.device.compute.engine);
        let has_tail = self.device.pack().tail().is_some();
        if (on_engine && !has_tail) || self.settings.learner.is_some() {
            return Ok(1);
        }
        let mut counts = vec![0; self.samples.classes.len()];
        self.device.labels(self.samples)?.into_iter().for_each(|label| counts[label] += 1);
        Ok(if counts.into_iter().max().unwrap_or(0) <= FEW { 3 } else { 1 })
    }

    fn train(
        &self,
        cache: &FeatureCache,
        [of_state, of_pack]: [&Option<Head>; 2],
        lock: &StateLock,
        begun: Instant,
    ) -> Result<Trained, Error> {
        self.unless_stopped()?;
        let (folder, pack) = (self.device.folder()?, self.device.pack());
        let failed = |problem| Error::training(folder.path(), problem);
        let bases = Bases { before: of_state.as_ref(), initial: of_pack.as_ref() };
        let engine = self.device.compute.engine;
        let wanted = self.options.choice(self.settings, engine, bases.before);
        let choice = wanted.within_memory(cache, bases.initial.is_some()).map_err(failed)?;
        let (record, threshold) = match pack.tail() {
            None => self.device.train(self.settings, cache, bases, choice)?,
            Some(_) => {
                let record = self.train_tail(cache, bases.initial, lock).map_err(failed)?;
                (record, Threshold::default())
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        let head = Head::parse_for(&folder.head_path(), &record, &pack)?;
        let short_of_memory = pack.tail().is_none() && choice != wanted;
        Ok(Trained { record, head, threshold, short_of_memory, seconds })
    }

    /// Whether the others leave these samples little room.
    fn outweighed(
        &self,
        cache: &FeatureCache,
        ids: &[SampleId],
        head: &Head,
    ) -> Result<Option<Outweighed>, Error> {
        let pack = self.device.pack();
        if pack.tail().is_some() {
            return Ok(None);
        }
        let path = self.device.folder()?.path();
        let found = outweighed(cache, ids, head, pack.backbone_digest());
        let found = found.map_err(|problem| Error::training(path, problem));
        Ok(found?.map(|(others, together, alone)| Outweighed { others, together, alone }))
    }

    /// Why the head is not made current, if it is not.
    fn judge(
        &self,
        known: &FeatureCache,
        cache: &FeatureCache,
        effect: Option<Effect>,
        of_state: Option<&Head>,
        head: &Head,
    ) -> Result<Option<String>, Error> {
        if self.options.force {
            return Ok(None);
        }
        if let Some(reason) = Corrections::between(known, cache).refused() {
            return Ok(Some(reason));
        }
        if let Some((effect, harm)) = effect.and_then(|effect| Some((effect, effect.harm()?))) {
            return Ok(Some(reason(&effect, harm)));
        }
        match of_state.filter(|_| self.device.pack().tail().is_some()) {
            Some(before) => self.setback(known, cache, [before, head]),
            None => Ok(None),
        }
    }

    /// Commits the head, or keeps it as the rejected candidate.
    fn keep(
        &self,
        lock: &StateLock,
        cache: &FeatureCache,
        trained: &Trained,
        ids: &[SampleId],
        rejected: Option<&str>,
    ) -> Result<(), Error> {
        self.unless_stopped()?;
        let (folder, pack) = (self.device.folder()?, self.device.pack());
        let (digest, record) = (pack.backbone_digest(), &trained.record);
        if let Some(reason) = rejected {
            return lock.reject(&Commit::new(0, reason, cache, record), &digest);
        }
        if self.options.keep_samples || pack.tail().is_none() && folder.keeps_samples()? {
            let samples = ids.iter().copied().zip(&self.samples.samples);
            let learned = samples.filter(|(id, _)| cache.contains(id));
            lock.keep(&self.device.input(), learned)?;
        }
        self.keep_names(lock, cache, ids)?;
        let note = note(trained.threshold.limit);
        let made = Made::by(&note, self.settings, &trained.head);
        lock.commit(cache, &digest, record, made)
    }

    /// Samples that are not learned, with the class that they were given.
    fn set_aside(&self, ids: &[SampleId], aside: &[SampleId]) -> Result<Vec<Aside>, Error> {
        let labels = self.device.labels(self.samples)?;
        let all = self.samples.samples.iter().enumerate().zip(ids).zip(labels);
        let chosen = all.filter(|((_, id), _)| aside.contains(id));
        let entry = |(((at, sample), _), label): (((usize, &Sample<'_>), _), usize)| {
            let file = sample.title(at).display().to_string();
            Aside { file, class: self.samples.classes[label].clone() }
        };
        Ok(chosen.map(entry).collect())
    }
}

/// What the history says.
fn note(limit: Option<Limit>) -> String {
    let percent = |part: f64| format!("{:.1} %", 100.0 * part);
    limit.map_or_else(
        || "learn".to_owned(),
        |limit| format!("learn; {} of what was never taught is answered", percent(limit.answered)),
    )
}
