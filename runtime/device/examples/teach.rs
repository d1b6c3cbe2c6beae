//! Learns folders of photos, answers a picture in memory, and takes the last lesson back:
//! `cargo run -p headstart-device --example teach -- MODEL.hspk STATE PHOTOS MORE-PHOTOS`
use headstart_device::{Device, LearnOptions, Outcome, Sample};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    teach(&std::env::args().skip(1).collect::<Vec<_>>())
}

/// Prints what it does.
pub fn teach(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [pack, state, folders @ ..] = arguments else { return Err("give a pack".into()) };
    let device = Device::open(pack, state)?;
    for folder in folders {
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
