//! A full disk, a folder that cannot be written, two processes at once: a clear error, exit status
//! 2, the old state intact.

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use common::{Bench, contents, tiny_pack};
use headstart_device::state::StateFolder;

const LEARN: [&str; 4] = ["--data", "data", "--state", "state"];

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_full_disk_keeps_the_old_state() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let before = contents(&bench.path("state"));
    bench.colours("data", 10, 40);
    // No file may grow past one block, so that writing the names, which come first, fails half-way, as on a full disk.
    let output = Command::new("sh")
        .current_dir(bench.root.path())
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
        .args([env!("CARGO_BIN_EXE_headstart-edge"), "learn", "tiny.hspk"])
        .args(LEARN)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("names.hssn") && stderr.contains("the old state is kept"), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(contents(&bench.path("state")), before);
    assert_eq!(bench.json("learn", &LEARN)["samples"], 132);
}

#[test]
fn a_disk_without_room_for_the_copies_or_the_new_features_keeps_the_old_pair() {
    let mut bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let run = |blocks: u32, arguments: &[&str]| {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let output = Command::new("sh")
            .current_dir(bench.root.path())
            .args(["-c", &limit, "sh", env!("CARGO_BIN_EXE_headstart-edge")])
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("the old state is kept"), "{stderr}");
        stderr
    };
    // Features of 12 samples fit into few blocks, and one large picture does not.
    let mut large = image::RgbImage::new(300, 300);
    for (x, y, pixel) in large.enumerate_pixels_mut() {
        pixel.0 = [200 + (x * y % 50) as u8, (x * 7 % 64) as u8, (y * 13 % 64) as u8];
    }
    large.save(bench.path("data/red/large.png")).unwrap();
    let before = contents(&bench.path("state"));
    let keep = [&["learn", "tiny.hspk"], &LEARN[..], &["--keep-samples"]].concat();
    assert!(run(8, &keep).contains("kept-samples"));
    let mut after = contents(&bench.path("state"));
    // Copies that fitted wait for the next call, which finds that nothing was learned from them.
    after.retain(|(name, _)| !name.starts_with("kept-samples/"));
    assert!(after == before);
    std::fs::remove_file(bench.path("data/red/large.png")).unwrap();
    assert_eq!(bench.json("learn", &LEARN)["kept_samples"], 12);

    std::fs::write(bench.path("new.hspk"), tiny_pack(8, None)).unwrap();
    let before = contents(&bench.path("state"));
    let adopt = ["adopt", "new.hspk", "--state", "state"];
    assert!(run(1, &adopt).contains("adopted.hsfc"));
    assert!(contents(&bench.path("state")) == before);
    bench.json("predict", &["--state", "state", "data/red/0.png"]);
    bench.pack = bench.path("new.hspk");
    bench.json("adopt", &["--state", "state"]);
    bench.json("predict", &["--state", "state", "data/red/0.png"]);
}

#[test]
fn a_read_only_folder_is_found_before_the_work_and_keeps_the_old_state() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let before = contents(&bench.path("state"));
    // Root may write anywhere: then the program runs as nobody, from where nobody can read it.
    let program = bench.path("program");
    // Not by `fs::copy`: a process that another test starts meanwhile would hold the copy open for
    // writing.
    let copied =
        Command::new("cp").arg(env!("CARGO_BIN_EXE_headstart-edge")).arg(&program).status();
    assert!(copied.unwrap().success());
    mode(bench.root.path(), 0o755);
    for (name, _) in &before {
        mode(&bench.path("state").join(name), 0o644);
    }
    mode(&bench.path("state"), 0o555);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(bench.root.path()).args(arguments);
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        command.output().unwrap()
    };
    let output = run(&[&["learn", "tiny.hspk"], &LEARN[..]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("state:") && stderr.contains("the old state is kept"), "{stderr}");
    let output = run(&["predict", "tiny.hspk", "--state", "state", "data/red/0.png"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    mode(&bench.path("state"), 0o755);
    assert_eq!(contents(&bench.path("state")), before);
}

#[test]
fn a_folder_that_cannot_be_created_is_a_failed_machine() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    let message = bench.refusal(2, "learn", &["--data", "data", "--state", "/proc/headstart"]);
    assert!(message.contains("/proc/headstart"), "{message}");
}

#[test]
fn two_at_once_do_not_mix() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let lock = StateFolder::new(&bench.path("state")).lock().unwrap();
    for (command, arguments) in [("learn", &LEARN[..]), ("forget", &["--state", "state", "--yes"])]
    {
        assert!(bench.refusal(2, command, arguments).contains("in use"));
    }
    drop(lock);
    assert_eq!(bench.json("learn", &LEARN)["samples"], 9);
}

#[test]
fn a_cut_between_cache_and_head_is_finished_by_the_next_learn() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let old_head = std::fs::read(bench.path("state/head.hshr")).unwrap();
    bench.colours("data", 10, 4);
    bench.json("learn", &LEARN);
    let new_head = std::fs::read(bench.path("state/head.hshr")).unwrap();
    // What the power cut would have left: the new cache beside the old head.
    std::fs::write(bench.path("state/head.hshr"), &old_head).unwrap();
    let status = bench.json("status", &["--state", "state"]);
    assert_eq!((&status["samples"], &status["cached_samples"]), (&12.into(), &24.into()));
    bench.json("predict", &["--state", "state", "data/red/0.png"]);
    let learned = bench.json("learn", &LEARN);
    assert_eq!((&learned["samples"], &learned["new_samples"]), (&24.into(), &0.into()));
    assert_eq!(std::fs::read(bench.path("state/head.hshr")).unwrap(), new_head);
}

#[test]
fn a_limit_of_memory_ends_with_a_message_and_the_old_state() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let state = contents(&bench.path("state"));
    // A picture takes far more memory than its file.
    image::RgbImage::new(4000, 3000).save(bench.path("data").join("red/large.png")).unwrap();
    let run = |mebibytes: u32, arguments: &[&str]| {
        Command::new("sh")
            .current_dir(bench.root.path())
            .args(["-c", &format!("ulimit -v {}; exec \"$@\"", mebibytes * 1024), "sh"])
            .arg(env!("CARGO_BIN_EXE_headstart-edge"))
            .args(arguments)
            .output()
            .unwrap()
    };
    let (mut failed, mut learned) = (0, 0);
    // To be loaded and to start takes some of it.
    let loads = |mebibytes: &u32| {
        run(*mebibytes, &["status", "tiny.hspk", "--state", "state"]).status.success()
    };
    let least = (2..400).find(loads).unwrap();
    for mebibytes in (least..least + 400).step_by(8) {
        let output = run(mebibytes, &[&["learn", "tiny.hspk"][..], &LEARN].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => {
                learned += 1;
                bench.json("rollback", &["--state", "state"]);
            }
            Some(2) => {
                failed += 1;
                assert!(stderr.contains("memory"), "{mebibytes}: {stderr}");
                assert_eq!(contents(&bench.path("state")), state, "{mebibytes}");
            }
            other => panic!("{mebibytes}: {other:?} {stderr}"),
        }
        if learned > 0 {
            break;
        }
    }
    assert!(failed > 0 && learned > 0, "{failed} {learned}, from {least} MiB");
}
