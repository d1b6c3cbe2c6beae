//! A device as a program uses it: samples from memory, threads, another process, and a stop.

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use headstart_device::samples::hex;
use headstart_device::{
    Device, Error, Event, Labelled, LearnOptions, Learned, Observer, Outcome, Sample, Work,
};
use headstart_tests::carried;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};
use tempfile::TempDir;

struct Bench {
    root: TempDir,
    pack: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let pack = root.path().join("shapes.hspk");
        std::fs::write(&pack, carried::pack(carried::FEATURES, 10)).unwrap();
        Self { root, pack }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn device(&self, state: &str) -> Device {
        Device::open(&self.pack, self.path(state)).unwrap()
    }
}

fn drawn(class: usize, number: u64) -> Vec<u8> {
    picture(&icons()[class].1, &mut Random::keyed(3, class as u64, number))
}

/// So many pictures of each of these classes, from memory.
fn lesson(classes: std::ops::Range<usize>, numbers: std::ops::Range<u64>) -> Labelled<'static> {
    let mut lesson = Labelled::new();
    for class in classes {
        for number in numbers.clone() {
            lesson.add(Sample::rgb(SIDE, SIDE, drawn(class, number)), &icons()[class].0);
        }
    }
    lesson
}

fn committed(outcome: Outcome) -> Learned {
    match outcome {
        Outcome::Committed(learned) => learned,
        Outcome::Rejected(learned) => panic!("rejected: {:?}", learned.rejected()),
    }
}

fn learn(device: &Device, lesson: &Labelled<'_>) -> Learned {
    committed(device.learn(lesson, &LearnOptions::default(), &()).unwrap())
}

#[test]
fn threads_share_a_device() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Device>();
}

#[test]
fn an_image_in_memory_has_the_name_and_the_features_that_its_file_has() {
    let bench = Bench::new();
    let device = bench.device("mine");
    let options = LearnOptions { keep_samples: true, ..LearnOptions::default() };
    committed(device.learn(&lesson(0..3, 0..4), &options, &()).unwrap());
    let pixels = drawn(0, 0);
    let sample = Sample::rgb(SIDE, SIDE, &pixels);
    let name = hex(&device.name(&sample).unwrap());
    let file = bench.path("mine/kept-samples").join(&name).with_added_extension("png");
    assert_eq!(device.name(&Sample::file(&file)).unwrap(), device.name(&sample).unwrap());
    assert!(device.samples(None, false).unwrap().iter().any(|sample| sample.id == name));
    // The kept files teach nothing new, and make the same head.
    let mut files = Labelled::new();
    for entry in device.samples(None, false).unwrap() {
        let path = bench.path("mine/kept-samples").join(&entry.id).with_added_extension("png");
        files.add(Sample::file(path), &entry.class);
    }
    let Learned::Head(again) = learn(&device, &files) else { panic!("a head was learned") };
    assert_eq!((again.new_samples, again.samples), (0, 12));
    let other = bench.device("other");
    learn(&other, &files);
    for file in ["head.hshr", "features.hsfc"] {
        let read = |state: &str| std::fs::read(bench.path(state).join(file)).unwrap();
        assert_eq!(read("mine"), read("other"), "{file}");
    }
    let [from_memory, from_file] =
        [sample, Sample::file(file)].map(|sample| device.predict(&sample).unwrap().probability());
    assert_eq!(from_memory, from_file);
}

#[test]
fn values_in_memory_are_what_numpy_saves() {
    let bench = Bench::new();
    let device = bench.device("mine");
    learn(&device, &lesson(0..2, 0..3));
    let values: Vec<f32> = (0..3 * SIDE * SIDE).map(|at| (at % 255) as f32 / 128.0 - 1.0).collect();
    let sample = Sample::values(&values);
    let answer = device.predict(&sample).unwrap();
    let mut lesson = lesson(0..2, 0..3);
    lesson.add(sample, &icons()[0].0);
    let options = LearnOptions { keep_samples: true, force: true, ..LearnOptions::default() };
    device.learn(&lesson, &options, &()).unwrap();
    let file = bench.path("mine/kept-samples");
    let mut arrays = std::fs::read_dir(file).unwrap().map(|entry| entry.unwrap().path());
    let array = arrays.find(|path| path.extension().is_some_and(|end| end == "npy"));
    let array = array.expect("an array is kept as one");
    let bytes = std::fs::read(&array).unwrap();
    assert!(
        bytes.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, ")
    );
    let device = bench.device("fresh");
    learn(&device, &self::lesson(0..2, 0..3));
    assert_eq!(device.predict(&Sample::file(array)).unwrap().probability(), answer.probability());
}

#[test]
fn what_is_no_sample_is_refused_by_name() {
    let bench = Bench::new();
    let device = bench.device("mine");
    learn(&device, &lesson(0..2, 0..3));
    let refused = |sample: Sample<'_>| device.predict(&sample).unwrap_err().to_string();
    assert!(refused(Sample::rgb(2, 2, &[0; 11])).contains("2x2 with 3 bytes a pixel"));
    assert!(refused(Sample::rgb(0, 2, &[])).contains("0x2"));
    assert!(refused(Sample::rgb(usize::MAX, 3, &[0; 3])).contains("without padding"));
    assert!(device.predict(&Sample::values(&[0.0; 5])).is_err());
    assert!(device.predict(&Sample::values(vec![f32::NAN; 3 * SIDE * SIDE])).is_err());
    let mut broken = lesson(0..2, 0..3);
    broken.add(Sample::rgb(4, 4, vec![0; 7]), "broken");
    let error = device.learn(&broken, &LearnOptions::default(), &()).unwrap_err();
    assert!(error.to_string().starts_with("sample 6: "), "{error}");
    let state_of = |device: &Device| device.status().unwrap().samples;
    assert_eq!(state_of(&device), 6);
}

