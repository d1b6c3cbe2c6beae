//! Memory of its own. Files cannot be mapped.

use std::io::{ErrorKind, Result};
use std::ops::{Deref, DerefMut};

use super::fs::File;

/// Memory that is not written any more.
#[derive(Debug)]
pub(crate) struct Mmap(Vec<u8>);

/// Memory that is being written.
pub(crate) struct MmapMut(Vec<u8>);

impl Mmap {
    /// # Safety
    /// As elsewhere; here it does nothing.
    #[allow(unsafe_code, reason = "what it takes the place of is unsafe")]
    pub(crate) unsafe fn map(_file: &File) -> Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl MmapMut {
    pub(crate) fn map_anon(bytes: usize) -> Result<Self> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(bytes).map_err(|_| ErrorKind::OutOfMemory)?;
        memory.resize(bytes, 0);
        Ok(Self(memory))
    }

    pub(crate) fn make_read_only(self) -> Result<Mmap> {
        Ok(Mmap(self.0))
    }
}

impl Deref for Mmap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for MmapMut {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for MmapMut {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
