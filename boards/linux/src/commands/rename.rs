//! `rename`: another name for a class, or one class of two.

use std::process::ExitCode;

use headstart_device::PackFile;
use headstart_device::state::Problem;
use serde::Serialize;

use super::relearn::{Change, Changed};
use crate::cli::Rename;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Renamed {
    /// Whether the new name was a class already.
    joined: bool,
    #[serde(flatten)]
    changed: Changed,
}

pub(crate) fn run(args: &Rename) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let mut change = Change::begin(&args.state, &file)?;
    if !headstart::record::label_is_valid(&args.to) {
        return Err(change.refuse(Problem::BadName(args.to.clone())).into());
    }
    let is_class = change.cache.classes().contains(&args.to);
    let renamed = change.cache.rename(&args.class, &args.to);
    // A call that was cut off has renamed it, and the head does not know yet.
    let half_done = !renamed && is_class && change.knows(&args.class);
    let joined = if half_done { change.knows(&args.to) } else { is_class };
    if !renamed && !half_done {
        return Err(change.refuse(Problem::NoClass(args.class.clone())).into());
    }
    let changed = change.finish(&format!("rename {} to {}", args.class, args.to), false)?;
    output::print(&Renamed { joined, changed }, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Renamed {
    fn text(&self) -> String {
        let done = if self.joined { "Both are one class now." } else { "The class is renamed." };
        self.changed.text(done)
    }
}
