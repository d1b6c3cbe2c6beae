//! Sound at another rate: a polyphase filter in integers, with the same bits everywhere.
//!
//! With `up / down` the ratio of the rates in lowest terms and `s` the larger of 1 and `down / up`, sample `n` of the result is
//! Σ x\[k\] · h(n · down / up − k), rounded half up, where x is silence outside of the recording and
//!
//! h(t) = a / s · sinc(a t / s) · cos²(π t / (2 · 24 · s)) for |t| < 24 s, else 0, with sinc(t) = sin(πt) / (πt) and a = 0.94,
//!
//! in integers of 15 bits: for each of the `up` phases rounded half up, and its largest made to fit so that they sum to 2¹⁵. A constant
//! stays what it is. What lies below 0.8 of the lower half rate passes within 0.2 %; what lies above 1.05 of it is less than a
//! thousandth.

use core::f64::consts::{FRAC_PI_2, PI};

use super::exact;
use crate::Error;

/// Zero crossings of the sinc on each side.
const CROSSINGS: usize = 24;
/// Where the filter ends, as a part of the lower half rate.
const CUTOFF: f64 = 0.94;
/// Bits of a weight.
const BITS: u32 = 15;
/// The most weights, of all phases together.
const MOST_WEIGHTS: usize = 1 << 17;

/// Two rates, in samples a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rates {
    /// The rate that there is, 1000…192000.
    pub from: u32,
    /// The rate that is wanted, 1000…192000.
    pub to: u32,
}

impl Rates {
    /// Words of 32 bits that [`Resampler::new`] needs: with h = ⌈24 s⌉, up · h for weights and 2 h for samples.
    ///
    /// # Errors
    ///
    /// [`Error::FrontRate`] for a rate outside its range, or two whose ratio takes more than 131072 weights.
    pub fn words(self) -> Result<usize, Error> {
        let [up, _, half] = self.parts()?;
        Ok(up * half + 2 * half)
    }

    /// Samples that so many become.
    pub fn samples(self, count: usize) -> usize {
        let product = count as u128 * u128::from(self.to);
        usize::try_from(product.div_ceil(u128::from(self.from).max(1))).unwrap_or(usize::MAX)
    }

    /// Up, down, weights of half a phase.
    fn parts(self) -> Result<[usize; 3], Error> {
        let rates = 1000..=192_000;
        if !rates.contains(&self.from) || !rates.contains(&self.to) {
            return Err(Error::FrontRate);
        }
        let (mut a, mut b) = (self.from, self.to);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let [up, down] = [self.to / a, self.from / a].map(|rate| rate as usize);
        let half = if down > up { (CROSSINGS * down).div_ceil(up) } else { CROSSINGS };
        if up * 2 * half > MOST_WEIGHTS {
            return Err(Error::FrontRate);
        }
        Ok([up, down, half])
    }
}

/// A resampler in the caller's memory: takes samples of one rate, gives samples of another.
pub struct Resampler<'a> {
    rates: Rates,
    up: usize,
    down: usize,
    half: usize,
    /// `2 · half` of each phase.
    weights: &'a [i16],
    /// Samples that are there, and where the next result's first stands.
    samples: &'a mut [i16],
    filled: usize,
    start: usize,
    phase: usize,
    taken: usize,
    given: usize,
}

impl<'a> Resampler<'a> {
    /// Makes the filter in `memory`, of which the first [`Rates::words`] are used.
    ///
    /// # Errors
    ///
    /// Those of [`Rates::words`], and [`Error::BufferLength`] if there is too little memory.
    pub fn new(rates: Rates, memory: &'a mut [u32]) -> Result<Self, Error> {
        let [up, down, half] = rates.parts()?;
        let (expected, found) = (rates.words()?, memory.len());
        let memory = memory.get_mut(..expected).ok_or(Error::BufferLength { expected, found })?;
        let (weights, samples) = memory.split_at_mut(up * half);
        let weights: &mut [i16] = bytemuck::cast_slice_mut(weights);
        for (phase, weights) in weights.chunks_exact_mut(2 * half).enumerate() {
            fill(phase as f64 / up as f64, down as f64 / up as f64, weights);
        }
        let samples = bytemuck::cast_slice_mut(samples);
        let mut resampler = Self {
            rates,
            up,
            down,
            half,
            weights,
            samples,
            filled: 0,
            start: 0,
            phase: 0,
            taken: 0,
            given: 0,
        };
        resampler.reset();
        Ok(resampler)
    }

