//! One command a file: arguments in, report out.

pub(crate) mod adopt;
pub(crate) mod bench;
mod classes;
mod confusion;
pub(crate) mod eval;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod learn;
mod masks;
pub(crate) mod merge;
pub(crate) mod predict;
pub(crate) mod rename;
pub(crate) mod repair;
pub(crate) mod rollback;
pub(crate) mod samples;
pub(crate) mod status;

use std::path::Path;

use headstart_device::{Changed, Device, DeviceOptions, Error, Mended, RequestProblem};

use crate::cli::{BackendArgs, ComputeArgs};
use crate::output;
use crate::trust::trusting;

/// The device of a command that keeps to the kernels.
fn open(pack: &Path, state: &Path) -> Result<Device, Error> {
    options(Some(state)).open(pack)
}

/// A device with this state, if there is one.
fn options(state: Option<&Path>) -> DeviceOptions {
    let said = |mended: &Mended| output::warn(&mended.to_string());
    let options = trusting(Device::options()).on_mend(said);
    match state {
        Some(state) => options.state(state),
        None => options,
    }
}

/// A device that computes as it was asked for.
fn computing(
    pack: &Path,
    state: Option<&Path>,
    backend: &BackendArgs,
    compute: &ComputeArgs,
) -> Result<Device, Error> {
    let refuse = |problem: RequestProblem| Error::Request { path: pack.to_owned(), problem };
    backend.choose(compute.choose(options(state))).map_err(refuse)?.open(pack)
}

/// What a device knows after a correction, for a reader.
fn changed(changed: &Changed, done: &str) -> String {
    let facts = [
        ("samples", output::thousands(changed.samples)),
        ("learner", changed.learner.to_owned()),
        ("held-out accuracy", output::percent(changed.held_out_accuracy)),
    ];
    let table = classes::table(&changed.classes, "samples");
    format!("{done}\n\n{}\n\n{table}", output::facts(facts))
}
