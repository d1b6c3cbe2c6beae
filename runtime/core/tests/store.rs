//! Power cuts and faults at every operation of a store on flash.

#[path = "store/log.rs"]
mod log;
#[path = "store/medium.rs"]
mod medium;

use headstart::head::Random;
use headstart::store::{Flash, FlashStore, Geometry, Region, Store, StoreError};
use medium::{Cut, Faults, Medium, MediumError, Moment, Torn};

const BACKBONE: [u8; 32] = [7; 32];
const TORN: [Torn; 3] = [Torn::Stable, Torn::Weak, Torn::Unreadable];

/// Sequences of commits and cuts; more with `HEADSTART_SEQUENCES`.
fn sequences() -> u64 {
    std::env::var("HEADSTART_SEQUENCES").map_or(20_000, |text| text.parse().unwrap())
}

fn geometry(write: u32, erase: u32, erased: u8, capacity: u32) -> Geometry {
    Geometry { capacity, read: write.min(4), write, erase, erased }
}

/// Every word and block size that is supported, and both erased values.
fn geometries() -> impl Iterator<Item = (Geometry, Region)> {
    let words = (0..=8).map(|power| 1 << power);
    let blocks = (9..=17).map(|power| 1 << power);
    words.flat_map(move |write| {
        blocks.clone().flat_map(move |erase: u32| {
            [0xFF, 0x00].map(|erased| {
                let slot_bytes = erase.max(1024);
                let slots = 2 + (write + erase / 512) as u16 % 2;
                let start = erase;
                let capacity = start + slot_bytes * u32::from(slots) + erase;
                let region = Region { start, slot_bytes, slots };
                (geometry(write, erase, erased, capacity), region)
            })
        })
    })
}

/// The record of commit `number`, at lengths around a word and a chunk.
fn record(number: u64, limit: usize) -> Vec<u8> {
    let mut random = Random::new(number);
    let length = [1, 255, 256, 257, 31, 500, 0, 300][(number % 8) as usize].min(limit);
    (0..length).map(|_| random.next_u32() as u8).collect()
}

fn open(medium: &mut Medium, region: Region) -> Opened<'_> {
    FlashStore::open(medium, region, &BACKBONE)
}

type Opened<'m> = Result<FlashStore<&'m mut Medium>, StoreError<MediumError>>;

fn load<F: Flash>(store: &mut FlashStore<F>) -> Result<Option<Vec<u8>>, StoreError<F::Error>> {
    let mut buffer = [0; 1024];
    Ok(store.load(&mut buffer)?.map(|length| buffer[..length].to_vec()))
}

/// Opens what a cut left: one of these records must be there, and the next commit must work. Gives
/// what was found.
#[track_caller]
fn check(medium: &mut Medium, region: Region, allowed: &[Option<&[u8]>]) -> Option<Vec<u8>> {
    medium.arm(None);
    let mut store = open(medium, region).unwrap();
    let found = load(&mut store).unwrap();
    assert!(allowed.contains(&found.as_deref()), "neither old nor new");
    assert_eq!(store.damaged(), 0);
    let next = record(1_000_003, store.capacity());
    store.commit(&next).unwrap();
    assert_eq!(load(&mut store).unwrap().as_ref(), Some(&next));
    let mut store = open(medium, region).unwrap();
    assert_eq!(load(&mut store).unwrap().as_ref(), Some(&next));
    found
}

fn moments() -> Vec<Moment> {
    let inside = [0, 1, 50, 128, 200, 255].map(Moment::Inside);
    [Moment::Before, Moment::After].into_iter().chain(inside).collect()
}

/// Commits `new` with a cut; `None` if the commit ended before it.
fn cut_commit(medium: &mut Medium, region: Region, new: &[u8], cut: Cut) -> Option<()> {
    medium.arm(Some(cut));
    match open(medium, region).and_then(|mut store| store.commit(new)) {
        Ok(()) => None,
        Err(error) => {
            assert_eq!(error, StoreError::Flash(MediumError::PowerIsOff));
            Some(())
        }
    }
}

