//! `device status`: which board it is, and what it has learned.

use headstart::head::Learner;
use headstart_cable::client::{Board, Class, Error as CableError};
use headstart_device::shown::{counted, counted_are};
use serde_json::{Value, json};

use super::super::report::{Report, bytes, hex, table};
use crate::advice;
use crate::error::Error;

pub(super) fn status(report: Report, board: &mut Board) -> Result<(), Error> {
    // A board that cannot learn says why, and is asked no more.
    let learned = match board.status() {
        Ok(learned) => Some(learned),
        Err(CableError::Refused(_)) if board.greeting().problem.is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let greeting = board.greeting();
    let input = greeting.input;
    let problem = greeting.problem.map(|problem| match advice::on_board(&problem) {
        Some(advice) => format!("{problem}; {advice}"),
        None => problem.to_string(),
    });
    let standing = learned.as_ref().map(|(standing, _)| *standing);
    let classes = learned.map(|(_, classes)| classes).unwrap_or_default();
    let learner = standing.map(|standing| learner_name(standing.learner));
    let result = json!({
        "board": greeting.board,
        "firmware": greeting.firmware,
        "pack": hex(&greeting.pack),
        "backbone": hex(&greeting.backbone[..8]),
        "input": [input.height, input.width, input.channels],
        "max_classes": greeting.max_classes,
        "pack_room": greeting.room,
        "problem": problem,
        "features": standing.map(|s| s.features),
        "head": standing.map(|s| if s.commits > 0 { "flash" } else { "pack" }),
        "learner": learner,
        "commits": standing.map(|s| s.commits),
        "head_bytes": standing.map(|s| s.head_bytes),
        "uncommitted_samples": standing.map(|s| s.learned),
        "kept_samples": standing.map(|s| s.kept),
        "most_kept_samples": standing.map(|s| s.most_kept),
        "unknown_threshold": standing.map(|s| s.unknown_threshold),
        "damaged_records": standing.map(|s| s.damaged),
        "classes": classes_json(&classes),
    });
    report.show(&result, || {
        say!("board      {}, firmware {}", greeting.board, greeting.firmware);
        say!(
            "pack       {}…, room for another of {}",
            hex(&greeting.pack[..4]),
            bytes(greeting.room.into())
        );
        say!(
            "backbone   {}…, input {} × {} × {}",
            hex(&greeting.backbone[..4]),
            input.height,
            input.width,
            input.channels
        );
        if let Some(problem) = &problem {
            say!("problem    {problem}");
        }
        let Some(s) = standing else { return };
        match s.commits {
            0 => say!("head       from the pack"),
            n => say!("head       commit {n}, {} bytes, {}", s.head_bytes, learner_name(s.learner)),
        }
        say!(
            "learned    {} not committed; features of {} are kept",
            counted_are(s.learned as usize, "sample"),
            s.most_kept
        );
        if s.damaged > 0 {
            say!("damaged    {} lost by the flash", counted(s.damaged as usize, "record"));
        }
        say!("{}", classes_table(&classes));
    });
    Ok(())
}

/// By its number in a head record; 0 stands for none.
fn learner_name(id: u8) -> &'static str {
    if id == 0 { "none" } else { Learner::from_id(id).unwrap_or(Learner::Other).name() }
}

pub(super) fn classes_json(classes: &[Class]) -> Value {
    classes.iter().map(|class| json!({ "name": class.name, "samples": class.samples })).collect()
}

pub(super) fn classes_table(classes: &[Class]) -> String {
    let mut table = table(&["class", "samples"]);
    for class in classes {
        table.add_row([class.name.clone(), class.samples.to_string()]);
    }
    table.to_string()
}
