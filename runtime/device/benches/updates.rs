//! What a small update of a large state costs beside the backbone: `cargo bench -p headstart-device --bench updates`.
//!
//! States are made of random classes. Each line adds one sample, as `learn` does it: the state is read, the update judged, the
//! head learned and committed, on all processors. The first column of times is all of it, and the peak of memory is that of the program so far.

use std::num::NonZero;
use std::path::Path;
use std::time::{Duration, Instant};

use headstart::head::Random;
use headstart::head::pooled::on_threads;
use headstart_device::state::{FeatureCache, StateFolder};
use headstart_device::training::{self, Choice, harm};
use headstart_device::{Head, memory};

const BACKBONE: [u8; 32] = [7; 32];
const RUNS: usize = 5;
/// Samples, features and classes.
const STATES: [(usize, usize, usize); 6] = [
    (600, 1280, 10),
    (1400, 1280, 10),
    (1400, 1280, 30),
    (50_000, 384, 10),
    (100_000, 384, 20),
    (20_000, 1280, 1000),
];

fn sample(features: usize, class: usize, random: &mut Random) -> Vec<i8> {
    let mut centre = Random::new(1000 + class as u64);
    (0..features).map(|_| (centre.below(61) as i32 + random.below(101) as i32 - 80) as i8).collect()
}

fn add(cache: &mut FeatureCache, class: usize, random: &mut Random) {
    let label = cache.class(&format!("{class:04}")).expect("classes are few enough");
    let row = sample(cache.feature_len(), class, random);
    cache.insert(std::array::from_fn(|_| random.next_u32() as u8), label, &row);
}

fn main() {
    println!(
        "samples x features, classes    whole   read  judge  learn commit  ms; first learned   peak"
    );
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let chosen = std::env::args().skip(1).find_map(|text| text.parse::<usize>().ok());
    for (samples, features, classes) in STATES {
        if chosen.is_none_or(|chosen| chosen == samples) {
            on_threads(threads, || measure(samples, features, classes));
        }
    }
}

fn measure(samples: usize, features: usize, classes: usize) {
    let place = tempfile::tempdir_in(".").expect("a folder beside this one");
    let folder = StateFolder::new(place.path());
    let mut random = Random::new(samples as u64);
    let mut cache = FeatureCache::new(features);
    (0..samples).for_each(|at| add(&mut cache, at % classes, &mut random));
    cache.sort();
    let train = |cache: &FeatureCache| {
        training::train(cache, None, Choice::auto(), BACKBONE).expect("a head")
    };
    let begun = Instant::now();
    let record = train(&cache);
    let first = begun.elapsed();
    let lock = folder.lock().expect("a lock");
    lock.commit(&cache, &BACKBONE, &record, "bench").expect("a commit");
    drop(cache);
    let mut all: Vec<[Duration; 5]> = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let read = || folder.features(&BACKBONE, features).expect("a cache").expect("a cache");
        // Before the lock and after it.
        drop(read());
        let mut cache = read();
        let mut known = cache.clone();
        known.sort();
        let reading = start.elapsed();
        add(&mut cache, random.below(classes as u32) as usize, &mut random);
        cache.sort();
        let settled = harm::settle(&known, &mut cache, 1, memory::free()).expect("an effect");
        assert!(settled.effect.is_some_and(|effect| effect.harm().is_none()));
        let judged = start.elapsed();
        let record = train(&cache);
        let learned = start.elapsed();
        lock.commit(&cache, &BACKBONE, &record, "bench").expect("a commit");
        Head::parse(Path::new("bench"), &record, &BACKBONE).expect("a head");
        let whole = start.elapsed();
        all.push([whole, reading, judged - reading, learned - judged, whole - learned]);
    }
    all.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let times = all[RUNS / 2].map(|time| format!("{:7.0}", milliseconds(time))).concat();
    let peak = memory::peak().map_or(0, |bytes| bytes >> 20);
    let title = format!("{samples} x {features}, {classes}");
    println!("{title:28} {times}     {:10.0} ms {peak:6} MiB", milliseconds(first));
}
