//! The examples of the crates do what they say. `teach` is run in `boards/linux/tests/library.rs`, beside the command line.

use std::process::Command;

use super::page::pages;
use super::scratch::{Scratch, said};

#[path = "../../../runtime/core/examples/flash_store.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
mod flash_store;
#[path = "../../../runtime/device/examples/learn_folder.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
mod learn_folder;
#[path = "../../../runtime/device/examples/live.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
mod live;
#[path = "../../../runtime/core/examples/session.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
mod session;

/// Files of the scratch folder as arguments.
fn files(scratch: &Scratch, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| scratch.path(name).display().to_string()).collect()
}

#[test]
fn a_record_outlives_a_power_cut() {
    flash_store::run().unwrap();
}

#[test]
fn a_session_learns_commits_and_starts_again() {
    let scratch = Scratch::new();
    session::run(&scratch.path("model.hspk").display().to_string()).unwrap();
}

#[test]
fn a_folder_is_learned_and_measured() {
    let scratch = Scratch::new();
    let names = ["model.hspk", "other", "photos", "others"];
    learn_folder::learn_folder(&files(&scratch, &names)).unwrap();
    assert!(scratch.path("other/kept-samples").is_dir());
    assert!(learn_folder::learn_folder(&[]).is_err());
}

#[test]
fn frames_are_answered_beside_a_lesson() {
    let scratch = Scratch::new();
    live::live(&files(&scratch, &["model.hspk", "other", "photos"])).unwrap();
    assert!(live::live(&[]).is_err());
}

#[test]
fn the_program_of_the_guide_is_the_one_that_is_run() {
    let page = pages().into_iter().find(|page| page.path.ends_with("guide/rust-program.md"));
    let blocks = page.expect("the guide has the page").blocks();
    let mut programs = blocks.iter().filter(|block| block.text.contains("device.rollback("));
    let shown = programs.next().expect("the page has the program");
    let (_, run) = include_str!("../../src/bin/guide-program.rs").split_once("\n\n").unwrap();
    assert_eq!(shown.text, run, "tests/src/bin/guide-program.rs is not as the page has it");
}

#[test]
fn the_program_of_the_guide_runs_once_and_again() {
    let scratch = Scratch::new();
    std::fs::remove_dir_all(scratch.path("mine")).unwrap();
    let run = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_guide-program"));
        program.current_dir(scratch.path("")).output().unwrap()
    };
    for _ in 0..2 {
        let output = run();
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(said(&output).matches("learned from").count(), 2, "{}", said(&output));
    }
    std::fs::remove_dir_all(scratch.path("more")).unwrap();
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("more: "), "{}", said(&output));
}
