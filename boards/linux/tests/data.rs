//! Data as people have it: pictures in two folders, files that are none, names that look the same.

mod common;

use common::{Bench, RED, contents, picture};
use serde_json::{Value as Json, json};

const LEARN: [&str; 4] = ["--data", "data", "--state", "state"];
const STATE: [&str; 2] = ["--state", "state"];

#[test]
fn one_picture_under_two_classes_is_set_aside_and_named() {
    let bench = Bench::new();
    bench.colours("data", 0, 5);
    bench.json("learn", &["--data", "data", "--state", "never"]);
    let copy = |from: &str, to: &str| std::fs::copy(bench.path(from), bench.path(to)).map(drop);
    // A picture in two classes, one in three, and one twice in its own.
    bench.pictures("data", "red", RED, 70, 2);
    copy("data/red/70.png", "data/green/x.png").unwrap();
    copy("data/red/71.png", "data/green/y.png").unwrap();
    copy("data/red/71.png", "data/blue/z.png").unwrap();
    copy("data/blue/1.png", "data/blue/again.png").unwrap();
    let learned = bench.json("learn", &LEARN);
    let given = |file: &str, class: &str| json!({"file": format!("data/{file}"), "class": class});
    let three =
        [given("blue/z.png", "blue"), given("green/y.png", "green"), given("red/71.png", "red")];
    let two = [given("green/x.png", "green"), given("red/70.png", "red")];
    assert_eq!(learned["conflicts"], json!([three, two]));
    let count = |name: &str| learned[name].as_u64().unwrap();
    assert_eq!(
        ["samples", "new_samples", "corrected_samples", "duplicate_samples"].map(count),
        [15, 15, 0, 1]
    );
    let head = |state: &str| std::fs::read(bench.path(state).join("head.hshr")).unwrap();
    assert_eq!(head("state"), head("never"));
    let output = bench.command("learn", &LEARN).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("data/green/y.png as green, data/red/71.png as red"), "{text}");
    // What is known keeps its class.
    bench.pictures("more", "red", RED, 0, 1);
    bench.pictures("more", "green", RED, 0, 1);
    let more = bench.json("learn", &["--data", "more", "--state", "state"]);
    assert_eq!(
        (&more["corrected_samples"], more["conflicts"].as_array().unwrap().len()),
        (&0.into(), 1)
    );
    assert_eq!(head("state"), head("never"));
}

#[test]
fn a_class_of_which_nothing_is_left_is_refused_by_name() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    bench.pictures("data", "scarlet", RED, 0, 2);
    let message = bench.refusal(1, "learn", &LEARN);
    assert!(message.contains("no sample is left of the class scarlet"), "{message}");
    assert!(!bench.path("state").exists());
}

#[test]
fn a_first_lesson_that_is_refused_leaves_no_folder_behind() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    std::fs::write(bench.path("data/red/1.png"), "no picture").unwrap();
    let learn = ["--data", "data", "--state", "a/b"];
    for more in [&[][..], &["--keep-samples"], &["--learner", "sgd"]] {
        bench.refusal(1, "learn", &[&learn[..], more].concat());
        assert!(!bench.path("a").exists());
    }
    std::fs::create_dir(bench.path("a")).unwrap();
    bench.refusal(1, "learn", &learn);
    assert!(bench.path("a").is_dir() && !bench.path("a/b").exists());
}

#[test]
fn what_was_saved_again_is_told() {
    let bench = Bench::new();
    bench.colours("data", 0, 6);
    let again = image::DynamicImage::from(picture(RED, 2)).into_rgba8();
    again.save(bench.path("data/blue/red.png")).unwrap();
    let learned = bench.json("learn", &LEARN);
    let near = learned["near_duplicates"].as_array().unwrap();
    let files = |near: &Json| ["file", "like"].map(|key| near[key].as_str().unwrap().to_owned());
    assert_eq!(near.len(), 1, "{near:?}");
    let mut found = files(&near[0]);
    found.sort();
    assert_eq!(found, ["data/blue/red.png", "data/red/2.png"]);
    assert_eq!(learned["samples"], 19);
}

