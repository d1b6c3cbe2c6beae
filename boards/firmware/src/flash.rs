//! Flash in the address space, and a NOR flash in memory, for boards that have none and for hosts.

use headstart::store::{Flash, Geometry};

/// A flash that lies in the address space too.
pub trait Mapped: Flash {
    /// The bytes that it holds from `start` on; `None` for bytes that are not all there.
    fn bytes(&self, start: u32, length: u32) -> Option<&[u8]>;
}

/// A flash, or a part of one, whose bytes can be looked at where they lie.
pub trait Lend {
    /// Gives `work` the bytes from `start` on; `None` for bytes that are not all there.
    fn lend<T>(&self, start: u32, length: u32, work: impl FnOnce(&[u8]) -> T) -> Option<T>;
}

impl<F: Mapped> Lend for F {
    fn lend<T>(&self, start: u32, length: u32, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.bytes(start, length).map(work)
    }
}

/// Memory that behaves as NOR flash does: blocks are erased to ones, and writing clears bits.
#[derive(Debug)]
pub struct MemoryFlash<'m> {
    memory: &'m mut [u8],
}

/// A reason why the flash refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MemoryError {
    /// The offset lies past the end.
    Outside,
    /// The word to write was not erased.
    NotErased,
}

impl<'m> MemoryFlash<'m> {
    /// Bytes of an erase block.
    pub const ERASE: u32 = 4096;
    /// Bytes of a word.
    pub const WRITE: u32 = 4;

    /// Makes a flash of all of `memory`, in whole blocks.
    #[must_use]
    pub fn new(memory: &'m mut [u8]) -> Self {
        Self { memory }
    }

    fn part(&mut self, offset: u32, length: usize) -> Result<&mut [u8], MemoryError> {
        let rest = self.memory.get_mut(offset as usize..).ok_or(MemoryError::Outside)?;
        rest.get_mut(..length).ok_or(MemoryError::Outside)
    }
}

impl Mapped for MemoryFlash<'_> {
    fn bytes(&self, start: u32, length: u32) -> Option<&[u8]> {
        self.memory.get(start as usize..)?.get(..length as usize)
    }
}

impl Flash for MemoryFlash<'_> {
    type Error = MemoryError;

    fn geometry(&self) -> Geometry {
        let capacity = u32::try_from(self.memory.len()).unwrap_or(u32::MAX);
        Geometry { capacity, read: 1, write: Self::WRITE, erase: Self::ERASE, erased: 0xFF }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MemoryError> {
        bytes.copy_from_slice(self.part(offset, bytes.len())?);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        let part = self.part(offset, bytes.len())?;
        if part.iter().any(|&byte| byte != 0xFF) {
            return Err(MemoryError::NotErased);
        }
        part.copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), MemoryError> {
        let length = to.checked_sub(from).ok_or(MemoryError::Outside)?;
        self.part(from, length as usize)?.fill(0xFF);
        Ok(())
    }
}
