//! `manual`: man pages and shell completions, for packages and for who installed by cargo.

use std::path::Path;

use clap::CommandFactory;
use serde_json::json;

use super::report::Report;
use crate::cli::Cli;
use crate::error::Error;

pub(super) fn manual(report: Report, share: &Path) -> Result<(), Error> {
    let failed = |source| Error::Unwritable { path: share.to_owned(), source };
    let files = headstart_manual::write(&Cli::command(), share).map_err(failed)?;
    report.show(&json!({ "share": share, "files": files }), || {
        for file in &files {
            say!("{}", share.join(file).display());
        }
    });
    Ok(())
}
