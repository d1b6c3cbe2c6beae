//! `history`: the commits that are kept.

use std::process::ExitCode;

use headstart_edge::state::{Commit, StateFolder};
use headstart_edge::{Error, Head, PackFile};
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
    learner: &'static str,
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
    let entry = |commit: &Commit, current| -> Result<Entry, Error> {
        let head = Head::parse_for(folder.path(), &commit.head, &pack)?;
        Ok(Entry {
            number: commit.number,
            current,
            note: commit.note.clone(),
            learner: super::learner_name(head.learner()),
            samples: commit.samples.len(),
            classes: commit.classes.len(),
            held_out_accuracy: head.held_out_accuracy(),
        })
    };
    let commits = folder.commits(&backbone)?;
    // A refused or an empty answer leaves no folder behind.
    if !commits.is_empty() {
        super::keep_counter(&file, Some(&args.state), counter)?;
    }
    let current = commits.iter().rposition(|commit| Some(&commit.head) == head.as_ref());
    let commits = commits.iter().enumerate().map(|(at, c)| entry(c, Some(at) == current));
    let rejected = folder.rejected(&backbone)?;
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
                entry.learner.to_owned(),
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
