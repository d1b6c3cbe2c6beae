//! The project's main job in one command, on a machine that has Rust and, at best, Python 3 and a package registry.
//!
//! `cargo run --release -p headstart-tests --bin first-run [-- --offline]`
//!
//! Takes a pretrained network and pictures of ten new classes, packs, learns and evaluates with the
//! commands that a user would type, and leaves a table, a picture and `result.json` in `target/first-run`.

mod chart;
mod commands;
mod fetch;
mod lesson;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use commands::Workshop;
use fetch::Unavailable;

const HELP: &str = "\
Packs a pretrained network, teaches it ten new classes and shows what came of it.

usage: cargo run --release -p headstart-tests --bin first-run [-- --offline]

  --offline   fetch nothing: use the small model that the repository carries
  --help      print this";

fn main() -> ExitCode {
    let mut offline = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--offline" => offline = true,
            "--help" | "-h" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => {
                eprintln!("first-run: unknown argument {other:?}\n\n{HELP}");
                return ExitCode::from(1);
            }
        }
    }
    match run(offline) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("first-run: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(offline: bool) -> Result<()> {
    let start = Instant::now();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace folder")?;
    let workshop = Workshop::new(root.to_owned())?;

    workshop.heading("Build the two tools");
    workshop.build()?;

    let task = if offline {
        carried(&workshop, "--offline was asked for")?
    } else {
        workshop.heading("Fetch a pretrained network and pictures of a task that it does not know");
        match fetch::task(&workshop) {
            Ok(task) => task,
            Err(Unavailable::Registry(reason)) => carried(&workshop, &reason)?,
            Err(Unavailable::Broken(error)) => return Err(error),
        }
    };

    let outcome = lesson::run(&workshop, &task)?;
    let report = report::Report { task: &task, outcome: &outcome, whole_seconds: start.elapsed() };
    let picture = workshop.folder().join("result.png");
    chart::draw(&report, &picture).context("cannot draw the picture")?;
    report.save(workshop.folder())?;

    workshop.heading("What came of it");
    println!("{}", report.tables());
    for name in ["result.png", "result.md", "result.json"] {
        println!("{}", workshop.shown(&workshop.folder().join(name)));
    }
    Ok(())
}

/// What is learned, from which pictures, on top of which network.
pub(crate) struct Task {
    /// For headings: the network and where it comes from.
    pub(crate) network: String,
    /// For headings: the pictures.
    pub(crate) pictures: String,
    /// Why this is not the fetched network, if it is not.
    pub(crate) fallback: Option<String>,
    /// The ONNX file.
    pub(crate) model: PathBuf,
    /// The value of `headstart pack --preprocess`.
    pub(crate) preprocess: &'static str,
    /// Pictures of each class in the first, short lesson.
    pub(crate) first_lesson: usize,
    /// Holds `train/<class>/*.png` and `test/<class>/*.png`.
    pub(crate) data: PathBuf,
}

/// The task for machines without Python or a network: the carried model and icons that are drawn on the spot.
fn carried(workshop: &Workshop, reason: &str) -> Result<Task> {
    use headstart_tests::drawings::{icons, write_folder};

    println!(
        "Nothing is fetched: {reason}.\n\
         This run uses the small network that the repository carries (tests/carried-model/shapes.onnx).\n\
         The project trained it itself, on random line figures; now it shall learn icons that it never saw.\n"
    );
    let data = workshop.folder().join("icons");
    workshop.clear(&data)?;
    write_folder(&data.join("train"), &icons(), lesson::TRAIN_PER_CLASS, 1)?;
    write_folder(&data.join("test"), &icons(), lesson::TEST_PER_CLASS, 2)?;
    let shown = workshop.shown(&data);
    println!(
        "{shown}: {} icons, {} pictures each to learn from and {} to test on",
        icons().len(),
        lesson::TRAIN_PER_CLASS,
        lesson::TEST_PER_CLASS
    );
    Ok(Task {
        network: "the carried network, trained on random line figures".into(),
        pictures: "icons drawn by the project's own generator".into(),
        fallback: Some(reason.to_owned()),
        model: workshop.root().join("tests/carried-model/shapes.onnx"),
        preprocess: "tf",
        first_lesson: 1,
        data,
    })
}