#[test]
fn samples_are_shown_by_their_files_names_and_forgotten_by_them() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    bench.json("learn", &LEARN);
    let names = |state: &str, arguments: &[&str]| -> Vec<String> {
        let listing = bench.json("samples", &[&["--state", state], arguments].concat());
        let samples = listing["samples"].as_array().unwrap();
        let mut names: Vec<_> =
            samples.iter().map(|s| s["file"].as_str().unwrap_or("?").to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("state", &["--class", "red"]), ["red/0.png", "red/1.png", "red/2.png"]);
    std::fs::remove_file(bench.path("data/red/1.png")).unwrap();
    for name in ["data/red/1.png", "red/0.png"] {
        let forgotten = bench.json("forget", &["--state", "state", "--sample", name]);
        assert_eq!(forgotten["forgotten_samples"], 1, "{name}");
    }
    assert_eq!(names("state", &["--class", "red"]), ["red/2.png"]);
    // A merged state brings its names along.
    bench.colours("theirs", 20, 2);
    bench.json("learn", &["--data", "theirs", "--state", "other"]);
    bench.json("merge", &["--state", "state", "--from", "other"]);
    assert_eq!(names("state", &["--class", "red"]), ["red/2.png", "red/20.png", "red/21.png"]);
    bench.json("forget", &["--state", "state", "--class", "red"]);
    let bytes: Vec<u8> =
        contents(&bench.path("state")).into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert!(!bytes.windows(4).any(|part| part == b"red/"));
    // A state of before knows no names, and is as good.
    std::fs::remove_file(bench.path("state/names.hssn")).unwrap();
    assert!(names("state", &[]).iter().all(|name| name == "?"));
    let output = bench.command("samples", &STATE).output().unwrap();
    assert!(output.status.success());
    bench.json("learn", &LEARN);
    assert!(names("state", &[]).contains(&"green/0.png".to_owned()));
}

/// Three files that are none, in two classes.
fn with_bad_files(bench: &Bench) -> [&'static str; 3] {
    bench.colours("data", 0, 4);
    let bad = ["data/blue/2.png", "data/green/x.jpg", "data/red/0.png"];
    bad.iter().for_each(|file| std::fs::write(bench.path(file), "no picture").unwrap());
    bad
}

#[test]
fn all_bad_files_are_named_at_once_and_can_be_left_out() {
    let bench = Bench::new();
    let bad = with_bad_files(&bench);
    for threads in ["1", "3"] {
        let message = bench.refusal(1, "learn", &[&LEARN[..], &["--threads", threads]].concat());
        assert!(
            message.contains("3 files are refused") && message.contains("--skip-bad"),
            "{message}"
        );
        assert!(bad.iter().all(|file| message.contains(file)), "{message}");
        assert!(!bench.path("state/head.hshr").exists());
    }
    let learned = bench.json("learn", &[&LEARN[..], &["--skip-bad", "--keep-samples"]].concat());
    assert_eq!(
        (&learned["samples"], learned["bad_files"].as_array().unwrap().len()),
        (&10.into(), 3)
    );
    assert_eq!(learned["bad_files"][1]["file"], "data/green/x.jpg");
    let message = bench.refusal(1, "eval", &LEARN);
    assert!(bad.iter().all(|file| message.contains(file)), "{message}");
    let said = bench.json("eval", &[&LEARN[..], &["--skip-bad"]].concat());
    assert_eq!((&said["samples"], said["bad_files"].as_array().unwrap().len()), (&10.into(), 3));
    let output = bench.command("eval", &[&LEARN[..], &["--skip-bad"]].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("on 10 samples, 3 bad files left out (data/blue/2.png first"), "{text}");
    // The same head as without them.
    bad.iter().for_each(|file| std::fs::remove_file(bench.path(file)).unwrap());
    bench.json("learn", &["--data", "data", "--state", "other"]);
    let head = |state: &str| std::fs::read(bench.path(state).join("head.hshr")).unwrap();
    assert_eq!(head("state"), head("other"));
    // A class that is bad as a whole is no class; and where all is bad, nothing is left.
    for number in 0..4 {
        std::fs::write(bench.path(&format!("data/red/{number}.png")), "no picture").unwrap();
    }
    let skip = ["--data", "data", "--state", "third", "--skip-bad"];
    let message = bench.refusal(1, "learn", &skip);
    assert!(message.contains("no sample is left of the class red"), "{message}");
}