#[test]
fn a_cut_at_every_operation_of_every_geometry_keeps_old_or_new() {
    let mut points = 0_u64;
    let (mut olds, mut news) = (0_u64, 0_u64);
    for (geometry, region) in geometries() {
        for before in 0..8 {
            let mut medium = Medium::new(geometry, before);
            let mut store = open(&mut medium, region).unwrap();
            let limit = store.capacity();
            for number in 0..before {
                store.commit(&record(number, limit)).unwrap();
            }
            let old = load(&mut store).unwrap();
            let new = record(before + 3, limit);
            let snapshot = medium.clone();
            for torn in TORN {
                // Nothing can be told from a region that was never written and cannot be read.
                if torn == Torn::Unreadable && old.is_none() {
                    continue;
                }
                for moment in moments() {
                    for change in 0.. {
                        medium.restore(&snapshot);
                        let cut = Cut { change, moment, torn };
                        if cut_commit(&mut medium, region, &new, cut).is_none() {
                            break;
                        }
                        let found = check(&mut medium, region, &[old.as_deref(), Some(&new)]);
                        if found.as_ref() == Some(&new) {
                            news += 1
                        } else {
                            olds += 1
                        }
                        points += 1;
                    }
                }
            }
        }
    }
    println!("{points} cuts: {olds} kept the old record, {news} the new one");
    assert!(points >= 100_000 && olds > 0 && news > 0, "{points} {olds} {news}");
}

#[test]
fn every_pair_of_cuts_on_a_small_geometry_keeps_old_or_new() {
    let mut pairs = 0_u64;
    for (slots, torn) in [2, 3].into_iter().flat_map(|slots| TORN.map(|torn| (slots, torn))) {
        let region = Region { start: 0, slot_bytes: 1024, slots };
        let mut medium = Medium::new(geometry(8, 512, 0xFF, 1024 * u32::from(slots)), 1);
        let mut store = open(&mut medium, region).unwrap();
        store.commit(&record(0, 100)).unwrap();
        store.commit(&record(4, 100)).unwrap();
        let snapshot = medium.clone();
        let mut middle = medium.clone();
        for first in moments() {
            for change in 0.. {
                medium.restore(&snapshot);
                let one = record(8, 100);
                let cut = Cut { change, moment: first, torn };
                if cut_commit(&mut medium, region, &one, cut).is_none() {
                    break;
                }
                medium.arm(None);
                middle.restore(&medium);
                for second in moments() {
                    for change in 0.. {
                        medium.restore(&middle);
                        let Ok(mut store) = open(&mut medium, region) else { panic!("no store") };
                        let old = load(&mut store).unwrap().unwrap();
                        assert!(old == record(4, 100) || old == one);
                        let two = record(12, 100);
                        let cut = Cut { change, moment: second, torn };
                        if cut_commit(&mut medium, region, &two, cut).is_none() {
                            break;
                        }
                        // A weak commit word of the first cut may read otherwise now.
                        let weak = (torn == Torn::Weak).then_some([record(4, 100), one.clone()]);
                        let allowed = weak.iter().flatten().chain([&old, &two]);
                        let allowed: Vec<_> = allowed.map(|record| Some(&record[..])).collect();
                        check(&mut medium, region, &allowed);
                        pairs += 1;
                    }
                }
            }
        }
    }
    println!("{pairs} pairs of cuts");
    assert!(pairs > 6_000, "{pairs}");
}

/// What may be found: the last acknowledged record or a later one, of those that were tried.
struct History {
    tried: Vec<Vec<u8>>,
    acknowledged: usize,
}

impl History {
    #[track_caller]
    fn check(&self, found: Option<&[u8]>) {
        let recent = &self.tried[self.acknowledged.saturating_sub(1)..];
        match found {
            None => assert_eq!(self.acknowledged, 0, "an acknowledged record is lost"),
            Some(found) => assert!(
                recent.iter().any(|tried| tried == found),
                "neither the last acknowledged record nor a later one"
            ),
        }
    }
}

