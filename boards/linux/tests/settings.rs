//! What was asked for once holds until something else is asked for, and every command that changes it says so.

mod common;

use common::{Bench, tiny_pack};
use serde_json::{Value as Json, json};

const STATE: [&str; 2] = ["--state", "state"];
const ASKED: [&str; 6] =
    ["--learner", "ridge", "--false-accepts", "0.1", "--half", "--keep-samples"];

/// Four classes of colours.
fn four(bench: &Bench, data: &str, first: u32, count: u32) {
    bench.colours(data, first, count);
    bench.pictures(data, "white", [190; 3], first, count);
}

fn learn(bench: &Bench, data: &str, state: &str, more: &[&str]) -> Json {
    bench.json("learn", &[&["--data", data, "--state", state], more].concat())
}

fn settings(bench: &Bench, state: &str) -> [Json; 3] {
    let status = bench.json("status", &["--state", state]);
    ["learns_with", "false_accepts", "half"].map(|key| status[key].clone())
}

fn head(bench: &Bench, state: &str) -> Vec<u8> {
    std::fs::read(bench.path(state).join("head.hshr")).unwrap()
}

#[test]
fn what_shapes_a_head_survives_every_command() {
    let bench = Bench::new();
    four(&bench, "data", 0, 8);
    four(&bench, "more", 30, 3);
    four(&bench, "theirs", 50, 3);
    bench.pictures("other class", "black", [5; 3], 0, 4);
    learn(&bench, "data", "state", &ASKED);
    learn(&bench, "theirs", "their state", &["--keep-samples"]);
    let asked = [json!("ridge"), json!(0.1), json!(true)];
    assert_eq!(settings(&bench, "state"), asked);
    // A state that is learned anew with the same samples and options has the same head, threshold included.
    let expected = |data: &[&str]| {
        let _ = std::fs::remove_dir_all(bench.path("anew"));
        data.iter().for_each(|data| drop(learn(&bench, data, "anew", &ASKED)));
        head(&bench, "anew")
    };
    let holds = |what: &str, said: &Json, data: &[&str]| {
        assert_eq!(said["changed_settings"], json!([]), "{what}");
        assert_eq!(settings(&bench, "state"), asked, "{what}");
        assert_eq!(head(&bench, "state"), expected(data), "{what}");
    };
    holds("learn", &learn(&bench, "more", "state", &[]), &["data", "more"]);
    let said = bench.json("merge", &["--state", "state", "--from", "their state"]);
    holds("merge", &said, &["data", "more", "theirs"]);
    learn(&bench, "other class", "state", &[]);
    let said = bench.json("forget", &["--state", "state", "--class", "black"]);
    holds("forget", &said, &["data", "more", "theirs"]);
    let said = bench.json("rename", &["--state", "state", "--class", "white", "--to", "pale"]);
    assert_eq!(
        (said["changed_settings"].clone(), settings(&bench, "state")),
        (json!([]), asked.clone())
    );
    let said = bench.json("rename", &["--state", "state", "--class", "pale", "--to", "white"]);
    holds("rename", &said, &["data", "more", "theirs"]);
    let said = bench.json("rollback", &STATE);
    assert_eq!(
        (said["changed_settings"].clone(), settings(&bench, "state")),
        (json!([]), asked.clone())
    );
    bench.json("rename", &["--state", "state", "--class", "pale", "--to", "white"]);
    // Another backbone learns as the old one did.
    std::fs::write(&bench.pack, tiny_pack(3, None)).unwrap();
    let said = bench.json("adopt", &["--state", "state", "--force"]);
    holds("adopt", &said, &["data", "more", "theirs"]);
}

