//! `repair`: what was damaged, as far as it can be brought back.

use std::process::ExitCode;

use headstart_device::{Repaired, RepairedHead};

use crate::cli::Repair;
use crate::output::{self, Report};
use crate::watch::Terminal;

pub(crate) fn run(args: &Repair) -> anyhow::Result<ExitCode> {
    let options = args.compute.choose(super::options(Some(&args.state)));
    let device = options.open(&args.common.pack)?;
    output::print(&device.repair(args.force, &Terminal::default())?, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Repaired {
    fn text(&self) -> String {
        let mut text = match (self.head, self.commit) {
            (RepairedHead::Sound, _) => "The head is sound.".to_owned(),
            (RepairedHead::Restored, commit) => {
                format!("The head of commit {} answers again.", commit.unwrap_or_default())
            }
            (RepairedHead::LearnedAgain, _) => {
                "The head was learned again from the features.".to_owned()
            }
            (RepairedHead::Lost, _) => {
                "The head is lost: the next learn trains it again on the features that are there."
                    .to_owned()
            }
        };
        text += &match self.samples {
            1 => " 1 sample has its features".to_owned(),
            count => format!(" {} have their features", output::counted(count, "sample")),
        };
        text += &match self.computed_samples {
            0 => ".".to_owned(),
            count => format!(", {} of them from copies.", output::thousands(count)),
        };
        if self.lost_samples > 0 {
            text += &format!(" {} lost.", output::counted_are(self.lost_samples, "sample"));
        }
        for problem in &self.damaged {
            text += &format!("\nNothing returns to {problem}.");
        }
        text
    }
}
