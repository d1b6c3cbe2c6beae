//! The same for states that need an engine, whose float arithmetic may differ in the last digits from machine to machine:
//! they answer the same classes with nearly the same probabilities, and go on.

mod recorded;

use recorded::{Case, Part};

/// How far a probability may be off on another machine.
const NEAR: f64 = 1e-3;

#[test]
fn a_golden_state_of_an_engine_answers_the_same_and_goes_on() {
    for case in Case::all(true) {
        let (golden, folder, pack) = (&case.golden, case.folder(), &case.recorded["pack"]);
        case.copy("copy");
        let said = case.run(Part::State, pack, &case.recorded["ask"], "copy");
        let answers = case.recorded["answers"].as_array().expect("answers");
        for (answer, said) in answers.iter().zip(said["files"].as_array().unwrap()) {
            let near = match (answer["probability"].as_f64(), said["probability"].as_f64()) {
                (Some(was), Some(is)) => (was - is).abs() < NEAR,
                (was, is) => was == is,
            };
            if !near || answer["best"] != said["best"] || answer["mask"] != said["mask"] {
                golden.broken(
                    Part::State,
                    &folder,
                    &format!("the answer is {said}, and it was {answer}"),
                );
            }
        }
        for answer in answers.iter().filter_map(|answer| answer["mask"].as_str()) {
            let [was, is] = [golden.path(answer), case.path(answer)]
                .map(|path| image::open(path).unwrap().to_rgb8().into_raw());
            let other = was.chunks(3).zip(is.chunks(3)).filter(|(was, is)| was != is).count();
            if was.len() != is.len() || other * 50 > was.len() / 3 {
                golden.broken(Part::State, answer, &format!("{other} pixels of the mask differ"));
            }
        }
        let head = case.file("copy/head.hshr");
        let next = &case.recorded["next"]["learn"];
        case.run(Part::State, &next["pack"], &next["command"], "copy");
        let now = case.file("copy/head.hshr");
        if now.is_empty() || now == head {
            golden.broken(Part::State, &folder, "learning leaves the head as it was");
        }
        // From nothing: what is learned is as good as it was.
        for lesson in case.recorded["lessons"].as_array().expect("lessons") {
            case.run(Part::Learning, pack, lesson, "again");
        }
        let recorded = golden.read(&format!("{folder}/head.hshr"));
        golden.expect_same(
            Part::Learning,
            &folder,
            "bytes of the head",
            [&case.file("again/head.hshr").len(), &recorded.len()],
        );
    }
}
