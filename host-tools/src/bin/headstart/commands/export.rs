//! `export`: the personalised model, whole, as one float ONNX file.

use std::path::Path;

use headstart_tools::tasks::export;

use super::report::Report;
use crate::error::Error;

pub(super) fn export(
    report: Report,
    pack: &Path,
    model: &Path,
    state: Option<&Path>,
    output: &Path,
) -> Result<(), Error> {
    let exported = export::export(pack, model, state, output)?;
    report.show(&exported.summary, || {
        say!(
            "{}: {} classes, outputs `logits` and `probabilities`; labels stand in its metadata",
            output.display(),
            exported.classes
        );
    });
    Ok(())
}
