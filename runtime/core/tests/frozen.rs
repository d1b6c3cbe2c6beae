//! The backbone stays what it is: through ten thousand steps of training, and through a power cut in any
//! operation of a flash that holds the pack beside what is learned.
#![cfg(feature = "std")]

mod common;
#[path = "store/medium.rs"]
#[allow(dead_code, reason = "faults other than power cuts are for the tests of the store")]
mod medium;

use common::contents;
use headstart::head::{HeadRecord, Random};
use headstart::pack::{Pack, emit};
use headstart::session::Session;
use headstart::store::{FlashStore, Geometry, Region, Store};
use medium::{Cut, Medium, Moment, Torn};

const ERASE: u32 = 512;
const LABELS: [&str; 3] = ["mug", "cup", "jar"];

/// A flash with the pack at its start and two slots in the blocks behind it.
fn flash(file: &[u8]) -> (Medium, Region) {
    let start = (file.len() as u32).next_multiple_of(ERASE);
    let region = Region { start, slot_bytes: 2 * ERASE, slots: 2 };
    let capacity = start + 4 * ERASE;
    let geometry = Geometry { capacity, read: 4, write: 4, erase: ERASE, erased: 0xFF };
    let mut medium = Medium::new(geometry, 3);
    medium.bytes[..file.len()].copy_from_slice(file);
    (medium, region)
}

/// Learns random inputs and calls `commit` after each `every` of them; gives the features of one input
/// before and after.
fn learn(
    pack: &Pack<'_>,
    medium: &mut Medium,
    region: Region,
    steps: u32,
    every: u32,
) -> Option<[Vec<i8>; 2]> {
    let store = FlashStore::open(medium, region, &pack.backbone_digest()).ok()?;
    let bytes = usize::try_from(pack.plan().ram_bytes()).unwrap();
    let mut memory = vec![0_u32; bytes.div_ceil(4)];
    let memory = &mut bytemuck::cast_slice_mut(&mut memory)[..bytes];
    let mut session = Session::open(pack, memory, store).ok()?;
    let mut random = Random::new(u64::from(steps));
    let probe = [50, -20, 7, 90];
    let before = session.features(&probe).unwrap().to_vec();
    for step in 1..=steps {
        let class = random.below(3);
        let input: [i8; 4] = std::array::from_fn(|at| {
            (random.next_u32() as i8 / 2) + if at as u32 == class { 60 } else { 0 }
        });
        session.learn(&input, LABELS[class as usize]).unwrap();
        if step % every == 0 {
            session.commit().ok()?;
        }
    }
    Some([before, session.features(&probe).unwrap().to_vec()])
}

#[track_caller]
fn unchanged(medium: &Medium, file: &[u8], digest: [u8; 32]) {
    let now = &medium.bytes[..file.len()];
    assert!(now == file, "the pack's bytes changed");
    assert_eq!(Pack::open(now).unwrap().backbone_digest(), digest);
}

#[test]
fn ten_thousand_steps_and_their_commits_leave_the_backbone_as_it_is() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut medium, region) = flash(&file);
    let [before, after] = learn(&pack, &mut medium, region, 10_000, 100).unwrap();
    assert_eq!(before, after);
    unchanged(&medium, &file, pack.backbone_digest());
    // They were learned, and are in the same flash.
    let mut store = FlashStore::open(&mut medium, region, &pack.backbone_digest()).unwrap();
    let mut buffer = [0; 2 * ERASE as usize];
    let length = store.load(&mut buffer).unwrap().unwrap();
    let record = HeadRecord::parse_for(&buffer[..length], &pack.backbone_digest()).unwrap();
    assert_eq!(record.samples().sum::<u32>(), 10_000);
}

#[test]
fn a_cut_in_any_operation_leaves_the_backbone_as_it_is() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut start, region) = flash(&file);
    learn(&pack, &mut start, region, 3, 1).unwrap();
    let mut medium = start.clone();
    medium.arm(None);
    learn(&pack, &mut medium, region, 2, 1).unwrap();
    let changes = medium.changes;
    assert!(changes >= 8, "{changes}");
    let inside = [0, 1, 128, 255].map(Moment::Inside);
    for change in 0..changes {
        for moment in [Moment::Before, Moment::After].into_iter().chain(inside) {
            for torn in [Torn::Stable, Torn::Weak, Torn::Unreadable] {
                medium.restore(&start);
                medium.arm(Some(Cut { change, moment, torn }));
                assert!(learn(&pack, &mut medium, region, 2, 1).is_none(), "no cut at {change}");
                medium.arm(None);
                unchanged(&medium, &file, pack.backbone_digest());
                // And from there learning goes on.
                let [before, after] = learn(&pack, &mut medium, region, 2, 1).unwrap();
                assert_eq!(before, after);
                unchanged(&medium, &file, pack.backbone_digest());
            }
        }
    }
}
