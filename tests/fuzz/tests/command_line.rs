//! `drive` as it is called.

use std::process::{Command, Output};

fn drive(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drive")).args(arguments).output().unwrap()
}

#[test]
fn a_target_takes_as_many_inputs_as_it_is_told() {
    let ran = drive(&["128x", "npy"]);
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && told.contains("npy") && told.contains("128"), "{ran:?}");
}

#[test]
fn a_target_that_does_not_exist_is_named() {
    let ran = drive(&["1x", "no-such-target"]);
    assert!(!ran.status.success());
    assert!(String::from_utf8_lossy(&ran.stderr).contains("\"no-such-target\""), "{ran:?}");
}