#[test]
fn crops_and_a_budget_survive_every_command() {
    let bench = Bench::new();
    four(&bench, "data", 0, 8);
    four(&bench, "more", 30, 3);
    four(&bench, "theirs", 50, 3);
    bench.pictures("other class", "black", [5; 3], 0, 4);
    // Six samples of each class, twice shown.
    let asked = ["--views", "2", "--max-bytes", "1200", "--keep-samples"];
    let first = learn(&bench, "data", "state", &asked);
    assert_eq!((&first["samples"], &first["dropped_samples"]), (&json!(24), &json!(8)));
    learn(&bench, "theirs", "their state", &asked);
    let expected = |data: &[&str]| {
        let _ = std::fs::remove_dir_all(bench.path("anew"));
        data.iter().for_each(|data| drop(learn(&bench, data, "anew", &asked)));
        ["head.hshr", "features.hsfc"]
            .map(|name| std::fs::read(bench.path("anew").join(name)).unwrap())
    };
    let holds = |what: &str, said: &Json, data: &[&str]| {
        assert_eq!(said["changed_settings"], json!([]), "{what}");
        let status = bench.json("status", &STATE);
        assert_eq!((&status["views"], &status["max_bytes"]), (&json!(2), &json!(1200)), "{what}");
        let found = ["head.hshr", "features.hsfc"]
            .map(|name| std::fs::read(bench.path("state").join(name)).unwrap());
        assert!(data.is_empty() || found == expected(data), "{what}");
    };
    let said = learn(&bench, "more", "state", &[]);
    assert_eq!(said["samples"], 24);
    holds("learn", &said, &["data", "more"]);
    let said = bench.json("merge", &["--state", "state", "--from", "their state"]);
    assert_eq!((&said["samples"], &said["dropped_samples"]), (&json!(24), &json!(12)));
    holds("merge", &said, &["data", "more", "theirs"]);
    let said = bench.json("rename", &["--state", "state", "--class", "white", "--to", "pale"]);
    holds("rename", &said, &[]);
    holds("rollback", &bench.json("rollback", &STATE), &["data", "more", "theirs"]);
    let said = learn(&bench, "other class", "state", &["--force"]);
    holds("a new class", &said, &["data", "more", "theirs", "other class"]);
    let said = bench.json("forget", &["--state", "state", "--class", "black"]);
    holds("forget", &said, &[]);
    std::fs::write(&bench.pack, tiny_pack(3, None)).unwrap();
    let said = bench.json("adopt", &["--state", "state", "--force"]);
    assert!(said["dropped_samples"].as_u64().unwrap() > 0, "{said}");
    holds("adopt", &said, &[]);
    assert!(std::fs::metadata(bench.path("state/features.hsfc")).unwrap().len() <= 1200);
    // Taken back, it is said.
    let said = learn(&bench, "data", "state", &["--views", "auto", "--max-bytes", "none"]);
    let change = |setting: &str, before: &str, now: &str| json!({"setting": setting, "before": before, "now": now});
    assert_eq!(
        said["changed_settings"],
        json!([change("views", "2", "auto"), change("max_bytes", "1200", "none")])
    );
}

#[test]
fn a_command_that_changes_a_setting_says_so() {
    let bench = Bench::new();
    four(&bench, "data", 0, 8);
    learn(&bench, "data", "state", &ASKED);
    learn(&bench, "data", "plain", &["--views", "1"]);
    learn(&bench, "data", "plain", &["--views", "auto"]);
    let back = ["--learner", "auto", "--false-accepts", "1", "--half=false"];
    let said = learn(&bench, "data", "state", &back);
    let change = |setting: &str, before: &str, now: &str| json!({"setting": setting, "before": before, "now": now});
    assert_eq!(
        said["changed_settings"],
        json!([
            change("learner", "ridge", "auto"),
            change("false_accepts", "0.1", "none"),
            change("half", "true", "false"),
        ])
    );
    assert_eq!(settings(&bench, "state"), [json!("auto"), json!(null), json!(false)]);
    assert_eq!(head(&bench, "state"), head(&bench, "plain"));
    let said = bench.json("rollback", &STATE);
    assert_eq!(said["changed_settings"].as_array().unwrap().len(), 3);
    assert_eq!(settings(&bench, "state")[0], "ridge");
    let mut command = bench.command("learn", &["--data", "data", "--state", "state"]);
    let text = String::from_utf8(command.args(back).output().unwrap().stdout).unwrap();
    assert!(text.contains("false_accepts none, was 0.1"), "{text}");
    let said = learn(&bench, "data", "state", &["--kept-bits", "4"]);
    assert_eq!(said["changed_settings"], json!([change("kept_bits", "8", "4")]));
    assert_eq!(learn(&bench, "data", "state", &[])["changed_settings"], json!([]));
}

#[test]
fn a_threshold_that_cannot_be_measured_again_stands() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    let learned = learn(&bench, "data", "state", &["--false-accepts", "0.05"]);
    let said = bench.json("forget", &["--state", "state", "--class", "blue"]);
    assert_eq!(
        (&said["threshold_kept"], &said["unknown_threshold"]),
        (&true.into(), &learned["unknown_threshold"])
    );
    assert_eq!(settings(&bench, "state")[1], json!(0.05));
    // With a third class it is measured as ever.
    let said = learn(&bench, "data", "state", &[]);
    assert_eq!(
        (&said["threshold_kept"], &said["unknown_threshold"]),
        (&false.into(), &learned["unknown_threshold"])
    );
    // Two classes from the start say nothing of strangers.
    let two = Bench::new();
    two.pictures("data", "red", common::RED, 0, 4);
    two.pictures("data", "green", common::GREEN, 0, 4);
    let refusal =
        two.refusal(1, "learn", &["--data", "data", "--state", "state", "--false-accepts", "0.1"]);
    assert!(refusal.contains("--false-accepts"), "{refusal}");
}
