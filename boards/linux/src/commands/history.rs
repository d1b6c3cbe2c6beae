//! `history`: the commits that are kept.

use std::process::ExitCode;

use headstart_device::samples::hex;
use headstart_device::state::{Commit, StateFolder};
use headstart_device::{Error, Head, PackFile};
use serde::Serialize;

use crate::cli::History;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Commits {
    /// Oldest first.
    commits: Vec<Entry>,
    /// The last candidate that was not made current, with the reason.
    rejected: Option<Entry>,
}

#[derive(Serialize)]
struct Entry {
    number: u32,
    /// Whether this head answers now.
    current: bool,
    note: String,
    /// The first eight bytes of its digest.
    backbone: String,
    /// `null` for a commit of another backbone than the pack's.
    learner: Option<&'static str>,
    samples: usize,
    classes: usize,
    held_out_accuracy: Option<f64>,
}

pub(crate) fn run(args: &History) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let (pack, counter) = file.trusted()?;
    let backbone = pack.backbone_digest();
    let folder = StateFolder::new(&args.state);
    let head = folder.head()?;
    let entry = |(digest, commit): &([u8; 32], Commit), current| -> Result<Entry, Error> {
        // A head of another backbone is not read: its tail would need its own pack.
        let head = if *digest == backbone {
            Some(Head::parse_for(folder.path(), &commit.head, &pack)?)
        } else {
            None
        };
        Ok(Entry {
            number: commit.number,
            current,
            note: commit.note.clone(),
            backbone: hex(&digest[..8]),
            learner: head.as_ref().map(|head| head.learner().name()),
            samples: commit.samples.len(),
            classes: commit.classes.len(),
            held_out_accuracy: head.and_then(|head| head.held_out_accuracy()),
        })
    };
    super::state_head(&folder, &pack)?;
    let commits = folder.commits()?;
    // A refused or an empty answer leaves no folder behind.
    if !commits.is_empty() {
        super::keep_counter(&file, Some(&args.state), counter)?;
    }
    let current = commits.iter().rposition(|(_, commit)| Some(&commit.head) == head.as_ref());
    let commits = commits.iter().enumerate().map(|(at, c)| entry(c, Some(at) == current));
    let rejected = folder.rejected()?;
    let report = Commits {
        commits: commits.collect::<Result<_, _>>()?,
        rejected: rejected.as_ref().map(|commit| entry(commit, false)).transpose()?,
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Commits {
    fn text(&self) -> String {
        let rows = self.commits.iter().map(|entry| {
            vec![
                format!("{}{}", entry.number, if entry.current { " (current)" } else { "" }),
                entry.note.clone(),
                entry.learner.unwrap_or("of another backbone").to_owned(),
                output::thousands(entry.samples),
                entry.classes.to_string(),
                output::percent(entry.held_out_accuracy),
            ]
        });
        let header = ["commit", "made by", "learner", "samples", "classes", "held-out accuracy"];
        let mut text = output::table(&header, rows);
        if let Some(rejected) = &self.rejected {
            text += &format!("\n\nThe last candidate was rejected: {}.", rejected.note);
        }
        text
    }
}
