//! Samples that Rust and Python make alike.

/// Noise and a square wave, both rising and falling.
pub(crate) fn samples(count: u32) -> Vec<i16> {
    let sample = |at: u32| {
        let noise = (at.wrapping_mul(2_654_435_761) >> 16) as i32 - 32768;
        let square = if at / 23 % 2 == 1 { 9000 } else { -9000 };
        let (loud, level) = ((at / 500 % 9) as i32, (at / 700 % 4) as i32);
        ((noise * loud).div_euclid(64) + (square * level).div_euclid(3)) as i16
    };
    (0..count).map(sample).collect()
}
