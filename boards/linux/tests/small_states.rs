//! Heads and samples in few bytes.

mod common;

use common::Bench;
use headstart::head::{HeadRecord, Storage};

#[test]
fn a_half_head_answers_the_same_in_two_bytes_a_weight() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    bench.colours("test", 100, 8);
    let whole = bench.json("learn", &["--data", "data", "--state", "whole"]);
    let half = bench.json("learn", &["--data", "data", "--state", "half", "--half"]);
    // 12 features, 3 classes: 36 weights of 2 bytes instead of 4, and no prototypes, which are as many bytes.
    let bytes = |learned: &serde_json::Value| learned["head_bytes"].as_u64().unwrap();
    assert!(bytes(&whole) >= 36 * 5);
    assert!(bytes(&half) <= 2 * (36 + 3) + 64, "{half}");
    let bytes = std::fs::read(bench.path("half").join("head.hshr")).unwrap();
    let record = HeadRecord::parse(&bytes).unwrap();
    assert_eq!((record.storage(), record.prototypes()), (Storage::F16, None));
    let eval = |state| bench.json("eval", &["--data", "test", "--state", state]);
    assert_eq!(eval("half")["confusion"], eval("whole")["confusion"]);
    // What is learned again stays as it was asked for.
    bench.json("rename", &["--state", "half", "--class", "red", "--to", "rot"]);
    let bytes = std::fs::read(bench.path("half").join("head.hshr")).unwrap();
    assert_eq!(HeadRecord::parse(&bytes).unwrap().storage(), Storage::F16);
}

#[test]
fn samples_are_kept_within_a_budget() {
    let bench = Bench::new();
    bench.colours("data", 0, 10);
    bench.pictures("data", "red", common::RED, 50, 20);
    let learn = ["--data", "data", "--state", "state", "--views", "1", "--max-bytes"];
    let learned = bench.json("learn", &[&learn[..], &["900"]].concat());
    let file = std::fs::metadata(bench.path("state").join("features.hsfc")).unwrap().len();
    assert!((900 - 32..=900).contains(&file), "{file}");
    let kept = learned["samples"].as_u64().unwrap();
    assert_eq!(kept + learned["dropped_samples"].as_u64().unwrap(), 50);
    let counts: Vec<u64> = learned["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["samples"].as_u64().unwrap())
        .collect();
    assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    let message = bench.refusal(1, "learn", &[&learn[..], &["100"]].concat());
    assert!(message.contains("one sample of each class"), "{message}");
}

#[test]
fn features_in_four_bits_take_half_and_are_what_is_learned_from() {
    let bench = Bench::new();
    bench.colours("data", 0, 10);
    bench.colours("more", 30, 10);
    bench.colours("test", 100, 8);
    let file = |state: &str, name| std::fs::read(bench.path(state).join(name)).unwrap();
    let cache = |state: &str| file(state, "features.hsfc");
    let learn = |data: &str, state: &str, more: &[&str]| {
        bench.json("learn", &[&["--data", data, "--state", state, "--force"], more].concat())
    };
    let four = ["--kept-bits", "4"];
    learn("data", "whole", &[]);
    learn("data", "half", &four);
    assert!(cache("half").len() < cache("whole").len());
    let status = |state| bench.json("status", &["--state", state])["feature_bits"].as_u64();
    assert_eq!((status("whole"), status("half")), (Some(8), Some(4)));
    let eval = bench.json("eval", &["--data", "test", "--state", "half"]);
    assert_eq!(eval["accuracy"], 1.0);

    // It stays so, and neither the order nor a detour shows.
    learn("more", "half", &[]);
    learn("more", "other", &four);
    learn("data", "other", &[]);
    assert_eq!(status("half"), Some(4));
    assert!(cache("half") == cache("other"));
    assert!(file("half", "head.hshr") == file("other", "head.hshr"));
    // A whole state becomes the same one.
    learn("more", "whole", &four);
    assert!(cache("whole") == cache("half"));

    let back = ["--data", "data", "--state", "half", "--kept-bits", "8"];
    assert!(bench.refusal(1, "learn", &back).contains("does not come back"));
    learn("data", "eight", &[]);
    let merge = ["--state", "half", "--from", "eight"];
    assert!(bench.refusal(1, "merge", &merge).contains("--kept-bits 4"));
    learn("data", "eight", &four);
    bench.json("merge", &merge);
    bench.json("forget", &["--state", "half", "--class", "red"]);
    assert_eq!(status("half"), Some(4));
}

#[test]
fn a_commit_is_timed_beside_a_state_of_any_size_and_leaves_it_alone() {
    // No state; of three classes too few samples for a batch and something known, just enough, and more.
    for (photos, samples) in [(0, 100), (1, 30), (3, 30), (4, 12), (9, 27)] {
        let bench = Bench::new();
        if photos > 0 {
            bench.colours("data", 0, photos);
            bench.json("learn", &["--data", "data", "--state", "state"]);
        }
        let before = common::contents(bench.root.path());
        let state: &[&str] = if photos > 0 { &["--state", "state"] } else { &[] };
        let measured = bench.json("bench", state);
        let commit = &measured["commit"];
        assert_eq!(commit["samples"].as_u64(), Some(samples), "{photos}: {commit}");
        assert!(commit["share"].as_f64().unwrap() > 0.0, "{commit}");
        assert!(common::contents(bench.root.path()) == before, "{photos}");
    }
}
