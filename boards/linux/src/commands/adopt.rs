//! `adopt`: kept samples learned again with another backbone.

use std::process::ExitCode;
use std::time::Instant;

use headstart::pack::Pack;
use headstart::tail::RECORD_MAGIC;
use headstart_device::samples::{MAX_CLASSES, SampleId};
use headstart_device::state::{Commit, FeatureCache, Problem, StateFolder};
use headstart_device::training::harm::{self, Adoption};
use headstart_device::training::{self, Choice};
use headstart_device::{Error, Head, PackFile};
use serde::Serialize;

use super::classes::{self, Class};
use super::kept::Foreign;
use crate::cli::Adopt;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Adopted {
    same_backbone: bool,
    /// Samples that were learned again.
    samples: usize,
    /// Those of which no copy is kept: with `--force`, they are forgotten.
    missing_samples: usize,
    seconds: f64,
    /// The share of `seconds` that training took; the rest is mostly the backbone.
    training_seconds: f64,
    held_out_accuracy: Option<f64>,
    learner: &'static str,
    classes: Vec<Class>,
    head_bytes: usize,
    /// What the new backbone does to the samples; `null` where none can be held out.
    known_samples: Option<Known>,
    /// Why the head was not made current; `null` where it was.
    rejected: Option<String>,
}

#[derive(Serialize)]
struct Known {
    held_out: u32,
    right_before: u32,
    right_after: u32,
    /// What the answers lost, as a part of them, each weighed by how sure it is, and its standard error.
    loss: f64,
    standard_error: f64,
}

#[derive(Serialize)]
struct Same {
    same_backbone: bool,
}

