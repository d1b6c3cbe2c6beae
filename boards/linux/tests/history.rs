//! Earlier commits, updates that do harm, and samples whose label is doubtful.

mod common;

use common::{BLUE, Bench, GREEN, RED, contents};

const STATE: [&str; 2] = ["--state", "state"];

fn learn(bench: &Bench, data: &str) -> serde_json::Value {
    bench.json("learn", &["--data", data, "--state", "state"])
}

fn numbers(bench: &Bench) -> Vec<(u64, bool)> {
    let history = bench.json("history", &STATE);
    let entry =
        |c: &serde_json::Value| (c["number"].as_u64().unwrap(), c["current"].as_bool().unwrap());
    history["commits"].as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn a_rollback_returns_to_an_earlier_head_and_its_samples() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    learn(&bench, "data");
    let first = contents(&bench.path("state"));
    bench.pictures("more", "white", [190; 3], 0, 4);
    learn(&bench, "more");
    assert_eq!(numbers(&bench), [(1, false), (2, true)]);
    let returned = bench.json("rollback", &STATE);
    assert_eq!((&returned["to"], &returned["dropped_samples"]), (&1.into(), &4.into()));
    assert_eq!(numbers(&bench), [(1, false), (2, false), (3, true)]);
    let now = contents(&bench.path("state"));
    for name in ["head.hshr", "features.hsfc"] {
        let of = |files: &[(String, Vec<u8>)]| files.iter().find(|(n, _)| n == name).cloned();
        assert_eq!(of(&now), of(&first));
    }
    // The way forward needs the samples again.
    let message = bench.refusal(1, "rollback", &["--state", "state", "--to", "2"]);
    assert!(message.contains("learn them again"), "{message}");
    learn(&bench, "more");
    bench.json("rollback", &["--state", "state", "--to", "2"]);
    let message = bench.refusal(1, "rollback", &["--state", "state", "--to", "77"]);
    assert!(message.contains("history"), "{message}");
    bench.json("rollback", &["--state", "state", "--to", "1"]);
    for _ in 0..3 {
        learn(&bench, "more");
        bench.json("rollback", &STATE);
    }
    assert_eq!(numbers(&bench).len(), 8);
}

/// Four lessons of a class more each.
fn four_lessons() -> Bench {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    learn(&bench, "data");
    for (name, grey) in [("white", 190), ("grey", 120), ("black", 10)] {
        bench.pictures(name, name, [grey; 3], 0, 4);
        learn(&bench, name);
    }
    bench
}

#[test]
fn each_rollback_goes_back_one_lesson_more() {
    let bench = four_lessons();
    for to in [3, 2, 1] {
        let returned = bench.json("rollback", &STATE);
        assert_eq!(
            (&returned["to"], &returned["passed_over"]),
            (&to.into(), &serde_json::json!([]))
        );
        assert_eq!(bench.json("status", &STATE)["samples"], 8 + 4 * to);
    }
    let message = bench.refusal(1, "rollback", &STATE);
    assert!(message.contains("before the current"), "{message}");
    // A lesson behind rollbacks is undone first, then what they returned to: nothing that they undid comes back.
    learn(&bench, "white");
    learn(&bench, "black");
    for samples in [16, 12] {
        bench.json("rollback", &STATE);
        assert_eq!(bench.json("status", &STATE)["samples"], samples);
    }
    assert!(bench.refusal(1, "rollback", &STATE).contains("before the current"));
}

#[test]
fn commits_whose_samples_are_gone_are_marked_and_passed_over() {
    let bench = four_lessons();
    bench.json("rollback", &["--state", "state", "--to", "1"]);
    learn(&bench, "black");
    let history = bench.json("history", &STATE);
    let entries = history["commits"].as_array().unwrap().iter();
    let returnable: Vec<_> = entries.map(|c| c["returnable"].as_bool().unwrap()).collect();
    assert_eq!(returnable, [true, false, false, false, true, true]);
    let text = bench.command("history", &STATE).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches("(samples gone)").count(), 3, "{text}");
    let message = bench.refusal(1, "rollback", &["--state", "state", "--to", "3"]);
    assert!(message.contains("commit 3: learn them again, or go further back"), "{message}");
    assert!(message.contains("--to N"), "{message}");
}

