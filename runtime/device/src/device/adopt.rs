//! Kept samples learned again with another backbone.

use headstart::head::pooled::on_threads;
use serde::Serialize;

use super::changed::{ChangedSetting, Shape};
use super::foreign::Foreign;
use super::handle::Device;
use super::learn::Outcome;
use super::report::ClassCount;
use crate::observer::Observer;
use crate::os::Instant;
use crate::request::RequestProblem;
use crate::samples::{MAX_CLASSES, SampleId};
use crate::state::{Commit, FeatureCache, Made, StateProblem};
use crate::training::Choice;
use crate::training::harm::{self, Adoption};
use crate::training::settled::Bases;
use crate::{Error, Head};

/// Outcome of [`Device::adopt`].
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one of a call, and it is not kept")]
pub enum AdoptOutcome {
    /// The state was learned with this backbone: nothing needs to be done, and the pack can be used at once.
    SameBackbone,
    /// The samples were learned again.
    Learned(Outcome<Adopted>),
}

/// A report of samples that were learned again with another backbone, and of what that did to their answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Adopted {
    /// Whether the state was learned with this backbone: always `false` here. A report of the other case says `true`.
    pub same_backbone: bool,
    /// How many samples were learned again.
    pub samples: usize,
    /// How many samples have no copy: by force, they are forgotten.
    pub missing_samples: usize,
    /// How many samples the state's budget of bytes left no room for, of the classes that have most.
    pub dropped_samples: usize,
    /// Seconds that the adoption took.
    pub seconds: f64,
    /// The share of `seconds` that training took; the rest is mostly the backbone.
    pub training_seconds: f64,
    /// Share of held-out samples that the head answers rightly.
    pub held_out_accuracy: Option<f64>,
    /// The learner of the head.
    pub learner: &'static str,
    /// A best probability below this means "unknown".
    pub unknown_threshold: f32,
    /// Whether the threshold of a limit to false accepts is that of before, because it cannot be measured any more.
    pub threshold_kept: bool,
    /// Settings of the state that this adoption changed.
    pub changed_settings: Vec<ChangedSetting>,
    /// The head's classes.
    pub classes: Vec<ClassCount>,
    /// Size of the head record in bytes.
    pub head_bytes: usize,
    /// Effect of the new backbone on the samples; `null` where none can be held out.
    pub known_samples: Option<KnownSamples>,
    /// Why the head was not made current; `null` where it was.
    pub rejected: Option<String>,
}

/// How many held-out samples each of two backbones answers rightly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KnownSamples {
    /// How many samples were held out.
    pub held_out: u32,
    /// How many were answered rightly from the features before.
    pub right_before: u32,
    /// How many are answered rightly from the features after.
    pub right_after: u32,
    /// The part of the answers that was lost, each weighed by how sure it is.
    pub loss: f64,
    /// The standard error of `loss`.
    pub standard_error: f64,
}

impl Device {
    /// Learns the state's kept samples again with this device's pack, which has another backbone, as the state's learner did.
    /// Until that is committed, the old pack answers; from then on this one does. Where the new backbone answers the samples
    /// worse, nothing is changed. With `force` it learns from the samples that are kept even if some are missing, and
    /// commits even if it answers them worse.
    ///
    /// # Errors
    /// [`StateProblem::NoSamples`], [`StateProblem::NoneKept`], [`StateProblem::NotAllKept`],
    /// [`StateProblem::ClassesLost`], [`StateProblem::UnplannedClasses`], [`RequestProblem::OneClassLeft`],
    /// [`RequestProblem::TailAdopt`]; [`Error::Stopped`].
    pub fn adopt(&self, force: bool, observer: &dyn Observer) -> Result<AdoptOutcome, Error> {
        let _changing = self.changing();
        if self.needs_no_adoption()? {
            // An adoption that was cut off behind its head ends here.
            self.raise_counter(&self.folder()?.lock()?)?;
            return Ok(AdoptOutcome::SameBackbone);
        }
        let report = self.learn_again(force, observer)?;
        Ok(AdoptOutcome::Learned(Outcome::of(report, |report| report.rejected.is_some())))
    }

