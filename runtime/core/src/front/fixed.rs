//! The Fourier transform in int16, with the roundings of kissfft (`FIXED_POINT=16`), as TensorFlow Lite Micro uses it.
//!
//! Real samples go in two by two as complex numbers; stages of radix 4, and one of radix 2 in front of them where the length asks
//! for it, each dividing by its radix; then the two halves are taken apart. Every product is rounded half up to int16.

use super::exact;

/// A complex number: real part, imaginary part.
type Complex = [i16; 2];

/// The sines that a transform of `sines.len()` samples needs: entry `i` is ⌊32767 sin(2π i / length) + ½⌋.
pub(super) fn fill_sines(sines: &mut [i16]) {
    let length = sines.len();
    for (at, sine) in sines.iter_mut().enumerate() {
        let angle = (at as f64 - length as f64 / 4.0) / length as f64 * core::f64::consts::TAU;
        *sine = exact::floor(32767.0 * exact::cos(angle) + 0.5) as i16;
    }
}

/// Where sample pair `index` of `1 << bits` stands before the stages: digits of base 4, and one of base 2 at the top if `bits` is
/// odd, in the other order.
#[inline]
pub(super) fn place(index: usize, bits: u32) -> usize {
    let swap = |x: u32| (x & 0x5555_5555) << 1 | (x >> 1) & 0x5555_5555;
    let reversed = (index as u32).reverse_bits().checked_shr(32 - bits).unwrap_or(0);
    let odd = bits & 1;
    (swap(reversed >> odd) << odd | reversed & odd) as usize
}

/// Puts pair after pair of samples where the transform of `out.len()` pairs wants them.
pub(super) fn arrange(pairs: impl Iterator<Item = Complex>, out: &mut [Complex]) {
    let bits = out.len().trailing_zeros();
    for (index, pair) in pairs.enumerate() {
        if let Some(slot) = out.get_mut(place(index, bits)) {
            *slot = pair;
        }
    }
}

fn round(product: i32) -> i16 {
    (product.wrapping_add(1 << 14) >> 15) as i16
}

fn divide(x: i16, by: i32) -> i16 {
    round(i32::from(x) * (32767 / by))
}

fn multiply([ar, ai]: Complex, [br, bi]: Complex) -> Complex {
    let [ar, ai, br, bi] = [ar, ai, br, bi].map(i32::from);
    [round((ar * br).wrapping_sub(ai * bi)), round((ar * bi).wrapping_add(ai * br))]
}

fn add([ar, ai]: Complex, [br, bi]: Complex) -> Complex {
    [ar.wrapping_add(br), ai.wrapping_add(bi)]
}

fn sub([ar, ai]: Complex, [br, bi]: Complex) -> Complex {
    [ar.wrapping_sub(br), ai.wrapping_sub(bi)]
}

/// e^(−2πi · at / length).
fn turn(sines: &[i16], at: usize) -> Complex {
    [sines[at + sines.len() / 4], sines[at].wrapping_neg()]
}

/// The transform of arranged pairs; `sines` has twice their number.
fn stages(values: &mut [Complex], sines: &[i16]) {
    let mut half = 1;
    if values.len().trailing_zeros() & 1 == 1 {
        for [a, b] in values.as_chunks_mut::<2>().0 {
            let [x, y] = [*a, *b].map(|z| z.map(|part| divide(part, 2)));
            let y = multiply(y, turn(sines, 0));
            [*a, *b] = [add(x, y), sub(x, y)];
        }
        half = 2;
    }
    while half < values.len() {
        let step = sines.len() / (4 * half);
        for group in values.chunks_exact_mut(4 * half) {
            let (first, rest) = group.split_at_mut(half);
            let (second, rest) = rest.split_at_mut(half);
            let (third, fourth) = rest.split_at_mut(half);
            let lines = first.iter_mut().zip(second).zip(third).zip(fourth);
            for (k, (((a, b), c), d)) in lines.enumerate() {
                let [x, y, z, w] = [*a, *b, *c, *d].map(|z| z.map(|part| divide(part, 4)));
                let at = k * step;
                let y = multiply(y, turn(sines, at));
                let z = multiply(z, turn(sines, 2 * at));
                let w = multiply(w, turn(sines, 3 * at));
                let (even, odd) = (add(x, z), sub(x, z));
                let (sum, [difference, turned]) = (add(y, w), sub(y, w));
                *a = add(even, sum);
                *c = sub(even, sum);
                *b = [odd[0].wrapping_add(turned), odd[1].wrapping_sub(difference)];
                *d = [odd[0].wrapping_sub(turned), odd[1].wrapping_add(difference)];
            }
        }
        half *= 4;
    }
}

