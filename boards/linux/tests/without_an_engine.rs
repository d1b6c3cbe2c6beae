//! What a build without an engine refuses, each by name and with what to do.
#![cfg(not(any(feature = "ndarray", feature = "candle", feature = "flex")))]

mod common;

use common::tails::{bench_with_decoder, bench_with_tail};
use common::{Bench, LEARN_TAIL};

#[test]
fn a_tail_is_refused_by_its_first_node() {
    let bench = bench_with_tail();
    // The node, the reason, and what to do; also for a head that another device learned.
    let said = |message: &str| {
        let words = ["/features/features.1/Conv", "float arithmetic", "--features flex"];
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    said(&bench.refusal(1, "learn", &LEARN_TAIL));
    said(&bench.refusal(1, "bench", &[]));
    std::fs::create_dir_all(bench.path("state")).unwrap();
    std::fs::write(bench.path("state").join("head.hshr"), [0; 64]).unwrap();
    said(&bench.refusal(1, "predict", &["--state", "state", "test/red/100.png"]));
}

#[test]
fn a_decoder_is_refused() {
    let refusal = bench_with_decoder().refusal(1, "learn", &LEARN_TAIL);
    assert!(refusal.contains("--features flex"), "{refusal}");
}

#[test]
fn every_engine_is_refused_by_name_and_leaves_no_state() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    for engine in ["ndarray", "candle", "flex", "cuda"] {
        for device in [&[][..], &["--device", "cuda"]] {
            let learn = ["--data", "data", "--state", engine, "--engine", engine];
            let refusal = bench.refusal(1, "learn", &[&learn[..], device].concat());
            assert!(refusal.contains(engine) && refusal.contains("--features"), "{refusal}");
            assert!(!bench.path(engine).exists());
        }
    }
}
