//! What an answer through a device costs above its backbone, and beside a thread that learns.
//!
//! `cargo bench -p headstart-tests --bench answers [-- PACK]`: the carried model without PACK, a model of pictures.
//! Each figure is a median; the two kinds of company alternate, so that what else the machine does meets both.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headstart_device::extract::{Compute, Extractor};
use headstart_device::samples::Decoded;
use headstart_device::{Device, Labelled, LearnOptions, Sample};
use headstart_tests::carried;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};

const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_millis(2500);

fn drawn(class: usize, number: u64) -> Vec<u8> {
    picture(&icons()[class].1, &mut Random::keyed(5, class as u64, number))
}

fn lesson(numbers: std::ops::Range<u64>) -> Labelled<'static> {
    let mut lesson = Labelled::new();
    for class in 0..5 {
        for number in numbers.clone() {
            lesson.add(Sample::rgb(SIDE, SIDE, drawn(class, number)), &icons()[class].0);
        }
    }
    lesson
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Times `work` for as long as a round takes, beside `company` on a thread of its own.
fn beside(work: impl Fn(), company: impl Fn() + Sync) -> Vec<Duration> {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                company();
            }
        });
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < ROUND {
            let begun = Instant::now();
            work();
            times.push(begun.elapsed());
        }
        ended.store(true, Ordering::Relaxed);
        other.join().expect("company does not panic");
        times
    })
}

fn main() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let pack = given.map(PathBuf::from).unwrap_or_else(|| {
        let pack = root.path().join("shapes.hspk");
        std::fs::write(&pack, carried::pack(carried::FEATURES, 10)).expect("written");
        pack
    });
    let device = Device::options().state(root.path().join("mine")).threads(1).open(&pack);
    let device = device.expect("a pack");
    device.learn(&lesson(0..10), &LearnOptions::default(), &()).expect("it learns");

    let pixels = drawn(1, 1000);
    let sample = Sample::rgb(SIDE, SIDE, &pixels);
    let answer = || drop(device.predict(&sample).expect("an answer"));
    let decoded = Decoded::Pixels { width: SIDE, height: SIDE, channels: 3, bytes: pixels.clone() };
    let Compute { kernels, .. } = Compute::default();
    let extractor = std::sync::Mutex::new(Extractor::new(device.pack(), kernels, 1));
    let bare = || {
        let mut extractor = extractor.lock().expect("one thread");
        extractor.preprocess(&decoded).expect("a picture");
        extractor.run().expect("features");
    };
    let (mut alone, mut backbone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.extend(beside(answer, || std::thread::sleep(Duration::from_millis(1))));
        backbone.extend(beside(bare, || std::thread::sleep(Duration::from_millis(1))));
    }
    let (alone, backbone) = (median(&mut alone), median(&mut backbone));
    println!("preprocessing and backbone alone   {backbone:9.1} µs");
    println!("an answer through a device         {alone:9.1} µs, {:.1} µs above", alone - backbone);

    let taught = AtomicU64::new(10);
    let learn = || {
        let first = taught.fetch_add(2, Ordering::Relaxed);
        let options = LearnOptions { force: true, ..LearnOptions::default() };
        device.learn(&lesson(first..first + 2), &options, &()).expect("it learns");
    };
    let spin = || (0..10_000).for_each(|_| std::hint::spin_loop());
    let (mut learning, mut spinning) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        spinning.extend(beside(answer, spin));
        learning.extend(beside(answer, learn));
    }
    let lessons = (taught.load(Ordering::Relaxed) - 10) / 2;
    let (learning, spinning) = (median(&mut learning), median(&mut spinning));
    println!("an answer beside a spinning thread {spinning:9.1} µs");
    println!("an answer beside a learning thread {learning:9.1} µs, of {lessons} lessons");
    println!("ratio {:.3}", learning / spinning);
}
