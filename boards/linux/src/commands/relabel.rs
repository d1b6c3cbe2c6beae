//! `relabel`: another class for samples.

use std::process::ExitCode;

use headstart_device::Relabelled;

use crate::cli::Relabel;
use crate::output::{self, Report};

pub(crate) fn run(args: &Relabel) -> anyhow::Result<ExitCode> {
    let device = super::open(&args.common.pack, &args.state)?;
    let samples = args.sample.iter().map(|sample| device.named(sample));
    let samples = samples.collect::<Result<Vec<_>, _>>()?;
    let done = device.relabel(&samples, &args.class)?;
    output::warn_alike(&done.changed.look_alike);
    output::print(&done, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Relabelled {
    fn text(&self) -> String {
        let samples = output::counted(self.relabelled_samples, "sample");
        let has = if self.relabelled_samples == 1 { "has" } else { "have" };
        super::changed(&self.changed, &format!("{samples} {has} another class now."))
    }
}
