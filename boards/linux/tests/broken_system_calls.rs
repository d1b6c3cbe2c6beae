//! Every system call of what changes a state is cut off by `kill -9` or fails: what was learned stays old or becomes
//! new, and nothing else stays behind. One call in three is broken in one of five ways, and with
//! `HEADSTART_EVERY_CALL` each in all.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod breaking;
mod common;
mod tracer;

use breaking::{Change, Files, NOTHING, are_enough, command, found, restore};
use common::{BLUE, Bench, RED, tiny_pack};
use headstart::pack::Pack;
use headstart_device::state::FeatureCache;
use tracer::{call, run};

const LEARN: [&str; 8] =
    ["learn", "tiny.hspk", "--data", "data", "--state", "state", "--threads", "1"];

/// What a command leaves, and its exit status.
fn after(bench: &Bench, old: Option<&Files>, arguments: &[&str]) -> (Files, Option<i32>) {
    restore(bench, old);
    let status = command(bench, arguments).status().unwrap().code();
    (found(bench).0, status)
}

#[test]
fn a_kill_or_an_error_at_every_system_call_keeps_old_or_new() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    let (first, _) = after(&bench, None, &LEARN);
    bench.pictures("data", "red", RED, 20, 2);
    let (second, _) = after(&bench, Some(&first), &LEARN);
    let (at_once, _) = after(&bench, None, &LEARN);
    assert_eq!((first.len(), second.len(), at_once.len()), (4, 5, 4));
    let forget = ["forget", "tiny.hspk", "--state", "state", "--yes"];
    let sample = ["forget", "tiny.hspk", "--state", "state", "--sample", "data/red/20.png"];
    let (without, _) = after(&bench, Some(&second), &sample);
    let mut count = 0;
    for (arguments, old, new) in [
        (&LEARN[..], Some(&first), &second),
        (&LEARN, None, &at_once),
        (&forget, Some(&second), &NOTHING),
        (&sample, Some(&second), &without),
    ] {
        let change = Change { arguments, old, new, status: 0, again: 0, only_reads_again: false };
        count += change.break_every_call(&bench);
    }
    assert!(are_enough(count, 4_000), "{count}");
}

#[test]
fn so_it_does_where_a_class_is_renamed_states_are_merged_or_a_commit_is_returned_to() {
    let bench = Bench::new();
    bench.colours("data", 50, 2);
    after(&bench, None, &LEARN);
    std::fs::rename(bench.path("state"), bench.path("theirs")).unwrap();
    std::fs::remove_dir_all(bench.path("data")).unwrap();
    bench.colours("data", 0, 2);
    let (first, _) = after(&bench, None, &LEARN);
    bench.pictures("data", "red", RED, 20, 2);
    let (second, _) = after(&bench, Some(&first), &LEARN);
    let rename = ["rename", "tiny.hspk", "--state", "state", "--class", "red", "--to", "dark red"];
    let merge = ["merge", "tiny.hspk", "--state", "state", "--from", "theirs"];
    let rollback = ["rollback", "tiny.hspk", "--state", "state", "--to", "1"];
    let mut count = 0;
    // A class that has its new name is not found under the old one.
    for (arguments, again) in [(&rename[..], 1), (&merge, 0), (&rollback, 0)] {
        let (new, status) = after(&bench, Some(&second), arguments);
        assert_eq!((new.len(), status), (6, Some(0)), "{arguments:?}");
        let change = Change {
            arguments,
            old: Some(&second),
            new: &new,
            status: 0,
            again,
            only_reads_again: false,
        };
        count += change.break_every_call(&bench);
    }
    assert!(are_enough(count, 3_000), "{count}");
}

