//! A device for Python: a pack and a state, opened together.

use std::path::{Path, PathBuf};

use headstart::kernels::{Isa, Kernels};
use headstart_device::samples::{SampleId, hex};
use headstart_device::segmentation::Mask;
use headstart_device::{
    AdoptOutcome, BenchOptions, DeviceOptions, Error, Labelled, Learned, Most, Outcome, Sample,
    WithBars,
};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use pythonize::pythonize;
use serde::Serialize;

use crate::answers;
use crate::errors::{of_caller, of_device, of_input};
use crate::keywords;
use crate::samples::Held;
use crate::watch::{Watch, watched};

/// A pack and what was learned with it.
#[pyclass(frozen, module = "headstart._native")]
pub(crate) struct Device {
    device: headstart_device::Device,
}

/// A callback that is told of progress, or none.
type Tell = Option<Py<PyAny>>;

fn report<'py>(py: Python<'py>, report: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    Ok(pythonize(py, report)?)
}

impl Device {
    /// Does something that takes long, and gives its report.
    fn long<'py, R: Serialize + Send>(
        &self,
        py: Python<'py>,
        tell: Tell,
        work: impl FnOnce(&headstart_device::Device, &Watch) -> Result<R, Error> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let done = watched(py, tell, |watch| work(&self.device, watch))?;
        report(py, &done.map_err(|error| of_device(py, &error))?)
    }

    /// Samples that are borrowed from Python.
    fn held<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Held<'py>> {
        Held::of(object, &self.device.input())
    }

    /// Samples with what they show: a folder, or a list of samples and one of names or masks.
    fn labelled<'a>(&self, py: Python<'_>, given: &'a Given<'_>) -> PyResult<Labelled<'a>> {
        match given {
            Given::Folder { path, most, skip_bad } => {
                let read = py.detach(|| self.device.read(path, *most));
                let read = read.map_err(|error| of_device(py, &error))?;
                Ok(read.skipping_bad(*skip_bad))
            }
            Given::Each { held, labels, origin, skip_bad } => {
                let samples = held.samples()?;
                if samples.len() != labels.len() {
                    return Err(of_caller(
                        py,
                        format!("there are {} samples and {} labels", samples.len(), labels.len()),
                    ));
                }
                let mut all = origin.as_ref().map_or_else(Labelled::new, Labelled::from_place);
                for (sample, label) in samples.into_iter().zip(labels) {
                    match label {
                        Label::Class(name) => all.add(sample, name),
                        Label::Mask(mask) => all.add_mask(sample, mask.clone()),
                    };
                }
                Ok(all.skipping_bad(*skip_bad))
            }
        }
    }

    fn given<'py>(&self, given: &Bound<'py, PyDict>) -> PyResult<Given<'py>> {
        let item =
            |name: &str| given.get_item(name).map(|item| item.filter(|item| !item.is_none()));
        let skip_bad = item("skip_bad")?.map_or(Ok(false), |item| item.extract())?;
        if let Some(folder) = item("folder")? {
            let seed = item("seed")?.map_or(Ok(0), |item| item.extract())?;
            let limit: Option<usize> = item("limit")?.map(|item| item.extract()).transpose()?;
            let most = limit.map(|count| Most { count, seed });
            return Ok(Given::Folder { path: folder.extract()?, most, skip_bad });
        }
        let (Some(samples), Some(labels)) = (item("samples")?, item("labels")?) else {
            return Err(of_caller(given.py(), "there are no labels: give one for each sample"));
        };
        let labels = labels.cast_into::<PyList>()?;
        let labels = labels.iter().map(|label| Label::of(&label)).collect::<PyResult<_>>()?;
        let origin = item("origin")?.map(|item| item.extract()).transpose()?;
        Ok(Given::Each { held: self.held(&samples)?, labels, origin, skip_bad })
    }

    fn ids(&self, py: Python<'_>, samples: &[PathBuf]) -> PyResult<Vec<SampleId>> {
        let named = samples.iter().map(|sample| self.device.named(sample));
        named.collect::<Result<_, _>>().map_err(|error| of_device(py, &error))
    }
}

/// Labelled samples as Python gives them, to learn or to measure.
enum Given<'py> {
    /// A folder as the command line takes it.
    Folder { path: PathBuf, most: Option<Most>, skip_bad: bool },
    /// Samples with a label each.
    Each { held: Held<'py>, labels: Vec<Label>, origin: Option<PathBuf>, skip_bad: bool },
}

enum Label {
    Class(String),
    Mask(Mask),
}