/// Waits at the first sample until the other side is there, twice.
struct Paused {
    barrier: Barrier,
    waited: AtomicBool,
}

impl Observer for Paused {
    fn on(&self, event: Event<'_>) {
        if let Event::Stepped(Work::Features) = event
            && !self.waited.swap(true, Ordering::SeqCst)
        {
            self.barrier.wait();
            self.barrier.wait();
        }
    }
}

#[test]
fn answers_go_on_with_the_head_before_while_another_thread_learns() {
    let bench = Bench::new();
    let device = bench.device("mine");
    learn(&device, &lesson(0..2, 0..5));
    let pixels = drawn(2, 50);
    let classes = || device.predict(&Sample::rgb(SIDE, SIDE, &pixels)).unwrap().classes().len();
    let paused = Paused { barrier: Barrier::new(2), waited: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        let more = lesson(0..3, 0..8);
        let learning = scope.spawn({
            let (device, paused) = (&device, &paused);
            move || committed(device.learn(&more, &LearnOptions::default(), paused).unwrap())
        });
        paused.barrier.wait();
        assert_eq!(classes(), 2);
        paused.barrier.wait();
        learning.join().unwrap();
    });
    assert_eq!(classes(), 3);
}

#[test]
fn a_commit_of_another_process_shows_in_the_next_answer() {
    let bench = Bench::new();
    let (here, there) = (bench.device("mine"), bench.device("mine"));
    let classes = |device: &Device| {
        let pixels = drawn(0, 50);
        device.predict(&Sample::rgb(SIDE, SIDE, &pixels)).map(|answer| answer.classes().len())
    };
    assert!(matches!(classes(&here), Err(Error::State { .. })));
    learn(&there, &lesson(0..2, 0..4));
    assert_eq!(classes(&here).unwrap(), 2);
    learn(&there, &lesson(0..3, 0..4));
    assert_eq!(classes(&here).unwrap(), 3);
    assert_eq!(there.rollback(None, &()).unwrap().to, 1);
    assert_eq!(classes(&here).unwrap(), 2);
    there.forget_all().unwrap();
    assert!(classes(&here).is_err());
}

struct Stopped(AtomicBool);

impl Observer for Stopped {
    fn on(&self, event: Event<'_>) {
        if let Event::Stepped(_) = event {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn what_is_stopped_changes_nothing() {
    let bench = Bench::new();
    let device = bench.device("mine");
    learn(&device, &lesson(0..2, 0..4));
    let before = content(&bench.path("mine"));
    let stopped = || Stopped(AtomicBool::new(false));
    let learned = device.learn(&lesson(0..3, 0..9), &LearnOptions::default(), &stopped());
    assert!(matches!(learned, Err(Error::Stopped)), "{learned:?}");
    assert!(matches!(device.evaluate(&lesson(0..2, 0..9), &stopped()), Err(Error::Stopped)));
    assert_eq!(content(&bench.path("mine")), before);
}

#[test]
fn what_does_not_fit_is_refused_as_the_callers_fault() {
    use headstart_device::{Fault, TailSettings};

    let bench = Bench::new();
    let device = bench.device("mine");
    let refused = |options: LearnOptions<'_>| {
        let error = device.learn(&lesson(0..2, 0..2), &options, &()).unwrap_err();
        assert_eq!(error.fault(), Fault::Caller, "{error}");
        error.to_string()
    };
    let usual = LearnOptions::default;
    assert!(refused(LearnOptions { views: Some(6), ..usual() }).contains("views is 6"));
    let part = |part| LearnOptions { false_accepts: Some(part), ..usual() };
    assert!(refused(part(f32::NAN)).contains("false_accepts is NaN"));
    assert!(refused(part(1.5)).contains("a number from 0 to 1"));
    let tail = TailSettings { epochs: Some(3), ..TailSettings::default() };
    assert!(refused(LearnOptions { tail, ..usual() }).contains("epochs is for one"));
    let tail = TailSettings { rate: Some(f32::INFINITY), ..TailSettings::default() };
    assert!(refused(LearnOptions { tail, ..usual() }).contains("rate is inf"));
    assert!(refused(LearnOptions { hidden: Some(4), ..usual() }).contains("hidden is for a head"));
    let samples = |samples: &Labelled<'_>| {
        let error = device.learn(samples, &usual(), &()).unwrap_err();
        assert_eq!(error.fault(), Fault::Caller, "{error}");
        error.to_string()
    };
    assert!(samples(&Labelled::new()).contains("no samples"));
    // What is in memory lies in no folder: its errors name none.
    let error = device.learn(&lesson(0..1, 0..2), &usual(), &()).unwrap_err();
    assert_eq!(error.fault(), Fault::Input);
    assert!(error.to_string().starts_with("the samples given: one class only, "), "{error}");
    for name in ["", "two\nlines", &"x".repeat(65)] {
        let mut named = lesson(0..2, 0..2);
        named.add(Sample::rgb(SIDE, SIDE, drawn(3, 0)), name);
        assert!(samples(&named).contains("cannot name a class"), "{name:?}");
    }
    assert!(!bench.path("mine").exists());
    let report = LearnOptions { reports: vec![Labelled::new()], ..usual() };
    assert!(refused(report).contains("no samples"));
    learn(&device, &lesson(0..2, 0..3));
    let error = device.evaluate(&Labelled::new(), &()).unwrap_err();
    assert!(error.to_string().contains("no samples"), "{error}");
    let stateless = Device::options().open(&bench.pack).unwrap();
    let error = stateless.learn(&lesson(0..2, 0..2), &usual(), &()).unwrap_err();
    assert!(error.to_string().contains("without a state folder"), "{error}");
}