#[test]
fn so_it_does_where_samples_are_dropped_corrected_or_kept_in_fewer_bits() {
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 4);
    bench.pictures("data", "blue", BLUE, 0, 4);
    let keep = [&LEARN[..], &["--keep-samples"]].concat();
    let (first, _) = after(&bench, None, &keep);
    bench.pictures("data", "red", RED, 20, 2);
    let (second, _) = after(&bench, Some(&first), &keep);
    assert_eq!((first.len(), second.len()), (4 + 8, 5 + 10));
    let whole = second.iter().find(|(name, _)| name == "features.hsfc").unwrap().1.len();
    let most = (whole / 2).to_string();
    std::fs::rename(bench.path("data/red/0.png"), bench.path("data/blue/10.png")).unwrap();
    let fewer = [&LEARN[..], &["--force", "--max-bytes", &most]].concat();
    let corrected = [&LEARN[..], &["--force"]].concat();
    let coarser = [&LEARN[..], &["--force", "--kept-bits", "4"]].concat();
    let of = |command| [command, "tiny.hspk", "--state", "state"];
    let rollback = [&of("rollback")[..], &["--to", "1"]].concat();
    let rename = [&of("rename")[..], &["--class", "red", "--to", "dark red"]].concat();
    let relabel =
        [&of("relabel")[..], &["--sample", "data/red/20.png", "--class", "blue"]].concat();
    let mut count = 0;
    for (arguments, again) in
        [(&fewer, 0), (&corrected, 0), (&coarser, 0), (&rollback, 0), (&rename, 1), (&relabel, 0)]
    {
        let (new, status) = after(&bench, Some(&second), arguments);
        assert_eq!(status, Some(0), "{arguments:?}");
        let old = Some(&second);
        let change =
            Change { arguments, old, new: &new, status: 0, again, only_reads_again: false };
        count += change.break_every_call_behind_the_lock(&bench);
    }
    assert!(are_enough(count, 3_000), "{count}");
}

#[test]
fn so_it_does_where_a_candidate_is_rejected() {
    let bench = Bench::new();
    bench.colours("data", 0, 12);
    let (old, _) = after(&bench, None, &LEARN);
    std::fs::remove_dir_all(bench.path("data")).unwrap();
    bench.pictures("data", "red", BLUE, 100, 5);
    bench.pictures("data", "blue", RED, 200, 5);
    let (new, status) = after(&bench, Some(&old), &LEARN);
    assert_eq!((old.len(), new.len(), status), (4, 5, Some(1)));
    let change = Change {
        arguments: &LEARN,
        old: Some(&old),
        new: &new,
        status: 1,
        again: 1,
        only_reads_again: false,
    };
    let count = change.break_every_call(&bench);
    assert!(are_enough(count, 1_000), "{count}");
}

#[test]
fn so_it_does_where_samples_are_kept_and_learned_again_with_another_backbone() {
    let bench = Bench::new();
    std::fs::write(bench.path("new.hspk"), tiny_pack(3, None)).unwrap();
    bench.pictures("data", "red", RED, 0, 2);
    bench.pictures("data", "blue", BLUE, 0, 1);
    let (first, _) = after(&bench, None, &LEARN);
    let keep = [&LEARN[..], &["--keep-samples"]].concat();
    let (at_once, _) = after(&bench, None, &keep);
    bench.pictures("data", "red", RED, 20, 1);
    let (kept, _) = after(&bench, Some(&first), &keep);
    assert_eq!((first.len(), at_once.len(), kept.len()), (4, 4 + 3, 5 + 4));
    let of = |command, pack| [command, pack, "--state", "state"];
    let adopt = [&of("adopt", "new.hspk")[..], &["--threads", "1"]].concat();
    let rollback = [&of("rollback", "tiny.hspk")[..], &["--to", "1", "--threads", "1"]].concat();
    let sample = [&of("forget", "tiny.hspk")[..], &["--sample", "data/red/20.png"]].concat();
    let all = [&of("forget", "tiny.hspk")[..], &["--yes"]].concat();
    let (adopted, _) = after(&bench, Some(&kept), &adopt);
    let (returned, _) = after(&bench, Some(&adopted), &rollback);
    let (without, _) = after(&bench, Some(&kept), &sample);
    // What the first commit does not have is no longer kept.
    assert_eq!((adopted.len(), returned.len(), without.len()), (6 + 4, 7 + 3, 4 + 3));
    let mut count = 0;
    for (arguments, old, new) in [
        (&keep, Some(&first), &kept),
        (&adopt, Some(&kept), &adopted),
        (&rollback, Some(&adopted), &returned),
        (&sample, Some(&kept), &without),
        (&all, Some(&kept), &NOTHING),
    ] {
        let change = Change { arguments, old, new, status: 0, again: 0, only_reads_again: false };
        count += change.break_every_call_behind_the_lock(&bench);
    }
    assert!(are_enough(count, 3_000), "{count}");
}

