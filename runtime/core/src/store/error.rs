//! What a store on flash refuses.

/// Why a record could not be loaded or committed; `E` is the flash driver's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StoreError<E> {
    /// The flash driver failed, three times where it was reading.
    Flash(E),
    /// The flash states sizes that no store can use; see [`Geometry`](super::Geometry).
    Geometry,
    /// The region has less than two slots, or is not made of whole erase blocks of this flash.
    Region,
    /// The record is longer than a slot holds.
    TooLong {
        /// The most bytes that a slot holds.
        limit: usize,
        /// How many bytes the record has.
        found: usize,
    },
    /// A block of the flash would begin with bytes that look like a slot: no other region of slots could be told from this record.
    LooksLikeASlot,
    /// The region holds what was learned on another backbone; the first bytes of both digests.
    OtherBackbone {
        /// The backbone that the store was opened for.
        expected: [u8; 4],
        /// The backbone of the stored record.
        found: [u8; 4],
    },
    /// The region was divided into other slots when the stored record was committed.
    OtherRegion,
    /// The stored record has a newer format than this runtime knows.
    UnsupportedVersion {
        /// The version that was found.
        found: u16,
    },
    /// What was written does not read back, in several slots: the flash is worn out or defective.
    NotWritten,
    /// The record was there when the store was opened, and its digest no longer matches.
    Damaged,
    /// All sequence numbers are used.
    Exhausted,
}

impl<E> From<E> for StoreError<E> {
    fn from(error: E) -> Self {
        Self::Flash(error)
    }
}

impl<E: core::fmt::Display> core::fmt::Display for StoreError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash failed: {error}"),
            Self::Geometry => f.write_str("the sizes of this flash are not supported"),
            Self::Region => {
                f.write_str("the region must be two or more slots of whole erase blocks, in the flash")
            }
            Self::TooLong { limit, found } => {
                write!(f, "the record has {found} bytes, and a slot holds {limit}: use larger slots")
            }
            Self::LooksLikeASlot => f.write_str("the record holds bytes of a slot where a block begins"),
            Self::OtherBackbone { expected, found } => write!(
                f,
                "the flash holds what was learned on another backbone ({:08x}…, here it is {:08x}…): use its pack, or format the region",
                u32::from_be_bytes(*found),
                u32::from_be_bytes(*expected)
            ),
            Self::OtherRegion => f.write_str(
                "the flash was divided into other slots: open it with the same region, or format it",
            ),
            Self::UnsupportedVersion { found } => {
                write!(f, "slot version {found} is newer than this runtime: update the runtime")
            }
            Self::NotWritten => {
                f.write_str("what was written does not read back: the flash is worn out or defect")
            }
            Self::Damaged => f.write_str("the stored record changed: open the store again"),
            Self::Exhausted => f.write_str("all sequence numbers are used: format the region"),
        }
    }
}

impl<E: core::fmt::Debug + core::fmt::Display> core::error::Error for StoreError<E> {}
