//! Packs that answer a class for each place of a picture: learned from masks, measured, written, and refused where
//! pictures and masks do not fit each other.

mod common;

use common::tails::{SIDE, bench_with_decoder};
use common::{Bench, LEARN_TAIL};
use headstart_device::segmentation::Mask;

#[test]
fn places_are_learned_measured_and_written() {
    let bench = bench_with_decoder();
    bench.json("bench", &[]);
    let learned = bench.json("learn", &LEARN_TAIL);
    assert_eq!((&learned["samples"], &learned["new_samples"]), (&12.into(), &12.into()));
    assert_eq!(learned["classes"][1]["name"], "green");
    let measured =
        bench.json("eval", &["--data", "test", "--state", "state", "--overlays", "overlays"]);
    assert!(measured["mean_iou"].as_f64().unwrap() > 0.9, "{measured}");
    assert_eq!(measured["pixels"], 4 * SIDE * SIDE);
    let overlay = image::open(bench.path("overlays").join("101.png")).unwrap().to_rgb8();
    assert_eq!(overlay.dimensions(), (SIDE, SIDE));

    // An answer is a mask as large as its picture.
    let file = "test/images/101.png";
    let answer = bench.json("predict", &["--state", "state", "--masks", "answers", file]);
    assert_eq!(answer["files"][0]["mask"], "answers/101.png");
    let found = Mask::read(&bench.path("answers").join("101.png"), 3).unwrap();
    let truth = Mask::read(&bench.path("test").join("masks/101.png"), 3).unwrap();
    let right = found.classes().iter().zip(truth.classes()).filter(|(a, b)| a == b).count();
    assert!(right * 10 >= found.classes().len() * 9, "{right}");

    let head = || std::fs::read(bench.path("state").join("head.hshr")).unwrap();
    let first = head();
    // A mask that changed is a correction; the other pictures cost nothing.
    bench.mask("data", 3, &Mask::new(SIDE as usize, SIDE as usize, vec![255; 256]));
    let again = bench.json("learn", &LEARN_TAIL);
    assert_eq!((&again["new_samples"], &again["corrected_samples"]), (&0.into(), &1.into()));
    assert!(head() != first);
    assert_eq!(bench.json("status", &["--state", "state"])["cached_samples"], 12);
    bench.json("rollback", &["--state", "state"]);
    assert!(head() == first);
    bench.json("bench", &["--state", "state"]);

    // Steps that are too large leave what was learned before.
    let wrong = ["--rate", "1000", "--optimiser", "sgd", "--epochs", "2", "--held-out", "50"];
    let output = bench.command("learn", &[&LEARN_TAIL[..4], &wrong].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("Rejected"), "{text}");
    assert!(head() == first);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let bench = bench_with_decoder();
    let refusal = |named: &[&str]| {
        let refusal = bench.refusal(1, "learn", &LEARN_TAIL);
        for named in named {
            assert!(refusal.contains(named), "{refusal}");
        }
    };
    bench.mask("data", 3, &Mask::new(4, 8, vec![0; 32]));
    refusal(&["masks/3.png", "8 x 4", "16 x 16"]);
    bench.mask("data", 3, &Mask::new(16, 16, [vec![0; 255], vec![3]].concat()));
    refusal(&["masks/3.png", "class 3", "row 15, column 15", "3 classes"]);
    std::fs::remove_file(bench.path("data").join("masks/3.png")).unwrap();
    refusal(&["images/3.png", "masks/3.png", "no mask"]);
    std::fs::remove_file(bench.path("data").join("images/3.png")).unwrap();
    std::fs::write(bench.path("data").join("classes.txt"), "red\ngreen\n").unwrap();
    refusal(&["classes.txt", "2 classes"]);
    assert!(!bench.path("state").join("head.hshr").exists(), "a refused call learns nothing");
    std::fs::remove_dir_all(bench.path("data").join("masks")).unwrap();
    refusal(&["images and masks"]);

    bench.json("learn", &["--data", "test", "--state", "state", "--epochs", "1"]);
    let file = "test/images/101.png";
    let refusal = bench.refusal(1, "predict", &["--state", "state", file]);
    assert!(refusal.contains("--masks"), "{refusal}");
    // No answer goes over a picture, or over another answer.
    for (masks, files) in
        [("test/images", &[file][..]), ("x", &[file, "data/images/../../test/images/101.png"])]
    {
        let arguments = [&["--state", "state", "--masks", masks], files].concat();
        let refusal = bench.refusal(1, "predict", &arguments);
        assert!(refusal.contains("101.png"), "{refusal}");
    }
    let overlays = ["--state", "state", "--data", "test", "--overlays", "test/masks"];
    let refusal = bench.refusal(1, "eval", &overlays);
    assert!(refusal.contains("written over"), "{refusal}");
    // And what is for places is refused where a picture has one answer.
    let plain = Bench::new();
    plain.colours("data", 0, 4);
    plain.json("learn", &["--data", "data", "--state", "state"]);
    for (command, option) in [("predict", "--masks"), ("eval", "--overlays")] {
        let data = if command == "eval" { &["--data", "data"][..] } else { &["data/red/0.png"] };
        let arguments = [&["--state", "state", option, "x"], data].concat();
        let refusal = plain.refusal(1, command, &arguments);
        assert!(refusal.contains(option), "{refusal}");
    }
}
