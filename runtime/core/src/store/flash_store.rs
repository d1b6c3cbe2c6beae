//! Head records in slots of flash.

use super::medium::{CHUNK, READS, Source, part};
use super::slot::{Header, MAGIC};
use super::{Flash, Geometry, Store, StoreError};

/// The part of a flash that a store uses. It is a fixed property of a board: a store finds a record
/// only with the region that it was committed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// Where the region starts, a multiple of the erase size.
    pub start: u32,
    /// Bytes of a slot, a multiple of the erase size. Up to 512 of them are not payload.
    pub slot_bytes: u32,
    /// How many slots there are, two at least. Wear is spread evenly over them.
    pub slots: u16,
}

/// A store of one record in the slots of a [`Region`].
///
/// It takes less than 200 bytes beside the driver, and a few buffers of 256 bytes on the stack while it
/// works.
#[derive(Debug)]
pub struct FlashStore<F> {
    pub(super) flash: F,
    pub(super) geometry: Geometry,
    pub(super) region: Region,
    pub(super) backbone: [u8; 32],
    /// The record that was committed last.
    pub(super) current: Option<Header>,
    /// The highest sequence number that was seen or tried.
    pub(super) sequence: u64,
    pub(super) damaged: u32,
}

impl<F: Flash> FlashStore<F> {
    /// Opens the store and finds the record that was committed last.
    ///
    /// A slot that a power cut left half-written is passed over, and erased by the commit that uses
    /// it next. If no slot has a firm commit word but one holds a complete record, that record is
    /// committed to another slot first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Geometry`] and [`StoreError::Region`]; [`StoreError::OtherBackbone`],
    /// [`StoreError::OtherRegion`] and [`StoreError::UnsupportedVersion`] where a record is kept that
    /// this store must not replace; [`StoreError::Damaged`] or [`StoreError::Flash`] if there was a
    /// record and none can be read.
    pub fn open(
        flash: F,
        region: Region,
        backbone: &[u8; 32],
    ) -> Result<Self, StoreError<F::Error>> {
        let mut store = Self::unread(flash, region, backbone)?;
        let mut unreadable = None;
        // What reads alike each time comes first: only that is not torn.
        for (steady, committed) in [(true, true), (true, false), (false, true), (false, false)] {
            if committed {
                store.damaged = 0;
            }
            store.current = store.find(committed, steady, &mut unreadable)?;
            if !(committed && steady) {
                store.settle();
            }
            if store.current.is_some() {
                break;
            }
        }
        match unreadable {
            Some(error) if store.current.is_none() => Err(StoreError::Flash(error)),
            _ if store.current.is_none() && store.damaged > 0 => Err(StoreError::Damaged),
            _ => Ok(store),
        }
    }

    /// Erases every slot, whatever is there, and gives an empty store. The newest record goes last:
    /// after a cut, [`open`](Self::open) finds it, none, or [`StoreError::Damaged`], never an older one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Geometry`]; [`StoreError::Region`]; [`StoreError::Flash`].
    pub fn format(
        flash: F,
        region: Region,
        backbone: &[u8; 32],
    ) -> Result<Self, StoreError<F::Error>> {
        let mut store = Self::unread(flash, region, backbone)?;
        let scan = store.scan(u64::MAX, false, &mut None);
        let newest = scan.newest.map(|header| header.slot);
        let others = (0..region.slots).filter(|&slot| Some(slot) != newest);
        for slot in others.chain(newest.filter(|&slot| slot < region.slots)) {
            store.erase(slot)?;
        }
        store.flash.barrier()?;
        Ok(store)
    }

    /// The longest record, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        // `unread` has checked that a slot is at least two parts long.
        self.region.slot_bytes.saturating_sub(self.payload_offset()) as usize
    }

    /// The sequence number of the record that was committed last: it rises with every commit.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.current.map(|header| header.sequence)
    }

    /// Records that were committed later than the current one and can no longer be read. It is 0
    /// unless the flash lost what it had stored.
    #[must_use]
    pub fn damaged(&self) -> u32 {
        self.damaged
    }

    /// Gives the flash back.
    pub fn close(self) -> F {
        self.flash
    }

    /// Whether a header of another region could be found in this payload: [`scan`](Self::scan) looks at
    /// the start of every erase block, and a torn payload has no digest that says what it is.
    fn looks_like_a_slot(&self, record: &[u8]) -> bool {
        // The payload starts in the first block or with the second one.
        let block = self.geometry.erase as usize;
        let first = block.saturating_sub(self.payload_offset() as usize);
        record.get(first..).unwrap_or_default().chunks(block).any(|rest| rest.starts_with(&MAGIC))
    }

    fn unread(flash: F, region: Region, backbone: &[u8; 32]) -> Result<Self, StoreError<F::Error>> {
        let geometry = flash.geometry();
        if !geometry.is_supported() {
            return Err(StoreError::Geometry);
        }
        let Region { start, slot_bytes, slots } = region;
        let end = slot_bytes.checked_mul(slots.into()).and_then(|bytes| bytes.checked_add(start));
        let fits = end.is_some_and(|end| end <= geometry.capacity)
            && slots >= 2
            && start.is_multiple_of(geometry.erase)
            && slot_bytes.is_multiple_of(geometry.erase)
            && slot_bytes > part(geometry).saturating_mul(2);
        if !fits {
            return Err(StoreError::Region);
        }
        let (backbone, current) = (*backbone, None);
        Ok(Self { flash, geometry, region, backbone, current, sequence: 0, damaged: 0 })
    }
}

impl<F: Flash> Store for FlashStore<F> {
    type Error = StoreError<F::Error>;

    /// # Errors
    ///
    /// [`StoreError::Damaged`] if the record's digest no longer matches; what `buffer` then holds is not
    /// a record. [`StoreError::Flash`].
    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        let Some(header) = self.current else { return Ok(None) };
        let length = header.length as usize;
        let Some(place) = buffer.get_mut(..length) else { return Ok(Some(length)) };
        for _ in 0..READS {
            let (mut done, mut chunk) = (0, [0; CHUNK]);
            for part in place.chunks_mut(CHUNK) {
                let read = self.chunk(Source::Slot(&header), done, &mut chunk)?;
                part.copy_from_slice(read);
                done = done.saturating_add(part.len());
            }
            // The copy is checked, not another reading.
            if self.digests([&header], Source::Record(place))? == [header.digest] {
                return Ok(Some(length));
            }
        }
        Err(StoreError::Damaged)
    }

    /// # Errors
    ///
    /// [`StoreError::TooLong`]; [`StoreError::LooksLikeASlot`]; [`StoreError::NotWritten`];
    /// [`StoreError::Exhausted`]; [`StoreError::Flash`]. The record before is then still current. Only if the flash also refuses
    /// to erase the failed slot can the next [`open`](FlashStore::open) find the new one.
    fn commit(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        let limit = self.capacity();
        if record.len() > limit {
            return Err(StoreError::TooLong { limit, found: record.len() });
        }
        if self.looks_like_a_slot(record) {
            return Err(StoreError::LooksLikeASlot);
        }
        self.put(Source::Record(record))
    }
}
