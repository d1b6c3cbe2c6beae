//! Learns folders of photos, answers a picture in memory, and takes the last lesson back:
//! `cargo run --release -p headstart-device --example teach -- MODEL.hspk STATE PHOTOS MORE-PHOTOS`
//!
//! Two folders are needed: before the first lesson there is nothing to go back to.

use headstart_device::{Device, LearnOptions, Outcome, Sample};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    teach(&std::env::args().skip(1).collect::<Vec<_>>())
}

const USAGE: &str = "usage: teach MODEL.hspk STATE PHOTOS MORE-PHOTOS: two folders at least, for the second lesson is taken back";

/// Prints what it does.
pub fn teach(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [pack, state, photos, more @ ..] = arguments else { return Err(USAGE.into()) };
    if more.is_empty() {
        return Err(USAGE.into());
    }
    let device = Device::open(pack, state)?;
    for folder in std::iter::once(photos).chain(more) {
        let photos = device.read(folder.as_ref(), None)?;
        match device.learn(&photos, &LearnOptions::default(), &())? {
            Outcome::Committed(learned) => println!("learned from {} samples", learned.samples()),
            Outcome::Rejected(learned) => println!("{}", learned.rejected().unwrap_or("rejected")),
        }
    }
    let answer = device.predict(&Sample::rgb(64, 64, [200, 40, 40].repeat(64 * 64)))?;
    println!("a red picture is {}", answer.label().unwrap_or("unknown"));
    println!("back to commit {}", device.rollback(None, &())?.to);
    Ok(())
}
