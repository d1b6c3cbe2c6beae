//! The program of `docs/guide/rust-program.md`, as it stands there: a test compares the two, and runs this one.

use std::process::ExitCode;

use headstart_device::{Device, Error, LearnOptions, Outcome, Sample};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn run() -> Result<(), Error> {
    // The pack, and the folder of what was learned. It need not exist yet.
    let device = Device::open("model.hspk", "mine")?;

    // One folder a class, of .jpg, .png, .webp, .bmp or .npy files.
    for folder in ["photos", "more"] {
        let photos = device.read(folder.as_ref(), None)?;
        match device.learn(&photos, &LearnOptions::default(), &())? {
            Outcome::Committed(report) => println!("learned from {} samples", report.samples()),
            Outcome::Rejected(report) => {
                println!("not taken: {}", report.rejected().unwrap_or_default());
            }
        }
    }

    // Pixels in memory: 64 × 64, red, green and blue.
    let pixels = vec![128; 64 * 64 * 3];
    let answer = device.predict(&Sample::rgb(64, 64, &pixels))?;
    match answer.label() {
        Some(label) => {
            println!("{label} ({:.0} %)", 100.0 * answer.probability().unwrap_or_default());
        }
        None => println!("unknown"),
    }

    // To the commit before; `history` lists them.
    device.rollback(None, &())?;
    Ok(())
}
