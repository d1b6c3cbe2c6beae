//! Learns a folder of photos with progress, and measures with another:
//! `cargo run --release -p headstart-device --example learn_folder -- MODEL.hspk STATE PHOTOS OTHERS`

use std::sync::atomic::{AtomicUsize, Ordering};

use headstart_device::{Device, Evaluation, Event, LearnOptions, Observer, Outcome};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    learn_folder(&std::env::args().skip(1).collect::<Vec<_>>())
}

/// Counts samples, and says so now and then. Several threads call it.
#[derive(Default)]
struct Progress {
    steps: AtomicUsize,
    done: AtomicUsize,
}

impl Observer for Progress {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Begun { steps, .. } => {
                self.steps.store(steps, Ordering::Relaxed);
                self.done.store(0, Ordering::Relaxed);
            }
            Event::Stepped(_) => {
                let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
                if done.is_multiple_of(50) {
                    println!("{done} of {} samples", self.steps.load(Ordering::Relaxed));
                }
            }
            _ => {}
        }
    }
}

/// Prints what it does.
pub fn learn_folder(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [pack, state, photos, others] = arguments else {
        return Err("usage: learn_folder MODEL.hspk STATE PHOTOS OTHERS".into());
    };
    let device = Device::open(pack, state)?;
    let photos = device.read(photos.as_ref(), None)?;
    // Copies of the photos are kept, so that a later pack with another backbone can learn them again.
    let options = LearnOptions { keep_samples: true, ..LearnOptions::default() };
    match device.learn(&photos, &options, &Progress::default())? {
        Outcome::Committed(report) => {
            let classes = report.classes().iter().map(|class| class.name.as_str());
            println!("{} samples of {}", report.samples(), classes.collect::<Vec<_>>().join(", "));
        }
        Outcome::Rejected(report) => {
            println!("nothing was changed: {}", report.rejected().unwrap_or_default());
        }
    }
    let others = device.read(others.as_ref(), None)?;
    if let Evaluation::Classes(measured) = device.evaluate(&others, &())? {
        println!("{:.1} % of {} others are right", 100.0 * measured.accuracy, measured.samples);
    }
    Ok(())
}
