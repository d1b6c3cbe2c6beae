//! The whole way on the device, with a pack that is written here.

mod common;

use common::{BLUE, Bench, GREEN, RED, contents, picture, tiny_pack};
use headstart::pack::Pack;
use headstart_device::samples::SampleFile;
use headstart_device::state::{FeatureCache, StateFolder};

const LEARN: [&str; 4] = ["--data", "data", "--state", "state"];

#[test]
fn a_wrong_report_is_found_before_the_samples_are_learned() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    // The second picture of all cannot be decoded: the report is refused before it is looked at.
    std::fs::write(bench.path("data/blue/1.png"), "no picture").unwrap();
    let learn = ["--data", "data", "--state", "state", "--report"];
    let message = bench.refusal(1, "learn", &[&learn[..], &["absent"]].concat());
    assert!(message.contains("absent"), "{message}");
}

#[test]
fn what_was_learned_is_answered_measured_and_reported() {
    let bench = Bench::new();
    bench.colours("data", 0, 10);
    bench.colours("test", 100, 4);
    let learned = bench.json("learn", &LEARN);
    assert_eq!((&learned["samples"], &learned["new_samples"]), (&30.into(), &30.into()));
    assert!(learned["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(learned["held_out_accuracy"], 1.0);
    let names: Vec<_> = learned["classes"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["blue", "green", "red"]);

    let measured = bench.json("eval", &["--data", "test", "--state", "state"]);
    assert_eq!((&measured["accuracy"], &measured["samples"]), (&1.0.into(), &12.into()));
    assert_eq!(measured["classes"][1]["name"], "green");
    assert_eq!(measured["classes"][1]["precision"], 1.0);
    assert_eq!(measured["confusion"], serde_json::json!([[4, 0, 0], [0, 4, 0], [0, 0, 4]]));

    let answers =
        bench.json("predict", &["--state", "state", "test/red/100.png", "test/blue/101.png"]);
    assert_eq!(answers["files"][0]["best"], "red");
    assert_eq!(answers["files"][1]["best"], "blue");
    assert_eq!(answers["files"][1]["file"], "test/blue/101.png");

    let status = bench.json("status", &["--state", "state"]);
    assert_eq!((&status["model"], &status["samples"]), (&"tiny".into(), &30.into()));
    assert_eq!(status["classes"][2], serde_json::json!({"name": "red", "samples": 10}));
    assert_eq!(status["held_out_accuracy"], learned["held_out_accuracy"]);
    assert_eq!(contents(&bench.path("state")).len(), 4);
}

#[test]
fn every_learner_learns() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    for learner in ["auto", "sgd", "ridge", "imprint", "lda"] {
        let state = format!("state-{learner}");
        let learned =
            bench.json("learn", &["--data", "data", "--state", &state, "--learner", learner]);
        if learner != "auto" {
            assert_eq!(learned["learner"], learner);
        }
        let measured = bench.json("eval", &["--data", "data", "--state", &state]);
        assert_eq!(measured["accuracy"], 1.0, "{learner}");
    }
}

#[test]
fn auto_is_sgd_where_it_would_take_more_memory() {
    let bench = Bench::new();
    bench.colours("data", 0, 8);
    let learn = |state, more: &[&str]| {
        let learned = bench.json("learn", &[&["--data", "data", "--state", state], more].concat());
        (learned["learner"].clone(), learned["short_of_memory"].clone())
    };
    assert_eq!(learn("little", &["--memory", "4000"]), ("sgd".into(), true.into()));
    assert_eq!(learn("named", &["--learner", "sgd", "--views", "3"]), ("sgd".into(), false.into()));
    assert_eq!(learn("much", &["--memory", "1000000"]), ("blend".into(), false.into()));
    assert_eq!(learn("free", &[]), ("blend".into(), false.into()));
    let head = |state: &str| std::fs::read(bench.path(state).join("head.hshr")).unwrap();
    assert_eq!(head("little"), head("named"));
    assert_eq!(head("much"), head("free"));
    // Harm is judged as far as memory goes: red and blue change places.
    for (state, memory) in [("little", "4000"), ("much", "1000000")] {
        bench.pictures("wrong", "red", BLUE, 50, 9);
        bench.pictures("wrong", "blue", RED, 50, 9);
        let before = head(state);
        let learn = ["--data", "wrong", "--state", state, "--memory", memory];
        let output = bench.command("learn", &learn).output().unwrap();
        let message = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("labels look wrong"), "{message}");
        assert_eq!(head(state), before);
    }
}

