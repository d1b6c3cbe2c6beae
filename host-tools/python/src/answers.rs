//! Answers, one or many.

use headstart_device::{Prediction, WithBars};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyTuple};

/// One answer: `(best, probability, unknown, mask, shares)`, with a uint8 mask `[height, width]` and its classes' shares where the pack
/// answers that.
pub(crate) fn one<'py>(py: Python<'py>, answer: &Prediction) -> PyResult<Bound<'py, PyTuple>> {
    let said = (answer.best(), answer.probability(), answer.is_unknown());
    let Some(mask) = answer.mask() else { return said.into_pyobject(py) };
    let [height, width] = mask.size();
    let pixels = PyArray1::from_slice(py, mask.classes()).reshape([height, width])?;
    let shares = answer.shares().into_py_dict(py)?;
    (said.0, said.1, said.2, pixels, shares).into_pyobject(py)
}

/// Many answers, one class each: `(classes, codes, probabilities, unknown)`, with int64 `[samples]`, float32 `[samples, classes]` and
/// bool `[samples]`.
pub(crate) fn table<'py>(
    py: Python<'py>,
    classes: &[String],
    answers: Vec<WithBars>,
) -> PyResult<Bound<'py, PyTuple>> {
    let place = |answer: &Prediction| {
        let at = answer.best().and_then(|best| classes.iter().position(|name| name == best));
        at.map_or(-1, |at| i64::try_from(at).unwrap_or(-1))
    };
    let codes: Vec<i64> = answers.iter().map(|(answer, _)| place(answer)).collect();
    let unknown: Vec<bool> = answers.iter().map(|(answer, _)| answer.is_unknown()).collect();
    let count = answers.len();
    let bars: Vec<f32> = answers.into_iter().flat_map(|(_, bars)| bars).collect();
    let bars = PyArray1::from_vec(py, bars).reshape([count, classes.len()])?;
    let codes = PyArray1::from_vec(py, codes);
    (classes, codes, bars, PyArray1::from_vec(py, unknown)).into_pyobject(py)
}
