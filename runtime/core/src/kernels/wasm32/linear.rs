use core::arch::wasm32::*;

use crate::kernels::chunk::{Chunk, padded};

/// See [`linear::dots`](crate::kernels::linear::dots).
pub(super) fn dots(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    let [a, b, c, d] = rows.map(|row| row[..x.len()].as_chunks());
    let (chunks, tail) = x.as_chunks();
    let mut lanes = [[f32x4_splat(0.0); 2]; 4];
    for ((((a, b), c), d), x) in a.0.iter().zip(b.0).zip(c.0).zip(d.0).zip(chunks) {
        lanes = add_products(lanes, [a, b, c, d].map(load), load(x));
    }
    let part = |tail: &[f32]| load(&padded(tail));
    add_products(lanes, [a.1, b.1, c.1, d.1].map(part), part(tail)).map(sum)
}

#[inline(always)]
fn add_products(lanes: [[v128; 2]; 4], rows: [[v128; 2]; 4], x: [v128; 2]) -> [[v128; 2]; 4] {
    core::array::from_fn(|row| {
        core::array::from_fn(|half| {
            f32x4_add(lanes[row][half], f32x4_mul(rows[row][half], x[half]))
        })
    })
}

#[inline(always)]
fn load(chunk: &Chunk) -> [v128; 2] {
    // SAFETY: a chunk is eight numbers.
    unsafe { [v128_load(chunk.as_ptr().cast()), v128_load(chunk[4..].as_ptr().cast())] }
}

/// `((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7))`.
#[inline(always)]
fn sum(lanes: [v128; 2]) -> f32 {
    let halves = f32x4_add(lanes[0], lanes[1]);
    let quarters = f32x4_add(halves, i32x4_shuffle::<2, 3, 2, 3>(halves, halves));
    f32x4_extract_lane::<0>(quarters) + f32x4_extract_lane::<1>(quarters)
}
