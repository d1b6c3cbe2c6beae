//! What an answer through a device allocates. A program of its own, since it counts for all of its threads.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use headstart_device::{Device, Labelled, LearnOptions, Sample};
use headstart_tests::carried;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it is the system's allocator, which counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn an_answer_after_the_first_allocates_nothing() {
    let root = tempfile::tempdir().unwrap();
    let pack = root.path().join("shapes.hspk");
    std::fs::write(&pack, carried::pack(carried::FEATURES, 10)).unwrap();
    let device = Device::options().state(root.path().join("mine")).threads(1).open(&pack).unwrap();
    let drawn = |class: usize, number: u64| {
        picture(&icons()[class].1, &mut Random::keyed(3, class as u64, number))
    };
    let mut lesson = Labelled::new();
    for (class, (name, _)) in icons().iter().enumerate().take(3) {
        for number in 0..6 {
            lesson.add(Sample::rgb(SIDE, SIDE, drawn(class, number)), name);
        }
    }
    device.learn(&lesson, &LearnOptions::default(), &()).unwrap();

    let pixels = drawn(1, 100);
    let values = vec![0.5; 3 * SIDE * SIDE];
    let samples =
        [("pixels", Sample::rgb(SIDE, SIDE, &pixels)), ("values", Sample::values(&values))];
    for (kind, sample) in samples {
        let first = device.predict(&sample).unwrap();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let second = device.predict(&sample).unwrap();
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        assert_eq!(second.best(), first.best());
        assert_eq!(allocations, 0, "{kind}");
    }
}