    /// Whether the state was learned with this backbone.
    fn needs_no_adoption(&self) -> Result<bool, Error> {
        let (folder, pack) = (self.folder()?, self.pack());
        let tail_adopt = || self.refuse(RequestProblem::TailAdopt);
        let is_of_tail = |head: Vec<u8>| head.starts_with(&headstart::tail::RECORD_MAGIC);
        if pack.tail().is_none() && folder.head().ok().flatten().is_some_and(is_of_tail) {
            return Err(tail_adopt());
        }
        // Locking would create the folder.
        match self.state_head() {
            Ok(Some(_)) => Ok(true),
            Ok(None) => Err(Error::state(folder.path(), StateProblem::NoSamples)),
            // Without an engine no state has a head for a tail.
            Err(Error::Request { problem: RequestProblem::NoEngine(_), .. }) => Err(tail_adopt()),
            Err(Error::State { problem: StateProblem::OtherPack { .. }, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn learn_again(&self, force: bool, observer: &dyn Observer) -> Result<Adopted, Error> {
        let start = Instant::now();
        let state = Foreign::begin(self)?;
        let of_pack = self.pack_head()?;
        let known = chosen(&state, force)?;
        self.refuse_adopted(&state, &known, of_pack.as_ref(), force)?;
        let mut cache = state.features(self, known.ids(), observer)?;

        let training = Instant::now();
        let path = self.folder()?.path();
        let failed = |problem| Error::training(path, problem);
        let settings = state.settings();
        let choice = Choice::by(&settings);
        let step = on_threads(self.compute.threads, || harm::between(&known, &cache, choice));
        let step = step.map_err(failed)?;
        for name in of_pack.iter().flat_map(Head::labels) {
            let too_many = || state.refuse(StateProblem::TooManyClasses { limit: MAX_CLASSES });
            cache.class(name).ok_or_else(too_many)?;
        }
        let dropped_samples = self.fit(&mut cache, &settings)?;
        cache.sort();
        let digest = self.pack().backbone_digest();
        let bases = Bases { before: Some(&state.head), initial: of_pack.as_ref() };
        let (record, threshold) = self.train(&settings, &cache, bases, choice)?;
        let head = Head::parse(path, &record, &digest)?;
        let training_seconds = training.elapsed().as_secs_f64();
        let worse = step.filter(|step| !force && step.is_worse());
        let rejected = worse.map(|step| reason(&step));
        if observer.is_stopped() {
            return Err(Error::Stopped);
        }
        match &rejected {
            Some(reason) => {
                state.lock.reject(&Commit::new(0, reason, &cache, &record), &digest)?;
            }
            None => {
                let made = Made::by("adopt", &settings, &head);
                state.lock.adopt(&cache, &digest, &record, made)?;
                // Behind the commit: until then the old pack must be able to answer. Whatever uses the new one next
                // would store it first.
                self.raise_counter(&state.lock)?;
            }
        }
        let before = Shape::of(&settings, cache.bits(), &state.head);
        Ok(Adopted {
            same_backbone: false,
            samples: cache.len(),
            missing_samples: state.cache.len() - cache.len() - dropped_samples,
            dropped_samples,
            seconds: start.elapsed().as_secs_f64(),
            training_seconds,
            held_out_accuracy: head.held_out_accuracy(),
            learner: head.learner().name(),
            unknown_threshold: head.unknown_threshold(),
            threshold_kept: threshold.is_kept,
            changed_settings: Shape::of(&settings, cache.bits(), &head).changes(&before),
            classes: ClassCount::of(&head),
            head_bytes: record.len(),
            known_samples: step.map(|step| KnownSamples {
                held_out: step.held_out,
                right_before: step.before,
                right_after: step.after,
                loss: step.loss,
                standard_error: step.error,
            }),
            rejected,
        })
    }

    /// Refuses a head that would know fewer classes than before, one class only, or more than the pack plans for.
    fn refuse_adopted(
        &self,
        state: &Foreign,
        known: &FeatureCache,
        of_pack: Option<&Head>,
        force: bool,
    ) -> Result<(), Error> {
        let of_pack = of_pack.map_or(&[][..], Head::labels);
        let stays = |name: &&String| known.classes().contains(name) || of_pack.contains(name);
        let lost: Vec<&str> =
            state.head.labels().iter().filter(|name| !stays(name)).map(String::as_str).collect();
        if !lost.is_empty() && !force {
            return Err(state.refuse(StateProblem::ClassesLost(lost.join(", "))));
        }
        let new = of_pack.iter().filter(|name| !known.classes().contains(name)).count();
        let limit = self.pack().plan().max_classes as usize;
        match known.classes().len() + new {
            ..2 => Err(self.refuse(RequestProblem::OneClassLeft)),
            found if found > limit => {
                Err(state.refuse(StateProblem::UnplannedClasses { found, limit }))
            }
            _ => Ok(()),
        }
    }
}

/// The samples that are learned again, with the features of before: all of them, or by force those that are kept.
fn chosen(state: &Foreign, force: bool) -> Result<FeatureCache, Error> {
    let missing: Vec<SampleId> =
        state.cache.ids().iter().filter(|id| !state.kept.contains_key(*id)).copied().collect();
    let (kept, of) = (state.kept.len(), state.cache.len());
    if kept == 0 {
        return Err(state.refuse(StateProblem::NoneKept(of)));
    }
    if !missing.is_empty() && !force {
        let missing = missing.len();
        return Err(state.refuse(StateProblem::NotAllKept { kept, missing, of }));
    }
    let mut known = state.cache.clone();
    known.forget_samples(&missing);
    known.drop_empty_classes(&[]);
    Ok(known)
}

fn reason(step: &Adoption) -> String {
    format!(
        "the new backbone tells the samples apart worse; of {} that were held out, {} were answered rightly with the old features and {} with the new ones: go on with the old pack",
        step.held_out, step.before, step.after
    )
}
