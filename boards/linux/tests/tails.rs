//! Packs with a trainable tail, in a build with an engine: learned, measured and rolled back.

mod common;

use common::tails::bench_with_tail;
use common::{Bench, LEARN_TAIL};
use headstart::pack::Pack;
use headstart::tail::{Tail, TailRecord};
use serde_json::json;

#[test]
fn a_tail_is_learned_and_answers() {
    let bench = bench_with_tail();
    bench.json("bench", &[]);
    bench.json("bench", &["--state", "state"]);
    assert!(!bench.path("state").exists());
    let learned = bench.json("learn", &LEARN_TAIL);
    assert_eq!((&learned["learner"], &learned["samples"]), (&"tail".into(), &36.into()));
    let measured = bench.json("eval", &["--data", "test", "--state", "state"]);
    assert_eq!(measured["accuracy"], 1.0);
    assert_eq!(bench.json("status", &["--state", "state"])["samples"], 36);
    bench.json("bench", &["--state", "state"]);
    let file = "test/red/100.png";
    let answer = bench.json("predict", &["--state", "state", file]);
    assert_eq!(answer["files"][0]["best"], "red");

    // The same samples and seed give the same record; other settings another, which can be undone.
    let head = || std::fs::read(bench.path("state").join("head.hshr")).unwrap();
    let first = head();
    bench.json("learn", &LEARN_TAIL);
    assert!(head() == first);
    bench.json(
        "learn",
        &[&LEARN_TAIL[..], &["--optimiser", "sgd", "--training-seed", "5"]].concat(),
    );
    assert!(head() != first);
    assert_eq!(
        bench.json("history", &["--state", "state"])["commits"].as_array().unwrap().len(),
        2
    );
    bench.json("rollback", &["--state", "state"]);
    assert!(head() == first);

    // What would need training again is refused, and changes nothing.
    for arguments in [
        &["rename", "--class", "red", "--to", "rose"][..],
        &["forget", "--class", "red"],
        &["forget", "--sample", "data/red/1.png"],
    ] {
        let refusal =
            bench.refusal(1, arguments[0], &[&["--state", "state"], &arguments[1..]].concat());
        assert!(refusal.contains("trainable tail"), "{refusal}");
    }
    assert!(head() == first);
}

#[test]
fn how_a_tail_is_trained_holds_until_something_else_is_asked_for() {
    let bench = bench_with_tail();
    let learn = |more: &[&str]| {
        bench.json("learn", &[&["--data", "data", "--state", "state"], more].concat())
    };
    let head = || std::fs::read(bench.path("state").join("head.hshr")).unwrap();
    let change = |setting: &str, before: &str, now: &str| json!({"setting": setting, "before": before, "now": now});
    let asked = ["--rate", "0.05", "--epochs", "40", "--training-seed", "5", "--train", "*"];
    learn(&[&asked[..], &["--balanced", "--storage", "f32"]].concat());
    let first = head();
    assert_eq!(learn(&[])["changed_settings"], json!([]));
    assert!(head() == first);
    let tail = json!({
        "balanced": "true", "epochs": "40", "rate": "0.05", "seed": "5", "storage": "f32", "train": "*"
    });
    assert_eq!(bench.json("status", &["--state", "state"])["tail"], tail);
    assert_eq!(
        learn(&["--rate", "0.04"])["changed_settings"],
        json!([change("rate", "0.05", "0.04")])
    );
    assert!(head() != first);
    let back = bench.json("rollback", &["--state", "state"]);
    assert_eq!(back["changed_settings"], json!([change("rate", "0.04", "0.05")]));
    learn(&[]);
    assert!(head() == first);
    let said = learn(&["--tail-anew", "--rate", "0.05", "--epochs", "40", "--force"]);
    let changes = [
        change("balanced", "true", "usual"),
        change("seed", "5", "usual"),
        change("train", "*", "usual"),
        change("storage", "f32", "usual"),
    ];
    assert_eq!(said["changed_settings"], json!(changes));
    let said = head();
    bench.json("learn", &[&LEARN_TAIL[..2], &["--state", "anew"], &LEARN_TAIL[4..]].concat());
    assert!(said == std::fs::read(bench.path("anew/head.hshr")).unwrap());
}

#[test]
fn a_tail_that_diverges_is_refused_and_the_state_stays() {
    let bench = bench_with_tail();
    bench.json("learn", &LEARN_TAIL);
    let head = || std::fs::read(bench.path("state").join("head.hshr")).unwrap();
    let before = head();
    for optimiser in ["adamw", "sgd"] {
        let arguments = ["--data", "data", "--state", "state", "--rate", "1e30"];
        let refusal =
            bench.refusal(1, "learn", &[&arguments[..], &["--optimiser", optimiser]].concat());
        assert!(refusal.contains("infinite or not a number"), "{refusal}");
        assert!(head() == before);
        assert_eq!(bench.json("eval", &["--data", "test", "--state", "state"])["accuracy"], 1.0);
    }
}

