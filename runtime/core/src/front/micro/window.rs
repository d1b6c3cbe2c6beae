//! The window: a Hann window with 12 bits.

use crate::front::{exact, fixed};

/// Bits of a factor.
const BITS: u32 = 12;

/// Factor `i` is ½ − ½ cos(2π (i + ½) / length), in float32 with the cosine rounded once.
pub(super) fn fill(window: &mut [i16]) {
    let angle = core::f32::consts::PI * 2.0 / window.len() as f32;
    for (at, factor) in window.iter_mut().enumerate() {
        let cosine = exact::cos((angle * (at as f32 + 0.5)).into()) as f32;
        let value = (0.5 - 0.5 * cosine) * (1 << BITS) as f32 + 0.5;
        *factor = exact::floor(value.into()) as i16;
    }
}

/// Puts the windowed samples, shifted left by as many bits as the loudest leaves free, where the transform wants them; returns the bits.
pub(super) fn apply(samples: &[i16], window: &[i16], transform: &mut [u32]) -> u32 {
    let windowed =
        |(&sample, &factor): (&i16, &i16)| ((i32::from(sample) * i32::from(factor)) >> BITS) as i16;
    let products = samples.iter().zip(window).map(windowed);
    // As in C, −32768 is its own negative, and not loud.
    let loudest = products.clone().map(i16::wrapping_abs).fold(0, i16::max);
    let shift = (loudest as u32).leading_zeros() - 17;
    let shifted = |sample: i16| (u32::from(sample as u16) << shift) as i16;
    let (pairs, rest) = samples.as_chunks::<2>();
    let (factors, last) = window.as_chunks::<2>();
    let both = |(&[a, b], &[p, q]): (&[i16; 2], &[i16; 2])| {
        [shifted(windowed((&a, &p))), shifted(windowed((&b, &q)))]
    };
    let odd = rest.iter().zip(last).map(|pair| [shifted(windowed(pair)), 0]);
    transform.fill(0);
    fixed::arrange(
        pairs.iter().zip(factors).map(both).chain(odd),
        bytemuck::cast_slice_mut(transform),
    );
    shift
}
