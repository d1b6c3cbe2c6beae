//! What the command line promises without any pack.

mod common;

use common::{Bench, program};

const COMMANDS: [&str; 11] = [
    "learn", "predict", "eval", "status", "bench", "forget", "rename", "merge", "samples",
    "history", "rollback",
];

#[test]
fn help_shows_an_example_of_every_command() {
    for command in COMMANDS {
        let output = program().args([command, "--help"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert!(
            text.contains(&format!("Example:\n  headstart-edge {command} model.hspk")),
            "{text}"
        );
        assert!(text.contains("--json"));
    }
}

#[test]
fn a_wrong_command_line_is_refused_input() {
    for arguments in [
        &[][..],
        &["unlearn"],
        &["learn", "x.hspk"],
        &["learn", "x.hspk", "--data", "d", "--state", "s", "--limit", "0"],
        &["learn", "x.hspk", "--data", "d", "--state", "s", "--learner", "magic"],
        &["predict", "x.hspk"],
        &["bench", "x.hspk", "--threads", "0"],
    ] {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn what_is_no_pack_is_refused_by_name() {
    let bench = Bench::new();
    let whole = std::fs::read(&bench.pack).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for (name, content) in [
        ("empty.hspk", &[][..]),
        ("text.hspk", b"hello"),
        ("cut.hspk", &whole[..whole.len() - 1]),
        ("changed.hspk", &changed),
    ] {
        std::fs::write(bench.path(name), content).unwrap();
        let bench = Bench { pack: bench.path(name), root: Bench::new().root };
        assert!(bench.refusal(1, "bench", &[]).contains(name), "{name}");
    }
    for name in ["absent.hspk", "."] {
        let bench = Bench { pack: bench.path(name), root: Bench::new().root };
        assert!(bench.refusal(1, "bench", &[]).contains(name), "{name}");
    }
}

#[test]
fn bench_reports_the_keys_that_others_build_on() {
    let bench = Bench::new();
    let report = bench.json("bench", &["--threads", "2"]);
    for key in ["backbone_ms", "predict_ms", "head_step_us"] {
        let (median, min) = (report[key]["median"].as_f64(), report[key]["min"].as_f64());
        assert!(min.unwrap() > 0.0 && median >= min, "{key}");
    }
    assert_eq!(report["pack_bytes"], std::fs::metadata(&bench.pack).unwrap().len());
    assert!(report["peak_rss_bytes"].as_u64().unwrap() > 1 << 20);
    assert!(report["head_bytes"].as_u64().unwrap() > 0);
    for key in ["learn_ms", "commit_ms"] {
        assert!(report["commit"][key]["min"].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(report["commit"]["share"].as_f64().unwrap() > 0.0);
    let left = std::fs::read_dir(bench.root.path()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.contains("bench")), "a folder is left");
}

#[test]
fn a_full_stdout_is_a_failed_machine() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_headstart-edge"));
    command
        .current_dir(bench.root.path())
        .arg("status")
        .arg(&bench.pack)
        .args(["--state", "state"]);
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