    /// Takes samples, any number of them, and calls `put` with results in order.
    ///
    /// Where both rates are the same, these are the samples.
    pub fn push(&mut self, samples: &[i16], mut put: impl FnMut(i16)) {
        self.taken += samples.len();
        if self.up == self.down {
            samples.iter().copied().for_each(put);
            return;
        }
        for &sample in samples {
            self.take(sample, &mut put);
        }
    }

    /// The recording ends: calls `put` with the rest, so that there are [`Rates::samples`] in all, and forgets all samples.
    pub fn finish(&mut self, mut put: impl FnMut(i16)) {
        if self.up != self.down {
            let until = self.rates.samples(self.taken);
            while self.given < until {
                let mut left = until - self.given;
                self.take(0, &mut |sample| {
                    if left > 0 {
                        left -= 1;
                        put(sample);
                    }
                });
            }
        }
        self.reset();
    }

    /// Forgets all samples: what comes next is another recording.
    pub fn reset(&mut self) {
        self.samples.fill(0);
        self.filled = self.half - 1;
        (self.start, self.phase, self.taken, self.given) = (0, 0, 0, 0);
    }

    fn take(&mut self, sample: i16, put: &mut impl FnMut(i16)) {
        if self.filled == self.samples.len() {
            self.samples.copy_within(self.start.., 0);
            (self.filled, self.start) = (self.filled - self.start, 0);
        }
        self.samples[self.filled] = sample;
        self.filled += 1;
        while self.start + 2 * self.half <= self.filled {
            let samples = &self.samples[self.start..][..2 * self.half];
            let weights = &self.weights[self.phase * 2 * self.half..][..2 * self.half];
            put(sum(samples, weights));
            self.given += 1;
            self.phase += self.down;
            self.start += self.phase / self.up;
            self.phase %= self.up;
        }
    }
}

fn sum(samples: &[i16], weights: &[i16]) -> i16 {
    let products =
        samples.iter().zip(weights).map(|(&x, &w)| i64::from(i32::from(x) * i32::from(w)));
    let sum = (products.sum::<i64>() + (1 << (BITS - 1))) >> BITS;
    sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// The weights of a phase, whose result lies `part` of a sample behind that of number `weights.len() / 2 − 1`.
fn fill(part: f64, ratio: f64, weights: &mut [i16]) {
    let scale = if ratio > 1.0 { ratio } else { 1.0 };
    let half = weights.len() / 2;
    let mut left = 1 << BITS;
    let mut largest = 0;
    for at in 0..weights.len() {
        let time = (half as f64 - 1.0 - at as f64 + part) / scale;
        let inside = -(CROSSINGS as f64) < time && time < CROSSINGS as f64;
        let weight = if inside {
            let window = exact::cos(FRAC_PI_2 * time / CROSSINGS as f64);
            let angle = PI * CUTOFF * time;
            let sinc = if angle == 0.0 { 1.0 } else { exact::cos(angle - FRAC_PI_2) / angle };
            CUTOFF / scale * sinc * window * window
        } else {
            0.0
        };
        let weight = exact::floor(weight * f64::from(1 << BITS) + 0.5);
        left -= weight;
        weights[at] = weight as i16;
        if weights[at] > weights[largest] {
            largest = at;
        }
    }
    weights[largest] += left as i16;
}
