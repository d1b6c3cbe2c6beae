//! The Fourier transform of real samples in float32, of several windows at once.
//!
//! A value is `[f32; L]`, one number a window: each has the same operations in the same order, whatever `L` is, so that the bits do
//! not depend on how many windows are transformed together. Radix 4, and one stage of radix 2 in front of it where the length asks
//! for it.

use super::{exact, fixed};

/// What one step works on: a number of each window.
type Lanes<const L: usize> = [f32; L];

/// Real and imaginary part.
type Complex<const L: usize> = [Lanes<L>; 2];

/// The sines that a transform of `sines.len()` samples needs, of 0 to one turn.
pub(super) fn fill_sines(sines: &mut [f32]) {
    let length = sines.len() as f64;
    for (at, sine) in sines.iter_mut().enumerate() {
        *sine = exact::cos((at as f64 / length - 0.25) * core::f64::consts::TAU) as f32;
    }
}

/// Where sample `index` of one window stands before the stages, among twice `1 << bits` real and imaginary parts.
#[inline]
pub(super) fn place(index: usize, bits: u32) -> usize {
    2 * fixed::place(index / 2, bits) + index % 2
}

#[inline(always)]
fn each<const L: usize>(f: impl Fn(usize) -> f32) -> Lanes<L> {
    core::array::from_fn(f)
}

#[inline(always)]
fn add<const L: usize>([ar, ai]: Complex<L>, [br, bi]: Complex<L>) -> Complex<L> {
    [each(|l| ar[l] + br[l]), each(|l| ai[l] + bi[l])]
}

#[inline(always)]
fn sub<const L: usize>([ar, ai]: Complex<L>, [br, bi]: Complex<L>) -> Complex<L> {
    [each(|l| ar[l] - br[l]), each(|l| ai[l] - bi[l])]
}

#[inline(always)]
fn multiply<const L: usize>([ar, ai]: Complex<L>, [br, bi]: [f32; 2]) -> Complex<L> {
    [each(|l| ar[l] * br - ai[l] * bi), each(|l| ar[l] * bi + ai[l] * br)]
}

/// The butterfly of radix 4 of values that are turned already.
#[inline(always)]
fn four<const L: usize>([x, y, z, w]: [Complex<L>; 4]) -> [Complex<L>; 4] {
    let (even, odd) = (add(x, z), sub(x, z));
    let (sum, difference) = (add(y, w), sub(y, w));
    let turned = [difference[1], each(|l| -difference[0][l])];
    [add(even, sum), add(odd, turned), sub(even, sum), sub(odd, turned)]
}

/// e^(−2πi · at / length).
#[inline]
fn turn(sines: &[f32], at: usize) -> [f32; 2] {
    [sines[at + sines.len() / 4], -sines[at]]
}

/// The transform of arranged pairs; `sines` has twice their number.
fn stages<const L: usize>(values: &mut [Complex<L>], sines: &[f32]) {
    let mut half = 1;
    if values.len().trailing_zeros() & 1 == 1 {
        for pair in values.as_chunks_mut::<2>().0 {
            let [x, y] = *pair;
            *pair = [add(x, y), sub(x, y)];
        }
        half = 2;
    } else {
        for group in values.as_chunks_mut::<4>().0 {
            *group = four(*group);
        }
        half *= 4;
    }
    while half < values.len() {
        let step = sines.len() / (4 * half);
        for group in values.chunks_exact_mut(4 * half) {
            let (first, rest) = group.split_at_mut(half);
            let (second, rest) = rest.split_at_mut(half);
            let (third, fourth) = rest.split_at_mut(half);
            let lines = first.iter_mut().zip(second).zip(third).zip(fourth);
            for (k, (((a, b), c), d)) in lines.enumerate() {
                let at = k * step;
                let y = multiply(*b, turn(sines, at));
                let z = multiply(*c, turn(sines, 2 * at));
                let w = multiply(*d, turn(sines, 3 * at));
                [*a, *b, *c, *d] = four([*a, y, z, w]);
            }
        }
        half *= 4;
    }
}

