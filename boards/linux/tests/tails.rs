//! Packs with a trainable tail: learned, measured, rolled back, and refused where they cannot be used.

mod common;

use common::{Bench, LEARN_TAIL, RUNS_TAILS, contents, weights, with_tail};
use headstart::graph::{Activation, Conv, Graph, Op, Window};
use headstart::pack::{Pack, TailStorage};
use headstart::tail::Tail;

/// A convolution of the 2×2 features to six channels, a ReLU, another to four, and their means.
fn tail() -> Graph {
    let window = Window::new(&[1; 2]);
    let conv = || Op::Conv(Conv { window: window.clone(), groups: 1 });
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 2, 2]);
    graph.inputs.push(x);
    let first = graph.add_constant("features.1.weight", vec![6, 3, 1, 1], weights(18)).unwrap();
    let second = graph.add_constant("features.2.weight", vec![4, 6, 1, 1], weights(24)).unwrap();
    let x = graph.add_node("/features/features.1/Conv", conv(), vec![x, first], "a").unwrap();
    let relu = Op::Activation(Activation::Relu);
    let x = graph.add_node("relu", relu, vec![x], "b").unwrap();
    let x = graph.add_node("/features/features.2/Conv", conv(), vec![x, second], "c").unwrap();
    let x = graph.add_node("mean", Op::GlobalAveragePool, vec![x], "d").unwrap();
    graph.outputs.push(x);
    graph
}

/// The tiny pack with that tail.
fn bench() -> Bench {
    let bench = Bench::new();
    let bytes = std::fs::read(&bench.pack).unwrap();
    let max_classes = Pack::open(&bytes).unwrap().plan().max_classes;
    let section = headstart::tail::emit(&tail(), &[1], TailStorage::F32).unwrap();
    std::fs::write(&bench.pack, with_tail(&bytes, max_classes, section).unwrap()).unwrap();
    bench.colours("data", 0, 12);
    bench.colours("test", 100, 4);
    bench
}

#[test]
fn a_tail_is_learned_and_answers() {
    let bench = bench();
    if !RUNS_TAILS {
        let refusal = bench.refusal(1, "learn", &LEARN_TAIL);
        // The node, the reason, and what to do; also for a head that another device learned.
        let said = |message: &str| {
            let words = ["/features/features.1/Conv", "float arithmetic", "--features flex"];
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
        };
        said(&refusal);
        std::fs::create_dir_all(bench.path("state")).unwrap();
        std::fs::write(bench.path("state").join("head.hshr"), [0; 64]).unwrap();
        said(&bench.refusal(1, "predict", &["--state", "state", "test/red/100.png"]));
        return;
    }
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
fn a_tail_that_diverges_is_refused_and_the_state_stays() {
    let bench = bench();
    if !RUNS_TAILS {
        return;
    }
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
    let bench = bench();
    if !RUNS_TAILS {
        return;
    }
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
fn a_tail_is_neither_adopted_nor_kept_for() {
    let bench = bench();
    let plain = common::tiny_pack(2, None);
    let with_tail = std::fs::read(&bench.pack).unwrap();
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
    refused(&with_tail, "adopt", &adopt, "a trainable tail is not adopted");
    refused(&with_tail, "learn", &learn, "leave --keep-samples out");
    // What begins like a head with a tail.
    let head = [&b"HSTAIL\x1a\n"[..], &[0; 64]].concat();
    std::fs::write(bench.path("state/head.hshr"), head).unwrap();
    refused(&plain, "adopt", &adopt, "a trainable tail is not adopted");
}

#[test]
fn what_does_not_fit_a_tail_is_refused_by_name() {
    let bench = bench();
    if !RUNS_TAILS {
        return;
    }
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

#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
#[test]
fn frozen_layers_do_not_change_by_a_bit_on_any_engine() {
    use headstart::tail::TailRecord;

    let bench = bench();
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

#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
#[test]
fn engines_agree_on_gradients() {
    use headstart_device::backend::{Backend, Engine};
    use headstart_device::state::StateFolder;
    use headstart_device::training::{TailOptions, trial};

    let bench = bench();
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
        |options: &TailOptions, pair| trial::distance(&cache, &pack, None, options, pair).unwrap();
    for &backend in &backends {
        assert!(apart(&options, [backend, backends[0]]) < 1e-3, "{backend}");
        options.backend = Some(backend);
        assert_eq!(trial::trusted(&cache, &pack, None, &options).unwrap(), (Some(backend), None));
    }
}

#[cfg(any(feature = "ndarray", feature = "candle", feature = "flex"))]
#[test]
fn a_killed_training_goes_on_and_gives_the_same_record() {
    use headstart_device::state::StateFolder;
    use headstart_device::training::TailOptions;
    use headstart_device::training::tail::{Keep, train};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let bench = bench();
    bench.json("learn", &LEARN_TAIL);
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let folder = StateFolder::new(&bench.path("state"));
    let cache = folder.features(&pack.backbone_digest(), pack.feature_len()).unwrap().unwrap();
    let lock = folder.lock().unwrap();
    let keep = Some(Keep::new(&lock, std::time::Duration::ZERO));
    let options = TailOptions { epochs: 6, ..TailOptions::usual() };
    let whole = train(&cache, &pack, None, &options, None, |_, _| ()).unwrap();
    let path = bench.path("state").join("training.hstp");
    let kill = |epoch| {
        let _ = std::fs::remove_file(&path);
        let training = || {
            let killed = |done, _| assert!(done != epoch, "killed");
            train(&cache, &pack, None, &options, keep, killed)
        };
        // The panic may have become an error on its way out.
        assert!(!matches!(catch_unwind(AssertUnwindSafe(training)), Ok(Ok(_))));
    };
    let learn = |options: &TailOptions| {
        let mut epochs = Vec::new();
        let record = train(&cache, &pack, None, options, keep, |done, _| epochs.push(done));
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
    bench.json("learn", &LEARN_TAIL);
    assert!(!path.exists());
}

#[cfg(feature = "flex")]
#[test]
fn the_told_steps_are_those_that_are_taken() {
    use headstart::burn::backend::{Autodiff, Flex};
    use headstart::burn::tail::{LastLayer, Settings, TailTrainer};
    use headstart::tail::TailRecord;
    use headstart_device::backend::{Backend, Engine};
    use headstart_device::state::StateFolder;
    use headstart_device::training::TailOptions;
    use headstart_device::training::tail::{steps, train};

    let bench = bench();
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
        let record = train(&cache, &pack, None, &options, None, |_, loss| losses.push(loss));
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

#[test]
fn a_changed_or_cut_tail_is_refused() {
    let bench = bench();
    let bytes = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    assert_eq!(Tail::parse(&pack).unwrap().unwrap().graph, {
        let mut graph = tail();
        graph.values[0].constant = None;
        graph
    });
    let section = headstart::tail::emit(&tail(), &[1], TailStorage::F32).unwrap();
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
    assert!(with(headstart::tail::emit(&tail(), &[2], TailStorage::F32).unwrap()).is_err());
}

#[test]
fn what_runs_heads_only_names_the_tails_first_node() {
    use headstart::session::{Session, Store};

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

    let bytes = std::fs::read(bench().pack).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let refused = Session::open(&pack, &mut [], Nowhere);
    let message = refused.map(|_| ()).unwrap_err().to_string();
    let first = format!("node {} is the first", pack.node_count());
    assert!(message.contains(&first) && message.contains("--tail drop"), "{message}");
}
