//! Divides a board's flash.

use headstart::store::Region;

/// A part of the flash, in whole erase blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the place starts, as the flash counts.
    pub start: u32,
    /// How many bytes the place has.
    pub bytes: u32,
}

/// Places of all that a board's flash keeps. The layout is a fixed property of a board: what was stored is found with the same layout only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Where packs lie: the first is flashed with the firmware's tools, and either is replaced over the cable
    /// while the other one is used. A board without room for two has a second one of 0 bytes.
    pub packs: [Place; 2],
    /// Slots of head records.
    pub heads: Region,
    /// Slots of the journal, a hundred bytes each.
    pub journal: Region,
    /// Place of features of the samples that were learned since the last commit.
    pub features: Place,
}

/// All of a region.
pub(super) fn place(region: Region) -> Place {
    Place { start: region.start, bytes: region.slot_bytes.saturating_mul(region.slots.into()) }
}