#[test]
fn random_sequences_of_commits_and_cuts_lose_nothing() {
    let (mut cuts, mut recovered) = (0_u64, 0_u64);
    for seed in 0..sequences() {
        let mut random = Random::new(seed);
        let write = 1 << random.below(9);
        let slots = 2 + random.below(3) as u16;
        let erased = if random.below(2) == 0 { 0xFF } else { 0x00 };
        let region = Region { start: 512, slot_bytes: 1024, slots };
        let geometry = geometry(write, 512, erased, 512 + 1024 * u32::from(slots));
        let torn = TORN[random.below(3) as usize];
        let mut medium = Medium::new(geometry, seed);
        let mut history = History { tried: Vec::new(), acknowledged: 0 };
        if torn == Torn::Unreadable {
            // See above: the first record is not cut.
            history.tried.push(vec![1]);
            open(&mut medium, region).unwrap().commit(&[1]).unwrap();
            history.acknowledged = 1;
        }
        for step in 0..4 {
            // Power is cut in three of four steps, also while the store is opened.
            let cut = Cut {
                change: random.below(if step % 2 == 0 { 6 } else { 3 }) as usize,
                moment: match random.below(4) {
                    0 => Moment::Before,
                    1 => Moment::After,
                    _ => Moment::Inside(random.next_u32() as u8),
                },
                torn,
            };
            medium.arm((random.below(4) > 0).then_some(cut));
            let mut store = open(&mut medium, region).unwrap();
            match load(&mut store) {
                Ok(found) => history.check(found.as_deref()),
                Err(_) => recovered += 1,
            }
            let length = random.below(60) as usize;
            let new: Vec<u8> = (0..=length).map(|_| random.next_u32() as u8).collect();
            history.tried.push(new.clone());
            match store.commit(&new) {
                Ok(()) => history.acknowledged = history.tried.len(),
                Err(_) => cuts += 1,
            }
        }
        medium.arm(None);
        let mut store =
            open(&mut medium, region).unwrap_or_else(|e| panic!("sequence {seed}: {e:?}"));
        let found = load(&mut store).unwrap_or_else(|e| panic!("sequence {seed}: {e:?}"));
        history.check(found.as_deref());
    }
    println!("{} sequences, {cuts} cuts in commits, {recovered} in recovery", sequences());
    assert!(cuts > 0 && recovered > 0, "{cuts} {recovered}");
}

#[test]
fn a_torn_commit_word_is_no_reason_to_erase_what_was_acknowledged() {
    // A is acknowledged; B's commit word, then the erase of a slot again and again are cut, and read as either.
    let region = Region { start: 0, slot_bytes: 1024, slots: 2 };
    for seed in 0..2000 {
        let mut medium = Medium::new(geometry(256, 512, 0xFF, 2048), seed);
        open(&mut medium, region).unwrap().commit(b"A").unwrap();
        for (change, record) in [(3, b"B"), (0, b"C"), (0, b"D"), (0, b"E")] {
            let cut = Cut { change, moment: Moment::Inside(100), torn: Torn::Weak };
            cut_commit(&mut medium, region, record, cut).unwrap();
        }
        medium.arm(None);
        let mut store = open(&mut medium, region).unwrap_or_else(|e| panic!("{seed}: {e:?}"));
        let found = load(&mut store);
        assert!(matches!(found, Ok(Some(_))), "{seed}: {found:?}");
    }
}

