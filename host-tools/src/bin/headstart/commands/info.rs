//! `info` and `verify`: what a pack says, and whether every byte of it is right.

use std::path::{Path, PathBuf};

use headstart_tools::tasks::info;

use super::report::{self, Report};
use crate::error::Error;

pub(super) fn info(report: Report, path: &Path) -> Result<(), Error> {
    let summary = info::info(path)?;
    report.show(&summary, || {
        let mut table = report::table(&["", ""]);
        for (key, value) in summary.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            table.add_row([key.replace('_', " "), text]);
        }
        say!("{table}");
    });
    Ok(())
}

pub(super) fn verify(
    report: Report,
    path: &Path,
    key_files: &[PathBuf],
    family: Option<&str>,
    least_counter: u64,
) -> Result<(), Error> {
    let found = info::verify(path, key_files, family, least_counter)?;
    report.show(&found.summary, || {
        say!("{}: every byte is right; backbone {}", path.display(), found.digest);
        if let Some((key, family, counter)) = &found.signature {
            let verified = if found.is_trusted { "verified" } else { "not verified: give --key" };
            say!("signed by {key} for {family}, security counter {counter} ({verified})");
        }
    });
    Ok(())
}