/// Squared magnitude, as int32: only −32768 in both parts overflows, as in C.
fn energy([real, imaginary]: [i16; 2]) -> i32 {
    let [real, imaginary] = [real, imaginary].map(i32::from);
    (real * real).wrapping_add(imaginary * imaginary)
}

/// Turns arranged pairs of real samples into the energies of frequencies 1 to `values.len() − 1`, in their place; of 0 and of the
/// last, half the rate, no front end asks.
pub(super) fn energies(words: &mut [u32], sines: &[i16]) {
    let values: &mut [Complex] = bytemuck::cast_slice_mut(words);
    stages(values, sines);
    let length = values.len();
    let halve = |a: i16, b: i16| ((i32::from(a) + i32::from(b)) >> 1) as i16;
    let halved = |a: i16, b: i16| ((i32::from(a) - i32::from(b)) >> 1) as i16;
    for k in 1..=length / 2 {
        let this = values[k].map(|part| divide(part, 2));
        let [real, imaginary] = values[length - k];
        let other = [real, imaginary.wrapping_neg()].map(|part| divide(part, 2));
        let (even, odd) = (add(this, other), sub(this, other));
        let [real, imaginary] = multiply(odd, turn_quarter(sines, k));
        let low = [halve(even[0], real), halve(even[1], imaginary)];
        let high = [halved(even[0], real), halved(imaginary, even[1])];
        values[k] = bytemuck::cast(energy(low));
        values[length - k] = bytemuck::cast(energy(high));
    }
}

/// e^(−2πi · (at / length + ¼)).
fn turn_quarter(sines: &[i16], at: usize) -> Complex {
    [sines[at].wrapping_neg(), sines[at + sines.len() / 4].wrapping_neg()]
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;
    use std::{assert_eq, vec};

    use super::*;

    #[test]
    fn sines_are_rounded_from_exact_ones() {
        for bits in 4..=13 {
            let mut sines = vec![0; 1 << bits];
            fill_sines(&mut sines);
            for (at, &sine) in sines.iter().enumerate() {
                let angle = 2.0 * core::f64::consts::PI * at as f64 / sines.len() as f64;
                assert_eq!(sine, libm::floor(0.5 + 32767.0 * libm::sin(angle)) as i16);
            }
        }
    }

    #[test]
    fn energies_are_those_of_the_transform() {
        for bits in 3..=12 {
            let length = 1_usize << bits;
            let mut sines = vec![0; length];
            fill_sines(&mut sines);
            let samples: Vec<i16> = (0..length as u32)
                .map(|at| (at.wrapping_mul(2_654_435_769) >> 17) as i16)
                .collect();
            let mut words = vec![0_u32; length / 2];
            let pairs = samples.as_chunks::<2>().0.iter().copied();
            arrange(pairs, bytemuck::cast_slice_mut(&mut words));
            energies(&mut words, &sines);
            for (k, &found) in words.iter().enumerate().skip(1) {
                let (mut real, mut imaginary) = (0.0, 0.0);
                for (at, &sample) in samples.iter().enumerate() {
                    let angle = core::f64::consts::TAU * (k * at % length) as f64 / length as f64;
                    real += f64::from(sample) * libm::cos(angle);
                    imaginary += f64::from(sample) * libm::sin(angle);
                }
                let expected = libm::hypot(real, imaginary) / length as f64;
                let found = libm::sqrt(f64::from(found));
                assert!((found - expected).abs() < 6.0, "{length} {k}: {found} {expected}");
            }
        }
    }
}
