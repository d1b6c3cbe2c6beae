//! A program that was built with a key uses signed packs only. Build this with
//! `HEADSTART_FAMILY=camera-2 HEADSTART_KEYS=` and the two keys that the first assertion shows.

#[cfg(target_arch = "x86_64")]
mod breaking;
mod common;
#[cfg(target_arch = "x86_64")]
mod tracer;

use common::{Bench, tiny_pack};
use ed25519_dalek::{Signer, SigningKey};
use headstart::pack::sign;

fn public(secret: [u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(&secret).verifying_key().to_bytes()
}

fn signed(secret: [u8; 32], family: &str, counter: u64) -> Vec<u8> {
    signed_as(&tiny_pack(2, None), secret, family, counter)
}

fn signed_as(pack: &[u8], secret: [u8; 32], family: &str, counter: u64) -> Vec<u8> {
    let key = SigningKey::from_bytes(&secret);
    let signer = |message: &[u8; headstart::pack::MESSAGE_BYTES]| key.sign(message).to_bytes();
    sign(pack, family, counter, &public(secret), signer).unwrap()
}

#[test]
fn only_packs_of_the_maker_are_used_and_no_older_ones() {
    let hex = |key: [u8; 32]| key.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let keys = [public([1; 32]), public([2; 32])].map(hex).join(",");
    assert_eq!(env!("HEADSTART_KEYS"), keys);
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let learn = ["--data", "data", "--state", "state"];
    let predict = ["--state", "state", "data/red/0.png"];
    let put = |pack: Vec<u8>| std::fs::write(&bench.pack, pack).unwrap();
    for (pack, words) in [
        (tiny_pack(2, None), "not signed"),
        (signed([3; 32], "camera-2", 5), "not trusted here"),
        (signed([1; 32], "camera-3", 5), "another family"),
    ] {
        put(pack);
        for (command, arguments) in [("learn", &learn[..]), ("predict", &predict)] {
            let message = bench.refusal(1, command, arguments);
            assert!(message.contains(words), "{message}");
        }
        assert!(!bench.path("state").exists());
    }
    put(signed([1; 32], "camera-2", 5));
    bench.json("learn", &learn);
    bench.json("predict", &predict);
    // The second key, and a new counter: the state stays.
    put(signed([2; 32], "camera-2", 6));
    bench.json("learn", &learn);
    put(signed([1; 32], "camera-2", 5));
    for (command, arguments) in [("learn", &learn[..]), ("predict", &predict)] {
        let message = bench.refusal(1, command, arguments);
        assert!(message.contains("security counter 5"), "{message}");
    }
    put(signed([2; 32], "camera-2", 6));
    bench.json("forget", &["--state", "state", "--yes"]);
    put(signed([1; 32], "camera-2", 5));
    assert!(bench.refusal(1, "learn", &learn).contains("security counter 5"));
}

/// Red, green and blue, learned with counter 5.
fn learned() -> Bench {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    std::fs::write(&bench.pack, signed([1; 32], "camera-2", 5)).unwrap();
    bench.json("learn", &["--data", "data", "--state", "state"]);
    bench
}

#[test]
fn a_pack_that_only_answered_is_not_older_than_the_next() {
    let state = ["--state", "state"];
    for (command, arguments) in [
        ("predict", &["data/red/0.png"][..]),
        ("eval", &["--data", "data"]),
        ("bench", &[]),
        ("status", &[]),
        ("samples", &[]),
        ("history", &[]),
        ("rename", &["--class", "red", "--to", "rot"]),
    ] {
        let bench = learned();
        let with = [&state[..], arguments].concat();
        std::fs::write(&bench.pack, signed([2; 32], "camera-2", 6)).unwrap();
        bench.json(command, &with);
        std::fs::write(&bench.pack, signed([1; 32], "camera-2", 5)).unwrap();
        for (command, arguments) in [
            (command, &with[..]),
            ("predict", &["--state", "state", "data/red/0.png"]),
            ("learn", &["--data", "data", "--state", "state"]),
        ] {
            let message = bench.refusal(1, command, arguments);
            assert!(message.contains("security counter 5"), "{command}: {message}");
        }
    }
}

#[test]
fn an_adopted_pack_counts_from_its_commit_on() {
    let bench = Bench::new();
    bench.halves("data", 10);
    let put = |grid: u32, counter: u64| {
        let pack = signed_as(&tiny_pack(grid, None), [1; 32], "camera-2", counter);
        std::fs::write(&bench.pack, pack).unwrap();
    };
    let (state, answer) = (["--state", "state"], ["--state", "state", "data/left/0.png"]);
    put(2, 5);
    bench.json("learn", &["--data", "data", "--state", "state", "--keep-samples"]);
    // One that is rejected leaves the old one in use.
    put(1, 6);
    let rejected = bench.command("adopt", &state).output().unwrap();
    assert!(String::from_utf8_lossy(&rejected.stdout).starts_with("Rejected"));
    put(2, 5);
    bench.json("predict", &answer);
    // One that is adopted does not.
    put(3, 7);
    bench.json("adopt", &state);
    bench.json("predict", &answer);
    for (grid, counter) in [(2, 5), (3, 6)] {
        put(grid, counter);
        for command in ["adopt", "rollback"] {
            let message = bench.refusal(1, command, &state);
            assert!(message.contains(&format!("security counter {counter}")), "{message}");
        }
    }
    // Back to the old backbone, in a newer pack.
    put(2, 8);
    bench.json("rollback", &state);
    put(2, 7);
    assert!(bench.refusal(1, "predict", &answer).contains("security counter 7"));
}

#[test]
fn no_pack_answers_without_a_place_for_its_counter() {
    let bench = learned();
    for (command, arguments) in
        [("predict", &["data/red/0.png"][..]), ("eval", &["--data", "data"]), ("bench", &[])]
    {
        let message = bench.refusal(1, command, arguments);
        assert!(message.contains("--state DIR"), "{command}: {message}");
    }
    // A folder that cannot be written: `/proc` is none that root could write either.
    let head = bench.path("state/head.hshr");
    let with_head = tiny_pack(2, Some(std::fs::read(&head).unwrap()));
    std::fs::write(&bench.pack, signed_as(&with_head, [1; 32], "camera-2", 6)).unwrap();
    let message = bench.refusal(2, "predict", &["--state", "/proc/headstart", "data/red/0.png"]);
    assert!(message.contains("security counter, without which the pack is not used"), "{message}");
    // Where there is a place, the pack's own head answers, and the counter stays.
    bench.json("predict", &["--state", "new", "data/red/0.png"]);
    std::fs::write(&bench.pack, signed([1; 32], "camera-2", 5)).unwrap();
    let message = bench.refusal(1, "predict", &["--state", "new", "data/red/0.png"]);
    assert!(message.contains("security counter 5"), "{message}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_kill_or_an_error_at_every_system_call_keeps_the_old_counter_or_the_new() {
    use breaking::{Change, are_enough, command, found};

    let bench = learned();
    let old = found(&bench).0;
    std::fs::write(&bench.pack, signed([2; 32], "camera-2", 6)).unwrap();
    let arguments =
        ["predict", "tiny.hspk", "--state", "state", "--threads", "1", "data/red/0.png"];
    assert!(command(&bench, &arguments).status().unwrap().success());
    let new = found(&bench).0;
    assert_ne!(old, new);
    let change = Change {
        arguments: &arguments,
        old: Some(&old),
        new: &new,
        status: 0,
        again: 0,
        only_reads_again: true,
    };
    let count = change.break_every_call(&bench);
    assert!(are_enough(count, 500), "{count}");
}
