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
        let mut done = format!("{} new.", output::counted_are(self.new_samples, "sample"));
        if self.disputed_samples > 0 {
            done += &format!(
                " {} of them {} another class here, which stands.",
                output::thousands(self.disputed_samples),
                if self.disputed_samples == 1 { "has" } else { "have" }
            );
        }
        super::changed(&self.changed, &done)
    }
}
