//! `merge`: what another device learned.

use std::process::ExitCode;

use headstart_device::Merged;

use crate::cli::Merge;
use crate::output::{self, Report};

pub(crate) fn run(args: &Merge) -> anyhow::Result<ExitCode> {
    let device = super::open(&args.common.pack, &args.state)?;
    let done = device.merge(&args.from)?;
    output::warn_alike(&done.changed.look_alike);
    output::print(&done, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Merged {
    fn text(&self) -> String {
        let mut done = format!("{} samples are new.", output::thousands(self.new_samples));
        if self.disputed_samples > 0 {
            done += &format!(
                " {} have another class here, which stands.",
                output::thousands(self.disputed_samples)
            );
        }
        super::changed(&self.changed, &done)
    }
}
