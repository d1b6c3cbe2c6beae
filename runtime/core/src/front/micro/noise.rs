//! Noise reduction: what is always there is taken away.

use super::Noise;

/// Bits of a smoothing factor.
const BITS: u32 = 14;

/// The factors as integers.
#[derive(Clone, Copy)]
pub(super) struct Reduction {
    bits: u32,
    /// Of even and odd channels.
    smoothing: [u16; 2],
    remaining: u16,
}

impl Reduction {
    pub(super) fn new(noise: &Noise) -> Self {
        let integer = |x: f32| (x * (1 << BITS) as f32) as u16;
        Self {
            bits: noise.smoothing_bits.into(),
            smoothing: [integer(noise.even_smoothing), integer(noise.odd_smoothing)],
            remaining: integer(noise.min_signal_remaining),
        }
    }

    /// Follows each channel's noise in `estimate`, and takes it from the signal.
    pub(super) fn apply(&self, signal: &mut [u32], estimates: &mut [u32]) {
        for (channel, (value, estimate)) in signal.iter_mut().zip(estimates).enumerate() {
            let smoothing = u64::from(self.smoothing[channel & 1]);
            let scaled = *value << self.bits;
            let sum =
                u64::from(scaled) * smoothing + u64::from(*estimate) * ((1 << BITS) - smoothing);
            *estimate = (sum >> BITS) as u32;
            let floor = ((u64::from(*value) * u64::from(self.remaining)) >> BITS) as u32;
            *value = (scaled.saturating_sub(*estimate) >> self.bits).max(floor);
        }
    }
}
