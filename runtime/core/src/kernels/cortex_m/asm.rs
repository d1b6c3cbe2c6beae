//! The inner loops in assembly. [`portable`](super::portable) says what each does.
//!
//! They call nothing, keep no reference, and change no state but the FPU's scratch registers and the
//! Q flag. The rounding mode is the reset value, to nearest.
#![allow(unsafe_code, reason = "assembly cannot be checked")]

use core::arch::global_asm;

use super::{Band, Columns, Rows, Sum, Tile};

// The assembler does not see which core the compiler was told; on Armv7E-M it needs no telling.
#[cfg(headstart_armv8m)]
global_asm!(".cpu cortex-m33", options(raw));
global_asm!(include_str!("multiply.s"), options(raw));
global_asm!(include_str!("widen.s"), options(raw));
global_asm!(include_str!("depthwise.s"), options(raw));
global_asm!(include_str!("add.s"), options(raw));

unsafe extern "C" {
    fn headstart_multiply4_64(tile: *const Tile);
    fn headstart_multiply4_any(tile: *const Tile);
    fn headstart_multiply1(tile: *const Tile);
    fn headstart_clamp(first: *mut i8, last: *mut i8, low: u32, high: u32);
    fn headstart_widen(from: *const i8, quads: usize, to: *mut u32, step: usize);
    fn headstart_widen4(from: *const i8, stride: usize, quads: usize, to: *mut u32);
    fn headstart_copy(from: *const i8, length: usize, to: *mut i8);
    fn headstart_copy_rows(rows: *const Rows);
    fn headstart_fill(to: *mut u32, step: usize, words: usize, word: u32);
    fn headstart_depthwise1(band: *const Band);
    fn headstart_depthwise2(band: *const Band);
    fn headstart_pair_columns(columns: *mut Columns);
    fn headstart_move_rows(to: *mut u32, ahead: usize, pitch: usize, pairs: usize);
    fn headstart_pair_weights(weights: *const i8, to: *mut u32, step: usize);
    fn headstart_add(sum: *const Sum);
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn widen(from: *const i8, quads: usize, to: *mut u32, count: usize) {
    // SAFETY: as the function's.
    unsafe { headstart_widen(from, quads, to, 4 * count) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn fill(zero_point: i8, quads: usize, to: *mut u32, count: usize) {
    let half = u32::from(i16::from(zero_point).cast_unsigned());
    // SAFETY: as the function's.
    unsafe { headstart_fill(to, 4 * count, 2 * quads, half | half << 16) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn copy(from: *const i8, length: usize, to: *mut i8) {
    // SAFETY: as the function's.
    unsafe { headstart_copy(from, length, to) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn widen_four(from: *const i8, stride: usize, quads: usize, to: *mut u32) {
    // SAFETY: as the function's.
    unsafe { headstart_widen4(from, stride, quads, to) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn multiply(tile: &Tile, pixels: usize) {
    // SAFETY: as the function's; each loop is for the pixels and step by which it is chosen.
    unsafe {
        match (pixels, tile.step) {
            (4, 64) => headstart_multiply4_64(tile),
            (4, _) => headstart_multiply4_any(tile),
            _ => headstart_multiply1(tile),
        }
    }
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn clamp(results: *mut i8, last: usize, min: i8, max: i8) {
    let four_times = |q: i8| u32::from(q.cast_unsigned()) * 0x0101_0101;
    // SAFETY: as the function's.
    unsafe { headstart_clamp(results, results.add(last), four_times(min), four_times(max)) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn copy_rows(rows: &Rows) {
    // SAFETY: as the function's.
    unsafe { headstart_copy_rows(rows) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn pair_columns(columns: &mut Columns) {
    // SAFETY: as the function's.
    unsafe { headstart_pair_columns(columns) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn move_rows(to: *mut u32, ahead: usize, rows: usize, pairs: usize) {
    // SAFETY: as the function's.
    unsafe { headstart_move_rows(to, 16 * ahead, 16 * rows, pairs) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn pair_weights(weights: *const i8, step: usize, to: *mut u32) {
    // SAFETY: as the function's.
    unsafe { headstart_pair_weights(weights, to, step) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn depthwise(band: &Band) {
    // SAFETY: as the function's.
    unsafe { headstart_depthwise1(band) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn depthwise_by_two(band: &Band) {
    // SAFETY: as the function's.
    unsafe { headstart_depthwise2(band) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn add(sum: &Sum) {
    // SAFETY: as the function's.
    unsafe { headstart_add(sum) };
}
