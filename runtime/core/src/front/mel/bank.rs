//! Triangles of a spectrum, and the cosine transform of their logarithms: tables from float64.

use core::f64::consts::PI;

use super::{Bands, Cepstrum, Settings, Shape};
use crate::front::exact;

/// The most bands.
pub(super) const MOST_BANDS: usize = 256;

/// Fills in the window's factors.
pub(super) fn fill_window(settings: &Settings, window: &mut [f32]) {
    let length = window.len();
    for (at, factor) in window.iter_mut().enumerate() {
        let turn = |of: usize| exact::cos(2.0 * PI * at as f64 / of as f64);
        *factor = match settings.shape {
            Shape::Hann => 0.5 - 0.5 * turn(length),
            Shape::Povey => power(0.5 - 0.5 * turn(length - 1), 0.85),
            Shape::Hamming => 0.54 - 0.46 * turn(length - 1),
        } as f32;
    }
}

fn power(base: f64, exponent: f64) -> f64 {
    if base > 1e-12 { exact::exp(exponent * exact::ln(base)) } else { 0.0 }
}

impl Bands {
    fn to_mel(self, hz: f64) -> f64 {
        match self {
            Self::Kaldi => 1127.0 * exact::ln(1.0 + hz / 700.0),
            Self::Slaney if hz < 1000.0 => hz * 3.0 / 200.0,
            Self::Slaney => 15.0 + exact::ln(hz / 1000.0) / (exact::ln(6.4) / 27.0),
        }
    }

    fn to_hz(self, mel: f64) -> f64 {
        match self {
            Self::Kaldi => 700.0 * (exact::exp(mel / 1127.0) - 1.0),
            Self::Slaney if mel < 15.0 => mel * 200.0 / 3.0,
            Self::Slaney => 1000.0 * exact::exp((mel - 15.0) * (exact::ln(6.4) / 27.0)),
        }
    }
}

/// Where triangles are, each from its neighbours' peaks to its own.
pub(super) struct Triangles<'a> {
    settings: &'a Settings,
    lowest: f64,
    spacing: f64,
    hz_per_bin: f64,
    bins: usize,
}

impl<'a> Triangles<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        let lowest = settings.scale_of_bands.to_mel(settings.lower_hz.into());
        let highest = settings.scale_of_bands.to_mel(settings.upper_hz.into());
        Self {
            settings,
            lowest,
            spacing: (highest - lowest) / f64::from(settings.bands + 1),
            hz_per_bin: f64::from(settings.sample_rate) / settings.transform() as f64,
            bins: settings.transform() / 2,
        }
    }

    /// Calls `put` with each frequency and its weight in a band, where that is above 0, in rising order.
    fn each(&self, band: usize, mut put: impl FnMut(usize, f64)) {
        let bands = self.settings.scale_of_bands;
        let mel = |at: usize| self.lowest + self.spacing * (band + at) as f64;
        let hertz = |at: usize| bands.to_hz(mel(at));
        let [low, peak, high] = match bands {
            Bands::Kaldi => [mel(0), mel(1), mel(2)],
            Bands::Slaney => [hertz(0), hertz(1), hertz(2)],
        };
        let area = if bands == Bands::Slaney { 2.0 / (high - low) } else { 1.0 };
        let first = hertz(0) / self.hz_per_bin;
        let last = (hertz(2) / self.hz_per_bin) as usize + 1;
        for bin in first as usize..=last.min(self.bins - 1) {
            let place = bin as f64 * self.hz_per_bin;
            let place = if bands == Bands::Kaldi { bands.to_mel(place) } else { place };
            let rise = (place - low) / (peak - low);
            let fall = (high - place) / (high - peak);
            let weight = if rise < fall { rise } else { fall };
            if weight > 0.0 {
                put(bin, weight * area);
            }
        }
    }

    /// The number of weights above 0.
    pub(super) fn weights(&self) -> usize {
        let mut count = 0;
        for band in 0..self.settings.bands.into() {
            self.each(band, |_, _| count += 1);
        }
        count
    }

    /// Fills in each band's first frequency and the number of its weights, and the weights one after another.
    pub(super) fn fill(&self, spans: &mut [[u16; 2]], weights: &mut [f32]) {
        let mut at = 0;
        for (band, span) in spans.iter_mut().enumerate() {
            *span = [0, 0];
            self.each(band, |bin, weight| {
                if span[1] == 0 {
                    span[0] = bin as u16;
                }
                span[1] += 1;
                weights[at] = weight as f32;
                at += 1;
            });
        }
    }
}

/// Fills in the rows of the cosine transform, one a coefficient.
pub(super) fn fill_cosines(bands: usize, cepstrum: &Cepstrum, rows: &mut [f32]) {
    for (coefficient, row) in rows.chunks_exact_mut(bands).enumerate() {
        let order = coefficient as f64;
        let lifter = f64::from(cepstrum.lifter);
        let lift = if lifter > 0.0 {
            1.0 + lifter / 2.0 * exact::cos(PI * order / lifter - PI / 2.0)
        } else {
            1.0
        };
        let square = if coefficient == 0 { 1.0 } else { 2.0 } / bands as f64;
        let norm = lift * exact::exp(0.5 * exact::ln(square));
        for (band, cosine) in row.iter_mut().enumerate() {
            *cosine = (norm * exact::cos(PI * order * (band as f64 + 0.5) / bands as f64)) as f32;
        }
    }
}
