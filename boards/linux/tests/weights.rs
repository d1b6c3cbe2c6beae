//! Samples that count as several: what that does, that it is part of the state, and when it is advised.

mod common;

use common::{BLUE, Bench, GREEN, RED, contents, tiny_pack};
use serde_json::{Value as Json, json};

const STATE: [&str; 2] = ["--state", "state"];

fn learn(bench: &Bench, data: &str, state: &str, more: &[&str]) -> Json {
    bench.json("learn", &[&["--data", data, "--state", state, "--views", "1"], more].concat())
}

fn file(bench: &Bench, state: &str, name: &str) -> Vec<u8> {
    std::fs::read(bench.path(state).join(name)).unwrap()
}

fn head(bench: &Bench, state: &str) -> Vec<u8> {
    file(bench, state, "head.hshr")
}

/// How many samples count as so many.
fn counting(bench: &Bench, weight: u16) -> usize {
    let listed = bench.json("samples", &STATE);
    listed["samples"].as_array().unwrap().iter().filter(|s| s["weight"] == weight).count()
}

#[test]
fn a_weight_changes_the_head_and_survives_every_command() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    bench.colours("more", 30, 3);
    bench.colours("theirs", 50, 2);
    bench.pictures("other class", "white", [190; 3], 0, 4);
    let keep = ["--keep-samples"];
    let heavy = ["--weight", "5", "--keep-samples"];
    learn(&bench, "data", "plain", &[]);
    learn(&bench, "more", "plain", &[]);
    learn(&bench, "data", "state", &keep);
    learn(&bench, "more", "state", &heavy);
    assert_ne!(head(&bench, "state"), head(&bench, "plain"));
    learn(&bench, "theirs", "their state", &keep);
    // What is learned anew with the same samples and weights.
    let expected = |data: &[(&str, &[&str])]| {
        let _ = std::fs::remove_dir_all(bench.path("anew"));
        data.iter().for_each(|(data, options)| drop(learn(&bench, data, "anew", options)));
        ["head.hshr", "features.hsfc"].map(|name| file(&bench, "anew", name))
    };
    let holds = |what: &str, data: &[(&str, &[&str])]| {
        let found = ["head.hshr", "features.hsfc"].map(|name| file(&bench, "state", name));
        assert_eq!(counting(&bench, 5), 9, "{what}");
        assert!(found == expected(data), "{what}");
    };
    let both = [("data", &[][..]), ("more", &heavy[..])];
    let three = [both[0], both[1], ("theirs", &[][..])];
    holds("learn", &both);
    bench.json("merge", &["--state", "state", "--from", "their state"]);
    holds("merge", &three);
    // Corrected and back.
    let known = format!("more/{}", "red/30.png");
    bench.pictures("corrected", "green", RED, 30, 1);
    assert_eq!(
        std::fs::read(bench.path(&known)).unwrap(),
        std::fs::read(bench.path("corrected/green/30.png")).unwrap()
    );
    learn(&bench, "corrected", "state", &["--force"]);
    assert_eq!(counting(&bench, 5), 9);
    learn(&bench, "more", "state", &["--force"]);
    holds("a correction", &three);
    learn(&bench, "other class", "state", &["--force"]);
    bench.json("forget", &["--state", "state", "--class", "white"]);
    holds("forget", &three);
    bench.json("rename", &["--state", "state", "--class", "red", "--to", "rose"]);
    assert_eq!(counting(&bench, 5), 9);
    bench.json("rename", &["--state", "state", "--class", "rose", "--to", "red"]);
    holds("rename", &three);
    // Another weight, and back to the commit before.
    learn(&bench, "more", "state", &["--weight", "2", "--force"]);
    assert_eq!((counting(&bench, 5), counting(&bench, 2)), (0, 9));
    bench.json("rollback", &STATE);
    holds("rollback", &three);
    // Features are lost, and come back from copies.
    std::fs::write(bench.path("state/features.hsfc"), "lost").unwrap();
    bench.json("repair", &STATE);
    holds("repair", &three);
}

