//! From real numbers to int8: ranges of activations, scales of weights.

mod histogram;
mod weights;

pub use histogram::{HISTOGRAM_BYTES, Histogram};
pub use weights::{QuantisedChannel, on_scale, quantise_channel};

/// How int8 stands for real numbers: `real = (q − zero_point) · scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
    /// Real value of one step.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: i8,
}

impl Quantisation {
    /// The asymmetric quantisation of `[low, high]`, widened to hold 0 exactly.
    #[must_use]
    pub fn of_range(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 255.0;
        if !scale.is_normal() {
            return Self { scale: 1.0, zero_point: 0 };
        }
        let zero_point = (-128.0 - low / scale).round_ties_even().clamp(-128.0, 127.0) as i8;
        Self { scale, zero_point }
    }

    /// The nearest integer for `real`.
    #[must_use]
    pub fn quantise(self, real: f64) -> i8 {
        let q = (real / f64::from(self.scale)).round_ties_even() + f64::from(self.zero_point);
        q.clamp(-128.0, 127.0) as i8
    }

    /// The real value of `q`.
    #[must_use]
    pub fn real(self, q: i8) -> f64 {
        (f64::from(q) - f64::from(self.zero_point)) * f64::from(self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_the_ends_are_reached() {
        for (low, high) in [(0.0, 6.0), (-1.0, 3.0), (-5.0, -1.0), (2.0, 9.0), (0.0, 0.0)] {
            let quantisation = Quantisation::of_range(low, high);
            assert_eq!(quantisation.real(quantisation.quantise(0.0)), 0.0, "{low}..{high}");
            let error = quantisation.real(quantisation.quantise(f64::from(high))) - f64::from(high);
            assert!(error.abs() <= f64::from(quantisation.scale), "{low}..{high}");
        }
    }
}
