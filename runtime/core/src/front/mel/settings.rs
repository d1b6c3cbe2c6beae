//! Settings of mel spectrograms and cepstral coefficients, and those that librosa and Kaldi use.

use super::bank;
use crate::Error;

/// The settings of a mel spectrogram, or of cepstral coefficients made of it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Settings {
    /// Samples a second, 1000…96000.
    pub sample_rate: u32,
    /// Samples of a window, 8…4096; the transform's length is the next power of two.
    pub window: u16,
    /// Samples from one window's start to the next one's, 1 to a whole window.
    pub step: u16,
    /// The window's shape.
    pub shape: Shape,
    /// Windows are centred at 0, `step`, 2 `step`, …, with silence before and behind the recording. Without it the first one starts
    /// with the recording.
    pub centred: bool,
    /// The factor of integer samples.
    pub scale: f32,
    /// Whether each window's mean is taken from it.
    pub remove_mean: bool,
    /// The part of the sample before that is taken from each, 0…1; none at 0.
    pub pre_emphasis: f32,
    /// Values that a spectrum is summed into, 1…256.
    pub bands: u16,
    /// Where the lowest band starts, in Hz.
    pub lower_hz: f32,
    /// Where the highest band ends, in Hz: at most half the sample rate.
    pub upper_hz: f32,
    /// The scale on which bands are even, and their triangles.
    pub scale_of_bands: Bands,
    /// What is summed is at least this before its logarithm is taken, above 10⁻³⁰.
    pub floor: f32,
    /// What the natural logarithm is multiplied by: 1, or 10 / ln 10 for decibels.
    pub factor: f32,
    /// Cepstral coefficients in place of the bands' logarithms, where there are settings for them.
    pub cepstrum: Option<Cepstrum>,
}

/// A window's shape, of `n` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Shape {
    /// ½ − ½ cos(2πi / n), librosa's and SciPy's Hann window.
    Hann,
    /// (½ − ½ cos(2πi / (n − 1)))^0.85, Kaldi's.
    Povey,
    /// 0.54 − 0.46 cos(2πi / (n − 1)).
    Hamming,
}

/// Triangles of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Bands {
    /// librosa's default: even in Hz up to 1000 and logarithmic above (Slaney, Auditory Toolbox), triangles in Hz whose area is 1.
    Slaney,
    /// Kaldi's: even in 1127 ln(1 + hz / 700), triangles on that scale whose height is 1.
    Kaldi,
}

/// Cepstral coefficients: the cosine transform (type 2, orthonormal) of the bands' logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cepstrum {
    /// The first coefficients, so many of them: 1 to the number of bands.
    pub coefficients: u16,
    /// Coefficient `i` is multiplied by 1 + lifter / 2 · sin(πi / lifter); not if this is 0.
    pub lifter: f32,
}

impl Settings {
    /// librosa's `power_to_db(melspectrogram(y, sr=16000, n_fft=512, hop_length=160, n_mels=40), top_db=None)`.
    pub const LIBROSA: Self = Self {
        sample_rate: 16_000,
        window: 512,
        step: 160,
        shape: Shape::Hann,
        centred: true,
        scale: 1.0 / 32768.0,
        remove_mean: false,
        pre_emphasis: 0.0,
        bands: 40,
        lower_hz: 0.0,
        upper_hz: 8000.0,
        scale_of_bands: Bands::Slaney,
        floor: 1e-10,
        factor: 10.0 / core::f32::consts::LN_10,
        cepstrum: None,
    };

    /// Kaldi's `compute-fbank-feats` with 40 bins, without dither: windows of 25 ms with a step of 10 ms, natural logarithms, samples
    /// as integers.
    pub const KALDI: Self = Self {
        window: 400,
        shape: Shape::Povey,
        centred: false,
        scale: 1.0,
        remove_mean: true,
        pre_emphasis: 0.97,
        lower_hz: 20.0,
        scale_of_bands: Bands::Kaldi,
        floor: f32::EPSILON,
        factor: 1.0,
        ..Self::LIBROSA
    };

    /// librosa's `mfcc` of 13 coefficients of [`LIBROSA`](Self::LIBROSA).
    pub const LIBROSA_MFCC: Self =
        Self { cepstrum: Some(Cepstrum { coefficients: 13, lifter: 0.0 }), ..Self::LIBROSA };

    /// Kaldi's `compute-mfcc-feats` without dither and with `--use-energy=false`: 13 coefficients of 23 bins.
    pub const KALDI_MFCC: Self = Self {
        bands: 23,
        cepstrum: Some(Cepstrum { coefficients: 13, lifter: 22.0 }),
        ..Self::KALDI
    };

    /// Values of a frame.
    pub fn values(&self) -> usize {
        self.cepstrum.map_or(self.bands, |cepstrum| cepstrum.coefficients).into()
    }

    /// Frames of a recording of so many samples, at its end.
    pub fn frames(&self, samples: usize) -> usize {
        let step = usize::from(self.step).max(1);
        if self.centred {
            return samples / step + 1;
        }
        samples.checked_sub(self.window.into()).map_or(0, |rest| rest / step + 1)
    }

    pub(super) fn transform(&self) -> usize {
        usize::from(self.window).next_power_of_two()
    }

    /// Checks every range that a field states.
    pub(super) fn check(&self) -> Result<(), Error> {
        let window = (8..=4096).contains(&self.window) && (1..=self.window).contains(&self.step);
        if !(1000..=96_000).contains(&self.sample_rate) || !window {
            return Err(Error::FrontWindow);
        }
        let ordered = self.lower_hz >= 0.0 && self.upper_hz > self.lower_hz;
        let below = self.upper_hz <= self.sample_rate as f32 / 2.0;
        if !(1..=bank::MOST_BANDS).contains(&usize::from(self.bands)) || !ordered || !below {
            return Err(Error::FrontBands);
        }
        let scale = |x: f32| x.is_finite() && x.abs() <= 65536.0;
        let cepstrum = self.cepstrum.is_none_or(|cepstrum| {
            (1..=self.bands).contains(&cepstrum.coefficients)
                && scale(cepstrum.lifter)
                && cepstrum.lifter >= 0.0
        });
        let floor = (1e-30..=1.0).contains(&self.floor);
        let emphasis = (0.0..=1.0).contains(&self.pre_emphasis);
        if !scale(self.scale) || !scale(self.factor) || !floor || !emphasis || !cepstrum {
            return Err(Error::FrontGain);
        }
        Ok(())
    }
}
