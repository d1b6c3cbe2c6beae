//! Heads on features that are ready, without a pack: what `headstart.sklearn` trains on arrays.

use std::path::Path;

use headstart_device::state::FeatureCache;
use headstart_device::training::{self, Choice};
use headstart_device::{Error, Head, Learning};
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{of_caller, of_device};
use crate::{keywords, watch};

/// Heads without a pack belong to no backbone.
const NO_BACKBONE: [u8; 32] = [0; 32];

/// A head on int8 features, without a pack.
#[pyclass(frozen, module = "headstart._native")]
pub(crate) struct FeatureHead {
    record: Vec<u8>,
    head: Head,
}

fn parsed(py: Python<'_>, record: Vec<u8>) -> PyResult<FeatureHead> {
    let head = Head::parse(Path::new("the head"), &record, &NO_BACKBONE);
    Ok(FeatureHead { head: head.map_err(|error| of_device(py, &error))?, record })
}

#[pymethods]
impl FeatureHead {
    /// Trains a head: int8 `[samples, features]`, int64 `[samples]` classes from 0 to `classes` - 1, each of which some sample has.
    #[staticmethod]
    fn train(
        py: Python<'_>,
        features: PyReadonlyArray2<'_, i8>,
        labels: PyReadonlyArray1<'_, i64>,
        classes: usize,
        learner: &str,
        threads: usize,
    ) -> PyResult<Self> {
        let refuse = |message: String| of_caller(py, message);
        let choice = match keywords::learning(learner).map_err(refuse)? {
            Learning::Named(learner) => Choice::of(learner),
            _ => Choice::auto(),
        };
        let (rows, labels) = (features.as_slice()?, labels.as_slice()?);
        let [samples, width] = [features.shape()[0], features.shape()[1]];
        if samples != labels.len() || width == 0 {
            return Err(refuse(format!("{samples} rows of features and {} labels", labels.len())));
        }
        let train = |_: &watch::Watch| {
            let mut cache = FeatureCache::new(width);
            for class in 0..classes {
                // Past the limit the labels below are refused.
                let _ = cache.class(&class.to_string());
            }
            for (at, (row, label)) in rows.chunks_exact(width).zip(labels).enumerate() {
                let label = u16::try_from(*label).ok();
                let label = label.filter(|label| usize::from(*label) < cache.classes().len());
                let label =
                    label.ok_or_else(|| format!("sample {at} has a class past the last"))?;
                // Samples are told apart by their place: rows that are the same are several samples.
                let mut id = [0; 16];
                id[8..].copy_from_slice(&(at as u64).to_be_bytes());
                cache.insert(id, label, row);
            }
            let work = || training::train(&cache, None, choice, NO_BACKBONE);
            headstart::head::pooled::on_threads(threads, work).map_err(|error| error.to_string())
        };
        parsed(py, watch::watched(py, None, train)?.map_err(refuse)?)
    }

    /// The head whose record this is.
    #[staticmethod]
    fn from_record(py: Python<'_>, record: &[u8]) -> PyResult<Self> {
        parsed(py, record.to_vec())
    }

    /// The head's record.
    fn record<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.record)
    }

    /// The learner of the head.
    #[getter]
    fn learner(&self) -> &'static str {
        self.head.learner().name()
    }

    /// A best probability below this means "unknown".
    #[getter]
    fn unknown_threshold(&self) -> f32 {
        self.head.unknown_threshold()
    }

    /// The probability of each class, float32 `[samples, classes]`, of int8 features `[samples, features]`.
    fn probabilities<'py>(
        &self,
        py: Python<'py>,
        features: PyReadonlyArray2<'py, i8>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let rows = features.as_slice()?;
        let [samples, width] = [features.shape()[0], features.shape()[1]];
        let head = &self.head;
        let all = py.detach(|| {
            let each = rows.chunks_exact(width.max(1)).map(|row| head.probabilities(row));
            each.collect::<Result<Vec<_>, _>>()
        });
        let all = all.map_err(|problem| {
            of_device(py, &Error::Pack { path: "the features".into(), problem })
        })?;
        PyArray1::from_vec(py, all.concat()).reshape([samples, head.labels().len()])
    }
}