#[test]
fn a_cut_during_recovery_is_recovered_from() {
    // The only case in which opening writes: a complete record and no commit word anywhere.
    let mut cuts = 0;
    for (slots, torn) in [2, 3, 5].into_iter().flat_map(|slots| TORN.map(|torn| (slots, torn))) {
        let region = Region { start: 0, slot_bytes: 1024, slots };
        let mut medium = Medium::new(geometry(4, 512, 0xFF, 1024 * u32::from(slots)), 3);
        let new = record(5, 500);
        // Erase, two writes of the payload, the header; the commit word is cut off.
        let cut = Cut { change: 4, moment: Moment::Before, torn: Torn::Stable };
        cut_commit(&mut medium, region, &new, cut).unwrap();
        medium.arm(None);
        let snapshot = medium.clone();
        for moment in moments() {
            for change in 0.. {
                medium.restore(&snapshot);
                medium.arm(Some(Cut { change, moment, torn }));
                let mut store = open(&mut medium, region).unwrap();
                let complete = store.commit(&record(9, 500)) != Err(MediumError::PowerIsOff.into());
                if complete {
                    break;
                }
                medium.arm(None);
                check(&mut medium, region, &[Some(&new), Some(&record(9, 500))]);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 400, "{cuts}");
}

#[test]
fn a_faulty_flash_gives_an_error_or_a_good_record_and_never_other_bytes() {
    let kinds = [
        Faults { dropped: 30, ..Faults::default() },
        Faults { flipped_write: 30, ..Faults::default() },
        Faults { flipped_read: 15, ..Faults::default() },
        Faults { ignored_erase: 3, ..Faults::default() },
        Faults { refused: 20, ..Faults::default() },
        Faults { dropped: 90, flipped_write: 90, flipped_read: 60, ignored_erase: 9, refused: 60 },
    ];
    let (mut good, mut errors, mut stuck_good) = (0_u64, 0_u64, 0_u64);
    for seed in 0..sequences() / 4 {
        let mut random = Random::new(seed);
        let slots = 2 + random.below(3) as u16;
        let region = Region { start: 0, slot_bytes: 1024, slots };
        let write = 1 << random.below(9);
        let erased = if random.below(2) == 0 { 0xFF } else { 0x00 };
        let mut medium = Medium::new(geometry(write, 512, erased, 1024 * u32::from(slots)), seed);
        let kind = (seed % 7) as usize;
        if kind == 6 {
            // From the start: bits that get stuck in what is stored take it away.
            for _ in 0..=random.below(3) {
                let byte = random.below(medium.geometry.capacity) as usize;
                medium.stuck.push((byte, 1 << random.below(8)));
            }
        }
        let mut store = open(&mut medium, region).unwrap();
        if store.commit(&[42; 20]).is_err() {
            assert_eq!(kind, 6);
            errors += 1;
            continue;
        }
        medium.faults = kinds.get(kind).copied().unwrap_or_default();
        let mut tried = vec![vec![42; 20]];
        let mut acknowledged = tried[0].clone();
        for _ in 0..4 {
            let Ok(mut store) = open(&mut medium, region) else {
                errors += 1;
                continue;
            };
            match load(&mut store) {
                // A bus that flips bits may hide a slot: then an older record is found, but a good one.
                Ok(Some(found)) => {
                    assert!(tried.contains(&found), "wrong bytes called good");
                    if kind == 6 {
                        assert_eq!(found, acknowledged, "stuck bits lost a record");
                        stuck_good += 1;
                    }
                    good += 1;
                }
                Ok(None) => assert!(kind != 6, "sequence {seed}: a record is lost"),
                Err(_) => errors += 1,
            }
            let new: Vec<u8> = (0..=random.below(200)).map(|_| random.next_u32() as u8).collect();
            let committed = store.commit(&new);
            tried.push(new.clone());
            match committed {
                Ok(()) => {
                    acknowledged = new;
                    // What was acknowledged is on the medium, whatever the bus says.
                    medium.faults = Faults::default();
                    let mut store = open(&mut medium, region).unwrap();
                    let found = load(&mut store).unwrap();
                    // Where a bus that flips bits hid a slot, two records may have the same number.
                    if matches!(kind, 2 | 5) {
                        assert!(found.is_some_and(|found| tried.contains(&found)));
                    } else {
                        assert_eq!(found.as_ref(), Some(&acknowledged), "sequence {seed}");
                    }
                    medium.faults = kinds.get(kind).copied().unwrap_or_default();
                }
                Err(_) => errors += 1,
            }
        }
    }
    println!("{good} good records, {errors} errors, {stuck_good} good ones with stuck bits");
    assert!(good > 0 && errors > 0 && stuck_good > 0);
}

#[test]
fn any_changed_bit_of_the_newest_slot_gives_that_record_or_the_one_before() {
    let region = Region { start: 512, slot_bytes: 512, slots: 3 };
    let mut medium = Medium::new(geometry(4, 512, 0xFF, 512 * 5), 1);
    let mut store = open(&mut medium, region).unwrap();
    let (old, new) = (record(3, 60), record(7, 60));
    store.commit(&old).unwrap();
    store.commit(&new).unwrap();
    let (mut kept, mut lost) = (0, 0);
    for bit in 0..512 * 8 {
        let mut changed = medium.clone();
        changed.bytes[1024 + bit / 8] ^= 1 << (bit % 8);
        let mut store = open(&mut changed, region).unwrap();
        let found = load(&mut store).unwrap().unwrap();
        assert!(found == new || found == old, "bit {bit}");
        if found == new {
            kept += 1;
        } else {
            assert_eq!(
                store.damaged(),
                u32::from(bit >= 256 * 8 || (104 * 8..128 * 8).contains(&bit))
            );
            lost += 1;
        }
    }
    assert_eq!(lost, (104 + 60) * 8);
    assert!(kept > 0);
}

#[test]
fn a_record_that_is_damaged_without_another_is_an_error_and_formatting_helps() {
    let region = Region { start: 0, slot_bytes: 512, slots: 2 };
    let mut medium = Medium::new(geometry(4, 512, 0xFF, 1024), 1);
    open(&mut medium, region).unwrap().commit(&[5; 40]).unwrap();
    medium.bytes[256] ^= 1;
    assert_eq!(open(&mut medium, region).err(), Some(StoreError::Damaged));
    let mut store = FlashStore::format(&mut medium, region, &BACKBONE).unwrap();
    assert_eq!(load(&mut store), Ok(None));
    store.commit(&[6; 40]).unwrap();
    assert_eq!(load(&mut open(&mut medium, region).unwrap()), Ok(Some(vec![6; 40])));
}

#[test]
fn wear_is_spread_over_all_slots() {
    let region = Region { start: 512, slot_bytes: 1024, slots: 7 };
    let mut medium = Medium::new(geometry(8, 512, 0xFF, 512 * 16), 1);
    for number in 0..700 {
        // Opened anew each time, as after a reset.
        let mut store = open(&mut medium, region).unwrap();
        store.commit(&record(number, 200)).unwrap();
        assert_eq!(store.sequence(), Some(number + 1));
    }
    let mut expected = [100; 16];
    (expected[0], expected[15]) = (0, 0);
    assert_eq!(medium.erases, expected);
}

#[test]
fn a_cut_while_older_records_are_erased_keeps_the_last_one_and_the_second_try_leaves_no_other() {
    let region = Region { start: 512, slot_bytes: 1024, slots: 3 };
    // Another seed than those of the records.
    let mut before = Medium::new(geometry(8, 512, 0xFF, 512 * 8), 2);
    let records: Vec<_> = (0..4).map(|number| record(16 * number + 1, 300)).collect();
    for record in &records {
        open(&mut before, region).unwrap().commit(record).unwrap();
    }
    let holds = |medium: &Medium, record: &[u8]| {
        medium.bytes.windows(record.len()).any(|window| window == record)
    };
    assert!(records[1..].iter().all(|record| holds(&before, record)));
    let mut medium = before.clone();
    for torn in TORN {
        // Two slots are erased.
        for (change, moment) in
            (0..2).flat_map(|change| moments().into_iter().map(move |m| (change, m)))
        {
            medium.restore(&before);
            medium.arm(Some(Cut { change, moment, torn }));
            let _ = open(&mut medium, region).unwrap().erase_others();
            medium.arm(None);
            let mut store = open(&mut medium, region).unwrap();
            assert_eq!(load(&mut store).unwrap().as_ref(), Some(&records[3]));
            store.erase_others().unwrap();
            assert_eq!(load(&mut store).unwrap().as_ref(), Some(&records[3]));
            let left: Vec<_> = records[..3].iter().map(|record| holds(&medium, record)).collect();
            assert_eq!(left, [false; 3], "{change} {moment:?} {torn:?}");
            check(&mut medium, region, &[Some(&records[3])]);
        }
    }
}

#[test]
fn what_the_store_must_not_replace_is_refused() {
    let region = Region { start: 0, slot_bytes: 1024, slots: 4 };
    let mut medium = Medium::new(geometry(4, 512, 0xFF, 4096), 1);
    let mut store = open(&mut medium, region).unwrap();
    for number in 0..3 {
        store.commit(&record(number, 60)).unwrap();
    }
    let long = vec![0; store.capacity() + 1];
    let limit = store.capacity();
    assert_eq!(store.commit(&long), Err(StoreError::TooLong { limit, found: limit + 1 }));
    store.commit(&long[1..]).unwrap();
    assert_eq!(store.load(&mut [0; 10]), Ok(Some(limit)));

    let other = FlashStore::open(&mut medium, region, &[8; 32]).err();
    let expected = StoreError::OtherBackbone { expected: [8; 4], found: [7; 4] };
    assert_eq!(other, Some(expected));
    for (start, slot_bytes, slots) in
        [(0, 512, 4), (0, 2048, 2), (0, 1024, 3), (1024, 1024, 2), (512, 1024, 3)]
    {
        let other = open(&mut medium, Region { start, slot_bytes, slots }).err();
        assert_eq!(other, Some(StoreError::OtherRegion), "{start} {slot_bytes} {slots}");
    }
    let mut other_word = medium.clone();
    other_word.geometry = geometry(8, 512, 0xFF, 4096);
    let other = FlashStore::open(other_word, region, &BACKBONE).err();
    assert_eq!(other, Some(StoreError::OtherRegion));
    assert_eq!(load(&mut open(&mut medium, region).unwrap()).unwrap().unwrap().len(), limit);
}

#[test]
fn regions_and_geometries_are_checked() {
    let small = geometry(4, 512, 0xFF, 4096);
    for (start, slot_bytes, slots) in [
        (0, 1024, 1),
        (256, 1024, 2),
        (0, 768, 2),
        (0, 0, 2),
        (0, 1024, 5),
        (512, 1024, 4),
        (0, 1 << 31, 2),
        (u32::MAX - 511, 512, 2),
    ] {
        let region = Region { start, slot_bytes, slots };
        let refused = FlashStore::open(Medium::new(small, 0), region, &BACKBONE).err();
        assert_eq!(refused, Some(StoreError::Region), "{region:?}");
    }
    // Header and commit word of 256 bytes each leave nothing of 512.
    let region = Region { start: 0, slot_bytes: 512, slots: 2 };
    let wide = Medium::new(geometry(256, 512, 0xFF, 4096), 0);
    assert_eq!(FlashStore::open(wide, region, &BACKBONE).err(), Some(StoreError::Region));
    for wrong in [
        Geometry { write: 512, ..small },
        Geometry { write: 3, ..small },
        Geometry { write: 0, read: 0, ..small },
        Geometry { erase: 256, ..small },
        Geometry { erase: 1 << 18, ..small },
        Geometry { erase: 514, ..small },
        Geometry { read: 8, ..small },
        Geometry { read: 0, ..small },
        Geometry { erased: 0x55, ..small },
    ] {
        assert!(small.is_supported() && !wrong.is_supported(), "{wrong:?}");
    }
}

#[test]
fn a_payload_in_which_a_block_begins_like_a_slot_is_refused() {
    let other = Region { start: 0, slot_bytes: 512, slots: 2 };
    let mut medium = Medium::new(geometry(4, 512, 0xFF, 1024), 1);
    open(&mut medium, other).unwrap().commit(b"of another region").unwrap();
    let header = medium.bytes[..104].to_vec();

    let region = Region { start: 0, slot_bytes: 1536, slots: 2 };
    for (write, before) in [(4, 256), (4, 768), (256, 0), (256, 512)] {
        let mut medium = Medium::new(geometry(write, 512, 0xFF, 3072), 1);
        let mut store = open(&mut medium, region).unwrap();
        store.commit(b"old").unwrap();
        let payload = |before: usize| [&vec![0; before][..], &header].concat();
        assert_eq!(store.commit(&payload(before)), Err(StoreError::LooksLikeASlot), "{before}");
        let mut store = open(&mut medium, region).unwrap();
        assert_eq!(load(&mut store), Ok(Some(b"old".to_vec())));
        // Elsewhere no header is looked for.
        let beside = payload(before + 1);
        store.commit(&beside).unwrap();
        store.commit(&header[..7]).unwrap();
        store.commit(&beside).unwrap();
        assert_eq!(load(&mut open(&mut medium, region).unwrap()), Ok(Some(beside)));
    }
}
