//! Which slot holds the newest record.

use super::flash_store::FlashStore;
use super::medium::{READS, STEADY, Source, part};
use super::slot::{COMMIT, HEADER, Header, NoHeader, is_commit};
use super::{Flash, Region, StoreError};

/// What the headers of a region say.
#[derive(Default)]
pub(super) struct Scan {
    /// The newest header below the bound.
    pub(super) newest: Option<Header>,
    /// The highest sequence number of all headers.
    sequence: u64,
    other_region: bool,
    newer_version: Option<u16>,
}

impl<F: Flash> FlashStore<F> {
    /// The newest header whose payload is right, among those with a commit word or among all. Where it is to be
    /// steady, all of it that may have been torn must read alike each time.
    pub(super) fn find(
        &mut self,
        committed: bool,
        steady: bool,
        unreadable: &mut Option<F::Error>,
    ) -> Result<Option<Header>, StoreError<F::Error>> {
        let mut below = u64::MAX;
        loop {
            let scan = self.scan(below, committed, unreadable);
            self.sequence = self.sequence.max(scan.sequence);
            if let Some(found) = scan.newer_version {
                return Err(StoreError::UnsupportedVersion { found });
            }
            if scan.other_region {
                return Err(StoreError::OtherRegion);
            }
            let Some(header) = scan.newest else { return Ok(None) };
            match self.payload_is_right(&header) {
                Ok(true) if header.backbone != self.backbone => {
                    return Err(StoreError::OtherBackbone {
                        expected: first_bytes(&self.backbone),
                        found: first_bytes(&header.backbone),
                    });
                }
                Ok(true) => {
                    // A slot is erased when a newer header stands, or where the newest has no firm commit word.
                    let payload = !committed || header.sequence < self.sequence;
                    if !steady || self.is_steady(&header, committed, payload) {
                        return Ok(Some(header));
                    }
                    below = header.sequence;
                    continue;
                }
                Ok(false) => {}
                Err(error) => *unreadable = Some(error),
            }
            self.damaged = self.damaged.saturating_add(committed.into());
            below = header.sequence;
        }
    }

    /// Whether the header reads alike many times, and commit word and payload where they are asked for.
    pub(super) fn is_steady(&mut self, header: &Header, commit: bool, payload: bool) -> bool {
        let place = header.offset().saturating_add(part(self.geometry));
        let (expected, _) = header.emit();
        let mut first = None;
        (0..STEADY).all(|_| {
            let (mut bytes, mut word) = ([0; HEADER], [0; COMMIT]);
            self.read(header.offset(), &mut bytes).is_ok()
                && bytes == expected
                && (!commit
                    || self.read(place, &mut word).is_ok() && *first.get_or_insert(word) == word)
                && (!payload
                    || self
                        .digests([header], Source::Slot(header))
                        .is_ok_and(|[found]| found == header.digest))
        })
    }

    /// Reads the header of every erase block: those inside a slot tell that the region was another
    /// one. `unreadable` gets the driver's error for blocks that cannot be read.
    pub(super) fn scan(
        &mut self,
        below: u64,
        committed: bool,
        unreadable: &mut Option<F::Error>,
    ) -> Scan {
        let Region { slot_bytes, slots, .. } = self.region;
        let mut scan = Scan::default();
        let mut offset = 0;
        while offset < slot_bytes.saturating_mul(slots.into()) {
            match self.header_at(offset) {
                Ok(Ok((header, has_commit))) => {
                    scan.other_region |= header.offset() != offset
                        || (header.slots, header.slot_bytes) != (slots, slot_bytes)
                        || u32::from(header.word) != self.geometry.write;
                    scan.sequence = scan.sequence.max(header.sequence);
                    let newer = scan.newest.is_none_or(|newest| newest.sequence < header.sequence);
                    if header.sequence < below && newer && (has_commit || !committed) {
                        scan.newest = Some(header);
                    }
                }
                Ok(Err(NoHeader::Version(version))) => scan.newer_version = Some(version),
                Ok(Err(NoHeader::Unknown)) => {}
                Err(error) => *unreadable = Some(error),
            }
            offset = offset.saturating_add(self.geometry.erase);
        }
        scan
    }

    /// The header at an offset in the region, and whether it has its commit word.
    pub(super) fn header_at(
        &mut self,
        offset: u32,
    ) -> Result<Result<(Header, bool), NoHeader>, F::Error> {
        let mut best = Ok(Err(NoHeader::Unknown));
        for _ in 0..READS {
            let found = self.header_once(offset);
            let committed = matches!(found, Ok(Ok((_, true))));
            if committed || !matches!(best, Ok(Ok(_))) {
                best = found;
            }
            if committed {
                break;
            }
        }
        best
    }

    fn header_once(&mut self, offset: u32) -> Result<Result<(Header, bool), NoHeader>, F::Error> {
        let mut bytes = [0; HEADER];
        self.read(offset, &mut bytes)?;
        let (header, expected) = match Header::parse(&bytes) {
            Ok(parsed) => parsed,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut commit = [0; COMMIT];
        // A commit word that cannot be read was torn: the record may be whole all the same.
        let read = self.read(offset.saturating_add(part(self.geometry)), &mut commit);
        Ok(Ok((header, read.is_ok() && is_commit(commit, expected))))
    }
}

fn first_bytes(digest: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = *digest;
    [a, b, c, d]
}
