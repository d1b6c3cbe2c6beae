//! `learn`: samples → features, computed once → head → the state folder.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use headstart::pack::Pack;
use headstart_device::engine::Backend;
use headstart_device::extract::Job;
use headstart_device::samples::{self, Dataset, SampleFile, SampleId};
use headstart_device::segmentation::is_per_place;
use headstart_device::state::{self, Commit, FeatureCache, Insertion, StateFolder};
use headstart_device::training::harm::{self, Effect, Harm, Settled};
use headstart_device::training::{self, Choice, LEAST_CLASSES, Limit, Strangers};
use headstart_device::{Error, Head, PackFile, memory};
use serde::Serialize;

use super::classes::{self, Class};
use super::kept;
use super::report::{self, Reported, Shown};
use crate::cli::{Learn, LearnerChoice};
use crate::output::{self, Report};

/// Up to so many samples a class, pictures are also learned as crops.
const FEW: usize = 50;

#[derive(Serialize)]
struct Learned {
    /// Samples that the head was learned from, those of earlier calls included.
    samples: usize,
    new_samples: usize,
    /// Samples that were there under another class: the newest label stands.
    corrected_samples: usize,
    /// Samples that `--max-bytes` left no room for, of the classes that have most.
    dropped_samples: usize,
    /// Samples of which the state keeps a copy.
    kept_samples: usize,
    /// New samples whose labels look wrong: the head before surely prefers another class. They are not learned from,
    /// unless with `--force`.
    set_aside: Vec<Aside>,
    /// Files that were passed over because of their name.
    skipped_files: usize,
    seconds: f64,
    /// The share of `seconds` that training took; the rest is mostly the backbone.
    training_seconds: f64,
    held_out_accuracy: Option<f64>,
    learner: &'static str,
    /// Whether `auto` would have taken more memory than there is; then `sgd` learned the head.
    short_of_memory: bool,
    /// What computed the features of new samples.
    backbone: String,
    classes: Vec<Class>,
    unknown_threshold: f32,
    /// With `--false-accepts`: what the threshold does, as measured by leaving each class out in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<Unknown>,
    head_bytes: usize,
    /// What the new samples did to those that were known before; `null` where there were none, or
    /// nothing is new.
    known_samples: Option<Known>,
    /// Accuracy before and after on the folders of `--report`.
    reports: Vec<Reported>,
    /// Why the head was not made current; `null` where it was.
    rejected: Option<String>,
}

#[derive(Serialize)]
struct Unknown {
    /// Part of the samples of classes that the head did not know which is answered all the same.
    false_accepts: f64,
    /// Part of the right answers to held-out samples of known classes that becomes "unknown".
    given_up: f64,
}

#[derive(Serialize)]
struct Aside {
    file: String,
    class: String,
}

#[derive(Serialize)]
struct Known {
    held_out: u32,
    right_before: u32,
    right_after: u32,
    /// Labels for known classes that the update brought, and those that the head before agrees with.
    new: u32,
    agreed: u32,
    /// What the answers lost, as a part of them, each weighed by how sure it is, and its standard error.
    loss: f64,
    standard_error: f64,
    /// By how much the head before prefers other classes to these labels, beyond its usual mistakes.
    contradiction: f64,
    /// How far out the new samples lie, in units of the known ones' distance from their mean.
    strangeness: f64,
}

