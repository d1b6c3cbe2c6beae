//! Log-mel spectrograms and cepstral coefficients (MFCC), as librosa and Kaldi define them, in float32.
//!
//! A frame of [`Settings::values`] values comes of each window, in these steps, all in float32 and in this order:
//!
//! 1. Samples times [`scale`](Settings::scale); their mean is taken away, then [`pre_emphasis`](Settings::pre_emphasis) (the first sample
//!    stands before itself); then the window's [`Shape`].
//! 2. Fourier transform of the next power of two; powers |X|².
//! 3. Sums by triangles ([`Bands`]), frequency after frequency; natural logarithms of what is not below
//!    [`floor`](Settings::floor), times [`factor`](Settings::factor).
//! 4. Their cosine transform, where there is a [`Cepstrum`].
//!
//! Sums go from the first to the last. Tables come from float64. Several windows are worked on at once where so many are there: `L` of them, 1 on a microcontroller, 8 where
//! there are vectors. The bits are the same.
//!
//! Sources: librosa 0.11 `feature.melspectrogram`, `filters.mel`, `power_to_db`; Kaldi `feat/feature-fbank.cc`,
//! `feature-mfcc.cc`, `mel-computations.cc`. Against librosa: no `top_db`, which looks at a whole recording.

mod bank;
mod settings;

pub use settings::{Bands, Cepstrum, Settings, Shape};

use bank::Triangles;

use super::real;
use crate::Error;

impl Settings {
    /// Words of 32 bits that [`Mel::new`] needs: with `w` samples a window, `s` a step, `n` of the transform, `b` bands of `t` weights and
    /// `c` coefficients, w + n + t + b, (L − 1)·s + w for samples, and L·(n + b) + c·(b + 1) if there is a cepstrum, else L·(n + b) + b.
    ///
    /// # Errors
    ///
    /// [`Error::FrontWindow`], [`Error::FrontBands`] or [`Error::FrontGain`] for settings outside their ranges.
    pub fn words<const L: usize>(&self) -> Result<usize, Error> {
        Ok(self.parts::<L>()?.iter().sum())
    }

    /// Words of: samples, window, sines, transform, spans of bands, weights, logarithms, cosines, a frame.
    fn parts<const L: usize>(&self) -> Result<[usize; 9], Error> {
        self.check()?;
        let (window, transform) = (usize::from(self.window), self.transform());
        let bands = usize::from(self.bands);
        let samples = window + L.saturating_sub(1) * usize::from(self.step);
        let weights = Triangles::new(self).weights();
        let cosines =
            self.cepstrum.map_or(0, |cepstrum| bands * usize::from(cepstrum.coefficients));
        let frame = self.values();
        Ok([samples, window, transform, L * transform, bands, weights, L * bands, cosines, frame])
    }
}

/// Samples of each window that are read in one go.
const BLOCK: usize = 8;

/// A log-mel or MFCC front end in the caller's memory: takes samples, gives frames; works on `L` windows at once.
pub struct Mel<'a, const L: usize> {
    settings: Settings,
    samples: &'a mut [f32],
    /// Samples that are there.
    filled: usize,
    window: &'a [f32],
    sines: &'a [f32],
    transform: &'a mut [f32],
    spans: &'a [[u16; 2]],
    weights: &'a [f32],
    logarithms: &'a mut [f32],
    cosines: &'a [f32],
    frame: &'a mut [f32],
    /// Samples since the recording's start, and frames.
    taken: usize,
    given: usize,
}

impl<'a, const L: usize> Mel<'a, L> {
    /// Makes the tables that the settings ask for in `memory`, of which the first [`Settings::words`] are used.
    ///
    /// # Errors
    ///
    /// [`Error::FrontWindow`], [`Error::FrontBands`] or [`Error::FrontGain`] for settings outside their ranges,
    /// [`Error::BufferLength`] if there is too little memory.
    pub fn new(settings: &Settings, memory: &'a mut [u32]) -> Result<Self, Error> {
        const { assert!(L > 0, "at least one window at once") }
        let parts = settings.parts::<L>()?;
        let (expected, found) = (parts.iter().sum(), memory.len());
        let mut rest = memory.get_mut(..expected).ok_or(Error::BufferLength { expected, found })?;
        let [samples, window, sines, transform, spans, weights, logarithms, cosines, frame] =
            parts.map(|words| rest.split_off_mut(..words).unwrap_or_default());
        let [samples, window, sines, transform, weights, logarithms, cosines, frame] =
            [samples, window, sines, transform, weights, logarithms, cosines, frame]
                .map(bytemuck::cast_slice_mut::<u32, f32>);
        let spans: &mut [[u16; 2]] = bytemuck::cast_slice_mut(spans);
        bank::fill_window(settings, window);
        real::fill_sines(sines);
        Triangles::new(settings).fill(spans, weights);
        if let Some(cepstrum) = &settings.cepstrum {
            bank::fill_cosines(settings.bands.into(), cepstrum, cosines);
        }
        let mut front = Self {
            settings: *settings,
            samples,
            filled: 0,
            window,
            sines,
            transform,
            spans,
            weights,
            logarithms,
            cosines,
            frame,
            taken: 0,
            given: 0,
        };
        front.reset();
        Ok(front)
    }

    /// Forgets all samples: what comes next is another recording.
    pub fn reset(&mut self) {
        self.filled = if self.settings.centred { self.window.len() / 2 } else { 0 };
        self.samples[..self.filled].fill(0.0);
        (self.taken, self.given) = (0, 0);
    }

