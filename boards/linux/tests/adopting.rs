//! A pack with another backbone: what was learned is learned again from kept samples, or stays as it is.

mod common;

use std::path::Path;

use common::{BLUE, Bench, GREEN, RED, contents, tiny_pack};
use headstart_device::samples::SampleFile;
use serde_json::Value as Json;

const STATE: [&str; 2] = ["--state", "state"];
const ANSWER: [&str; 3] = ["--state", "state", "data/red/0.png"];

/// A bench with a pack of another backbone beside the first.
fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::write(bench.path("new.hspk"), tiny_pack(3, None)).unwrap();
    bench
}

fn with(bench: &mut Bench, pack: &str) {
    bench.pack = bench.path(pack);
}

fn learn(bench: &Bench, data: &str, state: &str, more: &[&str]) -> Json {
    bench.json("learn", &[&["--data", data, "--state", state], more].concat())
}

/// The head and the features, without the commits before.
fn pair(bench: &Bench, state: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = contents(&bench.path(state));
    files.retain(|(name, _)| ["head.hshr", "features.hsfc"].contains(&&name[..]));
    assert_eq!(files.len(), 2);
    files
}

/// Contents of the copies that a state keeps.
fn copies(bench: &Bench, state: &str) -> Vec<Vec<u8>> {
    let files = contents(&bench.path(state)).into_iter();
    let mut kept: Vec<_> =
        files.filter(|(name, _)| name.starts_with("kept-samples/")).map(|(_, b)| b).collect();
    kept.sort();
    kept
}

/// Contents of files, as copies of them would be.
fn files(bench: &Bench, names: &[&str]) -> Vec<Vec<u8>> {
    let mut files: Vec<_> =
        names.iter().map(|name| std::fs::read(bench.path(name)).unwrap()).collect();
    files.sort();
    files
}