pub(crate) fn run(args: &Learn) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let refuse = |problem| Error::State { path: args.state.clone(), problem };
    let backend = args.backend.choose().map_err(refuse)?;
    let choice = choice(args, backend);
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let (pack, counter) = file.trusted()?;
    let digest = pack.backbone_digest();
    match (pack.tail(), args.tail.given()) {
        (None, Some(option)) => return Err(refuse(state::Problem::NoTail(option)).into()),
        (Some(_), _) if learner(args) != LearnerChoice::Auto || args.hidden.is_some() => {
            return Err(refuse(state::Problem::TailLearner).into());
        }
        (Some(_), _) if args.false_accepts.is_some() => {
            return Err(refuse(state::Problem::Strangers).into());
        }
        (Some(_), _) if args.half => {
            return Err(refuse(state::Problem::TailHalf).into());
        }
        (Some(_), _) if args.kept_bits.is_some() && !is_per_place(&pack) => {
            return Err(refuse(state::Problem::TailBits).into());
        }
        (Some(_), _) if args.keep_samples => {
            return Err(refuse(state::Problem::TailKeep).into());
        }
        (Some(_), _) if Backend::fastest().is_none() => {
            return Err(Error::no_engine(&args.common.pack, &pack).into());
        }
        _ => {}
    }
    if is_per_place(&pack) {
        return super::segmentation::learn(args, backend, &file);
    }
    let mut data = Dataset::labelled(&args.selection.data)?;
    output::warn_skipped(&data.skipped);
    if let Some(limit) = args.selection.limit {
        data.limit(limit as usize, args.selection.seed);
    }

    let folder = StateFolder::new(&args.state);
    // Before the lock, so that a refused call leaves no folder behind; and after it, because
    // another `learn` may have ended.
    let limit = pack.plan().max_classes as usize;
    let before = Before::load(&folder, &file, &pack)?.kept_in(args)?;
    if args.false_accepts.is_some() && before.of_pack.is_some() {
        return Err(refuse(state::Problem::Strangers).into());
    }
    before.refuse_count(&data, limit, args)?;
    let paths: Vec<&Path> = data.samples.iter().map(|s| s.path.as_path()).collect();
    folder.refuse_files(&before.cache, &paths, args.max_bytes)?;
    let lock = folder.lock()?;
    // Verified, then stored, then used.
    file.raise_counter(counter, &lock)?;
    let before = Before::load(&folder, &file, &pack)?.kept_in(args)?;
    before.refuse_count(&data, limit, args)?;
    let Before { of_state, of_pack, mut cache } = before;
    let mut known = cache.clone();
    known.sort();
    // A head's own classes come first, in its order.
    let label_of = |cache: &mut FeatureCache, name: &str| {
        let problem = state::Problem::TooManyClasses { limit: samples::MAX_CLASSES };
        cache.class(name).ok_or(Error::State { path: args.state.clone(), problem })
    };
    for name in of_state.iter().chain(&of_pack).flat_map(Head::labels) {
        label_of(&mut cache, name)?;
    }
    let labels: Vec<u16> =
        data.classes.iter().map(|name| label_of(&mut cache, name)).collect::<Result<_, _>>()?;

    // First, so that a wrong folder costs no time.
    let shown = args.report.iter();
    let shown = shown.map(|dir| Shown::read(dir, cache.classes(), pack, args.compute.with(None)));
    let shown = shown.collect::<Result<Vec<_>, _>>()?;
    let (features, backbone) = extract(args, backend, pack, &data, &cache)?;
    let ids: Vec<SampleId> = features.iter().map(|(id, _)| *id).collect();
    let (mut new_samples, mut corrected_samples) = (0, 0);
    for (sample, (id, features)) in data.samples.iter().zip(features) {
        let label = labels[sample.label];
        let insertion = match features {
            Some(features) => cache.insert(id, label, &features),
            None => cache.label(&id, label).unwrap_or(Insertion::Known),
        };
        new_samples += usize::from(insertion == Insertion::New);
        corrected_samples += usize::from(insertion == Insertion::Corrected);
    }

    let dropped_samples = match args.max_bytes {
        Some(bytes) => {
            let limit = usize::try_from(bytes).unwrap_or(usize::MAX);
            let problem = |least| state::Problem::Budget { bytes, least };
            let dropped = cache.fit(limit).map_err(problem);
            dropped.map_err(|problem| Error::State { path: args.state.clone(), problem })?
        }
        None => 0,
    };
    cache.sort();

    let training = Instant::now();
    let problem = |problem| Error::State { path: args.state.clone(), problem };
    let Settled { effect, aside } = if known.is_empty() || known == cache {
        Settled::default()
    } else {
        settle(args, &pack, &known, &mut cache, ids.len()).map_err(problem)?
    };
    let set_aside = data.samples.iter().zip(&ids).filter(|(_, id)| aside.contains(id));
    let set_aside = set_aside.map(|(sample, _)| Aside {
        file: sample.path.display().to_string(),
        class: data.classes[sample.label].clone(),
    });
    let set_aside: Vec<Aside> = set_aside.collect();
    let wanted = choice;
    let choice = wanted.within_memory(&cache).map_err(problem)?;
    let limit = args.false_accepts.map(|part| {
        let strangers = Strangers::measure(&cache, choice, digest).map_err(problem)?;
        Ok::<_, Error>(strangers.limit(part.into()))
    });
    let limit = limit.transpose()?;
    let mut record = match pack.tail() {
        None => training::train(&cache, of_pack.as_ref(), choice, digest).map_err(problem)?,
        Some(_) => super::tail::train(args, backend, &cache, &pack, of_pack.as_ref(), &lock)
            .map_err(problem)?,
    };
    if let Some(limit) = limit {
        record = training::with_threshold(&record, digest, limit.threshold).map_err(problem)?;
    }
    if args.half {
        record = training::compact(&record, digest).map_err(problem)?;
    }
    let training_seconds = training.elapsed().as_secs_f64();
    let harm = effect.filter(|_| !args.force).and_then(|effect| Some((effect, effect.harm()?)));
    let head = Head::parse_for(&folder.head_path(), &record, &pack)?;
    let rejected = match (harm, &of_state) {
        (Some((effect, harm)), _) => Some(reason(&effect, harm)),
        (None, Some(before)) if pack.tail().is_some() && !args.force => {
            super::tail::setback(args, &known, &cache, &pack, [before, &head]).map_err(problem)?
        }
        _ => None,
    };
    match &rejected {
        Some(reason) => lock.reject(&Commit::new(0, reason, &cache, &record), &digest)?,
        None => {
            if args.keep_samples || pack.tail().is_none() && folder.keeps_samples()? {
                let learned = ids.iter().zip(&paths).filter(|(id, _)| cache.contains(id));
                lock.keep(learned.map(|(id, path)| (*id, *path)))?;
            }
            lock.commit(&cache, &digest, &record, &note(limit))?;
        }
    }
    let kept_samples = kept::of(&folder, &cache)?.len();
    drop(lock);

    let head_before = of_state.as_ref().or(of_pack.as_ref());
    let reports = shown.iter().map(|shown| shown.report(head_before, &head));
    let reports = reports.collect::<Result<Vec<_>, _>>()?;
    let report = Learned {
        samples: cache.len(),
        new_samples: new_samples - aside.len(),
        corrected_samples,
        dropped_samples,
        kept_samples,
        set_aside,
        skipped_files: data.skipped.len(),
        seconds: start.elapsed().as_secs_f64(),
        training_seconds,
        held_out_accuracy: head.held_out_accuracy(),
        learner: if head.has_tail() { "tail" } else { head.learner().name() },
        short_of_memory: pack.tail().is_none() && choice != wanted,
        backbone,
        classes: classes::of(&head),
        unknown_threshold: head.unknown_threshold(),
        unknown: limit
            .map(|limit| Unknown { false_accepts: limit.answered, given_up: limit.given_up }),
        head_bytes: record.len(),
        known_samples: effect.map(|effect| Known {
            held_out: effect.held_out,
            right_before: effect.before,
            right_after: effect.after,
            new: effect.new,
            agreed: effect.agreed,
            loss: effect.loss,
            standard_error: effect.error,
            contradiction: effect.contradiction,
            strangeness: effect.strangeness,
        }),
        reports,
        rejected,
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::from(u8::from(report.rejected.is_some())))
}

