//! `rename`: another name for a class, or one class of two.

use std::process::ExitCode;

use headstart_device::Renamed;

use crate::cli::Rename;
use crate::output::{self, Report};

pub(crate) fn run(args: &Rename) -> anyhow::Result<ExitCode> {
    let device = super::open(&args.common.pack, &args.state)?;
    let done = device.rename(&args.class, &args.to)?;
    output::warn_alike(&done.changed.look_alike);
    output::print(&done, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Renamed {
    fn text(&self) -> String {
        let done = if self.joined { "Both are one class now." } else { "The class is renamed." };
        super::changed(&self.changed, done)
    }
}