#[test]
fn a_picture_is_what_its_bytes_say() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let rename = |from: &str, to: &str| std::fs::rename(bench.path(from), bench.path(to)).unwrap();
    rename("data/red/0.png", "data/red/0.jpg");
    rename("data/green/0.png", "data/green/photo");
    rename("data/blue/0.png", "data/blue/0.npy");
    for (number, end) in [(20, "webp"), (21, "bmp")] {
        picture(RED, number).save(bench.path(&format!("data/red/{number}.{end}"))).unwrap();
    }
    let learned = bench.json("learn", &[&LEARN[..], &["--keep-samples"]].concat());
    let count = |name: &str| learned[name].as_u64().unwrap();
    assert_eq!(["samples", "kept_samples", "skipped_files"].map(count), [11, 11, 0]);
    // Copies have the names of what they are.
    let kept = contents(&bench.path("state/kept-samples"));
    let of = |end: &str| kept.iter().filter(|(name, _)| name.ends_with(end)).count();
    assert_eq!(["png", "webp", "bmp", "npy", "jpg"].map(of), [9, 1, 1, 0, 0]);
    std::fs::write(bench.path("words"), "BMX and other words").unwrap();
    let files =
        ["data/green/photo", "data/red/20.webp", "words", "none at all", "data", "data/red/21.bmp"];
    let output =
        bench.command("predict", &[&STATE[..], &["--json"], &files].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let answers: Json = serde_json::from_slice(&output.stdout).unwrap();
    let best = |at: usize| answers["files"][at]["best"].as_str();
    assert_eq!(
        [0, 1, 2, 3, 4, 5].map(best),
        [Some("green"), Some("red"), None, None, None, Some("red")]
    );
}

#[test]
fn classes_that_look_the_same_are_warned_of() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    bench.pictures("data", "caf\u{e9}", [190; 3], 0, 3);
    bench.pictures("data", "cafe\u{301}", [10; 3], 0, 3);
    let said = |command: &str, arguments: &[&str]| -> (Json, String) {
        let output = bench.command(command, arguments).arg("--json").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        (serde_json::from_slice(&output.stdout).unwrap(), stderr)
    };
    let (learned, warning) = said("learn", &LEARN);
    assert_eq!(learned["look_alike"], json!([["cafe\u{301}", "caf\u{e9}"]]));
    assert!(
        warning.contains(r"cafe\u{301} and caf\u{e9}") && warning.lines().count() == 1,
        "{warning}"
    );
    // Whoever means one by the other's name, or writes it otherwise, is told which there is.
    let decomposed = ["--state", "state", "--class", "Cafe\u{301}"];
    for (command, more) in [("forget", &[][..]), ("rename", &["--to", "x"]), ("samples", &[])] {
        let message = bench.refusal(1, command, &[&decomposed[..], more].concat());
        assert!(message.contains(r"Cafe\u{301} and caf"), "{message}");
        assert!(message.contains("which looks the same"), "{message}");
    }
    let message = bench.refusal(1, "forget", &["--state", "state", "--class", "Green"]);
    assert!(
        message.contains(r#"but green, which looks the same ("Green" and "green")"#),
        "{message}"
    );
    let (renamed, warning) =
        said("rename", &["--state", "state", "--class", "blue", "--to", "Red"]);
    assert_eq!(renamed["look_alike"], json!([["Red", "red"]]));
    assert!(warning.contains("\"Red\" and \"red\" look the same"), "{warning}");
    // Told once: what is brought is compared, not what is known.
    bench.colours("more", 20, 1);
    std::fs::remove_dir_all(bench.path("more/red")).unwrap();
    std::fs::remove_dir_all(bench.path("more/blue")).unwrap();
    bench.json("learn", &["--data", "more", "--state", "state"]);
}

#[test]
fn no_control_character_of_a_name_reaches_the_terminal() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\n";
    let file = format!("data/red/{hostile}.png");
    picture(RED, 9).save(bench.path(&file)).unwrap();
    std::fs::write(bench.path(&format!("data/red/{hostile}.jpg")), "none").unwrap();
    std::fs::write(bench.path(&format!("data/red/{hostile}.txt")), "none").unwrap();
    std::fs::copy(bench.path(&file), bench.path(&format!("data/blue/{hostile}.png"))).unwrap();
    let folder = format!("folder {hostile}");
    let commands: [(&str, Vec<&str>); 8] = [
        ("learn", LEARN.to_vec()),
        ("learn", [&LEARN[..], &["--skip-bad"]].concat()),
        ("samples", STATE.to_vec()),
        ("predict", [&STATE[..], &[&file, &folder]].concat()),
        ("eval", vec!["--data", &folder, "--state", "state"]),
        ("status", vec!["--state", &folder]),
        ("rename", [&STATE[..], &["--class", hostile, "--to", "x"]].concat()),
        ("learn", vec![hostile]),
    ];
    let mut seen = 0;
    for (command, arguments) in commands {
        for json in [&[][..], &["--json"]] {
            let output = bench.command(command, &arguments).args(json).output().unwrap();
            for stream in [&output.stdout, &output.stderr] {
                let text = String::from_utf8(stream.clone()).unwrap();
                let raw = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
                assert!(!text.contains(raw), "{command} {arguments:?}: {text:?}");
                seen += usize::from(text.contains("2J"));
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