#[test]
fn another_backbone_lets_samples_count_as_before() {
    let mut bench = Bench::new();
    bench.colours("data", 0, 5);
    bench.colours("more", 30, 3);
    let both = |bench: &Bench, state: &str| {
        learn(bench, "data", state, &["--keep-samples"]);
        learn(bench, "more", state, &["--weight", "recent"]);
    };
    both(&bench, "state");
    assert_eq!(counting(&bench, 2), 9);
    std::fs::write(bench.path("new.hspk"), tiny_pack(3, None)).unwrap();
    bench.pack = bench.path("new.hspk");
    bench.json("adopt", &["--state", "state", "--force"]);
    both(&bench, "fresh");
    assert!(head(&bench, "state") == head(&bench, "fresh"));
    assert_eq!(counting(&bench, 2), 9);
}

#[test]
fn what_counted_as_several_and_is_forgotten_leaves_no_trace() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    bench.colours("more", 30, 2);
    learn(&bench, "data", "never", &[]);
    learn(&bench, "data", "state", &[]);
    learn(&bench, "more", "state", &["--weight", "7"]);
    assert_ne!(head(&bench, "state"), head(&bench, "never"));
    let mut forget = vec!["--state", "state"];
    let files: Vec<String> = ["red", "green", "blue"]
        .iter()
        .flat_map(|class| (30..32).map(move |number| format!("more/{class}/{number}.png")))
        .collect();
    files.iter().for_each(|file| forget.extend(["--sample", file]));
    bench.json("forget", &forget);
    for name in ["head.hshr", "features.hsfc"] {
        assert!(file(&bench, "state", name) == file(&bench, "never", name), "{name}");
    }
    // And where all count as much, none counts more.
    learn(&bench, "data", "heavy", &["--weight", "9"]);
    assert!(head(&bench, "heavy") == head(&bench, "never"));
    let commits = contents(&bench.path("state")).into_iter();
    assert_eq!(commits.filter(|(name, _)| name.starts_with("commit-")).count(), 1);
}

/// Sixty pictures of each of two classes are known; three others of each say the opposite.
fn taught(more: &[&str], others: [&str; 2]) -> (Json, String) {
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 60);
    bench.pictures("data", "green", GREEN, 0, 60);
    bench.pictures("more", others[0], [180, 60, 60], 100, 6);
    bench.pictures("more", others[1], [60, 180, 60], 100, 6);
    learn(&bench, "data", "state", &[]);
    learn(&bench, "data", "again", &[]);
    let arguments = [&["--data", "more", "--views", "1", "--force"], more].concat();
    let said = bench.json("learn", &[&arguments[..], &STATE].concat());
    let text = bench.command("learn", &[&arguments[..], &["--state", "again"]].concat()).output();
    (said, String::from_utf8(text.unwrap().stdout).unwrap())
}

#[test]
fn few_samples_that_many_leave_no_room_are_told_so_and_others_are_not() {
    let (said, text) = taught(&[], ["green", "red"]);
    assert_eq!(said["outweighed"]["others"], json!(10.0), "{said}");
    assert!(text.contains("The samples of before count 10 times as much as these"), "{text}");
    assert!(text.contains("--weight recent"), "{text}");
    for (more, others) in [(&["--weight", "recent"][..], ["green", "red"]), (&[], ["red", "green"])]
    {
        let (said, text) = taught(more, others);
        assert_eq!(said["outweighed"], json!(null), "{said}");
        assert!(!text.contains("times as much as these"), "{text}");
    }
    // Nothing was there before.
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 5);
    bench.pictures("data", "blue", BLUE, 0, 5);
    assert_eq!(learn(&bench, "data", "state", &[])["outweighed"], json!(null));
}

#[test]
fn a_weight_out_of_its_range_is_refused() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    for wrong in ["0", "101", "-1", "often", "1.5"] {
        let weight = format!("--weight={wrong}");
        let mut command = bench.command("learn", &["--data", "data", "--state", "state", &weight]);
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains("recent"), "{stderr}");
    }
    assert!(!bench.path("state").exists());
}
