//! Answers frames while another thread learns: `cargo run --release -p headstart-device --example live -- MODEL.hspk STATE PHOTOS`
//!
//! The frames are made up here; a camera's rows of red, green and blue take their place.

use std::sync::atomic::{AtomicBool, Ordering};

use headstart_device::{Device, LearnOptions, Sample};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    live(&std::env::args().skip(1).collect::<Vec<_>>())
}

/// Prints what it does.
pub fn live(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [pack, state, photos] = arguments else {
        return Err("usage: live MODEL.hspk STATE PHOTOS".into());
    };
    let device = Device::open(pack, state)?;
    let photos = device.read(photos.as_ref(), None)?;
    let learned = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let lesson = threads.spawn(|| {
            let lesson = device.learn(&photos, &LearnOptions::default(), &());
            learned.store(true, Ordering::Release);
            lesson.map(drop)
        });
        let mut frames = 0_u32;
        loop {
            // Asked before the frame is answered: one frame at least sees the new head.
            let is_last = learned.load(Ordering::Acquire);
            let frame = [frames as u8, 40, 200].repeat(64 * 48);
            frames += 1;
            match device.predict(&Sample::rgb(64, 48, &frame)) {
                Ok(answer) if is_last => {
                    let said = answer.label().unwrap_or("unknown");
                    println!("{frames} frames were answered; the last is {said}");
                }
                Err(error) if is_last => return Err(error),
                // Before the first lesson there is no head, unless the pack ships one.
                _ => {}
            }
            if is_last {
                return lesson.join().expect("a lesson does not panic");
            }
        }
    })?;
    Ok(())
}