fn hex(file: &Path) -> String {
    let id = SampleFile::read(file).unwrap().id();
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn samples_are_kept_as_they_are_once_it_was_asked_for() {
    let bench = bench();
    bench.colours("data", 0, 2);
    assert_eq!(learn(&bench, "data", "state", &[])["kept_samples"], 0);
    assert!(!bench.path("state/kept-samples").exists());
    // Known samples that are given again are kept too; others are not there to be copied.
    bench.pictures("more", "red", RED, 0, 1);
    let learned = learn(&bench, "more", "state", &["--keep-samples"]);
    assert_eq!((&learned["kept_samples"], &learned["new_samples"]), (&1.into(), &0.into()));
    let copy = format!("state/kept-samples/{}.png", hex(&bench.path("more/red/0.png")));
    assert_eq!(copies(&bench, "state"), files(&bench, &["more/red/0.png"]));
    assert!(bench.path(&copy).exists());
    // From then on it is so.
    bench.pictures("third", "red", RED, 9, 1);
    assert_eq!(learn(&bench, "third", "state", &[])["kept_samples"], 2);
    let status = bench.json("status", &STATE);
    let bytes: usize = copies(&bench, "state").iter().map(Vec::len).sum();
    assert_eq!((&status["kept_samples"], &status["kept_bytes"]), (&2.into(), &bytes.into()));
    // Until the folder is removed.
    std::fs::remove_dir_all(bench.path("state/kept-samples")).unwrap();
    assert_eq!(learn(&bench, "third", "state", &[])["kept_samples"], 0);
    assert!(!bench.path("state/kept-samples").exists());
}

#[test]
fn adopting_gives_the_bytes_of_a_device_that_learned_with_the_new_pack_from_the_start() {
    let mut bench = bench();
    bench.colours("data", 0, 5);
    bench.pictures("more", "white", [190; 3], 0, 4);
    bench.pictures("more", "green", GREEN, 30, 2);
    let learners: [&[&str]; 6] = [
        &["--learner", "auto"],
        &["--learner", "sgd"],
        &["--learner", "ridge"],
        &["--learner", "lda"],
        &["--half"],
        &["--kept-bits", "4"],
    ];
    for (number, options) in learners.into_iter().enumerate() {
        let (state, fresh) = (format!("state {number}"), format!("fresh {number}"));
        let both = |bench: &Bench, state: &str| {
            learn(bench, "data", state, &[options, &["--keep-samples"]].concat());
            // Shown once, where the others were shown three times or as the learner does it.
            learn(bench, "more", state, &[options, &["--views", "1", "--force"]].concat());
        };
        with(&mut bench, "tiny.hspk");
        both(&bench, &state);
        with(&mut bench, "new.hspk");
        let adopted = bench.json("adopt", &["--state", &state]);
        assert_eq!((&adopted["samples"], &adopted["missing_samples"]), (&21.into(), &0.into()));
        assert_eq!(adopted["known_samples"]["held_out"], 21);
        both(&bench, &fresh);
        assert!(pair(&bench, &state) == pair(&bench, &fresh), "{options:?}");
        assert_eq!(copies(&bench, &state), copies(&bench, &fresh));
    }
}

#[test]
fn the_old_pack_answers_until_the_new_one_is_adopted_and_again_after_a_rollback() {
    let mut bench = bench();
    bench.colours("data", 0, 4);
    bench.pictures("more", "red", RED, 20, 2);
    learn(&bench, "data", "state", &["--keep-samples"]);
    learn(&bench, "more", "state", &["--views", "1"]);
    let old = pair(&bench, "state");
    with(&mut bench, "new.hspk");
    for (command, arguments) in [
        ("predict", &ANSWER[..]),
        ("learn", &["--data", "more", "--state", "state"]),
        ("status", &STATE),
        ("samples", &STATE),
        ("history", &STATE),
        ("rollback", &STATE),
        ("forget", &["--state", "state", "--class", "red"]),
        ("rename", &["--state", "state", "--class", "red", "--to", "rot"]),
    ] {
        let message = bench.refusal(1, command, arguments);
        assert!(message.contains("adopt") && message.contains("14 of 14"), "{command}: {message}");
        assert!(message.contains("state/head.hshr"), "{command}: {message}");
    }
    assert_eq!(pair(&bench, "state"), old);
    with(&mut bench, "tiny.hspk");
    assert_eq!(bench.json("predict", &ANSWER)["files"][0]["best"], "red");

    with(&mut bench, "new.hspk");
    bench.json("adopt", &STATE);
    assert_eq!(bench.json("predict", &ANSWER)["files"][0]["best"], "red");
    let history = bench.json("history", &STATE);
    let notes: Vec<_> = history["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (&c["note"], &c["current"]))
        .collect();
    assert_eq!(
        notes,
        [
            (&"learn".into(), &false.into()),
            (&"learn".into(), &false.into()),
            (&"adopt".into(), &true.into())
        ]
    );
    assert_eq!(history["commits"][0]["learner"], Json::Null);
    assert_ne!(history["commits"][0]["backbone"], history["commits"][2]["backbone"]);
    let new = pair(&bench, "state");
    for arguments in [&STATE[..], &["--state", "state", "--to", "1"]] {
        let message = bench.refusal(1, "rollback", arguments);
        assert!(message.contains("give rollback the pack of that one"), "{message}");
    }
    assert_eq!(bench.json("status", &STATE)["kept_samples"], 14);

    with(&mut bench, "tiny.hspk");
    let message = bench.refusal(1, "predict", &ANSWER);
    assert!(message.contains("rollback to commit 2"), "{message}");
    let returned = bench.json("rollback", &STATE);
    assert_eq!((&returned["to"], &returned["dropped_samples"]), (&2.into(), &0.into()));
    assert!(pair(&bench, "state") == old, "not the old pair");
    assert_eq!(bench.json("predict", &ANSWER)["files"][0]["best"], "red");
    // To the new one in the same way, and to the commit before the second.
    with(&mut bench, "new.hspk");
    bench.json("rollback", &["--state", "state", "--to", "3"]);
    assert!(pair(&bench, "state") == new, "not the new pair");
    with(&mut bench, "tiny.hspk");
    let returned = bench.json("rollback", &["--state", "state", "--to", "1"]);
    assert_eq!((&returned["samples"], &returned["dropped_samples"]), (&12.into(), &2.into()));
    // What the commit does not have is no longer kept.
    assert_eq!(copies(&bench, "state").len(), 12);
    with(&mut bench, "new.hspk");
    let message = bench.refusal(1, "rollback", &["--state", "state", "--to", "3"]);
    assert!(message.contains("no copy of all samples of commit 3"), "{message}");
}

#[test]
fn samples_that_were_not_kept_are_counted_and_nothing_is_changed() {
    let mut bench = bench();
    bench.colours("data", 0, 4);
    learn(&bench, "data", "state", &[]);
    let before = contents(&bench.path("state"));
    with(&mut bench, "new.hspk");
    let message = bench.refusal(1, "predict", &ANSWER);
    assert!(
        message.contains("no copies of its samples were kept")
            && message.contains("--keep-samples"),
        "{message}"
    );
    for force in [&[][..], &["--force"]] {
        let message = bench.refusal(1, "adopt", &[&STATE[..], force].concat());
        assert!(message.contains("no copy of its 12 samples"), "{message}");
        assert!(message.contains("learn --keep-samples"), "{message}");
    }
    assert!(contents(&bench.path("state")) == before);

    // All are kept, but for two.
    with(&mut bench, "tiny.hspk");
    learn(&bench, "data", "state", &["--keep-samples"]);
    let remove = |name: &str| {
        let copy = format!("state/kept-samples/{}.png", hex(&bench.path(name)));
        std::fs::remove_file(bench.path(&copy)).unwrap();
    };
    ["data/red/0.png", "data/green/3.png"].into_iter().for_each(remove);
    let before = contents(&bench.path("state"));
    with(&mut bench, "new.hspk");
    let message = bench.refusal(1, "adopt", &STATE);
    assert!(message.contains("10 of its 12 samples, and 2 are missing"), "{message}");
    assert!(message.contains("--keep-samples") && message.contains("--force"), "{message}");
    assert!(contents(&bench.path("state")) == before);
    let adopted = bench.json("adopt", &["--state", "state", "--force"]);
    assert_eq!((&adopted["samples"], &adopted["missing_samples"]), (&10.into(), &2.into()));
    std::fs::remove_file(bench.path("data/red/0.png")).unwrap();
    std::fs::remove_file(bench.path("data/green/3.png")).unwrap();
    learn(&bench, "data", "fresh", &[]);
    assert!(pair(&bench, "state") == pair(&bench, "fresh"));
}

#[test]
fn a_copy_that_was_damaged_is_named() {
    let mut bench = bench();
    bench.colours("data", 0, 3);
    learn(&bench, "data", "state", &["--keep-samples"]);
    let copy = format!("state/kept-samples/{}.png", hex(&bench.path("data/red/0.png")));
    let before = contents(&bench.path("state"));
    std::fs::copy(bench.path("data/red/1.png"), bench.path(&copy)).unwrap();
    with(&mut bench, "new.hspk");
    let message = bench.refusal(1, "adopt", &STATE);
    assert!(message.contains(&copy) && message.contains("not the sample"), "{message}");
    std::fs::write(bench.path(&copy), "no picture").unwrap();
    assert!(bench.refusal(1, "adopt", &STATE).contains(&copy));
    std::fs::copy(bench.path("data/red/0.png"), bench.path(&copy)).unwrap();
    assert!(contents(&bench.path("state")) == before);
}

#[test]
fn a_backbone_that_answers_the_samples_worse_is_rejected() {
    let mut bench = bench();
    bench.halves("data", 10);
    std::fs::write(bench.path("blind.hspk"), tiny_pack(1, None)).unwrap();
    learn(&bench, "data", "state", &["--keep-samples"]);
    let before = contents(&bench.path("state"));
    with(&mut bench, "blind.hspk");
    let output = bench.command("adopt", &["--state", "state", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let reason = report["rejected"].as_str().unwrap();
    assert!(reason.contains("--force") && reason.contains("of 20 that were held out"), "{reason}");
    assert_eq!(report["known_samples"]["right_before"], 20);
    assert!(report["known_samples"]["right_after"].as_u64().unwrap() < 16, "{report}");
    let mut after = contents(&bench.path("state"));
    after.retain(|(name, _)| name != "rejected.hsco");
    assert!(after == before);
    let text = bench.command("adopt", &STATE).output().unwrap();
    assert!(String::from_utf8_lossy(&text.stdout).starts_with("Rejected"));
    // The old pair answers, and its history says why.
    with(&mut bench, "tiny.hspk");
    let answer = bench.json("predict", &["--state", "state", "data/left/0.png"]);
    assert_eq!(answer["files"][0]["best"], "left");
    assert_eq!(bench.json("history", &STATE)["rejected"]["note"], reason);
    with(&mut bench, "blind.hspk");
    let forced = bench.json("adopt", &["--state", "state", "--force"]);
    assert_eq!((&forced["rejected"], &forced["samples"]), (&Json::Null, &20.into()));
    bench.json("predict", &["--state", "state", "data/left/0.png"]);
}

#[test]
fn a_forgotten_sample_leaves_no_copy() {
    let bench = bench();
    bench.colours("data", 0, 3);
    bench.pictures("more", "red", RED, 20, 1);
    bench.pictures("more", "white", [190; 3], 0, 3);
    learn(&bench, "data", "never", &["--keep-samples"]);
    learn(&bench, "data", "state", &["--keep-samples"]);
    learn(&bench, "more", "state", &[]);
    assert_eq!(copies(&bench, "state").len(), 13);
    bench.json("forget", &["--state", "state", "--sample", "more/red/20.png", "--class", "white"]);
    assert!(contents(&bench.path("state")) == contents(&bench.path("never")));
    // A name is no matter of a copy.
    bench.json("rename", &["--state", "state", "--class", "red", "--to", "rot"]);
    assert_eq!(copies(&bench, "state"), copies(&bench, "never"));
    bench.json("forget", &["--state", "state", "--yes"]);
    assert!(!bench.path("state").exists());
}

#[test]
fn what_is_not_learned_is_not_kept() {
    let bench = bench();
    bench.colours("data", 0, 8);
    learn(&bench, "data", "state", &["--keep-samples"]);
    // Set aside.
    bench.colours("mixed", 20, 6);
    bench.pictures("mixed", "green", RED, 40, 3);
    let mixed = learn(&bench, "mixed", "state", &[]);
    assert_eq!(mixed["set_aside"].as_array().unwrap().len(), 3);
    assert_eq!(mixed["kept_samples"], 24 + 18);
    // Rejected.
    let before = copies(&bench, "state");
    bench.pictures("wrong", "green", RED, 120, 60);
    bench.pictures("wrong", "blue", GREEN, 120, 60);
    bench.pictures("wrong", "red", BLUE, 120, 60);
    let wrong = ["--data", "wrong", "--state", "state"];
    assert_eq!(bench.command("learn", &wrong).output().unwrap().status.code(), Some(1));
    assert_eq!(copies(&bench, "state"), before);
    // Left out of a budget, and not there before a rollback.
    let bytes = std::fs::metadata(bench.path("state/features.hsfc")).unwrap().len() / 2;
    let cut = learn(&bench, "data", "state", &["--max-bytes", &bytes.to_string()]);
    assert!(cut["dropped_samples"].as_u64().unwrap() > 0);
    assert_eq!(cut["kept_samples"], cut["samples"]);
    assert_eq!(copies(&bench, "state").len() as u64, cut["samples"].as_u64().unwrap());
    bench.pictures("more", "white", [190; 3], 0, 3);
    let kept = copies(&bench, "state");
    learn(&bench, "more", "state", &["--max-bytes", "none"]);
    assert_eq!(copies(&bench, "state").len(), kept.len() + 3);
    bench.json("rollback", &STATE);
    assert_eq!(copies(&bench, "state"), kept);
}

#[test]
fn merging_takes_over_copies_where_samples_are_kept() {
    let bench = bench();
    bench.colours("mine", 0, 3);
    bench.colours("theirs", 10, 2);
    for (name, keep) in [("keeps", &["--keep-samples"][..]), ("does not", &[])] {
        learn(&bench, "mine", &format!("mine {name}"), keep);
        learn(&bench, "theirs", &format!("theirs {name}"), keep);
    }
    let merge = |mine: &str, theirs: &str| {
        bench.json(
            "merge",
            &["--state", &format!("mine {mine}"), "--from", &format!("theirs {theirs}")],
        );
        copies(&bench, &format!("mine {mine}")).len()
    };
    assert_eq!(merge("does not", "keeps"), 0);
    assert!(!bench.path("mine does not/kept-samples").exists());
    assert_eq!(merge("keeps", "does not"), 9);
    // Known by now, and kept all the same.
    assert_eq!(merge("keeps", "keeps"), 15);
    assert_eq!(copies(&bench, "theirs keeps").len(), 6);
}

#[test]
fn a_pack_with_the_same_backbone_needs_no_adoption() {
    let bench = bench();
    bench.colours("data", 0, 3);
    learn(&bench, "data", "state", &[]);
    let before = contents(&bench.path("state"));
    // Another file, with a head of its own.
    let head = std::fs::read(bench.path("state/head.hshr")).unwrap();
    std::fs::write(&bench.pack, tiny_pack(2, Some(head))).unwrap();
    assert_eq!(bench.json("adopt", &STATE), serde_json::json!({ "same_backbone": true }));
    let output = bench.command("adopt", &STATE).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("nothing needs to be done"));
    assert!(contents(&bench.path("state")) == before);
    let message = bench.refusal(1, "adopt", &["--state", "none"]);
    assert!(message.contains("holds no samples") && !bench.path("none").exists(), "{message}");
}

#[test]
fn classes_that_only_the_old_packs_head_could_tell_are_not_lost_silently() {
    let mut bench = bench();
    bench.colours("old", 0, 4);
    learn(&bench, "old", "factory", &[]);
    let head = std::fs::read(bench.path("factory/head.hshr")).unwrap();
    std::fs::write(&bench.pack, tiny_pack(2, Some(head))).unwrap();
    bench.pictures("data", "white", [190; 3], 0, 4);
    bench.pictures("data", "red", RED, 0, 4);
    learn(&bench, "data", "state", &["--keep-samples"]);
    let before = contents(&bench.path("state"));
    with(&mut bench, "new.hspk");
    let message = bench.refusal(1, "adopt", &STATE);
    assert!(message.contains("(blue, green)"), "{message}");
    assert!(contents(&bench.path("state")) == before);
    // A new pack that knows them.
    learn(&bench, "old", "new factory", &[]);
    let head = std::fs::read(bench.path("new factory/head.hshr")).unwrap();
    std::fs::write(&bench.pack, tiny_pack(3, Some(head))).unwrap();
    let adopted = bench.json("adopt", &STATE);
    assert_eq!((&adopted["samples"], adopted["classes"].as_array().unwrap().len()), (&8.into(), 4));
    learn(&bench, "data", "fresh", &[]);
    assert!(pair(&bench, "state") == pair(&bench, "fresh"));
    assert_eq!(
        bench.json("predict", &["--state", "state", "old/blue/0.png"])["files"][0]["best"],
        "blue"
    );
}

#[test]
fn more_classes_than_the_new_pack_plans_for_are_refused_before_the_work() {
    let mut bench = bench();
    for class in 0..10 {
        bench.pictures("data", &format!("class {class}"), [20 * class, 100, 100], 0, 2);
    }
    learn(&bench, "data", "state", &["--keep-samples"]);
    bench.colours("other", 0, 2);
    with(&mut bench, "new.hspk");
    learn(&bench, "other", "factory", &[]);
    let head = std::fs::read(bench.path("factory/head.hshr")).unwrap();
    std::fs::write(&bench.pack, tiny_pack(3, Some(head))).unwrap();
    let message = bench.refusal(1, "adopt", &STATE);
    assert!(message.contains("13 classes") && message.contains("--max-classes 13"), "{message}");
}

#[test]
fn features_that_are_not_the_heads_are_refused() {
    use headstart::pack::Pack;
    use headstart_device::state::{FeatureCache, StateFolder};

    let mut bench = bench();
    bench.colours("data", 0, 3);
    learn(&bench, "data", "state", &["--keep-samples"]);
    let bytes = std::fs::read(&bench.pack).unwrap();
    let digest = Pack::open(&bytes).unwrap().backbone_digest();
    let (_, whole) = StateFolder::new(&bench.path("state")).any_features().unwrap().unwrap();
    // The same samples, with more features than the head reads.
    let mut cache = FeatureCache::new(500);
    for id in whole.ids() {
        let label = cache.class(whole.name_of(id).unwrap()).unwrap();
        cache.insert(*id, label, &[1; 500]);
    }
    std::fs::write(bench.path("state/features.hsfc"), cache.emit(&digest)).unwrap();
    with(&mut bench, "new.hspk");
    let message = bench.refusal(1, "adopt", &STATE);
    assert!(message.contains("500 elements where 12 are needed"), "{message}");
}
