//! Flash that is emulated in the machine's memory, at its addresses.

use core::slice;

use headstart::store::{Flash, Geometry, Region};
use headstart_firmware::cable::{Layout, Mapped, Place};
use headstart_firmware::flash::{MemoryError, MemoryFlash};

unsafe extern "C" {
    static mut _headstart_pack: u8;
    static mut _headstart_clips: u8;
}

/// Bytes of a pack's place.
const PACK: u32 = 1 << 20;
/// Bytes of a slot for a head record.
const SLOT: u32 = 24 << 10;
/// Bytes for features.
const FEATURES: u32 = 80 << 10;

/// Where things lie. The first pack is loaded with the firmware; everything else is memory that on `an386` and
/// `an500` may be a file (`-machine memory-backend`), so that it outlives the machine.
#[must_use]
pub fn layout() -> Layout {
    let kept = (&raw const _headstart_clips) as u32;
    let heads = kept + PACK;
    let journal = heads + 2 * SLOT;
    let features = journal + 2 * MemoryFlash::ERASE;
    Layout {
        packs: [
            Place { start: (&raw const _headstart_pack) as u32, bytes: PACK },
            Place { start: kept, bytes: PACK },
        ],
        heads: Region { start: heads, slot_bytes: SLOT, slots: 2 },
        journal: Region { start: journal, slot_bytes: MemoryFlash::ERASE, slots: 2 },
        features: Place { start: features, bytes: FEATURES },
    }
}

/// The two regions as one flash, whose offsets are addresses.
pub struct AddressFlash(());

impl AddressFlash {
    /// The only one.
    ///
    /// # Safety
    /// Called once, and nothing else writes to the regions. What is borrowed of a pack's place ends before that
    /// place is written to.
    #[must_use]
    pub unsafe fn take() -> Self {
        Self(())
    }

    /// The bytes at an address, if all of them are in one region.
    fn at(start: u32, length: u32) -> Option<(*mut u8, usize)> {
        let Layout { packs: [first, second], features, .. } = layout();
        let end = start.checked_add(length)?;
        let regions =
            [first.start..first.start + first.bytes, second.start..features.start + features.bytes];
        let inside = regions.iter().any(|region| region.start <= start && end <= region.end);
        inside.then_some((start as *mut u8, length as usize))
    }

    fn part(&mut self, start: u32, length: u32) -> Result<&mut [u8], MemoryError> {
        let (start, length) = Self::at(start, length).ok_or(MemoryError::Outside)?;
        // SAFETY: the machine's memory map keeps the region for this flash, which is the only one.
        Ok(unsafe { slice::from_raw_parts_mut(start, length) })
    }
}

impl Mapped for AddressFlash {
    fn bytes(&self, start: u32, length: u32) -> Option<&[u8]> {
        let (start, length) = Self::at(start, length)?;
        // SAFETY: as in `part`.
        Some(unsafe { slice::from_raw_parts(start, length) })
    }
}

impl Flash for AddressFlash {
    type Error = MemoryError;

    fn geometry(&self) -> Geometry {
        let (write, erase) = (MemoryFlash::WRITE, MemoryFlash::ERASE);
        Geometry { capacity: u32::MAX, read: 1, write, erase, erased: 0xFF }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MemoryError> {
        bytes.copy_from_slice(self.part(offset, bytes.len() as u32)?);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        MemoryFlash::new(self.part(offset, bytes.len() as u32)?).write(0, bytes)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), MemoryError> {
        let length = to.checked_sub(from).ok_or(MemoryError::Outside)?;
        MemoryFlash::new(self.part(from, length)?).erase(0, length)
    }
}