impl Label {
    fn of(label: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(mask) = label.extract::<PyReadonlyArray2<'_, u8>>() {
            let [height, width] = [mask.shape()[0], mask.shape()[1]];
            return Ok(Self::Mask(Mask::new(height, width, mask.as_slice()?.to_vec())));
        }
        label.extract().map(Self::Class).map_err(|_| {
            of_input(
                label.py(),
                "a label is neither a class's name nor a uint8 mask [height, width]",
            )
        })
    }
}

/// The report of a lesson, with whether its head answers from now on.
#[derive(Serialize)]
struct Committed<R> {
    committed: bool,
    #[serde(flatten)]
    report: R,
}

impl<R> From<Outcome<R>> for Committed<R> {
    fn from(outcome: Outcome<R>) -> Self {
        let committed = matches!(outcome, Outcome::Committed(_));
        Self { committed, report: outcome.into_report() }
    }
}

/// Options with the keys whose packs are used.
#[cfg(feature = "signature")]
fn trusting(
    _: Python<'_>,
    options: DeviceOptions,
    keys: &[[u8; 32]],
    family: &str,
) -> PyResult<DeviceOptions> {
    Ok(options.trust(keys, family))
}

/// Nothing verifies signatures here, and a device must not act as if something did.
#[cfg(not(feature = "signature"))]
fn trusting(py: Python<'_>, _: DeviceOptions, _: &[[u8; 32]], _: &str) -> PyResult<DeviceOptions> {
    Err(of_caller(
        py,
        "this module was built without signatures: install the wheel, or give no keys",
    ))
}

/// The answers of all, or the errors of all that have one.
fn all_of<T>(answers: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    let (mut found, mut bad) = (Vec::with_capacity(answers.len()), Vec::new());
    for answer in answers {
        match answer {
            Ok(answer) => found.push(answer),
            Err(error) => bad.push(error),
        }
    }
    match bad.len() {
        0 => Ok(found),
        1 => Err(bad.swap_remove(0)),
        _ => Err(Error::Samples(bad)),
    }
}

#[pymethods]
impl Device {
    #[new]
    fn new(
        py: Python<'_>,
        pack: PathBuf,
        state: Option<PathBuf>,
        threads: Option<usize>,
        isa: Option<&str>,
        trust: Option<(Vec<[u8; 32]>, String)>,
    ) -> PyResult<Self> {
        let mut options = headstart_device::Device::options();
        if let Some(state) = state {
            options = options.state(state);
        }
        if let Some(threads) = threads {
            options = options.threads(threads);
        }
        if let Some(name) = isa {
            let isa: Isa = name.parse().map_err(|error: headstart::kernels::UnknownIsa| {
                of_caller(py, error.to_string())
            })?;
            let kernels = Kernels::new(isa);
            let missing = || of_caller(py, format!("this CPU does not run {isa}"));
            options = options.kernels(kernels.ok_or_else(missing)?);
        }
        if let Some((keys, family)) = trust {
            options = trusting(py, options, &keys, &family)?;
        }
        let device = py.detach(|| options.open(pack)).map_err(|error| of_device(py, &error))?;
        Ok(Self { device })
    }

    #[getter]
    fn pack(&self) -> &Path {
        self.device.pack_file().path()
    }

    #[getter]
    fn state(&self) -> Option<&Path> {
        self.device.state()
    }

    /// The model's own form, without a batch axis.
    #[getter]
    fn input_shape(&self) -> (usize, usize, usize) {
        self.device.input().axes().into()
    }

    #[getter]
    fn feature_count(&self) -> usize {
        self.device.pack().feature_len()
    }

    #[getter]
    fn is_segmentation(&self) -> bool {
        self.device.is_per_place()
    }

    #[getter]
    fn classes(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let head = py.detach(|| self.device.head()).map_err(|error| of_device(py, &error))?;
        Ok(head.labels().to_vec())
    }

