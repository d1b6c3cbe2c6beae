//! Python's objects as samples. Arrays are borrowed: nothing of them is copied.

use std::path::PathBuf;

use headstart_device::Sample;
use headstart_device::samples::InputShape;
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::{of_caller, of_input};

/// Samples that Python holds: paths, and arrays that are borrowed while this lives.
pub(crate) struct Held<'py> {
    items: Vec<Item<'py>>,
    /// One sample was given, and no list or batch.
    pub(crate) is_one: bool,
}

enum Item<'py> {
    Path(PathBuf),
    /// A picture `[height, width, channels]`, or several with the axis of pictures in front.
    Pixels {
        array: PyReadonlyArrayDyn<'py, u8>,
        count: usize,
        shape: [usize; 3],
    },
    /// The model's own values, or several rows of them.
    Values {
        array: PyReadonlyArrayDyn<'py, f32>,
        count: usize,
    },
}

impl<'py> Held<'py> {
    /// Takes one path or array, or a list of them. Arrays are C-contiguous, of uint8 or float32.
    pub(crate) fn of(object: &Bound<'py, PyAny>, input: &InputShape) -> PyResult<Self> {
        if let Ok(list) = object.cast::<PyList>() {
            let items = list.iter().map(|item| Ok(Item::of(&item, input)?.0));
            return Ok(Self { items: items.collect::<PyResult<_>>()?, is_one: false });
        }
        let (item, is_one) = Item::of(object, input)?;
        Ok(Self { items: vec![item], is_one })
    }

    /// The samples, in their order.
    pub(crate) fn samples(&self) -> PyResult<Vec<Sample<'_>>> {
        let mut samples = Vec::new();
        for item in &self.items {
            match item {
                Item::Path(path) => samples.push(Sample::file(path)),
                Item::Pixels { array, count, shape: [height, width, channels] } => {
                    let all = array.as_slice()?;
                    let each = height * width * channels;
                    samples.extend((0..*count).map(|at| {
                        let pixels = &all[at * each..(at + 1) * each];
                        match channels {
                            1 => Sample::grey(*width, *height, pixels),
                            _ => Sample::rgb(*width, *height, pixels),
                        }
                    }));
                }
                Item::Values { array, count } => {
                    let all = array.as_slice()?;
                    let each = all.len() / (*count).max(1);
                    let values = |at: usize| &all[at * each..(at + 1) * each];
                    samples.extend((0..*count).map(|at| Sample::values(values(at))));
                }
            }
        }
        Ok(samples)
    }
}

impl<'py> Item<'py> {
    /// The object, and whether it is one sample.
    fn of(object: &Bound<'py, PyAny>, input: &InputShape) -> PyResult<(Self, bool)> {
        if let Ok(array) = object.extract::<PyReadonlyArrayDyn<'py, u8>>() {
            let shape = contiguous(object.py(), &array)?;
            let (count, shape, is_one) = match *shape {
                [height, width] => (1, [height, width, 1], true),
                [height, width, channels @ (1 | 3)] => (1, [height, width, channels], true),
                [count, height, width, channels @ (1 | 3)] => {
                    (count, [height, width, channels], false)
                }
                _ => {
                    return Err(of_input(
                        object.py(),
                        format!(
                            "a uint8 array has shape {shape:?}: pictures are [height, width, 3] or [height, width], and a \
                             batch [pictures, height, width, 3]"
                        ),
                    ));
                }
            };
            return Ok((Self::Pixels { array, count, shape }, is_one));
        }
        if let Ok(array) = object.extract::<PyReadonlyArrayDyn<'py, f32>>() {
            let shape = contiguous(object.py(), &array)?;
            let (count, is_one) = rows(shape, &input.axes()).ok_or_else(|| {
                of_input(
                    object.py(),
                    format!(
                        "a float array has shape {shape:?}, and the model's own form is {:?}: give an array of that shape, \
                         or a batch of them; pictures are uint8 arrays",
                        input.axes()
                    ),
                )
            })?;
            return Ok((Self::Values { array, count }, is_one));
        }
        match object.extract::<PathBuf>() {
            Ok(path) => Ok((Self::Path(path), true)),
            Err(_) => Err(of_input(
                object.py(),
                format!(
                    "a {} is no sample: give a path, a PIL picture, or an array of uint8 or floats",
                    object.get_type().name()?
                ),
            )),
        }
    }
}

/// The array's shape; the Python side has brought all arrays into this order.
fn contiguous<'a, T: numpy::Element>(
    py: Python<'_>,
    array: &'a PyReadonlyArrayDyn<'_, T>,
) -> PyResult<&'a [usize]> {
    if array.is_c_contiguous() {
        return Ok(array.shape());
    }
    Err(of_caller(py, "an array's elements do not lie one after another"))
}

/// How many samples of these axes an array holds, and whether it is one without an axis in front; axes of one element may be missing.
fn rows(shape: &[usize], axes: &[usize]) -> Option<(usize, bool)> {
    let of = |shape: &[usize]| shape.iter().copied().filter(|&n| n != 1).collect::<Vec<_>>();
    if shape == axes {
        return Some((1, true));
    }
    if let [count, rest @ ..] = shape
        && shape.len() > of(axes).len()
        && of(rest) == of(axes)
    {
        return Some((*count, false));
    }
    (of(shape) == of(axes)).then_some((1, true))
}

/// Addresses of the first element of each sample that is an array, as the libraries get it: for the test that nothing is copied.
#[pyfunction]
pub(crate) fn addresses(samples: &Bound<'_, PyAny>, axes: [usize; 3]) -> PyResult<Vec<usize>> {
    let [height, width, channels] = axes;
    let input = InputShape { height, width, channels, channels_first: false, to_the_level: false };
    let held = Held::of(samples, &input)?;
    let address = |at: *const u8| at as usize;
    Ok(held.samples()?.iter().filter_map(|sample| sample.memory()).map(address).collect())
}
