//! Heads through Burn's autodiff: whatever engines this build has, and a clear refusal of the others.

mod common;

use common::Bench;

const ENGINES: [(&str, bool); 3] = [
    ("ndarray", cfg!(feature = "ndarray")),
    ("candle", cfg!(feature = "candle")),
    ("flex", cfg!(feature = "flex")),
];

#[test]
fn each_engine_learns_or_is_refused_by_name() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    bench.colours("test", 100, 4);
    for (engine, compiled) in ENGINES {
        let learn = ["--data", "data", "--state", engine, "--engine", engine];
        if !compiled {
            assert!(bench.refusal(1, "learn", &learn).contains("--features"));
            assert!(!bench.path(engine).exists());
            continue;
        }
        for hidden in [&[][..], &["--hidden", "6"]] {
            let learned = bench.json("learn", &[&learn[..], hidden].concat());
            assert_eq!((&learned["learner"], &learned["samples"]), (&"other".into(), &24.into()));
            assert_eq!(learned["held_out_accuracy"], 1.0, "{engine} {hidden:?}");
            let measured = bench.json("eval", &["--data", "test", "--state", engine]);
            assert_eq!(measured["accuracy"], 1.0, "{engine} {hidden:?}");
            let units = bench.json("status", &["--state", engine])["hidden_units"].as_u64();
            assert_eq!(units, (!hidden.is_empty()).then_some(6));
            bench.json("bench", &["--state", engine]);
        }
        // Back to a linear head of the runtime's own, from the same features.
        let learned = bench.json("learn", &["--data", "data", "--state", engine]);
        assert_eq!((&learned["learner"], &learned["new_samples"]), (&"blend".into(), &0.into()));
    }
}

#[test]
fn a_hidden_layer_needs_an_engine_and_a_learner_excludes_one() {
    let bench = Bench::new();
    let learn = ["--data", "data", "--state", "state"];
    bench.refusal(1, "learn", &[&learn[..], &["--hidden", "6"]].concat());
    bench.refusal(1, "learn", &[&learn[..], &["--engine", "flex", "--learner", "sgd"]].concat());
}
