//! States of every version before answer, are learned again and go on, each byte as it was; `tests/golden` holds them.

mod common;
mod recorded;

use common::contents;
use headstart_device::Head;
use headstart_device::state::{Commit, Settings};
use recorded::{Case, Part, holds};
use serde_json::Value as Json;

#[test]
fn a_golden_state_opens_and_answers_the_same() {
    for case in Case::all(false) {
        let (golden, folder, pack) = (&case.golden, case.folder(), &case.recorded["pack"]);
        for (command, recorded) in
            [("status", &case.recorded["status"]), ("history", &case.recorded["history"])]
        {
            case.copy("copy");
            let said = case.run(Part::State, pack, &vec![command].into(), "copy");
            let said = if command == "history" { &said["commits"] } else { &said };
            if !holds(recorded, said) {
                golden.broken(
                    Part::State,
                    &folder,
                    &format!("{command} says {said}, and it was {recorded}"),
                );
            }
        }
        let said = case.run(Part::State, pack, &case.recorded["ask"], "copy");
        let answers = case.recorded["answers"].as_array().expect("answers");
        assert!(answers.len() > 3);
        for (answer, said) in answers.iter().zip(said["files"].as_array().unwrap()) {
            if !holds(answer, said) {
                golden.broken(
                    Part::State,
                    &folder,
                    &format!("the answer is {said}, and it was {answer}"),
                );
            }
        }
        if contents(&case.path("copy")) != contents(&golden.path(&folder)) {
            golden.broken(Part::State, &folder, "looking at it changes it");
        }
    }
}

#[test]
fn the_same_samples_learned_again_make_the_golden_state_to_the_byte() {
    for case in Case::all(false) {
        if !case.golden.learns_the_same() {
            continue;
        }
        let mut said = Json::Null;
        for lesson in case.recorded["lessons"].as_array().expect("lessons") {
            said = case.run(Part::Learning, &case.recorded["pack"], lesson, "again");
        }
        let folder = case.folder();
        if !holds(&case.recorded["learned"], &said) {
            let recorded = &case.recorded["learned"];
            case.golden.broken(
                Part::Learning,
                &folder,
                &format!("learn says {said}, and it was {recorded}"),
            );
        }
        let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
            files.iter().map(|(name, _)| name.clone()).collect()
        };
        let (mut found, recorded) =
            (contents(&case.path("again")), contents(&case.golden.path(&folder)));
        // What files were called is no part of what was learned, and was not kept then.
        found.retain(|(name, _)| name != "names.hssn");
        // Nor was how often pictures are shown a setting that holds; a commit keeps it now.
        for (name, bytes) in found.iter_mut().filter(|(name, _)| name.starts_with("commit-")) {
            let (backbone, mut commit) = Commit::parse_any(bytes).unwrap();
            if let Some(settings) = &mut commit.settings {
                settings.views = None;
                let head = Head::parse(&case.path(name), &commit.head, &backbone).unwrap();
                let is_said = *settings == Settings::said_by(&head);
                commit.settings = commit.settings.filter(|_| !is_said);
                *bytes = commit.emit(&backbone);
            }
        }
        case.golden.expect_same(
            Part::Learning,
            &folder,
            "its files",
            [&names(&found), &names(&recorded)],
        );
        for (name, bytes) in &found {
            case.golden.expect_file(
                Part::Learning,
                &format!("{folder}/{name}"),
                "learned again",
                bytes,
            );
        }
    }
}

#[test]
fn a_golden_state_goes_on_to_the_head_that_its_own_version_went_on_to() {
    let mut steps = 0;
    for case in Case::all(false) {
        for (step, next) in case.recorded["next"].as_object().expect("next steps") {
            let copy = format!("next-{step}");
            case.copy(&copy);
            let before = case.file(&format!("{copy}/head.hshr"));
            case.run(Part::State, &next["pack"], &next["command"], &copy);
            let head = case.file(&format!("{copy}/head.hshr"));
            if head.is_empty() || head == before {
                case.golden.broken(
                    Part::State,
                    &case.folder(),
                    &format!("'{step}' leaves the head as it was"),
                );
            }
            if case.golden.learns_the_same() {
                case.golden.expect_file(
                    Part::Learning,
                    next["head"].as_str().unwrap(),
                    step,
                    &head,
                );
            }
            steps += 1;
        }
    }
    assert!(steps > 10, "{steps} steps");
}
