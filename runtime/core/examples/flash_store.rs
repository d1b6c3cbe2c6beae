//! Keeps a record in slots of flash, and finds it again after the power failed in the middle of the next commit:
//! `cargo run -p headstart --example flash_store`
//!
//! The flash is a piece of memory here. On a chip it is any driver that speaks `embedded-storage`, in [`headstart::store::Nor`].

use headstart::store::{Flash, FlashStore, Geometry, Region, Store};

/// Memory that behaves as NOR flash does: blocks are erased to ones, and each word is written once after that.
struct Chip {
    cells: Vec<u8>,
    /// Operations until the power fails.
    power: Option<u32>,
}

/// The power has failed.
#[derive(Debug)]
struct NoPower;

impl core::fmt::Display for NoPower {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the power has failed")
    }
}

impl Chip {
    const BLOCK: u32 = 4096;

    fn operation(&mut self) -> Result<(), NoPower> {
        let Some(left) = &mut self.power else { return Ok(()) };
        *left = left.checked_sub(1).ok_or(NoPower)?;
        Ok(())
    }

    fn cells(&mut self, offset: u32, length: usize) -> &mut [u8] {
        &mut self.cells[offset as usize..][..length]
    }
}

impl Flash for Chip {
    type Error = NoPower;

    fn geometry(&self) -> Geometry {
        let capacity = self.cells.len() as u32;
        Geometry { capacity, read: 1, write: 4, erase: Self::BLOCK, erased: 0xFF }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NoPower> {
        bytes.copy_from_slice(self.cells(offset, bytes.len()));
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NoPower> {
        self.operation()?;
        self.cells(offset, bytes.len()).copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NoPower> {
        self.operation()?;
        self.cells(from, (to - from) as usize).fill(0xFF);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run()
}

/// Prints what it does.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    // Two slots of two blocks, in the middle of the flash; a board's own, for ever.
    let region = Region { start: Chip::BLOCK, slot_bytes: 2 * Chip::BLOCK, slots: 2 };
    // What a record belongs to: a pack's `backbone_digest()`.
    let backbone = [7; 32];
    let chip = Chip { cells: vec![0xFF; 8 * Chip::BLOCK as usize], power: None };

    let mut store = FlashStore::open(chip, region, &backbone)?;
    store.commit(b"the first head")?;

    // The power fails two operations into the next commit.
    let mut chip = store.close();
    chip.power = Some(2);
    let mut store = FlashStore::open(chip, region, &backbone)?;
    assert!(store.commit(b"the second head").is_err());

    // After the restart, the acknowledged record is there.
    let mut chip = store.close();
    chip.power = None;
    let mut store = FlashStore::open(chip, region, &backbone)?;
    let mut record = [0; 64];
    let length = store.load(&mut record)?;
    let found = length.map(|length| String::from_utf8_lossy(&record[..length]).into_owned());
    println!("after the power cut: {}", found.as_deref().unwrap_or("nothing"));
    assert_eq!(found.as_deref(), Some("the first head"));
    Ok(())
}