#[test]
fn where_the_commit_in_between_is_no_longer_kept_those_of_which_samples_are_gone_are_passed_over() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    learn(&bench, "data");
    for (name, grey) in [("white", 190), ("grey", 120)] {
        bench.pictures(name, name, [grey; 3], 0, 4);
        learn(&bench, name);
    }
    bench.json("rollback", &STATE);
    bench.pictures("black", "black", [10; 3], 0, 4);
    learn(&bench, "black");
    assert_eq!(bench.json("rollback", &STATE)["to"], 4);
    std::fs::remove_file(bench.path("state/commit-00000004.hsco")).unwrap();
    let output = bench.command("rollback", &STATE).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("commit 1 answers now"), "{text}");
    assert!(text.contains("Passed over, because their samples are no longer kept: 3."), "{text}");
}

#[test]
fn there_is_nothing_before_the_first_commit() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    assert!(bench.refusal(1, "rollback", &STATE).contains("run learn"));
    assert_eq!(bench.json("history", &STATE)["commits"], serde_json::json!([]));
    learn(&bench, "data");
    let message = bench.refusal(1, "rollback", &STATE);
    assert!(message.contains("before the current"), "{message}");
}

#[test]
fn an_update_that_does_harm_is_kept_as_rejected_and_changes_nothing() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    learn(&bench, "data");
    let before = contents(&bench.path("state"));
    // Three times as many samples, all with a wrong label.
    bench.pictures("wrong", "green", RED, 20, 24);
    bench.pictures("wrong", "blue", GREEN, 20, 24);
    bench.pictures("wrong", "red", BLUE, 20, 24);
    let wrong = ["--data", "wrong", "--state", "state"];
    let output = bench.command("learn", &wrong).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let known = &report["known_samples"];
    assert_eq!((&known["held_out"], &known["right_before"]), (&24.into(), &24.into()));
    assert!(known["right_after"].as_u64().unwrap() < 12, "{report}");
    let reason = report["rejected"].as_str().unwrap();
    assert!(reason.contains("--force"), "{reason}");
    let mut after = contents(&bench.path("state"));
    let rejected = after.iter().position(|(name, _)| name == "rejected.hsco").unwrap();
    after.remove(rejected);
    assert_eq!(after, before);
    assert_eq!(bench.json("history", &STATE)["rejected"]["note"], reason);

    // A good update clears it, and --force is obeyed.
    bench.colours("good", 60, 3);
    assert_eq!(learn(&bench, "good")["rejected"], serde_json::Value::Null);
    assert_eq!(bench.json("history", &STATE)["rejected"], serde_json::Value::Null);
    bench.json("learn", &[&wrong[..], &["--force"]].concat());
    let answer = bench.json("predict", &["--state", "state", "data/red/0.png"]);
    assert_ne!(answer["files"][0]["best"], "red");
    bench.json("rollback", &STATE);
    let answer = bench.json("predict", &["--state", "state", "data/red/0.png"]);
    assert_eq!(answer["files"][0]["best"], "red");
}

#[test]
fn wrong_labels_among_right_ones_are_set_aside_by_name() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    learn(&bench, "data");
    bench.colours("mixed", 20, 6);
    bench.pictures("mixed", "green", RED, 40, 3);
    bench.pictures("mixed", "red", BLUE, 50, 2);
    let mixed = ["--data", "mixed", "--state", "state"];
    let report = bench.json("learn", &mixed);
    assert_eq!(
        (&report["rejected"], &report["new_samples"]),
        (&serde_json::Value::Null, &18.into())
    );
    let aside = report["set_aside"].as_array().unwrap();
    let mut files: Vec<&str> = aside.iter().map(|a| a["file"].as_str().unwrap()).collect();
    files.sort_unstable();
    let wrong = ["green/40", "green/41", "green/42", "red/50", "red/51"];
    assert_eq!(files, wrong.map(|name| format!("mixed/{name}.png")));
    assert_eq!(bench.json("status", &STATE)["cached_samples"], 24 + 18);
    // So they are by the next call; the owner may insist.
    let again = bench.json("learn", &mixed);
    assert_eq!(
        (&again["new_samples"], again["set_aside"].as_array().unwrap().len()),
        (&0.into(), 5)
    );
    let forced = bench.json("learn", &[&mixed[..], &["--force"]].concat());
    assert_eq!((&forced["new_samples"], &forced["set_aside"]), (&5.into(), &serde_json::json!([])));
    assert_eq!(bench.json("status", &STATE)["cached_samples"], 24 + 18 + 5);
}

