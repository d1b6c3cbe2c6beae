//! `manual`: man pages and shell completions, for packages and for who installed by cargo.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use serde::Serialize;

use crate::cli::{self, Cli};
use crate::output::{self, Report};

/// The files that were written.
#[derive(Serialize)]
struct Written(Vec<PathBuf>);

pub(crate) fn run(args: &cli::Manual) -> anyhow::Result<ExitCode> {
    let files = headstart_manual::write(&Cli::command(), &args.share)?;
    let files = files.iter().map(|file| args.share.join(file)).collect();
    output::print(&Written(files), false)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Written {
    fn text(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(|file| file.display().to_string()).collect();
        lines.join("\n")
    }
}
