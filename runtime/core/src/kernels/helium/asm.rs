//! The inner loops in assembly. [`portable`](super::portable) says what each does.
//!
//! They call nothing, keep no reference, and change no state but the vector registers, of which they restore q4 to q7, and the
//! predicate. Vectors of floats round to nearest, and take what is smaller than 2⁻¹²⁶ for 0: no result of int8 depends on it.
#![allow(unsafe_code, reason = "assembly cannot be checked")]

use core::arch::global_asm;

use super::{Band, Columns, Points, Rows, Sum, Tile};

// The assembler does not see which core the compiler was told.
global_asm!(
    ".cpu cortex-m55",
    include_str!("multiply.s"),
    include_str!("depthwise.s"),
    options(raw)
);

unsafe extern "C" {
    fn headstart_helium_multiply4(tile: *const Tile);
    fn headstart_helium_multiply1(tile: *const Tile);
    fn headstart_helium_points(points: *const Points);
    fn headstart_helium_copy(rows: *const Rows);
    fn headstart_helium_fill(to: *mut i8, bytes: usize, byte: i32);
    fn headstart_helium_depthwise1(band: *const Band);
    fn headstart_helium_depthwise2(band: *const Band);
    fn headstart_helium_columns(columns: *const Columns);
    fn headstart_helium_taps(weights: *const i8, step: usize, cells: *mut i8);
    fn headstart_helium_add(sum: *const Sum);
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn multiply(tile: &Tile, together: usize) {
    // SAFETY: as the function's.
    unsafe {
        if together == 1 {
            headstart_helium_multiply1(tile);
        } else {
            headstart_helium_multiply4(tile);
        }
    }
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn points(points: &Points) {
    // SAFETY: as the function's.
    unsafe { headstart_helium_points(points) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn copy(rows: &Rows) {
    // SAFETY: as the function's.
    unsafe { headstart_helium_copy(rows) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn fill(to: *mut i8, bytes: usize, byte: i8) {
    // SAFETY: as the function's.
    unsafe { headstart_helium_fill(to, bytes, byte.into()) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn depthwise(band: &Band, stride: usize) {
    // SAFETY: as the function's.
    unsafe {
        if stride == 1 {
            headstart_helium_depthwise1(band);
        } else {
            headstart_helium_depthwise2(band);
        }
    }
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn columns(columns: &Columns) {
    // SAFETY: as the function's.
    unsafe { headstart_helium_columns(columns) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn taps(weights: *const i8, step: usize, cells: *mut i8) {
    // SAFETY: as the function's.
    unsafe { headstart_helium_taps(weights, step, cells) };
}

/// # Safety
/// As its portable twin's.
pub(super) unsafe fn add(sum: &Sum) {
    // SAFETY: as the function's.
    unsafe { headstart_helium_add(sum) };
}
