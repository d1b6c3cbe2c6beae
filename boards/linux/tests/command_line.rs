//! What the command line promises without any pack.

mod common;

use common::{Bench, program};

const COMMANDS: [&str; 12] = [
    "learn", "predict", "eval", "status", "bench", "forget", "rename", "merge", "adopt", "samples",
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
fn what_closes_a_help_breaks_where_it_was_broken() {
    // Lines that are longer than the help is wide are broken once more, in the middle.
    const WIDEST: usize = 96;
    let commands = COMMANDS.iter().chain(&["repair"]);
    for command in commands {
        let output = program().args([command, "--help"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, closing) = text.split_once("Example:").expect("each has an example");
        let words = closing.split_whitespace().count();
        for (at, line) in closing.lines().enumerate() {
            assert!(line.chars().count() <= WIDEST, "{command}: {line}");
            let next = closing.lines().nth(at + 1).unwrap_or_default();
            // Behind a short line the next word would not have fitted, or a paragraph ends.
            let first = next.split_whitespace().next().map_or(WIDEST, |word| word.chars().count());
            let is_prose = !line.starts_with("  ") && !line.is_empty() && !next.is_empty();
            let fits = line.chars().count() + 1 + first <= 70;
            assert!(!(is_prose && fits), "{command}: {line} breaks early\n{closing}");
        }
        assert!(words > 3, "{command}: {closing}");
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
fn numbers_out_of_range_are_refused_by_their_option() {
    let bench = Bench::new();
    for (option, values) in [
        ("--limit", &["-1", "0", "4294967296", "1e3", "NaN"][..]),
        ("--seed", &["-1", "18446744073709551616", "0.5"]),
        ("--false-accepts", &["-0.1", "1.1", "NaN", "inf", "1e300"]),
        ("--max-bytes", &["-1", "18446744073709551616", "1e9"]),
        ("--views", &["-1", "0", "6", "256"]),
        ("--threads", &["-1", "0", "1025", "65536"]),
        ("--epochs", &["-1", "0", "65536"]),
        ("--rate", &["-1", "0", "NaN", "inf", "1e300"]),
        ("--clip", &["-1", "NaN", "inf", "1e300"]),
        ("--weight-decay", &["-0.5", "1", "NaN", "1e300"]),
        ("--held-out", &["-1", "91", "256"]),
    ] {
        for value in values {
            let arguments = ["--data", "d", "--state", "s", option, value];
            let message = bench.refusal(1, "learn", &arguments);
            assert!(message.contains(&format!("'{value}' for '{option} <")), "{message}");
        }
    }
    let message = bench.refusal(1, "rollback", &["--state", "s", "--to", "-1"]);
    assert!(message.contains("'-1' for '--to <"), "{message}");
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
fn a_state_that_is_none_is_named_as_what_it_is() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    std::fs::write(bench.path("file"), "").unwrap();
    let merge = ["--state", "state", "--from"];
    for (command, arguments) in [
        ("learn", &["--data", "data", "--state"][..]),
        ("predict", &["data/red/0.png", "--state"]),
        ("status", &["--state"]),
        ("samples", &["--state"]),
        ("history", &["--state"]),
        ("forget", &["--yes", "--state"]),
        ("rollback", &["--state"]),
        ("adopt", &["--state"]),
        ("merge", &merge),
    ] {
        let message = bench.refusal(1, command, &[arguments, &["file"]].concat());
        assert!(message.starts_with("error: file: is not a folder"), "{command}: {message}");
    }
    for (command, arguments) in
        [("samples", &["--state"][..]), ("adopt", &["--state"]), ("merge", &merge)]
    {
        let message = bench.refusal(1, command, &[arguments, &["absent"]].concat());
        assert!(message.contains("absent: holds no samples"), "{command}: {message}");
        assert!(!bench.path("absent").exists());
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

#[test]
fn a_full_stderr_is_no_panic() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_headstart-edge"));
    let status = command.args(["status", "none.hspk", "--state", "none"]).stderr(full).status();
    assert_eq!(status.unwrap().code(), Some(1));
}
