//! The native half of the Python module `headstart`: objects in, library calls, objects out. What a notebook sees stands in
//! `package/headstart`, whose Python makes of what people have (lists, PIL pictures, arrays with strides) what is taken here.
#![deny(unsafe_code)]

mod answers;
mod device;
mod errors;
mod features;
mod keywords;
mod samples;
mod tools;
mod watch;

use pyo3::prelude::*;

/// Holds what `headstart` is made of.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<device::Device>()?;
    module.add_class::<features::FeatureHead>()?;
    module.add_function(wrap_pyfunction!(tools::pack, module)?)?;
    module.add_function(wrap_pyfunction!(tools::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(tools::info, module)?)?;
    module.add_function(wrap_pyfunction!(tools::verify, module)?)?;
    module.add_function(wrap_pyfunction!(tools::compare, module)?)?;
    module.add_function(wrap_pyfunction!(tools::export, module)?)?;
    module.add_function(wrap_pyfunction!(samples::addresses, module)?)
}
