//! The long loops in assembly, for the DSP extension and a single-precision FPU.
#![allow(unsafe_code, reason = "the inner loops take pointers that this file bounds")]

use core::arch::global_asm;

// The assembler does not see which core the compiler was told; on Armv7E-M it needs no telling.
#[cfg(headstart_armv8m)]
global_asm!(".cpu cortex-m33", include_str!("dsp.s"), options(raw));
#[cfg(not(headstart_armv8m))]
global_asm!(include_str!("dsp.s"), options(raw));

unsafe extern "C" {
    fn headstart_dot(weights: *const f32, features: *const i8, chunks: usize, lanes: *mut f32);
    fn headstart_move(step: *const Step);
    fn headstart_distance(features: *const i8, centre: *const i8, chunks: usize, sums: *mut i64);
}

/// A change of weights, as the inner loop reads it.
#[derive(Debug)]
#[repr(C)]
struct Step {
    weights: *mut f32,
    /// Bytes from one class to the next.
    row: usize,
    features: *const i8,
    centre: *const i8,
    /// Whole chunks of eight features.
    chunks: usize,
    changes: *const f32,
    classes: usize,
}

pub(super) fn dot(weights: &[[f32; 8]], features: &[[i8; 8]], lanes: &mut [f32; 8]) {
    let chunks = weights.len().min(features.len());
    // SAFETY: both hold as many chunks.
    unsafe {
        headstart_dot(
            weights.as_ptr().cast(),
            features.as_ptr().cast(),
            chunks,
            lanes.as_mut_ptr(),
        );
    }
}

pub(super) fn distance(features: &[[i8; 8]], centre: &[[i8; 8]], sums: &mut [i64; 2]) {
    let chunks = features.len().min(centre.len());
    // SAFETY: both hold as many chunks.
    unsafe {
        headstart_distance(
            features.as_ptr().cast(),
            centre.as_ptr().cast(),
            chunks,
            sums.as_mut_ptr(),
        );
    }
}

pub(super) fn move_weights(
    weights: &mut [f32],
    changes: &[f32],
    features: &[[i8; 8]],
    centre: &[[i8; 8]],
    feature_len: usize,
) {
    let (chunks, classes) = (features.len().min(centre.len()), changes.len());
    let whole = chunks * 8 <= feature_len && classes * feature_len <= weights.len();
    assert!(whole, "too few weights");
    if classes == 0 {
        return;
    }
    let step = Step {
        weights: weights.as_mut_ptr(),
        row: 4 * feature_len,
        features: features.as_ptr().cast(),
        centre: centre.as_ptr().cast(),
        chunks,
        changes: changes.as_ptr(),
        classes,
    };
    // SAFETY: every class has a row of `feature_len` weights, which holds all chunks.
    unsafe { headstart_move(&step) };
}
