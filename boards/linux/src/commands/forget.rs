//! `forget`: a sample, a class, or everything that was learned.

use std::path::Path;
use std::process::ExitCode;

use headstart_device::samples::{self, SampleFile, SampleId};
use headstart_device::state::{Problem, StateFolder};
use headstart_device::{Error, PackFile};
use serde::Serialize;

use super::relearn::{Change, Changed};
use crate::cli::Forget;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Forgotten {
    /// Whether there was anything to forget.
    forgotten: bool,
    /// Whether the pack ships a head that answers from now on.
    pack_has_head: bool,
}

pub(crate) fn run(args: &Forget) -> anyhow::Result<ExitCode> {
    if !args.class.is_empty() || !args.sample.is_empty() {
        return some(args);
    }
    if !args.yes {
        anyhow::bail!(
            "{}: everything learned would be removed for good: add --yes to do it, or name a --class or --sample",
            args.state.display()
        );
    }
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let pack_has_head = file.pack()?.head().is_some();
    // Locking would create the folder.
    let folder = StateFolder::new(&args.state);
    let forgotten = folder.exists()? && folder.lock()?.forget()?;
    output::print(&Forgotten { forgotten, pack_has_head }, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct SomeForgotten {
    forgotten_samples: usize,
    #[serde(flatten)]
    changed: Changed,
}

/// The head is learned again also where nothing is found: a call before may have been cut off.
fn some(args: &Forget) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let mut change = Change::begin(&args.state, &file)?;
    let before = change.cache.len();
    for name in &args.class {
        let known = change.cache.classes().contains(name) || change.knows(name);
        change.cache.forget_class(name);
        if !known {
            return Err(change.refuse(Problem::NoClass(name.clone())).into());
        }
    }
    for sample in &args.sample {
        let id = sample_id(sample)?;
        let id =
            id.ok_or_else(|| change.refuse(Problem::NoSample(sample.display().to_string())))?;
        change.cache.forget_sample(&id);
    }
    let forgotten_samples = before - change.cache.len();
    let changed = change.finish("learn", true)?;
    output::print(&SomeForgotten { forgotten_samples, changed }, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// An id in hexadecimal, or that of a file's content.
fn sample_id(sample: &Path) -> Result<Option<SampleId>, Error> {
    if sample.is_file() {
        return SampleFile::read(sample).map(|file| Some(file.id()));
    }
    Ok(sample.to_str().and_then(samples::id_from_hex))
}

impl Report for SomeForgotten {
    fn text(&self) -> String {
        let count = output::thousands(self.forgotten_samples);
        self.changed.text(&format!("{count} samples are forgotten."))
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
