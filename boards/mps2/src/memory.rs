//! The regions of the machine's memory map, and how much of them was used.

use core::slice;

unsafe extern "C" {
    static mut __sheap: u32;
    static mut _stack_start: u32;
    static mut _stack_end: u32;
    static _headstart_pack: u8;
    static mut _headstart_flash: u8;
    static _headstart_clips: u8;
    static __sdata: u32;
}

/// What cortex-m-rt paints free memory with at reset.
const PAINT: u32 = 0xCCCC_CCCC;

/// The least room for the stack.
pub const LEAST_STACK: usize = 4 << 10;

/// The first bytes at the pack's address.
#[must_use]
pub fn pack(length: usize) -> &'static [u8] {
    // SAFETY: the memory map keeps a mebibyte there that nothing writes.
    unsafe { slice::from_raw_parts(&raw const _headstart_pack, length.min(1 << 20)) }
}

/// The first bytes at the clips' address.
#[must_use]
pub fn clips(length: usize) -> &'static [u8] {
    // SAFETY: the memory map keeps 16 MiB there that nothing writes.
    unsafe { slice::from_raw_parts(&raw const _headstart_clips, length.min(16 << 20)) }
}

/// Memory at the clips' address, for a program that has none.
///
/// # Safety
/// The slice is the only one, and [`clips`] is not called.
#[must_use]
pub unsafe fn spare(length: usize) -> &'static mut [u8] {
    // SAFETY: the memory map keeps 16 MiB there, which only this slice refers to.
    unsafe {
        slice::from_raw_parts_mut((&raw const _headstart_clips).cast_mut(), length.min(16 << 20))
    }
}

/// The emulated flash. Called once.
///
/// # Safety
/// The slice is the only one.
#[must_use]
pub unsafe fn flash(length: usize) -> &'static mut [u8] {
    // SAFETY: the memory map keeps 128 KiB there, which only this slice refers to.
    unsafe { slice::from_raw_parts_mut(&raw mut _headstart_flash, length.min(128 << 10)) }
}

/// Memory for a session, between static data and the stack; `None` if less than [`LEAST_STACK`]
/// would be left.
///
/// # Safety
/// The slice is the only one.
#[must_use]
pub unsafe fn session(length: usize) -> Option<&'static mut [u8]> {
    let start = &raw mut __sheap;
    let end = cortex_m::register::msp::read() as usize;
    let free = end.checked_sub(start as usize)?.checked_sub(LEAST_STACK)?;
    // SAFETY: nothing but the stack lies behind `__sheap`, and that has its room.
    (length <= free).then(|| unsafe { slice::from_raw_parts_mut(start.cast(), length) })
}

/// All memory between static data and the stack, but for `stack` bytes.
///
/// # Safety
/// The slice is the only one, and [`session`] is not called.
#[must_use]
pub unsafe fn rest(stack: usize) -> &'static mut [u8] {
    let start = &raw mut __sheap;
    let end = cortex_m::register::msp::read() as usize;
    let free = end.saturating_sub(start as usize).saturating_sub(stack) & !3;
    // SAFETY: nothing but the stack lies behind `__sheap`, and that has its room.
    unsafe { slice::from_raw_parts_mut(start.cast(), free) }
}

/// Bytes at an address.
///
/// # Safety
/// Memory is there, and nothing writes to it.
#[must_use]
pub unsafe fn at(start: u32, length: u32) -> &'static [u8] {
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts(start as *const u8, length as usize) }
}

/// Bytes of static data.
#[must_use]
pub fn static_bytes() -> usize {
    (&raw const __sheap as usize) - (&raw const __sdata as usize)
}

/// Bytes of the stack that were used since the reset: above a session of `session` bytes, what no
/// longer holds cortex-m-rt's paint.
#[must_use]
pub fn stack_bytes(session: usize) -> usize {
    let start = (&raw const __sheap as usize + session).next_multiple_of(4) as *const u32;
    let end = &raw const _stack_start;
    let words = (end as usize - start as usize) / 4;
    // SAFETY: the memory between the session and the stack's start; it is read as it is.
    let painted =
        (0..words).take_while(|&word| unsafe { start.add(word).read_volatile() } == PAINT);
    4 * (words - painted.count())
}
