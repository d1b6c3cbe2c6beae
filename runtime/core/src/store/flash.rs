//! What a store needs of a flash memory.

/// NOR flash: read anywhere, erase whole blocks, write each word once after an erase.
///
/// Offsets count from the start of the flash. All that [`FlashStore`](super::FlashStore) asks for is
/// aligned to the sizes of [`Geometry`] and inside its capacity. Drivers for
/// [`embedded-storage`](https://docs.rs/embedded-storage) fit through `Nor` (feature `embedded-storage`).
pub trait Flash {
    /// The driver's error.
    type Error;

    /// The flash's sizes and erased value; they never change.
    fn geometry(&self) -> Geometry;

    /// Fills `bytes` from `offset`, both in multiples of the read size.
    ///
    /// # Errors
    ///
    /// The driver's, also for a word that its error correction cannot repair.
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Writes erased words, in multiples of the write size.
    ///
    /// # Errors
    ///
    /// The driver's; the words may then hold anything.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Erases `from..to`, in multiples of the erase size, in any order.
    ///
    /// # Errors
    ///
    /// The driver's; the blocks may then hold anything.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error>;

    /// Returns when everything before is in the memory cells. The default is for drivers whose other
    /// calls wait for that; one with a cache or a queue must override it.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn barrier(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl<F: Flash> Flash for &mut F {
    type Error = F::Error;

    fn geometry(&self) -> Geometry {
        F::geometry(self)
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        F::read(self, offset, bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        F::write(self, offset, bytes)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        F::erase(self, from, to)
    }

    fn barrier(&mut self) -> Result<(), Self::Error> {
        F::barrier(self)
    }
}

/// The sizes of a flash memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    /// Bytes of the whole memory.
    pub capacity: u32,
    /// Alignment of reads; divides the write size.
    pub read: u32,
    /// Bytes of a word, the smallest write: a power of two, 1…256.
    pub write: u32,
    /// Bytes of a block, the smallest erase: a multiple of the write size, 512…131072.
    pub erase: u32,
    /// The value of erased bytes: `0xFF`, or `0x00` as on some STM32L.
    pub erased: u8,
}

impl Geometry {
    /// Whether a store can use a flash of these sizes.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        let Self { read, write, erase, erased, .. } = *self;
        write.is_power_of_two()
            && write <= super::slot::LARGEST_WORD
            && (512..=128 << 10).contains(&erase)
            && erase.is_multiple_of(write)
            && read > 0
            && write.is_multiple_of(read)
            && matches!(erased, 0x00 | 0xFF)
    }
}
