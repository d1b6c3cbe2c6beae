//! `forget`: everything that was learned.

use std::process::ExitCode;

use headstart_edge::PackFile;
use headstart_edge::state::StateFolder;
use serde::Serialize;

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
    if !args.yes {
        anyhow::bail!(
            "{}: everything learned would be removed for good: add --yes to do it",
            args.state.display()
        );
    }
    let file = PackFile::open(&args.common.pack)?;
    let pack_has_head = file.pack()?.head().is_some();
    // Locking would create the folder.
    let folder = StateFolder::new(&args.state);
    let forgotten = folder.exists()? && folder.lock()?.forget()?;
    output::print(&Forgotten { forgotten, pack_has_head }, args.common.json)?;
    Ok(ExitCode::SUCCESS)
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