#[test]
fn the_part_of_strangers_that_is_answered_is_measured_and_kept() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    let arguments = ["--data", "data", "--state", "state", "--false-accepts", "0.1"];
    let report = bench.json("learn", &arguments);
    let part = |name: &str| report["unknown"][name].as_f64().unwrap();
    assert!(part("false_accepts") <= 0.1 && (0.0..=1.0).contains(&part("given_up")), "{report}");
    let threshold = report["unknown_threshold"].as_f64().unwrap();
    assert_eq!(bench.json("status", &STATE)["unknown_threshold"].as_f64(), Some(threshold));
    let note = bench.json("history", &STATE)["commits"][0]["note"].as_str().unwrap().to_owned();
    assert!(note.contains("% of what was never taught is answered"), "{note}");
    // Two classes say nothing of strangers.
    let two = Bench::new();
    two.pictures("data", "red", RED, 0, 4);
    two.pictures("data", "green", GREEN, 0, 4);
    let refusal = two.refusal(1, "learn", &arguments);
    assert!(refusal.contains("--false-accepts"), "{refusal}");
}

#[test]
fn samples_with_a_wrong_label_are_found() {
    let bench = Bench::new();
    bench.colours("data", 0, 10);
    bench.pictures("data", "green", RED, 90, 1);
    learn(&bench, "data");
    let all = bench.json("samples", &STATE);
    assert_eq!(all["samples"].as_array().unwrap().len(), 31);
    let green = bench.json("samples", &["--state", "state", "--class", "green"]);
    assert_eq!(green["samples"].as_array().unwrap().len(), 11);
    let doubtful = bench.json("samples", &["--state", "state", "--doubtful"]);
    let first = &doubtful["samples"][0];
    assert_eq!((&first["class"], &first["answer"]), (&"green".into(), &"red".into()));
    let id = first["id"].as_str().unwrap();
    bench.json("forget", &["--state", "state", "--sample", id]);
    let doubtful = bench.json("samples", &["--state", "state", "--doubtful"]);
    assert_eq!(doubtful["samples"], serde_json::json!([]));
}

/// The pictures of each class under the name of the next.
fn rotate(bench: &Bench, data: &str, names: [&str; 3]) {
    for (from, to) in names.iter().zip([names[1], names[2], names[0]]) {
        std::fs::rename(bench.path(data).join(from), bench.path(data).join(format!("{to} new")))
            .unwrap();
    }
    for name in names {
        let folder = bench.path(data);
        std::fs::rename(folder.join(format!("{name} new")), folder.join(name)).unwrap();
    }
}

#[test]
fn all_that_is_known_is_not_corrected_without_force() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    learn(&bench, "data");
    let before = contents(&bench.path("state"));
    rotate(&bench, "data", ["red", "green", "blue"]);
    let arguments = ["--data", "data", "--state", "state"];
    let output = bench.command("learn", &arguments).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let reason = report["rejected"].as_str().unwrap();
    for words in ["24 of the 24 samples", "8 of blue become red", "--force"] {
        assert!(reason.contains(words), "{reason}");
    }
    let mut after = contents(&bench.path("state"));
    after.retain(|(name, _)| name != "rejected.hsco");
    assert_eq!(after, before);
    // The owner may insist.
    bench.json("learn", &[&arguments[..], &["--force"]].concat());
    assert_eq!(bench.json("eval", &arguments)["accuracy"], 1.0);
    // One wrong sample is corrected as ever.
    bench.pictures("one", "green", BLUE, 0, 1);
    assert_eq!(learn(&bench, "one")["corrected_samples"], 1);
}

#[test]
fn a_state_is_no_data_and_data_holds_no_state() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let refused = |state: &str, data: &str, words: &str| {
        let before = contents(bench.root.path());
        let arguments = ["--data", data, "--state", state, "--keep-samples"];
        let message = bench.refusal(1, "learn", &arguments);
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("remove"), "{message}");
        assert_eq!(contents(bench.root.path()), before);
    };
    let holds = "keep the state beside the samples";
    refused("data", "data", "lies in the state folder data");
    refused("data/state", "data", holds);
    refused("data/red/state", "data", holds);
    bench.json("learn", &["--data", "data", "--state", "state", "--keep-samples"]);
    let lies = "lies in the state folder";
    refused("state", "state", lies);
    refused("other", "state", lies);
    refused("other", "state/kept-samples", lies);
    std::os::unix::fs::symlink("../state/kept-samples", bench.path("data/white")).unwrap();
    refused("state", "data", lies);
    refused("other", "data", lies);
    let message = bench.refusal(1, "eval", &["--data", "state", "--state", "state"]);
    assert!(message.contains(lies), "{message}");
}
