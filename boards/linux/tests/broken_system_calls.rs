//! Every system call of `learn` and `forget` is cut off by `kill -9` or fails: what was learned stays
//! old or becomes new, and nothing else stays behind.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;
mod tracer;

use std::fs;
use std::process::{Command, Stdio};

use common::{Bench, contents};
use nix::errno::Errno;
use tracer::{Break, call, run};

type Files = Vec<(String, Vec<u8>)>;

static NOTHING: Files = Files::new();

const BREAKS: [Break; 5] = [
    Break::KillBefore,
    Break::KillInside,
    Break::KillAfter,
    Break::Fail(Errno::ENOSPC),
    Break::Fail(Errno::EIO),
];

fn command(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headstart-edge"));
    command.current_dir(bench.root.path()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn restore(bench: &Bench, files: Option<&Files>) {
    let state = bench.path("state");
    let _ = fs::remove_dir_all(&state);
    let Some(files) = files else { return };
    fs::create_dir(&state).unwrap();
    for (name, content) in files {
        fs::write(state.join(name), content).unwrap();
    }
}

/// The state folder's files without those that a killed process may leave, and how many of those.
fn found(bench: &Bench) -> (Files, usize) {
    let state = bench.path("state");
    if !state.exists() {
        return (Files::new(), 0);
    }
    let all = contents(&state);
    let count = all.len();
    let files: Files =
        all.into_iter().filter(|(name, _)| !name.starts_with(".headstart-")).collect();
    let left_over = count - files.len();
    (files, left_over)
}

/// Whether every file is one of before or of after, and the head is new only with new features.
fn is_between(files: &Files, old: &Files, new: &Files) -> bool {
    let of = |files: &Files, name: &str| files.iter().find(|(n, _)| n == name).cloned();
    let names = [files, old, new].into_iter().flatten().map(|(name, _)| name);
    let head_is_new = of(files, "head.hshr") == of(new, "head.hshr");
    names.into_iter().all(|name| {
        let found = of(files, name);
        let must_be_new = head_is_new && name == "features.hsfc" && !new.is_empty();
        // Earlier commits go before the one that has forgotten comes.
        let dropped = found.is_none() && name.starts_with("commit-");
        dropped || found == of(new, name) || (found == of(old, name) && !must_be_new)
    })
}

/// Breaks every system call of `arguments`, which leads from `old` to `new`. Gives how many calls were
/// broken.
fn break_every_call(bench: &Bench, arguments: &[&str], old: Option<&Files>, new: &Files) -> usize {
    restore(bench, old);
    let whole = run(command(bench, arguments), None);
    assert_eq!(whole.status, Some(0));
    assert_eq!(&found(bench), &(new.clone(), 0));
    let (mut count, mut olds, mut news) = (0, 0, 0);
    for breakage in BREAKS {
        for at in 0.. {
            restore(bench, old);
            let broken = run(command(bench, arguments), Some((at, breakage)));
            if broken.calls.len() <= at {
                break;
            }
            count += 1;
            let name =
                format!("{arguments:?}: call {at} (number {}), {breakage:?}", broken.calls[at]);
            let (files, left_over) = found(bench);
            if files == *new {
                news += 1;
            } else {
                let old = old.unwrap_or(&NOTHING);
                assert!(is_between(&files, old, new), "{name}: neither old nor new");
                assert_ne!(broken.status, Some(0), "{name}: success is claimed");
                olds += 1;
            }
            if let Break::Fail(_) = breakage {
                // The loader, and Rust where there is no memory, end a process by a signal.
                let working = broken.calls[..at].contains(&call::FLOCK);
                let dying = !working || call::MEMORY.contains(&broken.calls[at]);
                assert!(broken.status.is_some() || dying, "{name}: it died of a signal");
                let removing = [call::UNLINK, call::UNLINKAT].contains(&broken.calls[at]);
                assert!(left_over == 0 || removing, "{name}: a stray file");
                let durable = [call::FSYNC, call::RENAME].contains(&broken.calls[at]);
                assert!(!durable || broken.status == Some(2), "{name}: a failure is not reported");
            }
            // Whatever was left: the next call gets there, and leaves nothing behind.
            let again = command(bench, arguments).status().unwrap();
            assert!(again.success(), "{name}: {again}");
            assert_eq!(&found(bench), &(new.clone(), 0), "{name}");
        }
    }
    println!("{arguments:?}: {count} calls broken, {olds} kept the old state, {news} made the new");
    assert!(olds > 0 && news > 0);
    count
}

#[test]
fn a_kill_or_an_error_at_every_system_call_keeps_old_or_new() {
    let bench = Bench::new();
    let learn = ["learn", "tiny.hspk", "--data", "data", "--state", "state", "--threads", "1"];
    bench.colours("data", 0, 2);
    assert!(command(&bench, &learn).status().unwrap().success());
    let first = found(&bench).0;
    bench.pictures("data", "red", common::RED, 20, 2);
    assert!(command(&bench, &learn).status().unwrap().success());
    let second = found(&bench).0;
    assert_eq!((first.len(), second.len()), (3, 4));
    let mut count = break_every_call(&bench, &learn, Some(&first), &second);
    restore(&bench, None);
    assert!(command(&bench, &learn).status().unwrap().success());
    let at_once = found(&bench).0;
    count += break_every_call(&bench, &learn, None, &at_once);
    let forget = ["forget", "tiny.hspk", "--state", "state", "--yes"];
    count += break_every_call(&bench, &forget, Some(&second), &NOTHING);
    let sample = ["forget", "tiny.hspk", "--state", "state", "--sample", "data/red/20.png"];
    restore(&bench, Some(&second));
    assert!(command(&bench, &sample).status().unwrap().success());
    let without = found(&bench).0;
    count += break_every_call(&bench, &sample, Some(&second), &without);
    assert!(count > 4_000, "{count}");
}

#[test]
fn a_file_is_durable_before_it_is_renamed_and_the_name_before_success() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    let learn = ["learn", "tiny.hspk", "--data", "data", "--state", "state", "--threads", "1"];
    let calls = run(command(&bench, &learn), None).calls;
    let order: Vec<u64> =
        calls.into_iter().filter(|call| [call::FSYNC, call::RENAME].contains(call)).collect();
    let one = [call::FSYNC, call::RENAME, call::FSYNC];
    assert!(order.ends_with(&[one, one].concat()), "{order:?}");
}
