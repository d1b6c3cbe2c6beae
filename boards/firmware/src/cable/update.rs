//! Another pack: written to the place that is not in use, verified, and only then used.

use core::cell::RefCell;

use headstart::pack::Pack;
use headstart::session;
use headstart_cable::{DATA, Refusal};

use super::boot;
use super::journal::{Entry, Journal};
use super::layout::{Layout, Place};
use super::store_refusal;
use super::window::Window;
use crate::flash::Mapped;
use headstart::store::Flash;

/// The pack that is being written.
#[derive(Clone, Copy, Debug)]
struct Coming {
    id: [u8; 32],
    bytes: u32,
    forget: bool,
    written: u32,
}

/// Where the next pack goes, and how much of it is there.
pub(super) struct Update<'f, F> {
    flash: &'f RefCell<F>,
    layout: &'f Layout,
    /// The pack in use and its place.
    pack: Option<&'f Pack<'f>>,
    active: Option<u8>,
    /// Bytes of RAM for a session.
    memory: usize,
    coming: Option<Coming>,
    /// Who must have signed a pack.
    #[cfg(feature = "signed")]
    pub(super) maker: Option<&'f super::Maker>,
}

impl<'f, F: Mapped> Update<'f, F> {
    pub(super) fn new(
        flash: &'f RefCell<F>,
        layout: &'f Layout,
        pack: Option<&'f Pack<'f>>,
        active: Option<u8>,
        memory: usize,
    ) -> Self {
        Self {
            flash,
            layout,
            pack,
            active,
            memory,
            coming: None,
            #[cfg(feature = "signed")]
            maker: None,
        }
    }

    /// The place that is not in use; the first one where none is.
    fn spare(&self) -> u8 {
        u8::from(self.active == Some(0))
    }

    fn place(&self) -> Place {
        self.layout.packs[usize::from(self.spare())]
    }

    /// Most bytes of a new pack.
    pub(super) fn room(&self) -> u32 {
        self.place().bytes
    }

    /// Begins; gives the bytes that are there already.
    pub(super) fn begin(&mut self, bytes: u32, id: [u8; 32], forget: bool) -> Result<u32, Refusal> {
        if let Some(coming) = &mut self.coming
            && (coming.id, coming.bytes) == (id, bytes)
        {
            coming.forget = forget;
            return Ok(coming.written);
        }
        let limit = self.room();
        if bytes > limit {
            return Err(Refusal::TooLong { limit });
        }
        // What is written to the first place must not look as if it had been flashed there, nor may what the next
        // entry no longer names: it goes first.
        if self.spare() == 0 && boot::id(self.flash, self.place()).is_some_and(|old| old != id) {
            let mut window = Window::new(self.flash, self.place());
            let block = window.geometry().erase;
            window.erase(0, block).and_then(|()| window.barrier()).map_err(|_| Refusal::Flash)?;
        }
        let journal = Journal::new(self.flash, self.layout);
        let entry = journal.read().map_err(store_refusal)?;
        let entry = boot::entry(self.flash, self.layout, entry, self.active.unwrap_or(0));
        let flashed = if self.spare() == 0 { id } else { entry.flashed };
        journal.write(&Entry { flashed, ..entry }).map_err(store_refusal)?;
        self.coming = Some(Coming { id, bytes, forget, written: 0 });
        Ok(0)
    }

    pub(super) fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<u32, Refusal> {
        let place = self.place();
        let lost = Refusal::Incomplete { received: 0, expected: 0 };
        let coming = self.coming.as_mut().ok_or(lost)?;
        let lost = Refusal::Incomplete { received: coming.written, expected: coming.bytes };
        let length = u32::try_from(bytes.len()).map_err(|_| lost)?;
        let end = offset.checked_add(length).filter(|&end| end <= coming.bytes).ok_or(lost)?;
        if end == coming.written {
            return Ok(end);
        }
        // Any other pack would look as if it had been flashed.
        if offset == 0 && bytes.get(32..64) != Some(&coming.id) {
            return Err(Refusal::OtherPack);
        }
        // Parts are whole, so that they begin at a word of any flash.
        let whole = bytes.len() == DATA || end == coming.bytes;
        if offset != coming.written || !whole || bytes.is_empty() {
            return Err(lost);
        }
        let mut window = Window::new(self.flash, place);
        if put(&mut window, offset, bytes).is_err() {
            // Words may be torn that cannot be written twice: it begins anew, with an erased place.
            self.coming = None;
            return Err(Refusal::Flash);
        }
        coming.written = end;
        Ok(end)
    }

