//! The functions that tables are made with: float64, far more exact than what is rounded from them, and the same bits everywhere.
//!
//! A table's entry is rounded to 12 to 16 bits. With errors below 10⁻¹⁴ it is the entry that exact arithmetic gives, so that it
//! is also that of any C library which is as exact. They are series: small code where float64 is software.

use core::f64::consts::{FRAC_PI_2, LN_2};

/// 1/3!, 1/5!, … and 1/2!, 1/4!, …, each with its sign, the last first.
const SINE: [f64; 8] = [
    1.0 / 355_687_428_096_000.0,
    -1.0 / 1_307_674_368_000.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 39_916_800.0,
    1.0 / 362_880.0,
    -1.0 / 5_040.0,
    1.0 / 120.0,
    -1.0 / 6.0,
];
const COSINE: [f64; 8] = [
    1.0 / 20_922_789_888_000.0,
    -1.0 / 87_178_291_200.0,
    1.0 / 479_001_600.0,
    -1.0 / 3_628_800.0,
    1.0 / 40_320.0,
    -1.0 / 720.0,
    1.0 / 24.0,
    -1.0 / 2.0,
];

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, &coefficient| sum * x + coefficient)
}

/// The greatest whole number that is not above `x`, which lies inside i32.
pub(super) fn floor(x: f64) -> i32 {
    let whole = x as i32;
    if f64::from(whole) > x { whole - 1 } else { whole }
}

/// The cosine of an angle of a few turns.
pub(super) fn cos(x: f64) -> f64 {
    let quarter = floor(x / FRAC_PI_2 + 0.5);
    let rest = x - f64::from(quarter) * FRAC_PI_2;
    let square = rest * rest;
    let even = 1.0 + square * polynomial(&COSINE, square);
    let odd = rest + rest * square * polynomial(&SINE, square);
    match quarter & 3 {
        0 => even,
        1 => -odd,
        2 => -even,
        _ => odd,
    }
}

/// The natural logarithm of a normal number above 0.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if mantissa > core::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh s
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    f64::from(exponent) * LN_2 + 2.0 * s * series
}

/// e to the power of a number between −700 and 700.
pub(super) fn exp(x: f64) -> f64 {
    let power = floor(x / LN_2 + 0.5);
    let rest = x - f64::from(power) * LN_2;
    let series = (1..=14).rev().fold(1.0, |sum, k| 1.0 + sum * rest / f64::from(k));
    series * f64::from_bits(((1023 + power) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_as_exact_as_the_library() {
        for step in 0..100_000 {
            let x = f64::from(step) * 1e-4;
            assert!((cos(x) - libm::cos(x)).abs() < 4e-15, "cos {x}");
            let positive = 1e-3 + x * x;
            assert!((ln(positive) - libm::log(positive)).abs() < 4e-15, "ln {positive}");
            let wide = (x - 5.0) * 10.0;
            assert!((exp(wide) / libm::exp(wide) - 1.0).abs() < 1e-13, "exp {wide}");
        }
        assert_eq!([floor(-0.5), floor(-1.0), floor(1.5)], [-1, -1, 1]);
    }
}
