//! Short copies.
#![allow(unsafe_code, reason = "kernels copy through pointers that their drivers bound")]

/// Copies `length` bytes between memory that does not overlap. Short runs are a few moves and no
/// call.
///
/// # Safety
/// `from` is readable and `to` writable for `length` bytes.
#[inline(always)]
pub(in crate::kernels) unsafe fn copy(from: *const i8, length: usize, to: *mut i8) {
    /// Whole units, and the last one again where they do not end with the run.
    #[inline(always)]
    unsafe fn units<U>(from: *const i8, length: usize, to: *mut i8) {
        let unit = size_of::<U>();
        let mut at = 0;
        while at < length {
            let here = at.min(length - unit);
            // SAFETY: the unit ends with the run or before.
            unsafe {
                to.add(here)
                    .cast::<U>()
                    .write_unaligned(from.add(here).cast::<U>().read_unaligned());
            }
            at += unit;
        }
    }
    // SAFETY: the caller's; units are no longer than the run.
    unsafe {
        match length {
            0 => (),
            1 => to.write(from.read()),
            2..4 => units::<[u8; 2]>(from, length, to),
            4..8 => units::<u32>(from, length, to),
            8..16 => units::<u64>(from, length, to),
            16..=256 => units::<u128>(from, length, to),
            _ => to.copy_from_nonoverlapping(from, length),
        }
    }
}
