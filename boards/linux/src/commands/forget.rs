//! `forget`: a sample, a class, or everything that was learned.

use std::process::ExitCode;

use headstart_device::{Forgotten, SomeForgotten};

use crate::cli::Forget;
use crate::output::{self, Report};

pub(crate) fn run(args: &Forget) -> anyhow::Result<ExitCode> {
    let some = !args.class.is_empty() || !args.sample.is_empty();
    if !some && !args.yes {
        anyhow::bail!(
            "{}: everything learned would be removed for good: add --yes to do it, or name a --class or --sample",
            args.state.display()
        );
    }
    let device = super::open(&args.common.pack, &args.state)?;
    if some {
        let samples = args.sample.iter().map(|sample| device.named(sample));
        let samples = samples.collect::<Result<Vec<_>, _>>()?;
        output::print(&device.forget(&args.class, &samples)?, args.common.json)?;
    } else {
        output::print(&device.forget_all()?, args.common.json)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Report for SomeForgotten {
    fn text(&self) -> String {
        let samples = output::counted_are(self.forgotten_samples, "sample");
        super::changed(&self.changed, &format!("{samples} forgotten."))
    }
}

impl Report for Forgotten {
    fn text(&self) -> String {
        let done = if self.forgotten {
            "Everything learned is forgotten."
        } else {
            "Nothing was learned here."
        };
        if self.pack_has_head {
            format!("{done} The pack's own head answers now.")
        } else {
            done.to_owned()
        }
    }
}
