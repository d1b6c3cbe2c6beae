//! Draws the pictures that the carried model was trained on, or icons that it never saw, as folders of PNG files.
//!
//! `draw-figures figures|icons PER_CLASS SEED FOLDER`

use std::path::Path;
use std::process::ExitCode;

use headstart_tests::drawings::{icons, random_figures, write_folder};

/// The family and the number of random figures of the carried model.
const FIGURES: (u64, usize) = (2026, 48);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((classes, per_class, seed, folder)) = parse(&arguments) else {
        eprintln!("usage: draw-figures figures|icons PER_CLASS SEED FOLDER");
        return ExitCode::FAILURE;
    };
    if let Err(error) = write_folder(Path::new(folder), &classes, per_class, seed) {
        eprintln!("draw-figures: {error}");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}

type Job<'a> = (Vec<(String, headstart_tests::drawings::figure::Figure)>, usize, u64, &'a str);

fn parse(arguments: &[String]) -> Option<Job<'_>> {
    let [what, per_class, seed, folder] = arguments else {
        return None;
    };
    let classes = match what.as_str() {
        "figures" => random_figures(FIGURES.0, FIGURES.1),
        "icons" => icons(),
        _ => return None,
    };
    Some((classes, per_class.parse().ok()?, seed.parse().ok()?, folder))
}
