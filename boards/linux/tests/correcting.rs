//! Corrections: what is forgotten leaves no trace, and no order shows.

mod common;

use common::{BLUE, Bench, GREEN, RED, contents};

fn learn(bench: &Bench, data: &str, state: &str, learner: &str) {
    bench.json("learn", &["--data", data, "--state", state, "--learner", learner]);
}

#[test]
fn a_sample_is_forgotten_by_a_file_of_any_name() {
    use std::os::unix::ffi::OsStrExt;

    let bench = Bench::new();
    bench.colours("data", 0, 3);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.png");
    std::fs::rename(bench.path("data/red/0.png"), bench.root.path().join(name)).unwrap();
    let mut command = bench.command("forget", &["--state", "state", "--json", "--sample"]);
    let output = command.arg(name).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"forgotten_samples\":1"));
}

#[test]
fn any_order_of_the_same_samples_gives_the_same_state() {
    let bench = Bench::new();
    bench.pictures("one", "red", RED, 0, 4);
    bench.pictures("one", "green", GREEN, 0, 4);
    bench.pictures("two", "blue", BLUE, 0, 5);
    bench.pictures("two", "green", GREEN, 10, 3);
    bench.pictures("both", "red", RED, 0, 4);
    bench.pictures("both", "green", GREEN, 0, 4);
    bench.pictures("both", "green", GREEN, 10, 3);
    bench.pictures("both", "blue", BLUE, 0, 5);
    for learner in ["auto", "sgd", "ridge", "imprint", "lda"] {
        for (state, data) in [("a", "one"), ("a", "two"), ("b", "two"), ("b", "one"), ("c", "both")]
        {
            learn(&bench, data, &format!("{learner} {state}"), learner);
        }
        let states = ["a", "b", "c"].map(|s| files(&bench, &format!("{learner} {s}")));
        assert!(states[0] == states[1] && states[1] == states[2], "{learner}");
    }
}

/// The head and the samples, without the commits before.
fn files(bench: &Bench, state: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = contents(&bench.path(state));
    files.retain(|(name, _)| ["head.hshr", "features.hsfc"].contains(&&name[..]));
    assert_eq!(files.len(), 2);
    files
}

#[test]
fn a_forgotten_sample_or_class_was_never_there() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.pictures("more", "red", RED, 20, 1);
    bench.pictures("more", "white", [190; 3], 0, 3);
    learn(&bench, "data", "never", "auto");
    learn(&bench, "data", "state", "auto");
    learn(&bench, "more", "state", "auto");
    let forgotten = bench
        .json("forget", &["--state", "state", "--sample", "more/red/20.png", "--class", "white"]);
    assert_eq!((&forgotten["forgotten_samples"], &forgotten["samples"]), (&4.into(), &12.into()));
    // All of it: nothing else is in the folder either.
    assert_eq!(contents(&bench.path("state")), contents(&bench.path("never")));
    // Again, as after a cut: there is nothing to forget, and the state stays.
    let again = bench.json("forget", &["--state", "state", "--sample", "more/red/20.png"]);
    assert_eq!(again["forgotten_samples"], 0);
    assert_eq!(contents(&bench.path("state")), contents(&bench.path("never")));
}

#[test]
fn the_states_of_two_devices_make_that_of_one_that_saw_both() {
    let bench = Bench::new();
    bench.colours("mine", 0, 3);
    bench.pictures("theirs", "red", RED, 10, 2);
    bench.pictures("theirs", "white", [190; 3], 0, 4);
    // Both have seen this one, and one of them calls it otherwise.
    bench.pictures("theirs", "green", RED, 1, 1);
    learn(&bench, "mine", "mine state", "auto");
    learn(&bench, "theirs", "their state", "auto");
    let before = contents(&bench.path("their state"));
    let merged = bench.json("merge", &["--state", "mine state", "--from", "their state"]);
    assert_eq!((&merged["new_samples"], &merged["disputed_samples"]), (&6.into(), &1.into()));
    assert_eq!(contents(&bench.path("their state")), before);
    std::fs::remove_dir_all(bench.path("theirs/green")).unwrap();
    learn(&bench, "mine", "both", "auto");
    learn(&bench, "theirs", "both", "auto");
    assert_eq!(files(&bench, "mine state"), files(&bench, "both"));
}

#[test]
fn a_class_is_renamed_or_joined_to_another() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    learn(&bench, "data", "state", "ridge");
    let renamed = bench.json("rename", &["--state", "state", "--class", "red", "--to", "rouge"]);
    assert_eq!((&renamed["joined"], &renamed["learner"]), (&false.into(), &"ridge".into()));
    let answer = bench.json("predict", &["--state", "state", "data/red/0.png"]);
    assert_eq!(answer["files"][0]["best"], "rouge");
    std::fs::rename(bench.path("data/red"), bench.path("data/rouge")).unwrap();
    learn(&bench, "data", "other", "ridge");
    assert_eq!(files(&bench, "state"), files(&bench, "other"));

    let joined = bench.json("rename", &["--state", "state", "--class", "rouge", "--to", "blue"]);
    assert_eq!((&joined["joined"], joined["classes"].as_array().unwrap().len()), (&true.into(), 2));
    let answer = bench.json("predict", &["--state", "state", "data/rouge/0.png"]);
    assert_eq!(answer["files"][0]["best"], "blue");
}

#[test]
fn corrections_that_make_no_sense_are_refused_and_change_nothing() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    for command in ["forget", "rename"] {
        let rest: &[&str] = if command == "rename" { &["--to", "x"] } else { &[] };
        let message =
            bench.refusal(1, command, &[&["--state", "none", "--class", "red"], rest].concat());
        assert!(message.contains("run learn"), "{message}");
    }
    assert!(!bench.path("none").exists());
    learn(&bench, "data", "state", "auto");
    let before = contents(&bench.path("state"));
    for (command, arguments, words) in [
        ("forget", &["--class", "white"][..], "knows no class white"),
        ("forget", &["--sample", "no-such-file"], "no-such-file"),
        ("forget", &["--class", "red", "--class", "blue"], "one class only"),
        ("rename", &["--class", "white", "--to", "red"], "knows no class white"),
        ("rename", &["--class", "red", "--to", ""], "1 to 64 bytes"),
        ("merge", &["--from", "none"], "none: holds no samples"),
    ] {
        let message = bench.refusal(1, command, &[&["--state", "state"], arguments].concat());
        assert!(message.contains(words), "{message}");
        assert_eq!(contents(&bench.path("state")), before);
    }
    // A new pack with the same backbone keeps all of this; another backbone's state is not merged.
    std::fs::write(&bench.pack, common::tiny_pack(3, None)).unwrap();
    learn(&bench, "data", "other", "auto");
    let message = bench.refusal(1, "merge", &["--state", "other", "--from", "state"]);
    assert!(message.contains("backbone"), "{message}");
}
