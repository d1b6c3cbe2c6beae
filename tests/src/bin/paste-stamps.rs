//! Makes pictures with masks for segmentation, of stamps with transparency pasted on backgrounds.
//!
//! `paste-stamps STAMPS train|test COUNT SIDE SEED FOLDER [PHOTOS]`

use std::path::Path;
use std::process::ExitCode;

use headstart_tests::stamps::{Part, Stamps, write_folder};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || {
        eprintln!("usage: paste-stamps STAMPS train|test COUNT SIDE SEED FOLDER [PHOTOS]");
        eprintln!("STAMPS is usr/share/tuxpaint/stamps of Debian's tuxpaint-stamps-default");
        ExitCode::FAILURE
    };
    let (stamps, part, count, side, seed, folder, photos) = match &arguments[..] {
        [stamps, part, count, side, seed, folder] => {
            (stamps, part, count, side, seed, folder, None)
        }
        [stamps, part, count, side, seed, folder, photos] => {
            (stamps, part, count, side, seed, folder, Some(Path::new(photos)))
        }
        _ => return usage(),
    };
    let part = match part.as_str() {
        "train" => Part::Train,
        "test" => Part::Test,
        _ => return usage(),
    };
    let (Ok(count), Ok(side @ 1..=4096), Ok(seed)) = (count.parse(), side.parse(), seed.parse())
    else {
        return usage();
    };
    let done = Stamps::read(Path::new(stamps), part, photos)
        .and_then(|stamps| write_folder(&stamps, Path::new(folder), count, side, seed));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paste-stamps: {error}");
            ExitCode::from(2)
        }
    }
}
