//! States that were damaged: what comes back, what is said, and that nothing is thrown away.

mod common;

use std::fs;
use std::process::Output;

use common::{BLUE, Bench, RED, contents};
use serde_json::Value as Json;

const STATE: [&str; 2] = ["--state", "state"];
const COMMITS: [&str; 2] = ["commit-00000001.hsco", "commit-00000002.hsco"];

/// Two commits, of 8 and of 12 samples.
fn taught(options: &[&str]) -> Bench {
    let bench = Bench::new();
    let learn = [&["--data", "data", "--views", "1"], &STATE[..], options].concat();
    bench.pictures("data", "red", RED, 0, 4);
    bench.pictures("data", "blue", BLUE, 0, 4);
    bench.json("learn", &learn);
    bench.pictures("data", "red", RED, 10, 2);
    bench.pictures("data", "blue", BLUE, 10, 2);
    bench.json("learn", &learn);
    bench
}

fn flip(bench: &Bench, name: &str) {
    let path = bench.path("state").join(name);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn run(bench: &Bench, command: &str, arguments: &[&str]) -> (Output, String) {
    let output = bench.command(command, arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stderr)
}

fn samples(bench: &Bench) -> Json {
    bench.json("samples", &STATE)["samples"].clone()
}

#[test]
fn a_head_that_was_damaged_is_put_back_by_itself_and_one_line_says_so() {
    let bench = taught(&[]);
    let (whole, head) = (contents(&bench.path("state")), bench.path("state/head.hshr"));
    let damages: [fn(&std::path::Path); 4] = [
        |head| fs::remove_file(head).unwrap(),
        |head| fs::write(head, "").unwrap(),
        |head| fs::write(head, &fs::read(head).unwrap()[..40]).unwrap(),
        |head| fs::File::options().write(true).open(head).unwrap().set_len(1 << 30).unwrap(),
    ];
    for damage in damages {
        for (command, arguments) in [
            ("predict", &["--state", "state", "data/red/0.png"][..]),
            ("status", &STATE),
            ("history", &STATE),
            ("rename", &["--state", "state", "--class", "red", "--to", "red"]),
        ] {
            damage(&head);
            let (output, stderr) = run(&bench, command, arguments);
            assert!(output.status.success(), "{command}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
            assert!(stderr.contains("head.hshr") && stderr.contains("nothing is lost"), "{stderr}");
            assert!(contents(&bench.path("state")) == whole, "{command}");
        }
    }
    flip(&bench, "head.hshr");
    assert_eq!(bench.json("repair", &STATE)["head"], "restored");
    assert!(contents(&bench.path("state")) == whole);
    let (head, samples) = (bench.json("repair", &STATE), samples(&bench));
    assert_eq!((&head["head"], &head["samples"]), (&"sound".into(), &12.into()));
    assert_eq!(samples.as_array().unwrap().len(), 12);
}

#[test]
fn where_the_newest_commit_is_damaged_too_the_head_is_learned_again() {
    let bench = taught(&[]);
    let before = contents(&bench.path("state"));
    let of = |name: &str| fs::read(bench.path("state").join(name)).unwrap();
    let (head, features) = (of("head.hshr"), of("features.hsfc"));
    flip(&bench, COMMITS[1]);
    flip(&bench, "head.hshr");
    for (command, arguments) in [
        ("predict", &["--state", "state", "data/red/0.png"][..]),
        ("status", &STATE),
        ("history", &STATE),
        ("rollback", &STATE),
        ("learn", &["--state", "state", "--data", "data"]),
    ] {
        let message = bench.refusal(1, command, arguments);
        assert!(message.contains("head.hshr") && message.contains("run repair"), "{message}");
        assert!(!message.contains("forget"), "{message}");
    }
    let report = bench.json("repair", &STATE);
    assert_eq!((&report["head"], &report["samples"]), (&"learned_again".into(), &12.into()));
    assert!(report["damaged"][0].as_str().unwrap().contains(COMMITS[1]), "{report}");
    assert!(of("head.hshr") == head && of("features.hsfc") == features);
    assert!(contents(&bench.path("state")).iter().any(|file| *file == before[0]));
}

#[test]
fn features_come_back_from_copies_of_the_samples() {
    for damage in ["flipped", "cut", "gone"] {
        let bench = taught(&["--keep-samples"]);
        let path = bench.path("state/features.hsfc");
        let features = fs::read(&path).unwrap();
        match damage {
            "flipped" => flip(&bench, "features.hsfc"),
            "cut" => fs::write(&path, &features[..20]).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        let message = bench.refusal(1, "learn", &["--state", "state", "--data", "data"]);
        assert!(message.contains("run repair"), "{message}");
        let report = bench.json("repair", &STATE);
        assert_eq!((&report["head"], &report["computed_samples"]), (&"sound".into(), &12.into()));
        assert!(fs::read(&path).unwrap() == features, "{damage}");
        assert_eq!(samples(&bench).as_array().unwrap().len(), 12);
        bench.json("rollback", &["--state", "state", "--to", "1"]);
    }
}

#[test]
fn features_that_nothing_brings_back_are_given_up_only_by_force() {
    let bench = taught(&[]);
    flip(&bench, "features.hsfc");
    let before = contents(&bench.path("state"));
    for force in [&[][..], &["--force"]] {
        let message = bench.refusal(1, "repair", &[&STATE[..], force].concat());
        assert!(message.contains("all samples") && !message.contains("forget"), "{message}");
    }
    assert!(contents(&bench.path("state")) == before);
    bench.json("predict", &["--state", "state", "data/red/0.png"]);

    // Copies of some.
    let bench = taught(&["--keep-samples"]);
    let kept = fs::read_dir(bench.path("state/kept-samples")).unwrap().take(3);
    kept.for_each(|copy| fs::remove_file(copy.unwrap().path()).unwrap());
    flip(&bench, "features.hsfc");
    let before = contents(&bench.path("state"));
    let message = bench.refusal(1, "repair", &STATE);
    assert!(message.contains("3 of 12") && message.contains("repair --force"), "{message}");
    assert!(contents(&bench.path("state")) == before);
    let report = bench.json("repair", &["--state", "state", "--force"]);
    assert_eq!((&report["lost_samples"], &report["samples"]), (&3.into(), &9.into()));
    bench.json("learn", &["--state", "state", "--data", "data", "--views", "1"]);
    assert_eq!(samples(&bench).as_array().unwrap().len(), 12);
}

#[test]
fn a_head_comes_back_where_its_samples_do_not() {
    let bench = taught(&[]);
    flip(&bench, "features.hsfc");
    flip(&bench, "head.hshr");
    let report = bench.json("repair", &STATE);
    assert_eq!((&report["head"], &report["commit"]), (&"restored".into(), &2.into()));
    assert_eq!((&report["samples"], &report["lost_samples"]), (&0.into(), &12.into()));
    bench.json("predict", &["--state", "state", "data/red/0.png"]);
}

#[test]
fn two_files_that_are_lost_at_once_come_back_or_are_given_up_only_by_force() {
    let bench = taught(&["--keep-samples"]);
    let whole = contents(&bench.path("state"));
    let all = samples(&bench);
    let names = ["head.hshr", "features.hsfc", COMMITS[0], COMMITS[1]];
    for (at, first) in names.iter().enumerate() {
        for second in &names[at + 1..] {
            for command in ["status", "rename"] {
                fs::remove_dir_all(bench.path("state")).unwrap();
                fs::create_dir_all(bench.path("state/kept-samples")).unwrap();
                for (file, bytes) in
                    whole.iter().filter(|(file, _)| file != first && file != second)
                {
                    fs::write(bench.path("state").join(file), bytes).unwrap();
                }
                let class = ["--class", "none", "--to", "red"];
                let class = if command == "rename" { &class[..] } else { &[] };
                let (_, stderr) = run(&bench, command, &[&STATE[..], class].concat());
                assert!(!stderr.contains("forget"), "{stderr}");
                let what = format!("{first}, {second}, {command}");
                if [first, second] == [&names[1], &names[3]] {
                    // Nothing says what four of the copies show.
                    let message = bench.refusal(1, "repair", &STATE);
                    assert!(message.contains("4 of 12"), "{what}: {message}");
                    assert_eq!(fs::read_dir(bench.path("state/kept-samples")).unwrap().count(), 12);
                } else {
                    bench.json("repair", &STATE);
                    assert_eq!(samples(&bench), all, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_damaged_old_commit_is_named_and_stepped_over() {
    let bench = taught(&[]);
    bench.pictures("data", "red", RED, 20, 1);
    bench.json("learn", &["--state", "state", "--data", "data", "--views", "1"]);
    flip(&bench, COMMITS[1]);
    let history = bench.json("history", &STATE);
    let numbers: Vec<_> =
        history["commits"].as_array().unwrap().iter().map(|c| c["number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(3)]);
    assert_eq!(history["damaged"][0]["number"], 2);
    let text = run(&bench, "history", &STATE).0.stdout;
    assert!(String::from_utf8(text).unwrap().contains(COMMITS[1]));
    let message = bench.refusal(1, "rollback", &["--state", "state", "--to", "2"]);
    assert!(message.contains(COMMITS[1]) && message.contains("damaged"), "{message}");
    assert!(!message.contains("forget"), "{message}");
    let state = contents(&bench.path("state"));
    let returned = bench.json("rollback", &STATE);
    assert_eq!((&returned["to"], &returned["damaged"][0]["number"]), (&1.into(), &2.into()));
    let problem = returned["damaged"][0]["problem"].as_str().unwrap();
    assert!(problem.contains(COMMITS[1]) && problem.contains("is damaged"), "{problem}");
    restore(&bench, &state);
    let text = String::from_utf8(run(&bench, "rollback", &STATE).0.stdout).unwrap();
    assert!(text.contains("Commit 2 was stepped over") && text.contains(COMMITS[1]), "{text}");
    // Nothing sound is left before this one.
    restore(&bench, &state);
    flip(&bench, COMMITS[0]);
    let message = bench.refusal(1, "rollback", &STATE);
    assert!(message.contains(COMMITS[1]) && message.contains("is damaged"), "{message}");
    // What a number asks for steps over nothing.
    restore(&bench, &state);
    let returned = bench.json("rollback", &["--state", "state", "--to", "1"]);
    assert_eq!(returned["damaged"], Json::Array(Vec::new()));
}

/// Makes the state's folder what it was.
fn restore(bench: &Bench, files: &[(String, Vec<u8>)]) {
    let state = bench.path("state");
    fs::remove_dir_all(&state).unwrap();
    for (file, bytes) in files {
        let path = state.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn what_a_newer_program_wrote_is_named_and_nothing_is_changed() {
    let bench = taught(&["--keep-samples"]);
    fs::copy(bench.path("state").join(COMMITS[0]), bench.path("state/rejected.hsco")).unwrap();
    let whole = contents(&bench.path("state"));
    let names =
        ["head.hshr", "features.hsfc", "names.hssn", "rejected.hsco", COMMITS[0], COMMITS[1]];
    let reading: [(&str, &[&str]); 4] =
        [("predict", &["data/red/0.png"]), ("status", &[]), ("history", &[]), ("samples", &[])];
    let changing: [(&str, &[&str]); 7] = [
        ("learn", &["--data", "data", "--views", "1", "--force"]),
        ("rollback", &[]),
        ("rollback", &["--to", "1"]),
        ("forget", &["--class", "red"]),
        ("rename", &["--class", "red", "--to", "rose"]),
        ("repair", &[]),
        ("repair", &["--force"]),
    ];
    for name in names {
        restore(&bench, &whole);
        let path = bench.path("state").join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8] = 9;
        fs::write(&path, &bytes).unwrap();
        // With the head lost as well, every command would bring it back.
        for lost in [None, Some("head.hshr")].into_iter().filter(|lost| *lost != Some(name)) {
            if let Some(head) = lost {
                fs::remove_file(bench.path("state").join(head)).unwrap();
            }
            let before = contents(&bench.path("state"));
            for (command, arguments) in reading {
                let arguments = [&STATE[..], arguments].concat();
                let (output, stderr) = run(&bench, command, &arguments);
                let is_named = output.status.success() || stderr.contains("newer version");
                assert!(is_named || lost.is_some(), "{name}, {command}: {stderr}");
                assert!(contents(&bench.path("state")) == before, "{name}, {command}");
            }
            for (command, arguments) in changing {
                let message = bench.refusal(1, command, &[&STATE[..], arguments].concat());
                let is_named = message.contains(name) && message.contains("newer version");
                let is_lost =
                    lost.is_some() && command != "repair" && message.contains("run repair");
                assert!(is_named || is_lost, "{name}, {command}: {message}");
                assert!(contents(&bench.path("state")) == before, "{name}, {command}");
            }
        }
    }
    assert_eq!(run(&bench, "forget", &["--state", "state", "--yes"]).0.status.code(), Some(0));
    assert!(!bench.path("state").exists());
}

#[test]
fn features_that_something_was_added_to_come_back_whole() {
    let bench = taught(&[]);
    let path = bench.path("state/features.hsfc");
    let features = fs::read(&path).unwrap();
    let all = samples(&bench);
    for behind in [1, 40, 1 << 12] {
        fs::write(&path, [&features[..], &vec![0; behind]].concat()).unwrap();
        let message = bench.refusal(1, "learn", &["--state", "state", "--data", "data"]);
        assert!(message.contains("features.hsfc") && message.contains("run repair"), "{message}");
        let report = bench.json("repair", &STATE);
        assert_eq!((&report["head"], &report["samples"]), (&"sound".into(), &12.into()));
        assert_eq!((&report["computed_samples"], &report["lost_samples"]), (&0.into(), &0.into()));
        assert!(fs::read(&path).unwrap() == features, "{behind}");
        assert_eq!(samples(&bench), all);
    }
    // Longer than any such file.
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 31).unwrap();
    assert_eq!(bench.json("repair", &STATE)["lost_samples"], 0);
    assert!(fs::read(&path).unwrap() == features);
}

#[test]
fn after_any_damage_and_any_command_everything_can_be_brought_back() {
    let bench = taught(&["--keep-samples"]);
    let whole = contents(&bench.path("state"));
    let all = samples(&bench);
    let names = ["head.hshr", "features.hsfc", COMMITS[0], COMMITS[1]];
    let commands: [(&str, &[&str]); 7] = [
        ("predict", &["data/red/0.png"]),
        ("status", &[]),
        ("history", &[]),
        ("samples", &[]),
        ("learn", &["--data", "data", "--views", "1"]),
        ("rollback", &["--to", "2"]),
        ("adopt", &[]),
    ];
    for name in names {
        for damage in ["flipped", "empty", "gone", "folder"] {
            for (command, arguments) in commands {
                let state = bench.path("state");
                fs::remove_dir_all(&state).unwrap();
                fs::create_dir_all(state.join("kept-samples")).unwrap();
                for (file, bytes) in &whole {
                    fs::write(state.join(file), bytes).unwrap();
                }
                let path = state.join(name);
                match damage {
                    "flipped" => flip(&bench, name),
                    "empty" => fs::write(&path, "").unwrap(),
                    "gone" => fs::remove_file(&path).unwrap(),
                    _ => {
                        fs::remove_file(&path).unwrap();
                        fs::create_dir(&path).unwrap();
                    }
                }
                let what = format!("{name} {damage}, {command}");
                let (output, stderr) = run(&bench, command, &[&STATE[..], arguments].concat());
                let code = output.status.code();
                assert!([Some(0), Some(1)].contains(&code), "{what}: {stderr}");
                for word in ["forget", "remove it", "delete"] {
                    assert!(!stderr.contains(word), "{what}: {stderr}");
                }
                if damage == "folder" {
                    // What is no file is for a person to move.
                    let is_named = code == Some(0) || stderr.contains(name);
                    assert!(is_named, "{what}: {stderr}");
                    let _ = fs::remove_dir(&path);
                }
                bench.json("repair", &STATE);
                assert_eq!(samples(&bench), all, "{what}");
                if name != COMMITS[1] {
                    bench.json("rollback", &["--state", "state", "--to", "2"]);
                }
            }
        }
    }
}
