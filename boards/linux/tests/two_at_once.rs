//! Two processes that change one state folder, the second at the worst moment.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod breaking;
mod common;
mod tracer;

use breaking::command;
use common::Bench;
use headstart_device::state::StateFolder;
use tracer::{call, run_watched};

const LEARN: [&str; 8] =
    ["learn", "tiny.hspk", "--data", "data", "--state", "state", "--threads", "1"];
const FORGET: [&str; 5] = ["forget", "tiny.hspk", "--state", "state", "--yes"];

/// A bench whose state has red, green and blue, while `data` has other pictures.
fn taught() -> Bench {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    assert!(command(&bench, &LEARN).status().unwrap().success());
    std::fs::remove_dir_all(bench.path("data")).unwrap();
    bench.pictures("data", "white", [190; 3], 0, 2);
    bench.pictures("data", "black", [20; 3], 0, 2);
    bench
}

#[test]
fn a_folder_that_was_forgotten_in_front_of_the_lock_is_locked_by_its_path() {
    let bench = taught();
    let state = StateFolder::new(&bench.path("state"));
    // `learn` has opened the folder and is about to lock it. It is removed, and another process holds the next one.
    let mut held = None;
    let run = run_watched(command(&bench, &LEARN), None, |number| {
        if number == call::FLOCK && held.is_none() {
            assert!(command(&bench, &FORGET).status().unwrap().success());
            held = Some(state.lock().unwrap());
        }
    });
    assert!(held.is_some());
    assert_eq!(run.status, Some(2), "two hold one lock");
    assert!(state.head().unwrap().is_none());
}

#[test]
fn whoever_waited_for_a_folder_that_was_forgotten_learns_in_the_next_one() {
    let bench = taught();
    let mut is_first = true;
    let run = run_watched(command(&bench, &LEARN), None, |number| {
        if number == call::FLOCK && std::mem::take(&mut is_first) {
            assert!(command(&bench, &FORGET).status().unwrap().success());
        }
    });
    assert_eq!(run.status, Some(0));
    let status = bench.json("status", &["--state", "state"]);
    let names: Vec<&str> =
        status["classes"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!((names, &status["samples"]), (vec!["black", "white"], &4.into()));
}
