//! The examples of the crates do what they say. `teach` is run in `boards/linux/tests/library.rs`, beside the command line.

use super::scratch::Scratch;

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