#[test]
fn learning_adds_samples_and_classes_to_what_is_there() {
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 6);
    bench.pictures("data", "green", GREEN, 0, 6);
    bench.json("learn", &LEARN);
    bench.pictures("more", "blue", BLUE, 0, 6);
    bench.pictures("more", "red", RED, 50, 2);
    let learned = bench.json("learn", &["--data", "more", "--state", "state"]);
    assert_eq!((&learned["samples"], &learned["new_samples"]), (&20.into(), &8.into()));
    bench.colours("test", 100, 3);
    let measured = bench.json("eval", &["--data", "test", "--state", "state"]);
    assert_eq!(measured["accuracy"], 1.0);
    let again = bench.json("learn", &["--data", "more", "--state", "state"]);
    assert_eq!((&again["samples"], &again["new_samples"]), (&20.into(), &0.into()));
}

#[test]
fn cached_features_are_not_computed_again() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let pack = std::fs::read(&bench.pack).unwrap();
    let pack = Pack::open(&pack).unwrap();
    // Features that no backbone gives, under the name of a sample that `learn` will meet.
    let id = SampleFile::read(&bench.path("data/red/0.png")).unwrap().id();
    let mut cache = FeatureCache::new(pack.feature_len());
    let label = cache.class("red").unwrap();
    cache.insert(id, label, &[-77; 12]);
    let state = StateFolder::new(&bench.path("state"));
    let lock = state.lock().unwrap();
    lock.commit(&cache, &pack.backbone_digest(), b"", "").unwrap();
    drop(lock);
    std::fs::remove_file(state.head_path()).unwrap();
    let learned = bench.json("learn", &LEARN);
    assert_eq!((&learned["samples"], &learned["new_samples"]), (&9.into(), &8.into()));
    let cache = state.features(&pack.backbone_digest(), 12).unwrap().unwrap();
    assert!(cache.features().chunks(12).any(|row| row == [-77; 12]));
}

#[test]
fn the_newest_label_of_a_sample_stands() {
    let bench = Bench::new();
    bench.colours("data", 0, 5);
    bench.json("learn", &LEARN);
    bench.pictures("fixed", "blue", RED, 2, 1);
    let learned = bench.json("learn", &["--data", "fixed", "--state", "state"]);
    assert_eq!((&learned["samples"], &learned["corrected_samples"]), (&15.into(), &1.into()));
    let status = bench.json("status", &["--state", "state"]);
    let counts: Vec<_> =
        status["classes"].as_array().unwrap().iter().map(|c| &c["samples"]).collect();
    assert_eq!(counts, [6, 5, 4]);
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let bench = Bench::new();
    bench.colours("data", 0, 12);
    for threads in ["1", "2", "7"] {
        bench.json("learn", &["--data", "data", "--state", threads, "--threads", threads]);
    }
    let first = contents(&bench.path("1"));
    assert_eq!(contents(&bench.path("2")), first);
    assert_eq!(contents(&bench.path("7")), first);
}

#[test]
fn a_limit_takes_that_many_a_class() {
    let bench = Bench::new();
    bench.colours("data", 0, 9);
    let learned =
        bench.json("learn", &["--data", "data", "--state", "s", "--limit", "4", "--seed", "1"]);
    assert_eq!(learned["samples"], 12);
    let measured = bench.json("eval", &["--data", "data", "--state", "s", "--limit", "2"]);
    assert_eq!(measured["samples"], 6);
}

#[test]
fn one_class_is_refused_until_there_is_another() {
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 3);
    assert!(bench.refusal(1, "learn", &LEARN).contains("one class only"));
    assert!(!bench.path("state").exists());
    bench.pictures("data", "green", GREEN, 0, 3);
    bench.json("learn", &LEARN);
    bench.pictures("more", "red", RED, 10, 3);
    assert_eq!(bench.json("learn", &["--data", "more", "--state", "state"])["samples"], 9);
}

#[test]
fn one_sample_a_class_is_enough() {
    let bench = Bench::new();
    bench.colours("data", 0, 1);
    let learned = bench.json("learn", &LEARN);
    assert_eq!((&learned["samples"], &learned["held_out_accuracy"]), (&3.into(), &().into()));
    assert_eq!(bench.json("eval", &["--data", "data", "--state", "state"])["accuracy"], 1.0);
}

#[test]
fn a_bad_file_is_named_and_the_others_are_answered() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    std::fs::write(bench.path("fake.jpg"), "no image").unwrap();
    let files = ["data/red/0.png", "fake.jpg", "absent.png", "data/green/1.png"];
    let output =
        bench.command("predict", &["--state", "state", "--json"]).args(files).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("fake.jpg") && stderr.contains("absent.png"), "{stderr}");
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let best: Vec<_> =
        answers["files"].as_array().unwrap().iter().map(|f| f["best"].as_str()).collect();
    assert_eq!(best, [Some("red"), None, None, Some("green")]);
    assert!(answers["files"][1]["error"].as_str().unwrap().contains("fake.jpg"));
}

