//! Heads through Burn's autodiff, in a build with an engine: whatever engines it has, and a clear refusal of the others.

mod common;

use common::{Bench, contents};

const ENGINES: [(&str, bool); 4] = [
    ("ndarray", cfg!(feature = "ndarray")),
    ("candle", cfg!(feature = "candle")),
    ("flex", cfg!(feature = "flex")),
    ("cuda", cfg!(feature = "cuda")),
];

#[test]
fn each_engine_learns_or_is_refused_by_name() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    bench.colours("test", 100, 4);
    // Without a GPU `cuda` says so on stderr, which the other runs keep free.
    for (engine, compiled) in ENGINES.into_iter().filter(|(engine, _)| *engine != "cuda") {
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
fn an_engine_gives_the_backbones_own_features() {
    let bench = Bench::new();
    // More than a batch, so that one is decoded while another runs.
    bench.colours("data", 0, 30);
    bench.colours("test", 100, 4);
    let state = |name: &str| contents(&bench.path(name));
    let learn = |name: &str, more: &[&str]| {
        bench.json(
            "learn",
            &[&["--data", "data", "--state", name, "--learner", "auto"], more].concat(),
        )
    };
    assert!(learn("kernels", &[])["backbone"].as_str().unwrap().contains("int8"));
    for (engine, _) in ENGINES.into_iter().filter(|(name, compiled)| *compiled && *name != "cuda") {
        let chosen = ["--engine", engine, "--device", "cpu"];
        let learned = learn(engine, &chosen);
        assert_eq!(learned["backbone"], format!("{engine} on the CPU"));
        // Cache, commit and head: the learner was named, so that the engine made the features alone.
        assert!(state(engine) == state("kernels"), "{engine}");
        let eval = ["--data", "test", "--state", "kernels"];
        let with = [&eval[..], &chosen].concat();
        assert_eq!(bench.json("eval", &with), bench.json("eval", &eval), "{engine}");
        let predict = ["--state", "kernels", "test/red/100.png", "test/blue/101.png"];
        let with = [&predict[..], &chosen].concat();
        assert_eq!(bench.json("predict", &with), bench.json("predict", &predict), "{engine}");
        let measured = bench.json("bench", &[&["--state", "kernels"], &chosen[..]].concat());
        assert_eq!(measured["backend"], format!("{engine} on the CPU"));
        assert!(measured["batch"]["samples"].as_u64() > Some(1));
        // Known samples cost nothing, and one bad file spoils no other answer.
        assert_eq!(learn(engine, &chosen)["new_samples"], 0);
        std::fs::write(bench.path("bad.png"), "no picture").unwrap();
        let files = ["--state", "kernels", "bad.png", "test/red/100.png"];
        let output =
            bench.command("predict", &[&files[..], &chosen].concat()).arg("--json").output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answers["files"][1]["label"], "red");
    }
}

/// On a machine with a GPU the warning is not there, and the rest is the same.
#[test]
fn without_a_gpu_the_cpu_does_the_work_and_says_so() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    for (engine, compiled) in
        [("cuda", cfg!(feature = "cuda")), ("candle", cfg!(feature = "candle-cuda"))]
    {
        let gpu = ["--engine", engine, "--device", "cuda"];
        let learn = [&["--data", "data", "--state", engine], &gpu[..]].concat();
        if !compiled {
            assert!(bench.refusal(1, "learn", &learn).contains("--features"));
            continue;
        }
        for (command, arguments) in [
            ("learn", learn),
            ("eval", [&["--data", "data", "--state", engine], &gpu[..]].concat()),
            ("predict", [&["--state", engine, "data/red/1.png"], &gpu[..]].concat()),
            ("bench", [&["--state", engine], &gpu[..]].concat()),
        ] {
            let output = bench.command(command, &arguments).arg("--json").output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{command}: {stderr}");
            if !stderr.is_empty() {
                assert!(stderr.starts_with("warning: no GPU is used ("), "{command}: {stderr}");
                assert!(!stderr.contains("panicked"), "{command}: {stderr}");
            }
        }
    }
}