/// What the update does, as far as it can be told, and what is set aside of it.
fn settle(
    args: &Learn,
    pack: &Pack<'_>,
    known: &FeatureCache,
    new: &mut FeatureCache,
    given: usize,
) -> Result<Settled, state::Problem> {
    // Pixels alone tell too little of what an update does.
    if pack.tail().is_some() && pack.node_count() == 0 {
        return Ok(Settled::default());
    }
    if args.force {
        let effect = harm::effect(known, new, memory_of(args))?;
        return Ok(Settled { effect, aside: Vec::new() });
    }
    harm::settle(known, new, given, memory_of(args))
}

/// What the history says.
fn note(limit: Option<Limit>) -> String {
    let percent = |part: f64| format!("{:.1} %", 100.0 * part);
    limit.map_or_else(
        || "learn".to_owned(),
        |limit| format!("learn; {} of what was never taught is answered", percent(limit.answered)),
    )
}

fn reason(effect: &Effect, harm: Harm) -> String {
    let percent = |part: f64| format!("{:.0} %", 100.0 * part);
    let why = match harm {
        Harm::Loss => format!("what was known loses {} of its answers", percent(effect.loss)),
        Harm::NewClasses => "the new classes take over answers of the old ones".to_owned(),
        Harm::MostLabels => format!(
            "most labels look wrong (the head before surely prefers another class to {} of {})",
            effect.doubtful, effect.given
        ),
        Harm::Labels => format!(
            "the labels look wrong (the head before prefers another class by {}) and cost what was known",
            percent(effect.contradiction)
        ),
        Harm::Class => format!(
            "the labels of one class look wrong (another one is preferred by {}), and it loses {} of its answers",
            percent(effect.class_contradiction),
            percent(effect.class_loss)
        ),
        Harm::Strange => format!(
            "the samples lie {:.1} times as far out as the known ones and teach nothing about these: is the camera covered or broken?",
            effect.strangeness
        ),
    };
    format!(
        "{why}; of {} samples that were known before, {} were answered rightly without the new ones and {} with them, and the head before agrees with the labels of {} of {} new ones: look at them, or add --force",
        effect.held_out, effect.before, effect.after, effect.agreed, effect.new
    )
}