    /// Takes samples, any number of them, and calls `put` with each frame that became whole.
    pub fn push(&mut self, samples: &[i16], mut put: impl FnMut(&[f32])) {
        self.taken += samples.len();
        let scale = self.settings.scale;
        self.fill(samples.len(), |at| f32::from(samples[at]) * scale, &mut put);
    }

    /// The recording ends: calls `put` with the frames of windows that reach behind its end, where they are
    /// [centred](Settings::centred), and forgets all samples.
    pub fn finish(&mut self, mut put: impl FnMut(&[f32])) {
        if self.settings.centred {
            let left = self.settings.frames(self.taken) - self.given;
            let until =
                self.window.len() + left.saturating_sub(1) * usize::from(self.settings.step);
            if left > 0 {
                self.fill(until.saturating_sub(self.filled), |_| 0.0, &mut put);
            }
        }
        self.reset();
    }

    /// Takes `count` samples, and works on windows whenever `L` are there, and on the rest at the end.
    fn fill(&mut self, count: usize, sample: impl Fn(usize) -> f32, put: &mut impl FnMut(&[f32])) {
        let step = usize::from(self.settings.step);
        let mut at = 0;
        while at < count {
            let room = &mut self.samples[self.filled..];
            let taken = room.len().min(count - at);
            for (slot, index) in room[..taken].iter_mut().zip(at..) {
                *slot = sample(index);
            }
            (at, self.filled) = (at + taken, self.filled + taken);
            if let Some(behind) = self.filled.checked_sub(self.window.len()) {
                let windows = behind / step + 1;
                self.frames(windows, put);
                self.samples.copy_within(windows * step..self.filled, 0);
                self.filled -= windows * step;
            }
        }
    }

    /// The frames of the first windows, at most `L`.
    fn frames(&mut self, windows: usize, put: &mut impl FnMut(&[f32])) {
        let (lanes, _) = self.transform.as_chunks_mut::<L>();
        let bits = (lanes.len() / 2).trailing_zeros();
        let length = self.window.len();
        lanes[..].fill([0.0; L]);
        // Lanes without a window work on what is left there of others; nobody sees it.
        let step = usize::from(self.settings.step);
        let windowed: [&[f32]; L] =
            core::array::from_fn(|lane| &self.samples[lane * step..][..length]);
        let means = if self.settings.remove_mean { mean(&windowed) } else { [0.0; L] };
        let emphasis = self.settings.pre_emphasis;
        let value = |sample: f32, before: f32, factor: f32, mean: f32| {
            ((sample - mean) - emphasis * (before - mean)) * factor
        };
        // The first sample stands before itself. Blocks of time, turned into blocks of lanes, for speed alone.
        lanes[real::place(0, bits)] = core::array::from_fn(|lane| {
            let first = windowed[lane][0];
            value(first, first, self.window[0], means[lane])
        });
        let (factors, rest) = self.window[1..].as_chunks::<BLOCK>();
        for (factors, at) in factors.iter().zip((1..).step_by(BLOCK)) {
            let mut block = [[0.0; BLOCK]; L];
            for ((row, samples), &mean) in block.iter_mut().zip(&windowed).zip(&means) {
                let samples = &samples[at - 1..at + BLOCK];
                for (k, slot) in row.iter_mut().enumerate() {
                    *slot = value(samples[k + 1], samples[k], factors[k], mean);
                }
            }
            for k in 0..BLOCK {
                lanes[real::place(at + k, bits)] = core::array::from_fn(|lane| block[lane][k]);
            }
        }
        for (&factor, at) in rest.iter().zip(length - rest.len()..) {
            lanes[real::place(at, bits)] = core::array::from_fn(|lane| {
                value(windowed[lane][at], windowed[lane][at - 1], factor, means[lane])
            });
        }
        let (values, _) = lanes.as_chunks_mut::<2>();
        real::powers(values, self.sines);
        let (logarithms, _) = self.logarithms.as_chunks_mut::<L>();
        let mut weights = self.weights;
        for (logarithm, &[first, count]) in logarithms.iter_mut().zip(self.spans) {
            let band = weights.split_off(..usize::from(count)).unwrap_or_default();
            let mut sums = [0.0; L];
            for ([power, _], &weight) in values[usize::from(first)..].iter().zip(band) {
                for (sum, power) in sums.iter_mut().zip(power) {
                    *sum += power * weight;
                }
            }
            let floor = self.settings.floor;
            let values = real::ln(sums.map(|sum| if sum > floor { sum } else { floor }));
            *logarithm = values.map(|value| value * self.settings.factor);
        }
        for lane in 0..windows {
            if self.cosines.is_empty() {
                for (value, logarithm) in self.frame.iter_mut().zip(logarithms.iter()) {
                    *value = logarithm[lane];
                }
            }
            for (value, row) in
                self.frame.iter_mut().zip(self.cosines.chunks_exact(logarithms.len()))
            {
                *value = row
                    .iter()
                    .zip(logarithms.iter())
                    .map(|(cosine, logarithm)| cosine * logarithm[lane])
                    .sum();
            }
            put(self.frame);
        }
        self.given += windows;
    }
}

/// The mean of each window.
fn mean<const L: usize>(windows: &[&[f32]; L]) -> [f32; L] {
    let length = windows[0].len();
    let mut sums = [0.0; L];
    for at in 0..length {
        for (sum, window) in sums.iter_mut().zip(windows) {
            *sum += window[at];
        }
    }
    sums.map(|sum| sum / length as f32)
}