#[test]
fn a_bad_sample_is_named_and_nothing_is_learned() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let before = contents(&bench.path("state"));
    bench.pictures("data", "red", RED, 60, 2);
    std::fs::write(bench.path("data/red/fake.png"), "no image").unwrap();
    assert!(bench.refusal(1, "learn", &LEARN).contains("data/red/fake.png"));
    std::fs::remove_file(bench.path("data/red/fake.png")).unwrap();
    std::fs::create_dir(bench.path("data/hollow")).unwrap();
    assert!(bench.refusal(1, "learn", &LEARN).contains("data/hollow"));
    assert_eq!(contents(&bench.path("state")), before);
}

#[test]
fn the_first_bad_sample_is_named_whatever_the_threads() {
    let bench = Bench::new();
    bench.colours("data", 0, 20);
    for name in ["data/green/13.png", "data/green/14.png", "data/red/0.png"] {
        std::fs::write(bench.path(name), "no image").unwrap();
    }
    for threads in ["1", "2", "5", "16"] {
        let message = bench.refusal(1, "learn", &[&LEARN[..], &["--threads", threads]].concat());
        assert!(message.contains("data/green/13.png"), "{message}");
    }
}

#[test]
fn files_with_other_extensions_are_passed_over_with_a_warning() {
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    std::fs::write(bench.path("data/red/notes.txt"), "").unwrap();
    std::fs::write(bench.path("data/red/.DS_Store"), "").unwrap();
    let output = bench.command("learn", &LEARN).arg("--json").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("notes.txt") && !stderr.contains("DS_Store"), "{stderr}");
    let learned: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&learned["samples"], &learned["skipped_files"]), (&9.into(), &1.into()));
}

#[test]
fn pictures_of_any_kind_are_answered() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let red = picture(RED, 200);
    let alpha = image::DynamicImage::from(red.clone()).into_rgba8();
    alpha.save(bench.path("alpha.png")).unwrap();
    image::DynamicImage::from(red.clone()).into_rgb16().save(bench.path("deep.png")).unwrap();
    red.save(bench.path("photo.JPG")).unwrap();
    image::imageops::crop_imm(&red, 0, 0, 1, 1).to_image().save(bench.path("one.png")).unwrap();
    image::RgbImage::from_pixel(10_000, 20, image::Rgb(RED)).save(bench.path("wide.png")).unwrap();
    let files = ["alpha.png", "deep.png", "photo.JPG", "one.png", "wide.png"];
    let answers = bench.json("predict", &[&["--state", "state"], &files[..]].concat());
    for answer in answers["files"].as_array().unwrap() {
        assert_eq!(answer["best"], "red", "{answer}");
    }
    image::GrayImage::from_pixel(5, 5, image::Luma([90])).save(bench.path("grey.png")).unwrap();
    bench.json("predict", &["--state", "state", "grey.png"]);
}

#[test]
fn arrays_are_the_models_own_values() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let array = |shape: &str, count: usize| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        // Channels first: a red plane of 0.6, the others −0.6.
        let value = |at: usize| if at < 64 { 0.6_f32 } else { -0.6 };
        bytes.extend((0..count).flat_map(|at| value(at).to_le_bytes()));
        bytes
    };
    std::fs::write(bench.path("red.npy"), array("(3, 8, 8)", 192)).unwrap();
    std::fs::write(bench.path("batch.npy"), array("(1, 3, 8, 8)", 192)).unwrap();
    let answers = bench.json("predict", &["--state", "state", "red.npy", "batch.npy"]);
    assert_eq!(
        (&answers["files"][0]["best"], &answers["files"][1]["best"]),
        (&"red".into(), &"red".into())
    );
    std::fs::write(bench.path("turned.npy"), array("(8, 8, 3)", 192)).unwrap();
    let output = bench.command("predict", &["--state", "state", "turned.npy"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("[8, 8, 3]"));
}

#[test]
fn the_state_of_another_backbone_is_refused_by_name() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    let before = contents(&bench.path("state"));
    std::fs::write(&bench.pack, tiny_pack(3, None)).unwrap();
    for (command, arguments) in [
        ("learn", &LEARN[..]),
        ("predict", &["--state", "state", "data/red/0.png"]),
        ("status", &["--state", "state"]),
    ] {
        let message = bench.refusal(1, command, arguments);
        assert!(message.contains("backbone") && message.contains("state/"), "{message}");
    }
    assert_eq!(contents(&bench.path("state")), before);
}