pub(crate) fn run(args: &Adopt) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let (pack, counter) = file.trusted()?;
    let folder = StateFolder::new(&args.state);
    let refuse = |problem| Error::State { path: args.state.clone(), problem };
    if pack.tail().is_none() && folder.head()?.is_some_and(|head| head.starts_with(&RECORD_MAGIC)) {
        return Err(refuse(Problem::TailAdopt).into());
    }
    // Locking would create the folder.
    match super::state_head(&folder, &pack) {
        Ok(Some(_)) => {
            // An adoption that was cut off behind its head ends here.
            file.raise_counter(counter, &folder.lock()?)?;
            output::print(&Same { same_backbone: true }, args.common.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(None) => return Err(refuse(Problem::NoSamples).into()),
        // Without an engine no state has a head for a tail.
        Err(Error::NoEngine { .. }) => return Err(refuse(Problem::TailAdopt).into()),
        Err(Error::State { problem: Problem::OtherPack { .. }, .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let state = Foreign::begin(&args.state, &file)?;
    let of_pack = super::pack_head(&file, &pack)?;
    let known = chosen(args, &state)?;
    refuse_classes(args, &state, &known, of_pack.as_ref(), &pack)?;
    let mut cache = state.features(known.ids(), pack, args.compute.with(None))?;

    let training = Instant::now();
    let problem = |problem| state.refuse(problem);
    let step = harm::between(&known, &cache, Choice::of(state.head.learner())).map_err(problem)?;
    for name in of_pack.iter().flat_map(Head::labels) {
        let too_many = || state.refuse(Problem::TooManyClasses { limit: MAX_CLASSES });
        cache.class(name).ok_or_else(too_many)?;
    }
    cache.sort();
    let digest = pack.backbone_digest();
    let record =
        training::train_as(&state.head, &cache, of_pack.as_ref(), digest).map_err(problem)?;
    let training_seconds = training.elapsed().as_secs_f64();
    let worse = step.filter(|step| !args.force && step.is_worse());
    let rejected = worse.map(|step| reason(&step));
    match &rejected {
        Some(reason) => state.lock.reject(&Commit::new(0, reason, &cache, &record), &digest)?,
        None => {
            state.lock.adopt(&cache, &digest, &record, "adopt")?;
            // Behind the commit: until then the old pack must be able to answer. Whatever uses the new one next would
            // store it first.
            file.raise_counter(counter, &state.lock)?;
        }
    }
    let head = Head::parse(&args.state, &record, &digest)?;
    let report = Adopted {
        same_backbone: false,
        samples: cache.len(),
        missing_samples: state.cache.len() - cache.len(),
        seconds: start.elapsed().as_secs_f64(),
        training_seconds,
        held_out_accuracy: head.held_out_accuracy(),
        learner: head.learner().name(),
        classes: classes::of(&head),
        head_bytes: record.len(),
        known_samples: step.map(|step| Known {
            held_out: step.held_out,
            right_before: step.before,
            right_after: step.after,
            loss: step.loss,
            standard_error: step.error,
        }),
        rejected,
    };
    drop(state);
    output::print(&report, args.common.json)?;
    Ok(ExitCode::from(u8::from(report.rejected.is_some())))
}

/// The samples that are learned again, with the features of before: all of them, or with `--force` those that are kept.
fn chosen(args: &Adopt, state: &Foreign<'_>) -> Result<FeatureCache, Error> {
    let missing: Vec<SampleId> =
        state.cache.ids().iter().filter(|id| !state.kept.contains_key(*id)).copied().collect();
    let (kept, of) = (state.kept.len(), state.cache.len());
    if kept == 0 {
        return Err(state.refuse(Problem::NoneKept(of)));
    }
    if !missing.is_empty() && !args.force {
        let missing = missing.len();
        return Err(state.refuse(Problem::NotAllKept { kept, missing, of }));
    }
    let mut known = state.cache.clone();
    known.forget_samples(&missing);
    known.drop_empty_classes(&[]);
    Ok(known)
}

/// Refuses a head that would know fewer classes than before, one class only, or more than the pack plans for.
fn refuse_classes(
    args: &Adopt,
    state: &Foreign<'_>,
    known: &FeatureCache,
    of_pack: Option<&Head>,
    pack: &Pack<'_>,
) -> Result<(), Error> {
    let of_pack = of_pack.map_or(&[][..], Head::labels);
    let stays = |name: &&String| known.classes().contains(name) || of_pack.contains(name);
    let lost: Vec<&str> =
        state.head.labels().iter().filter(|name| !stays(name)).map(String::as_str).collect();
    if !lost.is_empty() && !args.force {
        return Err(state.refuse(Problem::ClassesLost(lost.join(", "))));
    }
    let new = of_pack.iter().filter(|name| !known.classes().contains(name)).count();
    let (found, limit) = (known.classes().len() + new, pack.plan().max_classes as usize);
    match found {
        ..2 => Err(state.refuse(Problem::OneClassLeft)),
        found if found > limit => Err(state.refuse(Problem::UnplannedClasses { found, limit })),
        _ => Ok(()),
    }
}

fn reason(step: &Adoption) -> String {
    format!(
        "the new backbone tells the samples apart worse; of {} that were held out, {} were answered rightly with the old features and {} with the new ones: go on with the old pack, or add --force",
        step.held_out, step.before, step.after
    )
}

impl Report for Same {
    fn text(&self) -> String {
        "The pack has the backbone that the state was learned with: nothing needs to be done, and it can be used at once."
            .to_owned()
    }
}

impl Report for Adopted {
    fn text(&self) -> String {
        if let Some(reason) = &self.rejected {
            return output::rejection(reason);
        }
        let mut samples = output::thousands(self.samples);
        if self.missing_samples > 0 {
            samples += &format!(
                " ({} of which no copy was kept are forgotten)",
                output::thousands(self.missing_samples)
            );
        }
        let known = self.known_samples.as_ref().map_or_else(
            || "–".to_owned(),
            |known| {
                format!(
                    "{} before, {} after, of {}",
                    known.right_before, known.right_after, known.held_out
                )
            },
        );
        let facts = [
            ("samples", samples),
            ("learner", self.learner.to_owned()),
            ("held-out accuracy", output::percent(self.held_out_accuracy)),
            ("held out and right", known),
            ("head", format!("{} bytes", output::thousands(self.head_bytes))),
            (
                "time",
                format!("{:.1} s, training {:.1} s of it", self.seconds, self.training_seconds),
            ),
        ];
        let classes = classes::table(&self.classes, "samples");
        format!("The new pack answers now.\n\n{}\n\n{classes}", output::facts(facts))
    }
}
