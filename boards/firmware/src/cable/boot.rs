//! Chooses the pack that a board starts with.
//!
//! | the first place | the second place | the journal says | the pack in use |
//! | --- | --- | --- | --- |
//! | good, not the one of the journal: it was flashed | any | any | the first |
//! | good | any | first, or nothing | the first |
//! | good or bad | good | second | the second |
//! | bad | good | any | the second |
//! | good | bad | any | the first |

use core::cell::RefCell;

use headstart::pack::Pack;
use headstart::session;

use super::Layout;
use super::journal::{Entry, Journal};
use super::layout::Place;
use crate::flash::Mapped;

/// The pack in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// The place of the pack, 0 or 1.
    pub place: u8,
    /// How many bytes the pack has, from the start of its place.
    pub bytes: u32,
}

/// Chooses a pack; `None` if no place holds a good one. Every byte of it was verified then.
pub fn active<F: Mapped>(flash: &RefCell<F>, layout: &Layout) -> Option<Active> {
    let entry = Journal::new(flash, layout).read().unwrap_or_default();
    let flashed = id(flash, layout.packs[0]);
    let first = usize::from(entry.active == 1 && flashed == Some(entry.flashed)) & 1;
    [first, 1 - first].into_iter().find_map(|place| {
        let bytes = verified(flash, layout.packs[place])?;
        Some(Active { place: place as u8, bytes })
    })
}

/// Chooses a pack that the maker has signed, with a counter that is not too low. A higher one than before is durable when
/// this returns: verify, then persist, then use. `None` also where the flash does not take it.
#[cfg(feature = "signed")]
pub fn active_signed<F: Mapped>(
    flash: &RefCell<F>,
    layout: &Layout,
    maker: &super::Maker,
) -> Option<Active> {
    let journal = Journal::new(flash, layout);
    let (entry, doubtful) = journal.read_doubting().ok()?;
    let signed = |place: usize, least| signed(flash, layout.packs[place], maker, least);
    let mut least = entry.counter;
    if doubtful {
        // A journal that was lost must not let an older pack come back: what lies beside it was used, or could be.
        let found = [0, 1].into_iter().filter_map(|place| signed(place, 0));
        least = found.map(|(_, counter)| counter).fold(least, u64::max);
    }
    let flashed = id(flash, layout.packs[0]);
    let first = usize::from(entry.active == 1 && flashed == Some(entry.flashed)) & 1;
    let (place, (bytes, counter)) = [first, 1 - first]
        .into_iter()
        .find_map(|place| signed(place, least).map(|found| (place, found)))?;
    if counter > entry.counter {
        journal.write_to_all(&Entry { counter, ..entry }).ok()?;
    }
    Some(Active { place: place as u8, bytes })
}

/// Bytes and counter of the pack at that place, if the maker has signed it.
#[cfg(feature = "signed")]
fn signed<F: Mapped>(
    flash: &RefCell<F>,
    place: Place,
    maker: &super::Maker,
    least: u64,
) -> Option<(u32, u64)> {
    let length = length(flash, place)?;
    let flash = flash.borrow();
    let (_, counter) = maker.open(flash.bytes(place.start, length)?, least).ok()?;
    Some((length, counter))
}

/// What an entry of the journal says once this pack is in use.
pub(super) fn entry<F: Mapped>(
    flash: &RefCell<F>,
    layout: &Layout,
    entry: Entry,
    active: u8,
) -> Entry {
    Entry { active, flashed: id(flash, layout.packs[0]).unwrap_or_default(), ..entry }
}

/// The SHA-256 in the header of a pack, which may be anything.
pub(super) fn id<F: Mapped>(flash: &RefCell<F>, place: Place) -> Option<[u8; 32]> {
    header(flash, place)?.last_chunk().copied()
}

/// The first bytes of a place. They are read, not borrowed: a power cut may have torn them.
fn header<F: Mapped>(flash: &RefCell<F>, place: Place) -> Option<[u8; 64]> {
    let mut header = [0; 64];
    (place.bytes >= 64).then_some(())?;
    flash.borrow_mut().read(place.start, &mut header).ok()?;
    Some(header)
}

/// Bytes that a pack at that place would have.
fn length<F: Mapped>(flash: &RefCell<F>, place: Place) -> Option<u32> {
    let length = Pack::length(&header(flash, place)?)?;
    u32::try_from(length).ok().filter(|&length| length <= place.bytes)
}

/// Bytes of the pack at that place, if it is one.
fn verified<F: Mapped>(flash: &RefCell<F>, place: Place) -> Option<u32> {
    let length = length(flash, place)?;
    is_pack(flash.borrow().bytes(place.start, length)?).then_some(length)
}

// What it keeps on the stack is not there later.
#[inline(never)]
fn is_pack(bytes: &[u8]) -> bool {
    Pack::open(bytes).is_ok_and(|pack| session::accepts(&pack).is_ok())
}
