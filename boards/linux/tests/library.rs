//! The library does what the command line does, to the byte; and its example runs.

mod common;
#[path = "../../../runtime/device/examples/teach.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
mod teach;

use common::{BLUE, Bench, contents};
use headstart_device::{Device, LearnOptions};
use serde_json::Value;

fn said(report: impl serde::Serialize) -> String {
    serde_json::to_string(&report).unwrap()
}

#[test]
fn both_leave_the_same_bytes_and_say_the_same() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.colours("more", 20, 2);
    bench.pictures("more", "navy", BLUE, 40, 2);
    let device = Device::open(&bench.pack, bench.path("library")).unwrap();
    let keep = LearnOptions { keep_samples: true, ..LearnOptions::default() };
    for data in ["data", "more"] {
        bench.json("learn", &["--data", data, "--state", "state", "--keep-samples", "--force"]);
        let samples = device.read(&bench.path(data), None).unwrap();
        let options = LearnOptions { force: true, ..keep.clone() };
        device.learn(&samples, &options, &()).unwrap();
        assert!(contents(&bench.path("state")) == contents(&bench.path("library")), "{data}");
    }
    let state = ["--state", "state"];
    let same = |said: String, command: &str, arguments: &[&str]| {
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said, bench.json(command, &[&state[..], arguments].concat()), "{command}");
    };
    same(said(device.status().unwrap()), "status", &[]);
    same(said(device.history().unwrap()), "history", &[]);
    let samples = device.samples(None, true).unwrap();
    same(format!("{{\"samples\":{}}}", said(samples)), "samples", &["--doubtful"]);
    let test = device.read(&bench.path("more"), None).unwrap();
    let evaluation = device.evaluate(&test, &()).unwrap();
    same(said(evaluation), "eval", &["--data", "more"]);
    let renamed = device.rename("navy", "dark blue").unwrap();
    same(said(renamed), "rename", &["--class", "navy", "--to", "dark blue"]);
    let forgotten = device.forget(&["green".to_owned()], &[]).unwrap();
    same(said(forgotten), "forget", &["--class", "green"]);
    assert!(contents(&bench.path("state")) == contents(&bench.path("library")));
}

#[test]
fn the_example_teaches_answers_and_goes_back() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.colours("more", 20, 2);
    let path = |name: &str| bench.path(name).display().to_string();
    let arguments = [bench.pack.display().to_string(), path("mine"), path("data"), path("more")];
    teach::teach(&arguments).unwrap();
    let history = bench.json("history", &["--state", "mine"]);
    let notes = history["commits"].as_array().unwrap().iter().map(|commit| &commit["note"]);
    assert_eq!(notes.collect::<Vec<_>>(), ["learn", "learn", "rollback to 1"]);
    assert_eq!(bench.json("status", &["--state", "mine"])["samples"], 12);
    // Nothing is touched where the last step would fail.
    for few in [&[][..], &arguments[..3]] {
        let refusal = teach::teach(few).unwrap_err().to_string();
        assert!(refusal.starts_with("usage: "), "{refusal}");
    }
    assert_eq!(bench.json("status", &["--state", "mine"])["samples"], 12);
}
