//! One command a file: arguments in, report out.

pub(crate) mod adopt;
pub(crate) mod bench;
mod classes;
mod confusion;
pub(crate) mod eval;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod learn;
pub(crate) mod manual;
mod masks;
pub(crate) mod merge;
pub(crate) mod predict;
pub(crate) mod relabel;
pub(crate) mod rename;
pub(crate) mod repair;
pub(crate) mod rollback;
pub(crate) mod samples;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod status;
#[cfg(feature = "serve")]
pub(crate) mod watch;

use std::path::Path;

use headstart_device::{
    BadFile, Changed, ChangedSetting, Device, DeviceOptions, Error, Mended, RequestProblem,
};

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
        ("unknown below", unknown(changed.unknown_threshold, changed.threshold_kept)),
    ];
    let dropped = (changed.dropped_samples > 0)
        .then(|| ("dropped for --max-bytes", output::thousands(changed.dropped_samples)));
    let facts = facts.into_iter().chain(dropped).chain(settings(&changed.changed_settings));
    let table = classes::table(&changed.classes, "samples");
    format!("{done}\n\n{}\n\n{table}", output::facts(facts))
}

/// The threshold, and where it is from if it cannot be measured.
fn unknown(threshold: f32, is_kept: bool) -> String {
    let threshold = output::percent(Some(f64::from(threshold)));
    let kept = if is_kept { ", as before: too few classes to measure it again" } else { "" };
    format!("{threshold}{kept}")
}

/// Settings that are others now.
fn settings(changed: &[ChangedSetting]) -> Option<(&'static str, String)> {
    let each = changed
        .iter()
        .map(|changed| format!("{} {}, was {}", changed.setting, changed.now, changed.before));
    let all: Vec<String> = each.collect();
    (!all.is_empty()).then(|| ("settings changed", all.join("; ")))
}

/// Bad files that were left out.
fn left_out(bad: &[BadFile]) -> String {
    let Some(first) = bad.first() else { return String::new() };
    let files = output::counted(bad.len(), "bad file");
    format!(", {files} left out ({} first; --json lists them)", first.file)
}