/// What there is before learning.
struct Before {
    of_state: Option<Head>,
    of_pack: Option<Head>,
    cache: FeatureCache,
}

impl Before {
    fn load(folder: &StateFolder, file: &PackFile, pack: &Pack<'_>) -> Result<Self, Error> {
        // First, since it says what to do with another backbone.
        let of_state = super::state_head(folder, pack)?;
        let features = folder.features(&pack.backbone_digest(), pack.feature_len())?;
        if of_state.is_some() && features.is_none() {
            let path = folder.path().to_owned();
            return Err(Error::State { path, problem: state::Problem::NoFeatures });
        }
        Ok(Self {
            of_state,
            of_pack: super::pack_head(file, pack)?,
            cache: features.unwrap_or_else(|| FeatureCache::new(pack.feature_len())),
        })
    }

    /// With features in the number of bits that was asked for.
    fn kept_in(mut self, args: &Learn) -> Result<Self, Error> {
        match args.kept_bits {
            Some(bits) if !self.cache.keep_in(bits.into()) => {
                Err(Error::State { path: args.state.clone(), problem: state::Problem::KeptBits })
            }
            _ => Ok(self),
        }
    }

    /// A head that knows one class only would answer it for everything, and one of more classes
    /// than the pack plans for would not fit the memory of the boards that it was packed for.
    fn refuse_count(&self, data: &Dataset, limit: usize, args: &Learn) -> Result<(), Error> {
        let heads = self.of_state.iter().chain(&self.of_pack);
        let names = heads.flat_map(Head::labels).chain(self.cache.classes()).chain(&data.classes);
        match names.collect::<HashSet<_>>().len() {
            ..2 => {
                let path = args.selection.data.clone();
                Err(Error::Sample { path, problem: samples::Problem::OneClass })
            }
            found if args.false_accepts.is_some() && found < LEAST_CLASSES => {
                let problem = state::Problem::FewClasses { found, least: LEAST_CLASSES };
                Err(Error::State { path: args.state.clone(), problem })
            }
            found if found > limit => {
                let problem = state::Problem::UnplannedClasses { found, limit };
                Err(Error::State { path: args.state.clone(), problem })
            }
            _ => Ok(()),
        }
    }
}

/// A sample and its features; none where they are cached already.
type Extracted = (SampleId, Option<Vec<i8>>);

