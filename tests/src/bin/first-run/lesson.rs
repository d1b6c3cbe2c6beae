//! The main job: pack, learn, evaluate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::Task;
use crate::commands::Workshop;

/// Pictures of each class to learn from.
pub(crate) const TRAIN_PER_CLASS: usize = 20;
/// Pictures of each class to test on; never learned from.
pub(crate) const TEST_PER_CLASS: usize = 30;

/// What the test pictures said after a lesson.
pub(crate) struct Stage {
    /// For tables and charts.
    pub(crate) what: String,
    /// Right answers, 0…1.
    pub(crate) accuracy: f64,
    /// `confusion[actual][answered]`, and a last column for "unknown" if there is one.
    pub(crate) confusion: Vec<Vec<u64>>,
    /// The length of `learn`, features included; zero before any lesson.
    pub(crate) learn_time: Duration,
}

/// Everything that the report shows.
pub(crate) struct Outcome {
    /// Names in the order of the confusion matrices.
    pub(crate) classes: Vec<String>,
    /// From the blind guess to the last lesson.
    pub(crate) stages: Vec<Stage>,
    /// One for each freeze point, in the order of packing.
    pub(crate) packs: Vec<PackFigures>,
    /// Bytes of the ONNX file.
    pub(crate) model_bytes: u64,
    /// Test pictures in all.
    pub(crate) test_samples: u64,
}

/// Sizes and times of a pack.
pub(crate) struct PackFigures {
    /// For tables.
    pub(crate) what: &'static str,
    /// How long `headstart pack` took.
    pub(crate) pack_time: Duration,
    /// What `headstart-edge bench --json` printed.
    pub(crate) bench: Value,
}

/// A pack, the state that was learned on it, and the task's pictures, as paths to type.
struct Desk<'a> {
    workshop: &'a Workshop,
    pack: String,
    state: String,
    train: String,
    test: String,
}

/// Runs the whole job and shows each command.
///
/// # Errors
/// The command that failed, or a report that lacks an agreed key.
pub(crate) fn run(workshop: &Workshop, task: &Task) -> Result<Outcome> {
    let model = workshop.shown(&task.model);
    let mut packs = Vec::new();

    workshop.heading(&format!("Pack {}", task.network));
    let desk = Desk::new(workshop, task, "classifier")?;
    let calibrate = ["--calib", &desk.train, "--preprocess", task.preprocess];
    let pack_time = desk.pack(&model, &calibrate, &[])?;

    workshop.heading(&format!(
        "Learn from {} a class: {}",
        pictures(task.first_lesson),
        task.pictures
    ));
    let limit = task.first_lesson.to_string();
    let learn_time = desk.learn(&["--limit", &limit])?;
    let first =
        desk.eval(format!("after {} a class", pictures(task.first_lesson)), learn_time, true)?;

    workshop.heading(&format!("Learn from all {TRAIN_PER_CLASS}: what is known already stays"));
    let learn_time = desk.learn(&[])?;
    let second =
        desk.eval(format!("after {} a class", pictures(TRAIN_PER_CLASS)), learn_time, true)?;
    packs.push(PackFigures { what: "frozen at the classifier", pack_time, bench: desk.bench()? });

    workshop.heading("Let the samples choose an earlier freeze point");
    let desk = Desk::new(workshop, task, "auto")?;
    let train = desk.train.clone();
    let pack_time = desk.pack(&model, &calibrate, &["--freeze", "auto", "--data", &train])?;
    let learn_time = desk.learn(&[])?;
    let third = desk.eval(
        format!("after {TRAIN_PER_CLASS} a class, with --freeze auto"),
        learn_time,
        false,
    )?;
    packs.push(PackFigures { what: "frozen by --freeze auto", pack_time, bench: desk.bench()? });

    let classes = first.classes.clone();
    let guess = Stage {
        what: "before: a blind guess".into(),
        accuracy: 1.0 / classes.len() as f64,
        confusion: Vec::new(),
        learn_time: Duration::ZERO,
    };
    Ok(Outcome {
        test_samples: first.samples,
        classes,
        stages: vec![guess, first.stage, second.stage, third.stage],
        packs,
        model_bytes: std::fs::metadata(&task.model).context(model)?.len(),
    })
}

fn pictures(count: usize) -> String {
    format!("{count} picture{}", if count == 1 { "" } else { "s" })
}

/// An evaluation, understood.
struct Evaluation {
    stage: Stage,
    classes: Vec<String>,
    samples: u64,
}

impl<'a> Desk<'a> {
    /// An empty state for a new pack `name`.
    fn new(workshop: &'a Workshop, task: &Task, name: &str) -> Result<Self> {
        let file = |ending: &str| -> PathBuf { workshop.folder().join(format!("{name}{ending}")) };
        let state = file("-state");
        workshop.clear(&state)?;
        let shown = |path: &Path| workshop.shown(path);
        Ok(Self {
            workshop,
            pack: shown(&file(".hspk")),
            state: shown(&state),
            train: shown(&task.data.join("train")),
            test: shown(&task.data.join("test")),
        })
    }

    fn pack(&self, model: &str, calibrate: &[&str], freeze: &[&str]) -> Result<Duration> {
        let arguments = [&["pack", model], calibrate, freeze, &["-o", &self.pack]].concat();
        self.workshop.tool("headstart", &arguments)
    }

    fn learn(&self, options: &[&str]) -> Result<Duration> {
        let arguments = ["learn", &self.pack, "--data", &self.train, "--state", &self.state];
        self.workshop.tool("headstart-edge", &[&arguments, options].concat())
    }

    /// `brief`: the numbers only, no tables.
    fn eval(&self, what: String, learn_time: Duration, brief: bool) -> Result<Evaluation> {
        let arguments = ["eval", &self.pack, "--state", &self.state, "--data", &self.test];
        // Each evaluation runs all the pictures through the backbone: only the last one is worth doing twice.
        let report = if brief {
            self.workshop.report("headstart-edge", &arguments)?
        } else {
            self.workshop.tool("headstart-edge", &arguments)?;
            self.workshop.unseen_report("headstart-edge", &arguments)?
        };
        evaluation(&report, what, learn_time).context("headstart-edge eval --json lacks a key")
    }

    fn bench(&self) -> Result<Value> {
        self.workshop.report("headstart-edge", &["bench", &self.pack, "--state", &self.state])
    }
}

fn evaluation(report: &Value, what: String, learn_time: Duration) -> Option<Evaluation> {
    let names = report["classes"].as_array()?.iter();
    let classes =
        names.map(|class| Some(class["name"].as_str()?.to_owned())).collect::<Option<_>>()?;
    let rows = report["confusion"].as_array()?.iter();
    let confusion = rows
        .map(|row| row.as_array()?.iter().map(Value::as_u64).collect())
        .collect::<Option<_>>()?;
    Some(Evaluation {
        stage: Stage { what, accuracy: report["accuracy"].as_f64()?, confusion, learn_time },
        classes,
        samples: report["samples"].as_u64()?,
    })
}
