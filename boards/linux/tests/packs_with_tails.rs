//! Packs with a trainable tail, as far as no engine is needed: read, refused where they cannot be used.

mod common;

use common::tails::{bench_with_tail, tail};
use common::{contents, tiny_pack, with_tail};
use headstart::pack::{Pack, TailStorage};
use headstart::tail::{Tail, emit};

#[test]
fn a_tail_is_neither_adopted_nor_kept_for() {
    let bench = bench_with_tail();
    let plain = tiny_pack(2, None);
    let tailed = std::fs::read(&bench.pack).unwrap();
    let refused = |pack: &[u8], command: &str, arguments: &[&str], words: &str| {
        std::fs::write(&bench.pack, pack).unwrap();
        let before = contents(&bench.path("state"));
        let refusal = bench.refusal(1, command, arguments);
        assert!(refusal.contains(words), "{refusal}");
        assert!(contents(&bench.path("state")) == before);
    };
    let learn = ["--data", "data", "--state", "state", "--keep-samples"];
    std::fs::write(&bench.pack, &plain).unwrap();
    bench.json("learn", &learn);
    let adopt = ["--state", "state"];
    refused(&tailed, "adopt", &adopt, "a trainable tail is not adopted");
    refused(&tailed, "learn", &learn, "leave --keep-samples out");
    // What begins like a head with a tail.
    let head = [&b"HSTAIL\x1a\n"[..], &[0; 64]].concat();
    std::fs::write(bench.path("state/head.hshr"), head).unwrap();
    refused(&plain, "adopt", &adopt, "a trainable tail is not adopted");
}

#[test]
fn a_changed_or_cut_tail_is_refused() {
    let bench = bench_with_tail();
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    assert_eq!(Tail::parse(&pack).unwrap().unwrap().graph, {
        let mut graph = tail();
        graph.values[0].constant = None;
        graph
    });
    let section = emit(&tail(), &[1], TailStorage::F32).unwrap();
    let with = |section: Vec<u8>| with_tail(&bytes, 10, section);
    // Sealed anew, every change is read or refused: nothing panics, and a cut is always refused.
    for at in 0..section.len() {
        for bit in [0, 3, 7] {
            let mut changed = section.clone();
            changed[at] ^= 1 << bit;
            if let Ok(bytes) = with(changed) {
                let _ = Tail::parse(&Pack::open(&bytes).unwrap());
            }
        }
        if let Ok(bytes) = with(section[..at].to_vec()) {
            assert!(Tail::parse(&Pack::open(&bytes).unwrap()).is_err(), "cut to {at}");
        }
    }
    // A value that is not there, and one that the next node overwrites.
    assert!(with(emit(&tail(), &[2], TailStorage::F32).unwrap()).is_err());
}

#[test]
fn what_runs_heads_only_names_the_tails_first_node() {
    use headstart::session::Session;
    use headstart::store::Store;

    struct Nowhere;
    impl Store for Nowhere {
        type Error = std::convert::Infallible;

        fn load(&mut self, _: &mut [u8]) -> Result<Option<usize>, Self::Error> {
            Ok(None)
        }

        fn commit(&mut self, _: &[u8]) -> Result<(), Self::Error> {
            Ok(())
        }
    }

    let bytes = std::fs::read(bench_with_tail().pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let refused = Session::open(&pack, &mut [], Nowhere);
    let message = refused.map(|_| ()).unwrap_err().to_string();
    let first = format!("node {} is the first", pack.node_count());
    assert!(message.contains(&first) && message.contains("without its tail"), "{message}");
}