#[test]
fn the_head_of_the_pack_answers_until_something_was_learned() {
    let bench = Bench::new();
    bench.colours("data", 0, 6);
    let message = bench.refusal(1, "predict", &["--state", "none", "data/red/0.png"]);
    assert!(message.contains("run learn"), "{message}");
    assert!(!bench.path("none").exists());
    bench.json("learn", &["--data", "data", "--state", "factory"]);
    let head = std::fs::read(bench.path("factory/head.hshr")).unwrap();
    std::fs::write(&bench.pack, tiny_pack(2, Some(head))).unwrap();
    let answers = bench.json("predict", &["data/red/0.png"]);
    assert_eq!(answers["files"][0]["best"], "red");
    assert_eq!(bench.json("eval", &["--data", "data", "--state", "none"])["accuracy"], 1.0);
    assert_eq!(bench.json("status", &["--state", "none"])["head"], "pack");
}

#[test]
fn a_class_is_added_to_the_head_of_the_pack() {
    let bench = Bench::new();
    bench.colours("old", 0, 8);
    bench.json("learn", &["--data", "old", "--state", "factory"]);
    let head = std::fs::read(bench.path("factory/head.hshr")).unwrap();
    std::fs::write(&bench.pack, tiny_pack(2, Some(head))).unwrap();
    bench.pictures("data", "white", [190; 3], 0, 8);
    let learned = bench.json("learn", &LEARN);
    let names: Vec<_> = learned["classes"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["blue", "green", "red", "white"]);
    // Nothing of the old classes is here to be held out.
    assert_eq!(learned["held_out_accuracy"], serde_json::Value::Null);
    assert_eq!(learned["classes"][0]["samples"], 8);
    bench.colours("test", 100, 3);
    bench.pictures("test", "white", [190; 3], 100, 3);
    assert_eq!(bench.json("eval", &["--data", "test", "--state", "state"])["accuracy"], 1.0);
}

#[test]
fn a_head_without_its_features_is_kept_from_learning() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    std::fs::remove_file(bench.path("state/features.hsfc")).unwrap();
    let before = contents(&bench.path("state"));
    assert!(bench.refusal(1, "learn", &LEARN).contains("features.hsfc"));
    assert_eq!(contents(&bench.path("state")), before);
    assert_eq!(bench.json("eval", &LEARN)["accuracy"], 1.0);
}

#[test]
fn eval_refuses_classes_that_the_head_does_not_know() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    bench.pictures("data", "white", [190; 3], 0, 2);
    let message = bench.refusal(1, "eval", &LEARN);
    assert!(message.contains("white"), "{message}");
}

#[test]
fn forgetting_needs_a_yes_and_then_removes_all() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &LEARN);
    assert!(bench.refusal(1, "forget", &["--state", "state"]).contains("--yes"));
    assert_eq!(contents(&bench.path("state")).len(), 4);
    assert_eq!(bench.json("forget", &["--state", "state", "--yes"])["forgotten"], true);
    assert!(!bench.path("state").exists());
    assert_eq!(bench.json("forget", &["--state", "state", "--yes"])["forgotten"], false);
    assert!(!bench.path("state").exists());
}

#[test]
fn tables_say_what_the_json_says() {
    let bench = Bench::new();
    bench.colours("data", 0, 5);
    for (command, arguments, expected) in [
        ("learn", &LEARN[..], "held-out accuracy"),
        ("eval", &LEARN[..], "accuracy 100.0 % on 15 samples"),
        ("status", &["--state", "state"], "tiny, frozen at grid"),
        ("predict", &["--state", "state", "data/red/0.png"], "data/red/0.png"),
    ] {
        let output = bench.command(command, arguments).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{command}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn more_classes_than_the_pack_plans_for_are_refused_before_the_work() {
    let bench = Bench::new();
    bench.colours("data", 0, 2);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    let before = contents(&bench.path("state"));
    // The pack plans for ten: three are there, eight more are not.
    for class in 0..8 {
        bench.pictures("more", &format!("class {class}"), [20 * class, 100, 100], 0, 2);
    }
    let message = bench.refusal(1, "learn", &["--data", "more", "--state", "state"]);
    assert!(message.contains("11 classes") && message.contains("--max-classes 11"), "{message}");
    assert_eq!(contents(&bench.path("state")), before);
    std::fs::remove_dir_all(bench.path("more/class 7")).unwrap();
    let learned = bench.json("learn", &["--data", "more", "--state", "state"]);
    assert_eq!(learned["classes"].as_array().unwrap().len(), 10);
}

#[test]
fn a_hidden_layer_needs_an_engine_and_a_learner_excludes_one() {
    let bench = Bench::new();
    let learn = ["--data", "data", "--state", "state"];
    bench.refusal(1, "learn", &[&learn[..], &["--hidden", "6"]].concat());
    let both = ["--engine", "flex", "--learner", "sgd", "--hidden", "6"];
    bench.refusal(1, "learn", &[&learn[..], &both].concat());
    bench.refusal(1, "learn", &[&learn[..], &["--device", "cuda"]].concat());
}
