//! The host tools as Python functions: packing, looking at models and packs, exporting.

use std::path::PathBuf;

use headstart::pack::{Filter, TailStorage};
use headstart_tools::quantise::plan::Aim;
use headstart_tools::tasks::{self, Error, PackOptions, PreprocessOptions, Sampling, Tail, Task};
use pyo3::prelude::*;
use pythonize::{depythonize, pythonize};
use serde::Deserialize;
use serde_json::Value;

use crate::errors::{of_caller, of_tools};
use crate::watch::{Watch, watched};

/// Keywords of `pack` as they come; what is not given is as the library has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keywords {
    calib: Option<PathBuf>,
    calib_limit: Option<u32>,
    freeze: Option<String>,
    train: Vec<String>,
    task: Option<String>,
    classes: Option<u32>,
    decoder: Option<u16>,
    stride: Option<u16>,
    decoder_seed: Option<u64>,
    input_size: Option<[usize; 2]>,
    tail: Option<String>,
    tail_storage: Option<String>,
    pool: Option<u8>,
    data: Option<PathBuf>,
    limit: Option<u32>,
    seed: u64,
    skip_bad: bool,
    max_head: Option<u64>,
    max_macs: Option<u64>,
    preprocess: Option<String>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    resize: Option<u32>,
    resize_filter: Option<String>,
    head: Option<String>,
    labels: Option<PathBuf>,
    sign: Option<PathBuf>,
    family: Option<String>,
    counter: u64,
    max_classes: Option<u32>,
    board: Option<String>,
    arena: Option<String>,
}

/// The value of a word; the usual one where none is given.
fn word<T: Copy>(
    setting: &str,
    found: Option<&str>,
    usual: T,
    words: &[(&str, T)],
) -> Result<T, String> {
    let Some(found) = found else { return Ok(usual) };
    let known = words.iter().find(|(word, _)| *word == found);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        format!("{setting} is {found:?}, and {} is allowed", names.join(" or "))
    })
}

impl Keywords {
    fn options(self) -> Result<PackOptions, String> {
        let usual = PackOptions::default();
        let filters = [
            ("pil-bilinear", Some(Filter::PilBilinear)),
            ("pil-bicubic", Some(Filter::PilBicubic)),
            ("opencv-bilinear", Some(Filter::OpenCvBilinear)),
            ("opencv-bicubic", Some(Filter::OpenCvBicubic)),
            ("opencv-area", Some(Filter::OpenCvArea)),
        ];
        let tasks =
            [("classification", Task::Classification), ("segmentation", Task::Segmentation)];
        let storages = [("f16", TailStorage::F16), ("f32", TailStorage::F32)];
        let sampling = Sampling { limit: self.limit, seed: self.seed, skip_bad: self.skip_bad };
        Ok(PackOptions {
            calib: self.calib,
            calib_limit: self.calib_limit.unwrap_or(usual.calib_limit),
            freeze: self.freeze.unwrap_or(usual.freeze),
            train: self.train,
            task: word("task", self.task.as_deref(), usual.task, &tasks)?,
            classes: self.classes,
            decoder: self.decoder.unwrap_or(usual.decoder),
            stride: self.stride.unwrap_or(usual.stride),
            decoder_seed: self.decoder_seed.unwrap_or(usual.decoder_seed),
            input_size: self.input_size,
            tail: word(
                "tail",
                self.tail.as_deref(),
                usual.tail,
                &[("drop", Tail::Drop), ("keep", Tail::Keep)],
            )?,
            tail_storage: word(
                "tail_storage",
                self.tail_storage.as_deref(),
                usual.tail_storage,
                &storages,
            )?,
            pool: self.pool,
            data: self.data,
            sampling,
            max_head: self.max_head,
            max_macs: self.max_macs,
            preprocess: PreprocessOptions {
                preprocess: self.preprocess,
                mean: self.mean,
                std: self.std,
                resize: self.resize,
                filter: word("resize_filter", self.resize_filter.as_deref(), None, &filters)?,
            },
            head: self.head.unwrap_or(usual.head),
            labels: self.labels,
            sign: self.sign,
            family: self.family,
            counter: self.counter,
            max_classes: self.max_classes,
            board: self.board,
            arena: word(
                "arena",
                self.arena.as_deref(),
                usual.arena,
                &[("speed", Aim::Speed), ("size", Aim::Size)],
            )?,
        })
    }
}

/// Does something that takes long, and gives its report.
fn long<'py>(
    py: Python<'py>,
    tell: Option<Py<PyAny>>,
    work: impl FnOnce(&Watch) -> Result<Value, Error> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let done = watched(py, tell, work)?;
    Ok(pythonize(py, &done.map_err(|error| of_tools(py, &error))?)?)
}

/// Freezes, calibrates and quantises a model into a pack.
#[pyfunction]
pub(crate) fn pack<'py>(
    py: Python<'py>,
    model: PathBuf,
    output: PathBuf,
    keywords: &Bound<'py, PyAny>,
    tell: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let given: Keywords =
        depythonize(keywords).map_err(|error| of_caller(py, error.to_string()))?;
    let options = given.options().map_err(|message| of_caller(py, message))?;
    long(py, tell, |watch| {
        tasks::pack::pack(&model, &output, &options, watch).map(|packed| packed.summary)
    })
}

/// Lists a model's layers and where it could be frozen.
#[pyfunction]
pub(crate) fn inspect(
    py: Python<'_>,
    model: PathBuf,
    input_size: Option<[usize; 2]>,
) -> PyResult<Bound<'_, PyAny>> {
    long(py, None, |_| tasks::inspect::inspect(&model, input_size).map(|found| found.summary))
}

/// Says what a pack holds.
#[pyfunction]
pub(crate) fn info(py: Python<'_>, pack: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    long(py, None, |_| tasks::info::info(&pack))
}

/// Checks every byte of a pack, and who signed it.
#[pyfunction]
pub(crate) fn verify(
    py: Python<'_>,
    pack: PathBuf,
    keys: Vec<PathBuf>,
    family: Option<String>,
    least_counter: u64,
) -> PyResult<Bound<'_, PyAny>> {
    long(py, None, |_| {
        let found = tasks::info::verify(&pack, &keys, family.as_deref(), least_counter);
        found.map(|found| found.summary)
    })
}

/// Shows what quantisation cost.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python's caller names each of them")]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    pack: PathBuf,
    model: PathBuf,
    data: PathBuf,
    limit: Option<u32>,
    seed: u64,
    skip_bad: bool,
    tell: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let sampling = Sampling { limit, seed, skip_bad };
    long(py, tell, |watch| {
        let found = tasks::compare::compare(&pack, &model, &data, sampling, watch);
        found.map(|found| found.summary)
    })
}

/// Writes the personalised model as one float ONNX file.
#[pyfunction]
pub(crate) fn export(
    py: Python<'_>,
    pack: PathBuf,
    model: PathBuf,
    output: PathBuf,
    state: Option<PathBuf>,
) -> PyResult<Bound<'_, PyAny>> {
    long(py, None, |_| {
        let written = tasks::export::export(&pack, &model, state.as_deref(), &output);
        written.map(|written| written.summary)
    })
}
