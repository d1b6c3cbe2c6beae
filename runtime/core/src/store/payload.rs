//! Payloads, words and slots: what the steps of a store are made of.

use sha2::Digest;

use super::Flash;
use super::flash_store::FlashStore;
use super::medium::{CHUNK, READS, Source, part, read_words};
use super::slot::Header;

impl<F: Flash> FlashStore<F> {
    /// Whether the payload reads with the digest of its header.
    pub(super) fn payload_is_right(&mut self, header: &Header) -> Result<bool, F::Error> {
        let mut result = Ok(false);
        for _ in 0..READS {
            result =
                self.digests([header], Source::Slot(header)).map(|[found]| found == header.digest);
            if matches!(result, Ok(true)) {
                break;
            }
        }
        result
    }

    /// Whether these bytes stand at an offset in the region, all of them in one reading.
    pub(super) fn reads_back(&mut self, offset: u32, expected: &[u8]) -> Result<bool, F::Error> {
        for _ in 0..READS {
            let (mut at, mut right, mut buffer) = (offset, true, [0; CHUNK]);
            for chunk in expected.chunks(CHUNK) {
                let found = buffer.get_mut(..chunk.len()).unwrap_or_default();
                self.read(at, found)?;
                right &= found == chunk;
                at = at.saturating_add(CHUNK as u32);
            }
            if right {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The digests that headers must have for the payload of `source`, all from one reading.
    pub(super) fn digests<const N: usize>(
        &mut self,
        headers: [&Header; N],
        source: Source<'_>,
    ) -> Result<[[u8; 32]; N], F::Error> {
        let (mut hashers, mut done) = (headers.map(Header::hasher), 0);
        let mut buffer = [0; CHUNK];
        loop {
            let chunk = self.chunk(source, done, &mut buffer)?;
            if chunk.is_empty() {
                return Ok(hashers.map(|hasher| hasher.finalize().into()));
            }
            hashers.iter_mut().for_each(|hasher| hasher.update(chunk));
            done = done.saturating_add(chunk.len());
        }
    }

    /// The bytes of a payload from `done`, a chunk at most; none at its end.
    pub(super) fn chunk<'b>(
        &mut self,
        source: Source<'b>,
        done: usize,
        buffer: &'b mut [u8; CHUNK],
    ) -> Result<&'b [u8], F::Error> {
        let header = match source {
            Source::Record(record) => {
                let rest = record.get(done..).unwrap_or_default();
                return Ok(rest.get(..CHUNK).unwrap_or(rest));
            }
            Source::Slot(header) => header,
        };
        // A length that does not fit a slot was refused with its header or is cut here; the digest
        // then differs.
        let length = (header.length as usize).min(self.capacity());
        let bytes = length.saturating_sub(done).min(CHUNK);
        let chunk = buffer.get_mut(..bytes).unwrap_or_default();
        if chunk.is_empty() {
            return Ok(chunk);
        }
        let start = header.offset().saturating_add(self.payload_offset());
        self.read(start.saturating_add(done as u32), chunk)?;
        Ok(chunk)
    }

    pub(super) fn payload_offset(&self) -> u32 {
        part(self.geometry).saturating_mul(2)
    }

    pub(super) fn erase(&mut self, slot: u16) -> Result<(), F::Error> {
        let offset = u32::from(slot).saturating_mul(self.region.slot_bytes);
        let from = self.region.start.saturating_add(offset);
        self.flash.erase(from, from.saturating_add(self.region.slot_bytes))
    }

    /// Writes at an offset in the region, a chunk at most; the last word is filled up with erased bytes.
    pub(super) fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        let mut buffer = [self.geometry.erased; CHUNK];
        let words = bytes.len().next_multiple_of(self.geometry.write as usize);
        for (to, from) in buffer.iter_mut().zip(bytes) {
            *to = *from;
        }
        let words = buffer.get(..words).unwrap_or(&buffer);
        self.flash.write(self.region.start.saturating_add(offset), words)
    }

    /// Reads from an offset in the region, a chunk at most.
    pub(super) fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        read_words(&mut self.flash, self.region.start.saturating_add(offset), bytes)
    }
}
