//! Coefficients to samples: the inverse cosine transform in integers, with the constants and the rounding of libjpeg's accurate one.
//!
//! After C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications" (1989): numbers
//! in fixed point with 13 bits, and 2 bits kept between columns and rows.

use std::num::Wrapping;

use super::block::{Block, SIDE};

/// A table of factors, in rows.
pub(super) type Quantisation = [u16; SIDE * SIDE];

/// Where a file's k-th coefficient stands in rows: from the corner along the diagonals.
pub(super) const NATURAL: [u8; SIDE * SIDE] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Bits behind the point of a constant.
const CONSTANT: usize = 13;
/// Bits behind the point between the passes.
const BETWEEN: usize = 2;

/// Coefficients of a hostile file overflow: any sample will do for it.
type Fixed = Wrapping<i32>;

/// The samples of a block, in rows, 0…255.
pub(super) fn transform(block: &Block, factors: &Quantisation) -> [u8; SIDE * SIDE] {
    let mut columns = [Wrapping(0); SIDE * SIDE];
    for column in 0..SIDE {
        let input: [Fixed; SIDE] = std::array::from_fn(|row| {
            let at = row * SIDE + column;
            Wrapping(i32::from(block[at])) * Wrapping(i32::from(factors[at]))
        });
        // Most columns of a photo are flat; the pass comes to the same.
        let is_flat = input[1..].iter().all(|value| value.0 == 0);
        let output =
            if is_flat { [input[0] << BETWEEN; SIDE] } else { pass(input, CONSTANT - BETWEEN) };
        for (row, value) in output.into_iter().enumerate() {
            columns[row * SIDE + column] = value;
        }
    }
    let mut samples = [0; SIDE * SIDE];
    for (row, out) in columns.as_chunks::<SIDE>().0.iter().zip(samples.chunks_exact_mut(SIDE)) {
        // The transform of a block has a factor of 8.
        for (value, out) in pass(*row, CONSTANT + BETWEEN + 3).into_iter().zip(out) {
            *out = (value + Wrapping(128)).0.clamp(0, 255) as u8;
        }
    }
    samples
}

/// One pass over eight values; `shift` bits are rounded off.
fn pass(input: [Fixed; SIDE], shift: usize) -> [Fixed; SIDE] {
    let times = |value: Fixed, constant: i32| value * Wrapping(constant);
    let [x0, x1, x2, x3, x4, x5, x6, x7] = input;

    let turn = times(x2 + x6, 4433);
    let (low, high) = (turn - times(x6, 15137), turn + times(x2, 6270));
    let (sum, difference) = ((x0 + x4) << CONSTANT, (x0 - x4) << CONSTANT);
    let even = [sum + high, difference + low, difference - low, sum - high];

    let turn = times(x7 + x3 + x5 + x1, 9633);
    let (z1, z2) = (times(x7 + x1, -7373), times(x5 + x3, -20995));
    let (z3, z4) = (times(x7 + x3, -16069) + turn, times(x5 + x1, -3196) + turn);
    let odd = [
        times(x1, 12299) + z1 + z4,
        times(x3, 25172) + z2 + z3,
        times(x5, 16819) + z2 + z4,
        times(x7, 2446) + z1 + z3,
    ];

    let half = Wrapping(1 << (shift - 1));
    std::array::from_fn(|at| {
        let exact = if at < 4 { even[at] + odd[at] } else { even[7 - at] - odd[7 - at] };
        (exact + half) >> shift
    })
}
