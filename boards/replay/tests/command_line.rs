//! `headstart-replay` as it is called; what it computes is compared with boards by `boards/mps2/run` and `boards/mps2/cable`.

use std::process::{Command, Output};

fn replay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headstart-replay")).args(arguments).output().unwrap()
}

#[test]
fn what_it_does_not_know_is_answered_with_its_usage() {
    for arguments in [&["clips"][..], &["run", "model.hspk"], &["no-such-verb"], &[]] {
        let ran = replay(arguments);
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&ran.stderr).contains("headstart-replay clips PACK"));
    }
}

#[test]
fn a_pack_that_is_not_there_is_named() {
    let ran = replay(&["eval", "no-such.hspk", "no-such.head", "."]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("no-such.hspk"), "{ran:?}");
}
