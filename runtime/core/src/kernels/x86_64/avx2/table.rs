use core::arch::x86_64::*;

use crate::kernels::generic::{Table, entry};

/// Replaces every element by its entry. A sixteenth of the table is a register, which one instruction looks up in.
///
/// A byte with the highest bit gives 0 there. So as a place falls by 16 with each register, all registers up to the one that holds it
/// count: each holds what it adds, by exclusive or, to the one before.
#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::kernels::x86_64) fn look_up(table: &Table, elements: &mut [i8]) {
    let sixteen = _mm256_set1_epi8(16);
    let mut parts = [_mm256_setzero_si256(); 16];
    for (part, bytes) in parts.iter_mut().zip(table.as_chunks::<16>().0) {
        // SAFETY: a part is 16 bytes.
        *part = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) });
    }
    // The halves of a table are apart: places go from 0 to 127 in both.
    for at in (1..16).rev().filter(|at| at % 8 != 0) {
        parts[at] = _mm256_xor_si256(parts[at], parts[at - 1]);
    }
    let (steps, rest) = elements.as_chunks_mut::<32>();
    for step in steps {
        // SAFETY: a step is 32 bytes.
        let q = unsafe { _mm256_loadu_si256(step.as_ptr().cast()) };
        // Of an element below 0 this one is its place in the lower half, and it has the highest bit itself: no place in the upper one.
        let (mut low, mut high) = (_mm256_xor_si256(q, _mm256_set1_epi8(i8::MIN)), q);
        let mut found = _mm256_setzero_si256();
        for at in 0..8 {
            let both = _mm256_xor_si256(
                _mm256_shuffle_epi8(parts[at], low),
                _mm256_shuffle_epi8(parts[8 + at], high),
            );
            found = _mm256_xor_si256(found, both);
            (low, high) = (_mm256_subs_epi8(low, sixteen), _mm256_subs_epi8(high, sixteen));
        }
        // SAFETY: a step is 32 bytes.
        unsafe { _mm256_storeu_si256(step.as_mut_ptr().cast(), found) };
    }
    rest.iter_mut().for_each(|q| *q = entry(table, *q));
}
