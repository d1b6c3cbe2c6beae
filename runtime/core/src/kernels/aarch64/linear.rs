use core::arch::aarch64::*;

use crate::kernels::chunk::{Chunk, padded};

/// See [`linear::dots`](crate::kernels::linear::dots).
#[target_feature(enable = "neon")]
pub(super) fn dots(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    let [a, b, c, d] = rows.map(|row| row[..x.len()].as_chunks());
    let (chunks, tail) = x.as_chunks();
    let mut lanes = [[vdupq_n_f32(0.0); 2]; 4];
    for ((((a, b), c), d), x) in a.0.iter().zip(b.0).zip(c.0).zip(d.0).zip(chunks) {
        lanes = add_products(lanes, [a, b, c, d].map(|row| load(row)), load(x));
    }
    let part = |tail: &[f32]| load(&padded(tail));
    let [a, b, c, d] = add_products(lanes, [a.1, b.1, c.1, d.1].map(part), part(tail))
        .map(|lanes| quarters(lanes));
    let mut sums = [0.0; 4];
    // SAFETY: the array is four numbers.
    unsafe { vst1q_f32(sums.as_mut_ptr(), vcombine_f32(vpadd_f32(a, b), vpadd_f32(c, d))) };
    sums
}

/// Not fused: the bits are those of every other machine.
#[inline]
#[target_feature(enable = "neon")]
fn add_products(
    lanes: [[float32x4_t; 2]; 4],
    rows: [[float32x4_t; 2]; 4],
    x: [float32x4_t; 2],
) -> [[float32x4_t; 2]; 4] {
    core::array::from_fn(|row| {
        core::array::from_fn(|half| {
            vaddq_f32(lanes[row][half], vmulq_f32(rows[row][half], x[half]))
        })
    })
}

#[inline]
#[target_feature(enable = "neon")]
fn load(chunk: &Chunk) -> [float32x4_t; 2] {
    // SAFETY: a chunk is eight numbers.
    let both = unsafe { vld1q_f32_x2(chunk.as_ptr()) };
    [both.0, both.1]
}

/// `(l0 + l4) + (l2 + l6)` and `(l1 + l5) + (l3 + l7)`.
#[inline]
#[target_feature(enable = "neon")]
fn quarters(lanes: [float32x4_t; 2]) -> float32x2_t {
    let halves = vaddq_f32(lanes[0], lanes[1]);
    vadd_f32(vget_low_f32(halves), vget_high_f32(halves))
}