    fn learn<'py>(
        &self,
        py: Python<'py>,
        given: &Bound<'py, PyDict>,
        keywords: &Bound<'py, PyDict>,
        reports: Vec<PathBuf>,
        tell: Tell,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut options = keywords::learn(keywords.as_any())?;
        // What does not fit the pack is refused before any folder is listed.
        self.device.check(&options).map_err(|error| of_device(py, &error))?;
        let given = self.given(given)?;
        let samples = self.labelled(py, &given)?;
        for path in reports {
            let of_folder = Given::Folder { path, most: None, skip_bad: false };
            let Given::Folder { path, .. } = &of_folder else { continue };
            let read = self.device.read(path, None).map_err(|error| of_device(py, &error))?;
            options.reports.push(read);
        }
        self.long(py, tell, |device, watch| {
            device.learn(&samples, &options, watch).map(Committed::<Learned>::from)
        })
    }

    /// One answer, or a table of many.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        samples: &Bound<'py, PyAny>,
        tell: Tell,
    ) -> PyResult<Bound<'py, PyAny>> {
        let held = self.held(samples)?;
        let all = held.samples()?;
        let failed = |error: Error| of_device(py, &error);
        if let ([sample], true) = (&all[..], held.is_one) {
            let answer = py.detach(|| self.device.predict(sample)).map_err(failed)?;
            return Ok(answers::one(py, &answer)?.into_any());
        }
        let answers =
            watched(py, tell, |watch| self.device.predict_all_bars(&all, watch).and_then(all_of))?;
        let answers: Vec<WithBars> = answers.map_err(failed)?;
        if self.device.is_per_place() {
            let each = answers.iter().map(|(answer, _)| answers::one(py, answer));
            return Ok(PyList::new(py, each.collect::<PyResult<Vec<_>>>()?)?.into_any());
        }
        let classes = match answers.first() {
            Some((answer, _)) => answer.classes().to_vec(),
            None => self.device.head().map_err(failed)?.labels().to_vec(),
        };
        Ok(answers::table(py, &classes, answers)?.into_any())
    }

    /// The int8 features `[samples, features]`.
    fn features<'py>(
        &self,
        py: Python<'py>,
        samples: &Bound<'py, PyAny>,
        tell: Tell,
    ) -> PyResult<Bound<'py, PyArray2<i8>>> {
        let held = self.held(samples)?;
        let all = held.samples()?;
        let rows = watched(py, tell, |watch| {
            self.device.features(&all, watch).and_then(all_of).map(|rows| rows.concat())
        })?;
        let rows = rows.map_err(|error| of_device(py, &error))?;
        PyArray1::from_vec(py, rows).reshape([all.len(), self.device.pack().feature_len()])
    }

    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        given: &Bound<'py, PyDict>,
        tell: Tell,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given = self.given(given)?;
        let samples = self.labelled(py, &given)?;
        self.long(py, tell, |device, watch| device.evaluate(&samples, watch))
    }

    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.status())
    }

    fn samples<'py>(
        &self,
        py: Python<'py>,
        name: Option<&str>,
        doubtful: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.samples(name, doubtful))
    }

    fn confusion<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.confusion())
    }

    fn history<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.history())
    }

    fn name(&self, py: Python<'_>, sample: &Bound<'_, PyAny>) -> PyResult<String> {
        let held = self.held(sample)?;
        let all = held.samples()?;
        let [sample]: &[Sample<'_>] = &all else {
            return Err(of_caller(py, "one sample has a name, and a batch has none"));
        };
        let named = py.detach(|| self.device.name(sample));
        named.map(|id| hex(&id)).map_err(|error| of_device(py, &error))
    }

    fn forget<'py>(
        &self,
        py: Python<'py>,
        classes: Vec<String>,
        samples: Vec<PathBuf>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ids = self.ids(py, &samples)?;
        self.long(py, None, |device, _| device.forget(&classes, &ids))
    }

    fn forget_all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.forget_all())
    }

    fn rename<'py>(&self, py: Python<'py>, name: &str, to: &str) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.rename(name, to))
    }

    fn relabel<'py>(
        &self,
        py: Python<'py>,
        samples: Vec<PathBuf>,
        name: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ids = self.ids(py, &samples)?;
        self.long(py, None, |device, _| device.relabel(&ids, name))
    }

    fn merge<'py>(&self, py: Python<'py>, state: PathBuf) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.merge(&state))
    }

    fn rollback<'py>(
        &self,
        py: Python<'py>,
        to: Option<u32>,
        tell: Tell,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, tell, |device, watch| device.rollback(to, watch))
    }

    fn repair<'py>(&self, py: Python<'py>, force: bool, tell: Tell) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, tell, |device, watch| device.repair(force, watch))
    }

    fn adopt<'py>(&self, py: Python<'py>, force: bool, tell: Tell) -> PyResult<Bound<'py, PyAny>> {
        /// The report where nothing needs to be done.
        #[derive(Serialize)]
        struct Same {
            committed: bool,
            same_backbone: bool,
        }
        let adopted = watched(py, tell, |watch| self.device.adopt(force, watch))?;
        match adopted.map_err(|error| of_device(py, &error))? {
            AdoptOutcome::SameBackbone => {
                report(py, &Same { committed: false, same_backbone: true })
            }
            AdoptOutcome::Learned(outcome) => report(py, &Committed::from(outcome)),
        }
    }

    fn bench<'py>(&self, py: Python<'py>, layers: bool) -> PyResult<Bound<'py, PyAny>> {
        self.long(py, None, |device, _| device.bench(BenchOptions { layers }))
    }
}