    /// Verifies what was written, and has the board use it from its next start on. `personal` says whether
    /// there is a head that a pack with another backbone would make useless.
    #[inline(never)]
    pub(super) fn activate(&mut self, personal: bool) -> Result<(), Refusal> {
        let coming = self.coming.ok_or(Refusal::Incomplete { received: 0, expected: 0 })?;
        if coming.written < coming.bytes {
            let Coming { bytes: expected, written: received, .. } = coming;
            return Err(Refusal::Incomplete { received, expected });
        }
        let (backbone, counter) = match self.verify(&coming, personal) {
            Ok(verified) => verified,
            Err(refusal) => {
                // It must be written again, unless only a word of the host is missing.
                self.coming = self.coming.filter(|_| refusal == Refusal::OtherBackbone);
                return Err(refusal);
            }
        };
        let journal = Journal::new(self.flash, self.layout);
        let entry = journal.read().map_err(store_refusal)?;
        let entry = boot::entry(self.flash, self.layout, entry, self.spare());
        let forget_for = coming.forget.then_some(backbone);
        // One entry has both: the pack is used with its counter, or neither is there.
        let new = Entry { forget_for, counter: counter.max(entry.counter), ..entry };
        let written = if new.counter > entry.counter {
            journal.write_to_all(&new)
        } else {
            journal.write(&new)
        };
        written.map_err(store_refusal)
    }

    #[inline(never)]
    fn verify(&self, coming: &Coming, personal: bool) -> Result<([u8; 32], u64), Refusal> {
        let place = self.place();
        if boot::id(self.flash, place) != Some(coming.id) {
            return Err(Refusal::OtherPack);
        }
        let least = self.least()?;
        let flash = self.flash.borrow();
        let bytes = flash.bytes(place.start, coming.bytes).ok_or(Refusal::BadPack)?;
        let (pack, counter) = self.open(bytes, least)?;
        let clamp = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        let (needed, available) = (pack.plan().ram_bytes(), self.memory as u64);
        if needed > available {
            return Err(Refusal::Memory { needed: clamp(needed), available: clamp(available) });
        }
        // What the store keeps for itself in a slot, at most.
        let (needed, available) =
            (pack.plan().record_bytes(), self.layout.heads.slot_bytes.saturating_sub(512));
        if needed > available {
            return Err(Refusal::Slot { needed, available });
        }
        let backbone = pack.backbone_digest();
        let other = self.pack.is_none_or(|pack| pack.backbone_digest() != backbone);
        if other && personal && !coming.forget {
            return Err(Refusal::OtherBackbone);
        }
        Ok((backbone, counter))
    }

    /// The least security counter that a new pack may have.
    fn least(&self) -> Result<u64, Refusal> {
        let entry = Journal::new(self.flash, self.layout).read().map_err(store_refusal)?;
        // That of the pack in use is signed too, and a journal may have been lost.
        let used = self.pack.and_then(|pack| pack.signature());
        Ok(used.map_or(0, |signature| signature.counter).max(entry.counter))
    }

    /// The pack and its counter, which is 0 where packs need not be signed.
    fn open<'a>(&self, bytes: &'a [u8], least: u64) -> Result<(Pack<'a>, u64), Refusal> {
        #[cfg(feature = "signed")]
        if let Some(maker) = self.maker {
            return maker.open(bytes, least);
        }
        let _ = least;
        let pack = Pack::open(bytes).map_err(|_| Refusal::BadPack)?;
        session::accepts(&pack).map_err(|_| Refusal::BadPack)?;
        Ok((pack, 0))
    }
}

/// Writes a part, whose last word is filled up, and erases each block before its first word is written.
fn put<F: Flash>(window: &mut Window<'_, F>, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
    let geometry = window.geometry();
    let mut buffer = [geometry.erased; DATA];
    buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let (word, block) = (geometry.write.max(1), geometry.erase.max(1));
    let length = (bytes.len() as u32).next_multiple_of(word);
    let end = offset.saturating_add(length);
    let first = offset.next_multiple_of(block);
    if first < end {
        window.erase(first, end.next_multiple_of(block))?;
    }
    window.write(offset, buffer.get(..length as usize).unwrap_or(&buffer))?;
    window.barrier()
}
