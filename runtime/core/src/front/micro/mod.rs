//! The micro front end of TensorFlow Lite Micro: spectrograms in integers, bit by bit those of its C code.
//!
//! A frame of [`Settings::channels`] values comes of each window, in these steps:
//!
//! 1. Hann window in int16 with 12 bits, then shifted left as far as the loudest sample allows.
//! 2. Fourier transform in int16 of the next power of two, with the roundings of kissfft.
//! 3. Energies, summed by triangles that are even on the mel scale, with weights of 12 bits; square roots, shifted back.
//! 4. [`Noise`] reduction: each channel's slow mean is taken away.
//! 5. [`Gain`] control (PCAN): each channel is divided by a power of that mean.
//! 6. The natural logarithm, times two to the power of [`Settings::log_shift`].
//!
//! TensorFlow, Silicon Labs' MLTK and ESPHome train keyword spotters on such frames; Silicon Labs' leaves out 4 and 5 where they
//! are switched off. Step 1 to 3 depend on the window alone; 4 carries a mean from frame to frame, so that
//! [`reset`](Micro::reset) separates recordings.
//!
//! # Memory
//!
//! [`Settings::words`] words of 32 bits: with `w` samples a window, `n` the power of two that they fit into, `c` channels and `b`
//! frequencies between the band limits, ⌈w/2⌉ + ⌈w/2⌉ + n/2 + n/2 + ⌈(c+1)/2⌉ + b + c, and c more with noise reduction or gain control,
//! and 63 more with gain control.

mod bank;
mod gain;
mod log;
mod noise;
mod settings;
mod window;

pub use settings::{Gain, Noise, Settings};

use bank::Bands;
use noise::Reduction;

use super::fixed;
use crate::Error;

impl Settings {
    /// Words of 32 bits that [`Micro::new`] needs.
    ///
    /// # Errors
    ///
    /// Those of [`Micro::new`] for settings outside their ranges.
    pub fn words(&self) -> Result<usize, Error> {
        Ok(self.parts()?.iter().sum())
    }

    /// Words of: samples, window, sines, transform, ends of triangles, weights, signal, noise estimates, gains.
    fn parts(&self) -> Result<[usize; 9], Error> {
        self.check()?;
        let samples = self.window().div_ceil(2);
        let half = self.transform() / 2;
        let channels = usize::from(self.channels);
        let used = Bands::new(self).used(half)?;
        let estimates = if self.noise.is_some() || self.gain.is_some() { channels } else { 0 };
        let gains = self.gain.map_or(0, |_| gain::TABLE / 2);
        let ends = (channels + 1).div_ceil(2);
        Ok([samples, samples, half, half, ends, used, channels, estimates, gains])
    }
}

/// A micro front end in the caller's memory: takes samples, gives frames.
pub struct Micro<'a> {
    samples: &'a mut [i16],
    /// Samples that are there.
    filled: usize,
    step: usize,
    window: &'a [i16],
    sines: &'a [i16],
    transform: &'a mut [u32],
    first: usize,
    ends: &'a [u16],
    weights: &'a [[i16; 2]],
    signal: &'a mut [u32],
    noise: Option<Reduction>,
    estimates: &'a mut [u32],
    gains: &'a [i16],
    snr_shift: u32,
    correction: i32,
    log_shift: Option<u8>,
}

impl<'a> Micro<'a> {
    /// Makes the tables that the settings ask for in `memory`, of which the first [`Settings::words`] are used.
    ///
    /// # Errors
    ///
    /// [`Error::FrontWindow`], [`Error::FrontBands`] or [`Error::FrontGain`] for settings outside their ranges,
    /// [`Error::BufferLength`] if there is too little memory.
    pub fn new(settings: &Settings, memory: &'a mut [u32]) -> Result<Self, Error> {
        let parts = settings.parts()?;
        let (expected, found) = (parts.iter().sum(), memory.len());
        let mut rest = memory.get_mut(..expected).ok_or(Error::BufferLength { expected, found })?;
        let [samples, window, sines, transform, ends, weights, signal, estimates, gains] =
            parts.map(|words| rest.split_off_mut(..words).unwrap_or_default());
        let samples: &mut [i16] = &mut bytemuck::cast_slice_mut(samples)[..settings.window()];
        let window: &mut [i16] = &mut bytemuck::cast_slice_mut(window)[..settings.window()];
        let sines: &mut [i16] = bytemuck::cast_slice_mut(sines);
        let ends: &mut [u16] =
            &mut bytemuck::cast_slice_mut(ends)[..settings.channels as usize + 1];
        let weights: &mut [[i16; 2]] = bytemuck::cast_slice_mut(weights);
        let gains: &mut [i16] = bytemuck::cast_slice_mut(gains);
        let bands = Bands::new(settings);
        window::fill(window);
        fixed::fill_sines(sines);
        bands.fill(transform.len(), ends, weights)?;
        if let Some(control) = &settings.gain {
            gain::fill(settings, control, gains);
        }
        estimates.fill(0);
        let correction = settings.correction_bits();
        let snr_bits = correction + gain::SNR_BITS as i32;
        Ok(Self {
            samples,
            filled: 0,
            step: settings.step(),
            window,
            sines,
            transform,
            first: bands.first,
            ends,
            weights,
            signal,
            noise: settings.noise.as_ref().map(Reduction::new),
            estimates,
            gains,
            snr_shift: settings
                .gain
                .map_or(0, |gain| (i32::from(gain.gain_bits) - snr_bits) as u32),
            correction,
            log_shift: settings.log_shift,
        })
    }

    /// Takes samples, any number of them, and calls `put` with each frame that became whole.
    pub fn push(&mut self, mut samples: &[i16], mut put: impl FnMut(&[u16])) {
        while !samples.is_empty() {
            let room = &mut self.samples[self.filled..];
            let (taken, rest) = samples.split_at(room.len().min(samples.len()));
            room[..taken.len()].copy_from_slice(taken);
            self.filled += taken.len();
            samples = rest;
            if self.filled == self.samples.len() {
                put(self.frame());
                self.samples.copy_within(self.step.., 0);
                self.filled -= self.step;
            }
        }
    }

    /// Forgets samples and noise: what comes next is another recording.
    pub fn reset(&mut self) {
        self.filled = 0;
        self.estimates.fill(0);
    }

    /// The frame of the window that is whole.
    fn frame(&mut self) -> &[u16] {
        let shift = window::apply(self.samples, self.window, self.transform);
        fixed::energies(self.transform, self.sines);
        bank::apply(self.first, self.ends, self.weights, self.transform, shift, self.signal);
        if let Some(noise) = &self.noise {
            noise.apply(self.signal, self.estimates);
        }
        if !self.gains.is_empty() {
            gain::apply(self.gains, self.snr_shift, self.estimates, self.signal);
        }
        // Halves of the words that were read already take the values.
        for channel in 0..self.signal.len() {
            let value = log::scale(self.signal[channel], self.correction, self.log_shift);
            bytemuck::cast_slice_mut::<u32, u16>(self.signal)[channel] = value;
        }
        &bytemuck::cast_slice(self.signal)[..self.signal.len()]
    }
}

/// A value of a frame in int8, as TensorFlow's `micro_speech` and the MLTK give it to a network: ⌊(256 value + 333) / 666⌋ − 128,
/// at most 127.
///
/// With a `log_shift` of 6 a value of 666 and more is 127.
pub fn to_int8(value: u16) -> i8 {
    ((u32::from(value) * 256 + 333) / 666).min(255).wrapping_sub(128) as i8
}
