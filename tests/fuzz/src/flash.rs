//! Slots of flash.

use headstart::store::{Flash, FlashStore, Geometry, Region, Store};
use sha2::{Digest, Sha256};

use crate::BACKBONE;

struct Memory(Vec<u8>);

impl Flash for Memory {
    type Error = ();

    fn geometry(&self) -> Geometry {
        let capacity = self.0.len() as u32;
        Geometry { capacity, read: 1, write: 4, erase: 512, erased: 0xFF }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ()> {
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ()> {
        let cells = self.0[offset as usize..].iter_mut();
        cells.zip(bytes).for_each(|(cell, byte)| *cell &= byte);
        Ok(())
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ()> {
        self.0[from as usize..to as usize].fill(0xFF);
        Ok(())
    }
}

/// Opens three slots of flash that hold anything. Header checks are made right, so that fields are reached; then payload digests and commit
/// words too, so that what they say counts.
pub fn slots(data: &[u8]) {
    let mut bytes = data.to_vec();
    bytes.resize(3 * 512, 0xFF);
    for whole in [false, true] {
        let mut bytes = bytes.clone();
        bytes.chunks_exact_mut(512).for_each(|slot| seal(slot, whole));
        open(bytes);
    }
}

/// Makes the check of a header right, and if the slot is to be whole all that belongs to it.
fn seal(slot: &mut [u8], whole: bool) {
    let length = u32::from_le_bytes([slot[12], slot[13], slot[14], slot[15]]) as usize;
    let payload = 256_usize..length.saturating_add(256);
    if let Some(payload) = slot.get(payload).filter(|_| whole) {
        let digest = Sha256::new_with_prefix(&slot[..64]).chain_update(payload).finalize();
        slot[64..96].copy_from_slice(&digest);
    }
    let digest = Sha256::digest(&slot[..96]);
    slot[96..104].copy_from_slice(&digest[..8]);
    if whole {
        slot[128..136].copy_from_slice(&digest[8..16]);
    }
}

fn open(bytes: Vec<u8>) {
    let region = Region { start: 0, slot_bytes: 512, slots: 3 };
    let mut flash = Memory(bytes);
    if let Ok(mut store) = FlashStore::open(&mut flash, region, &BACKBONE) {
        let mut buffer = [0; 512];
        let _ = store.load(&mut buffer);
        // Only a sequence that cannot rise any more is in the way.
        if store.commit(b"next").is_ok() {
            assert_eq!(store.load(&mut buffer), Ok(Some(4)));
        }
    }
    let mut store = FlashStore::format(&mut flash, region, &BACKBONE).unwrap();
    store.commit(b"first").unwrap();
}

/// Makes a seed for [`slots`]: two commits in three slots.
pub fn two_commits() -> Vec<u8> {
    let region = Region { start: 0, slot_bytes: 512, slots: 3 };
    let mut flash = Memory(vec![0xFF; 3 * 512]);
    let mut store = FlashStore::open(&mut flash, region, &BACKBONE).unwrap();
    store.commit(b"first").unwrap();
    store.commit(b"second").unwrap();
    flash.0
}
