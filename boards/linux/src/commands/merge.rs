//! `merge`: what another device learned.

use std::process::ExitCode;

use headstart_device::PackFile;
use headstart_device::samples::MAX_CLASSES;
use headstart_device::state::{Problem, StateFolder};
use serde::Serialize;

use super::kept;
use super::relearn::{Change, Changed};
use crate::cli::Merge;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Joined {
    new_samples: usize,
    known_samples: usize,
    /// Samples that have another class here, which stands.
    disputed_samples: usize,
    #[serde(flatten)]
    changed: Changed,
}

pub(crate) fn run(args: &Merge) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let mut change = Change::begin(&args.state, &file)?;
    let other = change.other(&args.from)?;
    if change.cache.bits() != other.bits() {
        return Err(change.refuse(Problem::MergedBits).into());
    }
    let merged = change.cache.merge(&other);
    // A state that keeps samples takes over those that the other one keeps.
    if StateFolder::new(&args.state).keeps_samples()? {
        change.copies = kept::of(&StateFolder::new(&args.from), &other)?;
    }
    let limit = file.pack()?.plan().max_classes as usize;
    let found = change.cache.classes().len();
    let merged =
        merged.ok_or_else(|| change.refuse(Problem::TooManyClasses { limit: MAX_CLASSES }))?;
    if found > limit {
        return Err(change.refuse(Problem::UnplannedClasses { found, limit }).into());
    }
    let report = Joined {
        new_samples: merged.new,
        known_samples: merged.known,
        disputed_samples: merged.disputed,
        changed: change.finish("merge", false)?,
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Joined {
    fn text(&self) -> String {
        let mut done = format!("{} samples are new.", output::thousands(self.new_samples));
        if self.disputed_samples > 0 {
            done += &format!(
                " {} have another class here, which stands.",
                output::thousands(self.disputed_samples)
            );
        }
        self.changed.text(&done)
    }
}