/// Turns arranged pairs of real samples into powers, |X|², of frequencies 0 to `values.len() − 1`, each in the first half of its
/// pair; of half the rate there is none.
pub(super) fn powers<const L: usize>(values: &mut [Complex<L>], sines: &[f32]) {
    stages(values, sines);
    let length = values.len();
    if let Some(first) = values.first_mut() {
        *first = [each(|l| (first[0][l] + first[1][l]) * (first[0][l] + first[1][l])), [0.0; L]];
    }
    let power = |[real, imaginary]: Complex<L>| {
        let power = each(|l| 0.25 * (real[l] * real[l] + imaginary[l] * imaginary[l]));
        [power, [0.0; L]]
    };
    for k in 1..=length / 2 {
        let this = values[k];
        let [real, imaginary] = values[length - k];
        let other = [real, each(|l| -imaginary[l])];
        let (even, odd) = (add(this, other), sub(this, other));
        let [cosine, sine] = turn(sines, k);
        // A quarter of a turn further on.
        let odd = multiply(odd, [sine, -cosine]);
        values[k] = power(add(even, odd));
        values[length - k] = power(sub(even, odd));
    }
}

/// The natural logarithm of normal numbers above 0, to 2 · 10⁻⁷ of it or of 1.
#[inline]
pub(super) fn ln<const L: usize>(x: Lanes<L>) -> Lanes<L> {
    each(|l| {
        // Mantissas from √½ to √2.
        let bits = x[l].to_bits();
        let exponent = (bits.wrapping_sub(0x3f35_04f3) as i32) >> 23;
        let mantissa = f32::from_bits(bits.wrapping_sub((exponent << 23) as u32));
        // ln m = 2 artanh s
        let s = (mantissa - 1.0) / (mantissa + 1.0);
        let square = s * s;
        let series = square
            * (2.0 / 3.0 + square * (2.0 / 5.0 + square * (2.0 / 7.0 + square * (2.0 / 9.0))));
        exponent as f32 * core::f32::consts::LN_2 + (2.0 * s + s * series)
    })
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;
    use std::{assert_eq, vec};

    use super::*;

    #[test]
    fn powers_are_those_of_the_transform_in_any_number_of_lanes() {
        for bits in 3..=12 {
            let length = 1_usize << bits;
            let mut sines = vec![0.0; length];
            fill_sines(&mut sines);
            let sample = |lane: usize, at: usize| {
                ((lane * 7919 + at) as u32).wrapping_mul(2_654_435_769) as i32 as f32
                    / 2.0_f32.powi(31)
            };
            let mut several = vec![[[0.0_f32; 4]; 2]; length / 2];
            for at in 0..length {
                let place = place(at, bits - 1);
                several[place / 2][place % 2] = core::array::from_fn(|lane| sample(lane, at));
            }
            powers(&mut several, &sines);
            for lane in 0..4 {
                let mut one = vec![[[0.0_f32; 1]; 2]; length / 2];
                for at in 0..length {
                    let place = place(at, bits - 1);
                    one[place / 2][place % 2] = [sample(lane, at)];
                }
                powers(&mut one, &sines);
                let found: Vec<f32> = several.iter().map(|value| value[0][lane]).collect();
                let alone: Vec<f32> = one.iter().map(|value| value[0][0]).collect();
                assert_eq!(found, alone);
                for (k, &found) in found.iter().enumerate() {
                    let (mut real, mut imaginary) = (0.0, 0.0);
                    for at in 0..length {
                        let angle =
                            core::f64::consts::TAU * (k * at % length) as f64 / length as f64;
                        real += f64::from(sample(lane, at)) * libm::cos(angle);
                        imaginary += f64::from(sample(lane, at)) * libm::sin(angle);
                    }
                    let expected = real * real + imaginary * imaginary;
                    let error = (libm::sqrt(found.into()) - libm::sqrt(expected)).abs();
                    assert!(
                        error < 2e-6 * libm::sqrt(length as f64),
                        "{length} {k}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn logarithms_are_those_of_the_library() {
        for step in 0..200_000_u32 {
            let x = f32::from_bits(0x0080_0000 + step * 10_000);
            let [found] = ln([x]);
            let expected = libm::log(x.into());
            assert!((f64::from(found) - expected).abs() < 2e-7 * expected.abs().max(1.0), "{x}");
        }
    }
}
