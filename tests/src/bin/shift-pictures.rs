//! Shows the pictures of class folders otherwise, for domain adaptation.
//!
//! `shift-pictures blur|invert|noise|dark SEED FROM TO`

use std::path::Path;
use std::process::ExitCode;

use headstart_tests::shift::{Shift, shift_folder};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match &arguments[..] {
        [shift, seed, from, to] => {
            Shift::named(shift).zip(seed.parse().ok()).map(|job| (job, from, to))
        }
        _ => None,
    };
    let Some(((shift, seed), from, to)) = parsed else {
        eprintln!("usage: shift-pictures blur|invert|noise|dark SEED FROM TO");
        return ExitCode::FAILURE;
    };
    match shift_folder(shift, Path::new(from), Path::new(to), seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shift-pictures: {error}");
            ExitCode::from(2)
        }
    }
}
