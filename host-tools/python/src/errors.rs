//! Errors of the libraries as exceptions, by who is at fault. The classes stand in `headstart._errors`.

use headstart_device::{Error, Fault};
use headstart_tools::error::{Error as Refused, Fault as ToolFault};
use headstart_tools::tasks;
use pyo3::prelude::*;

/// The exception of this name with this message.
fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    let made = || py.import("headstart._errors")?.getattr(class)?.call1((message,));
    made().map_or_else(|error| error, PyErr::from_value)
}

/// An error of the device library as an exception.
pub(crate) fn of_device(py: Python<'_>, error: &Error) -> PyErr {
    let class = match (error, error.fault()) {
        (Error::Stopped, _) => "Stopped",
        (_, Fault::Input) => "InputError",
        (_, Fault::State) => "StateError",
        (_, Fault::Caller) => "CallerError",
        (_, Fault::Machine) => "MachineError",
    };
    raise(py, class, error.to_string())
}

/// An error of the host tools as an exception.
pub(crate) fn of_tools(py: Python<'_>, error: &tasks::Error) -> PyErr {
    let class = match (error, error.fault()) {
        (tasks::Error::Refused(Refused::Samples(error)), _) => return of_device(py, error),
        (tasks::Error::Usage(_) | tasks::Error::Board(_) | tasks::Error::Freeze(_), _) => {
            "CallerError"
        }
        (_, ToolFault::Input) => "InputError",
        (_, ToolFault::Machine) => "MachineError",
    };
    raise(py, class, error.to_string())
}

/// A `CallerError`: what was asked for cannot be done.
pub(crate) fn of_caller(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, "CallerError", message.into())
}

/// An `InputError`: a sample is not what it should be.
pub(crate) fn of_input(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, "InputError", message.into())
}
