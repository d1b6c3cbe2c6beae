//! The caller's flash, behind three functions.

use core::ffi::c_void;

use headstart::store::{self, FlashStore, Geometry, Region};

/// A flash, and the part of it that keeps heads. It is copied; what `context` leads to stays the caller's.
///
/// A head is kept in slots, which commits go round: a power cut at any instant leaves the last head that was committed, or the new one.
/// The functions return 0, or any other number where the driver failed. They return when what they did is in the memory cells.
/// They must neither call this library nor unwind.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Flash {
    /// Given to each function as it is; may be null.
    pub context: *mut c_void,
    /// Fills `bytes` from `offset`, both in multiples of `read_bytes`.
    pub read: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u32,
            bytes: *mut u8,
            length: usize,
        ) -> i32,
    >,
    /// Writes erased words from `offset`, both in multiples of `write_bytes`.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u32,
            bytes: *const u8,
            length: usize,
        ) -> i32,
    >,
    /// Erases `length` bytes from `offset`, both in multiples of `erase_bytes`.
    pub erase: Option<unsafe extern "C" fn(context: *mut c_void, offset: u32, length: u32) -> i32>,
    /// Bytes of the whole flash.
    pub capacity: u32,
    /// The smallest read; divides `write_bytes`.
    pub read_bytes: u32,
    /// The smallest write: a power of two, 1 to 256.
    pub write_bytes: u32,
    /// The smallest erase: a multiple of `write_bytes`, 512 to 131072.
    pub erase_bytes: u32,
    /// Where the slots start, a multiple of `erase_bytes`. With `slot_bytes` and `slots` it is fixed for a product: heads are found
    /// only with those that they were committed with.
    pub region_start: u32,
    /// Bytes of a slot, a multiple of `erase_bytes`: at least `hs_pack_record_bytes` and 512 more.
    pub slot_bytes: u32,
    /// How many slots there are, 2 at least. Wear is spread evenly over them.
    pub slots: u16,
    /// What an erased byte reads as: 0xFF, or 0x00 on some chips.
    pub erased: u8,
}

impl Flash {
    pub(crate) fn region(&self) -> Region {
        Region { start: self.region_start, slot_bytes: self.slot_bytes, slots: self.slots }
    }
}

/// The driver failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverError;

/// The store of a session.
pub(crate) type CallersStore = FlashStore<Flash>;

fn done(number: Option<i32>) -> Result<(), DriverError> {
    if number == Some(0) { Ok(()) } else { Err(DriverError) }
}

impl store::Flash for Flash {
    type Error = DriverError;

    fn geometry(&self) -> Geometry {
        let Self { capacity, read_bytes, write_bytes, erase_bytes, erased, .. } = *self;
        Geometry { capacity, read: read_bytes, write: write_bytes, erase: erase_bytes, erased }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), DriverError> {
        let (to, length) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: the caller's function, with room for as many bytes as it is told.
        done(self.read.map(|read| unsafe { read(self.context, offset, to, length) }))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), DriverError> {
        let (from, length) = (bytes.as_ptr(), bytes.len());
        // SAFETY: the caller's function, with as many bytes as it is told.
        done(self.write.map(|write| unsafe { write(self.context, offset, from, length) }))
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), DriverError> {
        let length = to.saturating_sub(from);
        // SAFETY: the caller's function.
        done(self.erase.map(|erase| unsafe { erase(self.context, from, length) }))
    }
}
