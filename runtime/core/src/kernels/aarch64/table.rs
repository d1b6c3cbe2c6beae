use core::arch::aarch64::*;

use crate::kernels::generic::{Table, entry};

/// Replaces every element by its entry: a quarter of the table is four registers, which one instruction looks up in.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn look_up(table: &Table, elements: &mut [i8]) {
    // SAFETY: a table is four times 64 bytes.
    let quarter = |at: usize| unsafe { vld1q_u8_x4(table.as_ptr().add(at * 64)) };
    let quarters = [quarter(0), quarter(1), quarter(2), quarter(3)];
    let (steps, rest) = elements.as_chunks_mut::<16>();
    for step in steps {
        // SAFETY: a step is 16 bytes.
        unsafe {
            let place = veorq_u8(vld1q_u8(step.as_ptr().cast()), vdupq_n_u8(0x80));
            // A place outside a quarter gives 0, or leaves what was found.
            let mut found = vqtbl4q_u8(quarters[0], place);
            found = vqtbx4q_u8(found, quarters[1], vsubq_u8(place, vdupq_n_u8(64)));
            found = vqtbx4q_u8(found, quarters[2], vsubq_u8(place, vdupq_n_u8(128)));
            found = vqtbx4q_u8(found, quarters[3], vsubq_u8(place, vdupq_n_u8(192)));
            vst1q_u8(step.as_mut_ptr().cast(), found);
        }
    }
    rest.iter_mut().for_each(|q| *q = entry(table, *q));
}