/// As above, where a cache is large enough that what comes to it is written alone.
#[test]
fn so_it_does_where_few_samples_come_to_many() {
    const CLASSES: [&str; 2] = ["blue", "red"];
    let bench = Bench::new();
    let pack = tiny_pack(8, None);
    std::fs::write(bench.path("tiny.hspk"), &pack).unwrap();
    let pack = Pack::open(&pack).unwrap();
    let (features, digest) = (pack.feature_len(), pack.backbone_digest());
    let mut cache = FeatureCache::new(features);
    for at in 0..700_usize {
        let label = cache.class(CLASSES[at % 2]).unwrap();
        let row: Vec<i8> =
            (0..features).map(|f| ((f * 7 + at * 11) % 40) as i8 + 60 * label as i8).collect();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&at.to_le_bytes());
        cache.insert(id, label, &row);
    }
    cache.sort();
    let learn = [&LEARN[..], &["--learner", "imprint", "--force"]].concat();
    bench.pictures("data", "red", RED, 0, 1);
    bench.pictures("data", "blue", BLUE, 0, 1);
    let alone = vec![("features.hsfc".to_owned(), cache.emit(&digest))];
    let (first, _) = after(&bench, Some(&alone), &learn);
    bench.pictures("data", "red", RED, 20, 2);
    let (second, _) = after(&bench, Some(&first), &learn);
    let (at_once, _) = after(&bench, Some(&alone), &learn);
    let many = |files: &Files| files.iter().filter(|(name, _)| name.starts_with("added-")).count();
    assert_eq!((first.len(), second.len(), many(&first), many(&second)), (5, 6, 1, 1));
    let of = |command| [command, "tiny.hspk", "--state", "state"];
    let sample = [&of("forget")[..], &["--sample", "data/red/20.png"]].concat();
    let rename = [&of("rename")[..], &["--class", "red", "--to", "dark red"]].concat();
    let all = [&of("forget")[..], &["--yes"]].concat();
    let (without, _) = after(&bench, Some(&second), &sample);
    let (renamed, _) = after(&bench, Some(&second), &rename);
    assert_eq!((many(&without), many(&renamed)), (0, 0));
    let mut count = 0;
    // A class that has its new name is not found under the old one.
    for (arguments, old, new, again) in [
        (&learn, &alone, &at_once, 0),
        (&learn, &first, &second, 0),
        (&sample, &second, &without, 0),
        (&rename, &second, &renamed, 1),
        (&all, &second, &NOTHING, 0),
    ] {
        let old = Some(old);
        let change = Change { arguments, old, new, status: 0, again, only_reads_again: false };
        count += change.break_every_call_behind_the_lock(&bench);
    }
    assert!(are_enough(count, 2_000), "{count}");
}

#[test]
fn a_repair_that_is_cut_off_takes_nothing_away_and_is_ended_by_the_next() {
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 3);
    bench.pictures("data", "blue", BLUE, 0, 3);
    let (first, _) = after(&bench, None, &[&LEARN[..], &["--keep-samples"]].concat());
    bench.pictures("data", "red", RED, 20, 1);
    let (whole, _) = after(&bench, Some(&first), &LEARN);
    let repair = ["repair", "tiny.hspk", "--state", "state", "--threads", "1"];
    let mut count = 0;
    for lost in [&["features.hsfc"][..], &["head.hshr", "commit-00000002.hsco"], &["head.hshr"]] {
        let mut old = whole.clone();
        old.retain(|(name, _)| !lost.contains(&&name[..]));
        let (new, status) = after(&bench, Some(&old), &repair);
        assert_eq!(status, Some(0), "{lost:?}");
        count += breaking::break_repair(&bench, &repair, &old, &new);
    }
    assert!(are_enough(count, 1_000), "{count}");
}

#[test]
fn a_file_is_durable_before_it_is_renamed_and_the_name_before_success() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    let calls = run(command(&bench, &LEARN), None).calls;
    let order: Vec<u64> =
        calls.into_iter().filter(|call| [call::FSYNC, call::RENAME].contains(call)).collect();
    // Features and commit, then the folder; the head, then the folder.
    let file = [call::FSYNC, call::RENAME];
    let expected = [&file[..], &file, &[call::FSYNC], &file, &[call::FSYNC]].concat();
    assert!(order.ends_with(&expected), "{order:?}");
}
