//! Calls by name, each one method of the device.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use headstart::kernels::Kernels;
use headstart_device::samples::{SampleId, id_from_hex};
use headstart_device::state::StateProblem;
use headstart_device::{Error, Event, LearnOptions, Learner, Learning, Observer, Outcome, files};
use serde::{Deserialize, Serialize};

use crate::device::{open, with};
use crate::said::{Refusal, Reply, json};

/// What is asked for: `{"call": "learn", "folder": "data"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Call {
    /// Opens the pack at `model.hspk` with what is in `state`, and says what they are.
    Open {},
    /// Says what the pack and the state are.
    Status {},
    /// Learns the pictures of a folder that has one folder a class, in the order of their names.
    Learn {
        folder: PathBuf,
        #[serde(default)]
        options: Options,
    },
    /// Counts right answers to the pictures of such a folder.
    Evaluate { folder: PathBuf },
    /// Forgets classes and samples, or everything.
    Forget {
        #[serde(default)]
        classes: Vec<String>,
        #[serde(default)]
        samples: Vec<String>,
        #[serde(default)]
        all: bool,
    },
    /// Gives a class another name.
    Rename { class: String, to: String },
    /// Says that samples show another class.
    Relabel { samples: Vec<String>, class: String },
    /// Goes back to an earlier commit.
    Rollback { to: Option<u32> },
    /// Lists the samples, those that its own head doubts first.
    Samples {
        class: Option<String>,
        #[serde(default)]
        doubtful: bool,
    },
    /// Lists the commits.
    History {},
    /// Counts which class each sample is taken for.
    Confusion {},
    /// Lists the files below a folder, sorted.
    List { folder: PathBuf },
    /// Removes a file, or a folder with all that is in it; what is not there is gone already.
    Remove { path: PathBuf },
}

/// How to learn: the options of the command, by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    learner: Option<String>,
    views: Option<usize>,
    false_accepts: Option<f32>,
    half: Option<bool>,
    max_bytes: Option<u64>,
    keep_samples: bool,
    force: bool,
}

impl Options {
    fn options(self) -> Result<LearnOptions<'static>, Refusal> {
        let named = |name: String| {
            Ok(match name.as_str() {
                "auto" => Learning::Auto,
                "sgd" => Learning::Named(Learner::Sgd),
                "ridge" => Learning::Named(Learner::Ridge),
                "imprint" => Learning::Named(Learner::Imprint),
                "lda" => Learning::Named(Learner::Lda),
                _ => return Err(Refusal::caller("learner is auto, sgd, ridge, imprint or lda")),
            })
        };
        Ok(LearnOptions {
            learner: self.learner.map(named).transpose()?,
            views: self.views,
            false_accepts: self.false_accepts,
            half: self.half,
            max_bytes: self.max_bytes,
            keep_samples: self.keep_samples,
            force: self.force,
            ..LearnOptions::default()
        })
    }
}

/// Tells the loader of long work.
#[derive(Default)]
struct Steps {
    done: AtomicU32,
    all: AtomicU32,
}

impl Observer for Steps {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Begun { steps, .. } => {
                self.done.store(0, Ordering::Relaxed);
                self.all.store(u32::try_from(steps).unwrap_or(u32::MAX), Ordering::Relaxed);
            }
            Event::Stepped(_) => {
                self.done.fetch_add(1, Ordering::Relaxed);
            }
            _ => return,
        }
        told(self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed));
    }
}

#[cfg(target_family = "wasm")]
fn told(done: u32, all: u32) {
    #[link(wasm_import_module = "headstart")]
    unsafe extern "C" {
        safe fn step(done: u32, all: u32);
    }
    step(done, all);
}

#[cfg(not(target_family = "wasm"))]
fn told(_done: u32, _all: u32) {}

/// Whether what was learned answers from now on, and its report.
#[derive(Serialize)]
struct Learned<R> {
    committed: bool,
    report: R,
}

#[derive(Serialize)]
struct Opened<'a, S> {
    /// Rows, columns and channels of the model's input.
    input: [usize; 3],
    /// Whether it answers a class for each place of a picture.
    per_place: bool,
    kernels: &'a str,
    /// `null` where nothing was learned yet, and the pack ships no head.
    status: Option<S>,
}

fn ids(samples: &[String]) -> Result<Vec<SampleId>, Refusal> {
    let id = |text: &String| {
        id_from_hex(text).ok_or_else(|| Refusal::caller(format!("{text:?} is no sample's name")))
    };
    samples.iter().map(id).collect()
}

/// See [`call`](crate::call).
pub(crate) fn answer(asked: &[u8]) -> Reply {
    let asked: Call = serde_json::from_slice(asked)
        .map_err(|error| Refusal::caller(format!("the call is not understood: {error}")))?;
    let steps = Steps::default();
    match asked {
        Call::Open {} => {
            open()?;
            status()
        }
        Call::Status {} => status(),
        Call::Learn { folder, options } => with(|device| {
            let samples = device.read(&folder, None)?;
            let outcome = device.learn(&samples, &options.options()?, &steps)?;
            let committed = matches!(outcome, Outcome::Committed(_));
            json(&Learned { committed, report: outcome.into_report() })
        }),
        Call::Evaluate { folder } => {
            with(|device| json(&device.evaluate(&device.read(&folder, None)?, &steps)?))
        }
        Call::Forget { all: true, .. } => with(|device| json(&device.forget_all()?)),
        Call::Forget { classes, samples, .. } => {
            with(|device| json(&device.forget(&classes, &ids(&samples)?)?))
        }
        Call::Rename { class, to } => with(|device| json(&device.rename(&class, &to)?)),
        Call::Relabel { samples, class } => {
            with(|device| json(&device.relabel(&ids(&samples)?, &class)?))
        }
        Call::Rollback { to } => with(|device| json(&device.rollback(to, &steps)?)),
        Call::Samples { class, doubtful } => {
            with(|device| json(&device.samples(class.as_deref(), doubtful)?))
        }
        Call::History {} => with(|device| json(&device.history()?)),
        Call::Confusion {} => with(|device| json(&device.confusion()?)),
        Call::List { folder } => json(&list(&folder)?),
        Call::Remove { path } => {
            remove(&path)?;
            json(&())
        }
    }
}

fn status() -> Reply {
    with(|device| {
        let input = device.input();
        let status = match device.status() {
            Err(Error::State { problem: StateProblem::NoHead, .. }) => None,
            status => Some(status?),
        };
        json(&Opened {
            input: [input.height, input.width, input.channels],
            per_place: device.is_per_place(),
            kernels: Kernels::best().isa().name(),
            status,
        })
    })
}

/// Paths of the files below a folder, sorted; none where there is no folder.
fn list(folder: &Path) -> Result<Vec<String>, Refusal> {
    let mut found = Vec::new();
    let Ok(entries) = files::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let path = entry.map_err(|error| Refusal::of_file(folder, &error))?.path();
        if files::metadata(&path).is_ok_and(|there| there.is_dir()) {
            found.extend(list(&path)?);
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

fn remove(path: &Path) -> Result<(), Refusal> {
    let Ok(there) = files::metadata(path) else { return Ok(()) };
    let failed = |error| Refusal::of_file(path, &error);
    if !there.is_dir() {
        return files::remove_file(path).map_err(failed);
    }
    let below: Vec<_> = files::read_dir(path).map_err(failed)?.flatten().collect();
    for entry in below {
        remove(&entry.path())?;
    }
    files::remove_dir(path).map_err(failed)
}