#[test]
fn a_tail_that_was_trained_badly_does_not_take_the_place_of_a_good_one() {
    let bench = bench_with_tail();
    bench.colours("data", 20, 40);
    bench.json("learn", &LEARN_TAIL);
    let head = || std::fs::read(bench.path("state").join("head.hshr")).unwrap();
    let before = head();
    // Steps after which all pictures look the same, with nothing new to learn and with new samples of the same classes.
    let wrong = ["--rate", "1000", "--optimiser", "sgd", "--epochs", "2"];
    bench.colours("more", 200, 4);
    for data in ["data", "more"] {
        let arguments = [&["--data", data, "--state", "state", "--json"], &wrong[..]].concat();
        let output = bench.command("learn", &arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let reason = report["rejected"].as_str().unwrap();
        assert!(reason.contains("the one before 100 %") && reason.contains("--rate"), "{reason}");
        assert!(head() == before);
    }
    let history = bench.json("history", &["--state", "state"]);
    assert!(history["rejected"]["note"].as_str().unwrap().contains("--rate"), "{history}");
    let forced = ["--data", "data", "--state", "state", "--force"];
    bench.json("learn", &[&forced[..], &wrong].concat());
    assert!(head() != before);
}

#[test]
fn what_does_not_fit_a_tail_is_refused_by_name() {
    let bench = bench_with_tail();
    for wrong in [&["--learner", "ridge"][..], &["--engine", "flex", "--hidden", "4"]] {
        let arguments = [&["--data", "data", "--state", "none"], wrong].concat();
        let output = bench.command("learn", &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
    }
    let refusal =
        bench.refusal(1, "learn", &[&LEARN_TAIL[..], &["--train", "features.9"]].concat());
    assert!(refusal.contains("features.9"), "{refusal}");
    let plain = Bench::new();
    plain.colours("data", 0, 4);
    let refusal = plain.refusal(1, "learn", &LEARN_TAIL);
    assert!(refusal.contains("--tail keep"), "{refusal}");
}

#[test]
fn frozen_layers_do_not_change_by_a_bit_on_any_engine() {
    let bench = bench_with_tail();
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let tail = Tail::parse(&pack).unwrap().unwrap();
    let constant = |name: &str| tail.graph.value_named(name).unwrap();
    let (first, second) = (constant("features.1.weight"), constant("features.2.weight"));
    let engines = [
        ("flex", cfg!(feature = "flex")),
        ("ndarray", cfg!(feature = "ndarray")),
        ("candle", cfg!(feature = "candle")),
    ];
    for (engine, _) in engines.into_iter().filter(|(_, compiled)| *compiled) {
        for (pattern, frozen, trained) in [
            (&["--freeze", "features.1"][..], first, second),
            (&["--train", "features.1.*"], second, first),
            (&["--freeze", "features.*", "--train", "features.2.*"], first, second),
        ] {
            let state = format!("{engine}{}", pattern.len() + pattern[0].len());
            let arguments =
                ["--data", "data", "--state", &state, "--engine", engine, "--storage", "f32"];
            bench.json("learn", &[&arguments[..], pattern].concat());
            let record = std::fs::read(bench.path(&state).join("head.hshr")).unwrap();
            let (record, _) = TailRecord::split(&record, &tail, &pack.backbone_digest()).unwrap();
            assert!(!record.constants.contains_key(&frozen), "{engine}");
            let before = tail.graph.values[trained].constant.as_ref().unwrap();
            assert_ne!(&record.constants[&trained], before, "{engine}");
        }
    }
}

#[test]
fn engines_agree_on_gradients() {
    use headstart_device::engine::{Backend, Engine};
    use headstart_device::state::StateFolder;
    use headstart_device::training::tail::{self, TailOptions};

    let bench = bench_with_tail();
    bench.json("learn", &LEARN_TAIL);
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let folder = StateFolder::new(&bench.path("state"));
    let cache = folder.features(&pack.backbone_digest(), pack.feature_len()).unwrap().unwrap();
    let engines = [Engine::Flex, Engine::Ndarray, Engine::Candle];
    let backends: Vec<Backend> =
        engines.into_iter().filter_map(|e| Some(Backend::choose(e, None).ok()?.0)).collect();
    let mut options = TailOptions::usual();
    let apart =
        |options: &TailOptions, pair| tail::distance(&cache, &pack, None, options, pair).unwrap();
    for &backend in &backends {
        assert!(apart(&options, [backend, backends[0]]) < 1e-3, "{backend}");
        options.backend = Some(backend);
        assert_eq!(tail::trusted(&cache, &pack, None, &options).unwrap(), (Some(backend), None));
    }
}

#[test]
fn a_killed_training_goes_on_and_gives_the_same_record() {
    use headstart_device::state::StateFolder;
    use headstart_device::training::tail::{Keep, TailOptions, train};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let bench = bench_with_tail();
    bench.json("learn", &LEARN_TAIL);
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let folder = StateFolder::new(&bench.path("state"));
    let cache = folder.features(&pack.backbone_digest(), pack.feature_len()).unwrap().unwrap();
    let lock = folder.lock().unwrap();
    let keep = Some(Keep::new(&lock, std::time::Duration::ZERO));
    let options = TailOptions { epochs: 6, ..TailOptions::usual() };
    let whole = train(&cache, &pack, None, &options, None, &mut |_, _| Ok(())).unwrap();
    let path = bench.path("state").join("training.hstp");
    let kill = |epoch| {
        let _ = std::fs::remove_file(&path);
        let training = || {
            let mut killed = |done, _| {
                assert!(done != epoch, "killed");
                Ok(())
            };
            train(&cache, &pack, None, &options, keep, &mut killed)
        };
        // The panic may have become an error on its way out.
        assert!(!matches!(catch_unwind(AssertUnwindSafe(training)), Ok(Ok(_))));
    };
    let learn = |options: &TailOptions| {
        let mut epochs = Vec::new();
        let mut epoch = |done, _| {
            epochs.push(done);
            Ok(())
        };
        let record = train(&cache, &pack, None, options, keep, &mut epoch);
        (record.unwrap(), epochs)
    };
    kill(3);
    let (record, epochs) = learn(&options);
    assert_eq!(epochs, [4, 5, 6]);
    assert!(record == whole);
    // Another training does not go on from there, and a damaged file is nothing to go on from.
    kill(2);
    let other = TailOptions { rate: 2e-3, ..options.clone() };
    assert_eq!(learn(&other).1, [1, 2, 3, 4, 5, 6]);
    kill(2);
    let mut damaged = std::fs::read(&path).unwrap();
    damaged[100] ^= 1;
    std::fs::write(&path, damaged).unwrap();
    assert_eq!(learn(&options).1, [1, 2, 3, 4, 5, 6]);
    // What is committed leaves none.
    drop(lock);
    // A program that another test has just forked holds the lock too, until it is the program.
    while folder.lock().is_err() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    bench.json("learn", &LEARN_TAIL);
    assert!(!path.exists());
}

#[test]
fn the_told_steps_are_those_that_are_taken() {
    use headstart::burn::backend::{Autodiff, Flex};
    use headstart::burn::tail::{LastLayer, Settings, TailTrainer};
    use headstart_device::engine::{Backend, Engine};
    use headstart_device::state::StateFolder;
    use headstart_device::training::tail::{TailOptions, steps, train};

    let bench = bench_with_tail();
    bench.json("learn", &[&LEARN_TAIL[..], &["--views", "1"]].concat());
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let tail = Tail::parse(&pack).unwrap().unwrap();
    let folder = StateFolder::new(&bench.path("state"));
    let cache = folder.features(&pack.backbone_digest(), pack.feature_len()).unwrap().unwrap();
    let backend = Some(Backend::choose(Engine::Flex, None).unwrap().0);
    let usual = TailOptions { backend, epochs: 5, batch: 4, half: false, ..TailOptions::usual() };
    let held = TailOptions { held_out: 50, ..usual.clone() };
    let epoch = |options| steps(&cache, options).remove(4).into_iter().flat_map(|s| s.samples);
    assert!(epoch(&held).count() < cache.len(), "what is held out is not learned from");

    let usual = TailOptions { held_out: 0, ..usual };
    for options in [usual.clone(), usual.by_sgd(0.9)] {
        let mut losses = Vec::new();
        let mut epoch = |_, loss| {
            losses.push(loss);
            Ok(())
        };
        let record = train(&cache, &pack, None, &options, None, &mut epoch);
        let (learned, _) =
            TailRecord::split(&record.unwrap(), &tail, &pack.backbone_digest()).unwrap();
        let classes = cache.classes().len();
        let last = LastLayer {
            weights: vec![0.0; classes * pack.head_inputs()],
            bias: vec![0.0; classes],
        };
        let settings = Settings {
            optimiser: options.optimiser,
            weight_decay: options.weight_decay,
            clip: options.clip,
            label_smoothing: options.label_smoothing,
        };
        let trained = tail.parameters();
        let mut trainer =
            TailTrainer::<Autodiff<Flex>>::new(&tail.graph, &trained, last, settings).unwrap();
        let mut again = Vec::new();
        for epoch in steps(&cache, &options) {
            let (mut sum, mut shown) = (0.0, Vec::new());
            for step in epoch {
                let row = |at: &usize| &cache.features()[at * pack.feature_len()..];
                let rows = step.samples.iter().map(|at| &row(at)[..pack.feature_len()]);
                let inputs = rows.flat_map(|row| tail.inputs(row).unwrap().remove(0)).collect();
                let labels: Vec<u16> = step.samples.iter().map(|&at| cache.labels()[at]).collect();
                let loss = trainer.step(&[inputs], &labels, step.rate).unwrap();
                sum += loss * labels.len() as f32;
                shown.extend(step.samples);
            }
            again.push(sum / cache.len() as f32);
            shown.sort_unstable();
            assert_eq!(shown, Vec::from_iter(0..cache.len()));
        }
        assert_eq!(again, losses);
        assert!(trainer.learned().unwrap().0 == learned.constants);
    }
}
