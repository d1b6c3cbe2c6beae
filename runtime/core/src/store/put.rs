//! How a record becomes the current one.

use super::flash_store::FlashStore;
use super::medium::{CHUNK, Source, part};
use super::slot::Header;
use super::{Flash, StoreError};

/// How many slots a commit tries where the first ones do not read back.
const SLOTS_TRIED: u16 = 3;

impl<F: Flash> FlashStore<F> {
    /// Commits a record that was found without its commit word, so that it no longer rests on bits
    /// that may have been half-written.
    pub(super) fn settle(&mut self) {
        let Some(header) = self.current else { return };
        let copied = self.put(Source::Slot(&header));
        // A worn-out flash cannot take the copy; then the record is used where it is, if it is one.
        if let Err(StoreError::Damaged | StoreError::NotWritten) = copied
            && !self.is_steady(&header, false, true)
        {
            self.current = None;
        }
    }

    /// Commits to the slot after the current one, or to one of the next if that does not read back.
    pub(super) fn put(&mut self, source: Source<'_>) -> Result<(), StoreError<F::Error>> {
        let slots = self.region.slots;
        let (mut slot, others) = match self.current {
            Some(header) => (header.slot, slots.saturating_sub(1)),
            None => (slots, slots),
        };
        let mut result = Err(StoreError::NotWritten);
        for _ in 0..others.min(SLOTS_TRIED) {
            slot = slot.saturating_add(1);
            slot = if slot < slots { slot } else { 0 };
            let next = self.sequence.checked_add(1).filter(|&next| next < u64::MAX);
            self.sequence = next.ok_or(StoreError::Exhausted)?;
            match self.put_at(slot, source) {
                Ok(header) => {
                    self.current = Some(header);
                    return Ok(());
                }
                Err(error) => {
                    result = Err(error);
                    // The old record is the one to be found, so nothing of this one may stay. If this
                    // fails too there is nothing left to do about it.
                    let _ = self.erase(slot);
                }
            }
        }
        result
    }

    fn put_at(&mut self, slot: u16, source: Source<'_>) -> Result<Header, StoreError<F::Error>> {
        let length = match source {
            Source::Record(record) => record.len() as u32,
            Source::Slot(header) => header.length,
        };
        let mut header = Header {
            // At most 256.
            word: self.geometry.write as u16,
            length,
            sequence: self.sequence,
            slot,
            slots: self.region.slots,
            slot_bytes: self.region.slot_bytes,
            backbone: self.backbone,
            digest: [0; 32],
        };
        header.digest = match source {
            Source::Record(_) => {
                let [digest] = self.digests([&header], source)?;
                digest
            }
            Source::Slot(old) => {
                let [digest, found] = self.digests([&header, old], source)?;
                if found != old.digest {
                    return Err(StoreError::Damaged);
                }
                digest
            }
        };
        let (bytes, commit) = header.emit();

        let offset = header.offset();
        self.erase(slot)?;
        let (mut done, mut buffer) = (0, [0; CHUNK]);
        loop {
            let chunk = self.chunk(source, done, &mut buffer)?;
            if chunk.is_empty() {
                break;
            }
            let to = offset.saturating_add(self.payload_offset()).saturating_add(done as u32);
            self.write(to, chunk)?;
            done = done.saturating_add(chunk.len());
        }
        self.write(offset, &bytes)?;
        self.flash.barrier()?;

        // Where the record is still at hand every byte is compared, which says more than its digest.
        let whole = self.reads_back(offset, &bytes)?
            && match source {
                Source::Record(record) => {
                    self.reads_back(offset.saturating_add(self.payload_offset()), record)?
                }
                Source::Slot(_) => self.payload_is_right(&header)?,
            };
        if !whole {
            return Err(StoreError::NotWritten);
        }
        let place = offset.saturating_add(part(self.geometry));
        self.write(place, &commit)?;
        self.flash.barrier()?;
        if !self.reads_back(place, &commit)? {
            return Err(StoreError::NotWritten);
        }
        Ok(header)
    }
}