/// Id and features of every sample, and what computed them.
fn extract(
    args: &Learn,
    backend: Option<Backend>,
    pack: Pack<'_>,
    data: &Dataset,
    cache: &FeatureCache,
) -> Result<(Vec<Extracted>, String), Error> {
    let paths: Vec<&Path> = data.samples.iter().map(|s| s.path.as_path()).collect();
    let from_input = pack.tail().is_some_and(|tail| tail.crossing().any(|value| value == 0));
    let views = match args.views {
        Some(views) => usize::from(views),
        // Pictures are moved when they are shown.
        None if from_input => 1,
        None => default_views(args, data, pack.tail().is_some()),
    };
    let bar = output::progress("learning", paths.len());
    // On a CPU the int8 kernels give the same features sooner; where the engine does not train, it was named for this.
    let backend = backend.filter(|backend| backend.is_on_gpu() || args.learner.is_some());
    let extraction = super::warned(args.compute.with(backend).open_exact(pack));
    let job = Job { extraction: &extraction, views, done: &|| bar.inc(1) };
    let is_new = |file: &SampleFile| !cache.contains(&file.id());
    let features = job.all(&paths, is_new, |file, rows| {
        Ok((file.id(), (!rows.is_empty()).then(|| rows.to_vec())))
    });
    bar.finish_and_clear();
    Ok((features?, extraction.to_string()))
}

/// Two crops beside each picture where no class has more than [`FEW`] samples: they cost two more
/// backbone passes each, and with many samples they tell little new. Only `auto` learns from them.
fn default_views(args: &Learn, data: &Dataset, has_tail: bool) -> usize {
    if (trains_on_engine(args) && !has_tail) || learner(args) != LearnerChoice::Auto {
        return 1;
    }
    let largest = data.samples.chunk_by(|a, b| a.label == b.label).map(<[_]>::len).max();
    if largest.unwrap_or(0) <= FEW { 3 } else { 1 }
}

fn learner(args: &Learn) -> LearnerChoice {
    args.learner.unwrap_or(LearnerChoice::Auto)
}

/// Bytes that training may take.
fn memory_of(args: &Learn) -> usize {
    args.memory.map_or_else(memory::free, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn trains_on_engine(args: &Learn) -> bool {
    args.backend.is_given() && args.learner.is_none()
}

fn choice(args: &Learn, backend: Option<Backend>) -> Choice {
    if let Some(backend) = backend.filter(|_| trains_on_engine(args)) {
        return Choice::Burn { backend, hidden: args.hidden.map(usize::from) };
    }
    match learner(args) {
        LearnerChoice::Auto => Choice::Auto { memory: memory_of(args) },
        LearnerChoice::Named(learner) => Choice::of(learner),
    }
}

impl Report for Learned {
    fn text(&self) -> String {
        if let Some(reason) = &self.rejected {
            return output::rejection(reason);
        }
        let mut samples = format!("{} ({} new", output::thousands(self.samples), self.new_samples);
        if self.corrected_samples > 0 {
            samples += &format!(", {} corrected: the newest class stands", self.corrected_samples);
        }
        if self.dropped_samples > 0 {
            samples += &format!(", {} dropped for --max-bytes", self.dropped_samples);
        }
        if let [first, ..] = &self.set_aside[..] {
            let Aside { file, class } = first;
            samples += &format!(
                ", {} set aside: their labels look wrong ({file} as {class} first; --json lists them, --force learns them)",
                self.set_aside.len()
            );
        }
        if self.kept_samples > 0 {
            samples += &format!(", copies of {} kept", output::thousands(self.kept_samples));
        }
        samples.push(')');
        let mut unknown = output::percent(Some(f64::from(self.unknown_threshold)));
        if let Some(Unknown { false_accepts, given_up }) = &self.unknown {
            let percent = |part: &f64| output::percent(Some(*part));
            unknown += &format!(
                ": answers {} of what was never taught, and gives up {} of its right answers",
                percent(false_accepts),
                percent(given_up)
            );
        }
        let mut learner = self.learner.to_owned();
        if self.short_of_memory {
            learner += " (auto takes more memory than is free: --memory)";
        }
        let facts = [
            ("samples", samples),
            ("learner", learner),
            ("held-out accuracy", output::percent(self.held_out_accuracy)),
            ("unknown below", unknown),
            ("head", format!("{} bytes", output::thousands(self.head_bytes))),
            (
                "time",
                format!("{:.1} s, training {:.1} s of it", self.seconds, self.training_seconds),
            ),
        ];
        let classes = classes::table(&self.classes, "samples");
        let mut text = format!("{}\n\n{classes}", output::facts(facts));
        if !self.reports.is_empty() {
            text += &format!("\n\n{}", report::table(&self.reports));
        }
        text
    }
}
