//! Which pack a board starts with.
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

use super::Layout;
use super::journal::{Entry, Journal};
use super::layout::Place;
use super::window::Mapped;

/// The pack in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// 0 or 1: where it lies.
    pub place: u8,
    /// Its bytes, from the start of its place.
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

/// Bytes of the pack at that place, if it is one.
pub(super) fn verified<F: Mapped>(flash: &RefCell<F>, place: Place) -> Option<u32> {
    let header = header(flash, place)?;
    let length = header.get(16..24)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
    let length = u32::try_from(length).ok().filter(|&length| length <= place.bytes)?;
    is_pack(flash.borrow().bytes(place.start, length)?).then_some(length)
}

// What it keeps on the stack is not there later.
#[inline(never)]
fn is_pack(bytes: &[u8]) -> bool {
    Pack::open(bytes).is_ok()
}
