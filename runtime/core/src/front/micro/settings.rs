//! Settings of the micro front end, and those that others use.

use crate::Error;

/// The settings of the micro front end: those of TensorFlow Lite Micro, by its names.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Settings {
    /// Samples a second, 1000…96000.
    pub sample_rate: u32,
    /// Length of a window in milliseconds; 8…4096 samples.
    pub window_ms: u16,
    /// From one window's start to the next one's in milliseconds; one sample to a whole window.
    pub step_ms: u16,
    /// Values of a frame, 1…256.
    pub channels: u16,
    /// Where the lowest band starts, in Hz.
    pub lower_hz: f32,
    /// Where the highest band ends, in Hz: below half the sample rate.
    pub upper_hz: f32,
    /// Stationary noise is taken away, where there are settings for it.
    pub noise: Option<Noise>,
    /// Loudness is evened out against the noise, where there are settings for it.
    pub gain: Option<Gain>,
    /// The logarithm is taken and multiplied by two to the power of this, 0…11; none: values are as they are, 65535 at most.
    pub log_shift: Option<u8>,
}

/// How the noise of each channel is estimated and taken away.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Noise {
    /// Bits that the estimate is more exact than the signal, 0…16.
    pub smoothing_bits: u8,
    /// How much of a new value goes into the estimate in channels 0, 2, 4, …; 0…1.
    pub even_smoothing: f32,
    /// The same in channels 1, 3, 5, ….
    pub odd_smoothing: f32,
    /// What part of the signal remains at least; 0…1.
    pub min_signal_remaining: f32,
}

/// Per-channel amplitude normalisation (PCAN): the signal is multiplied by (noise + offset) to the power of −strength.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Gain {
    /// The exponent, 0…1.
    pub strength: f32,
    /// What is added to the noise estimate, above 0 and up to 65536.
    pub offset: f32,
    /// Bits behind the binary point of the gain, 12…31.
    pub gain_bits: u8,
}

impl Noise {
    /// TensorFlow's default.
    pub const DEFAULT: Self = Self {
        smoothing_bits: 10,
        even_smoothing: 0.025,
        odd_smoothing: 0.06,
        min_signal_remaining: 0.05,
    };
}

impl Gain {
    /// TensorFlow's default.
    pub const DEFAULT: Self = Self { strength: 0.95, offset: 80.0, gain_bits: 21 };
}

impl Settings {
    /// TensorFlow Lite Micro's example `micro_speech`, ESPHome's `micro_wake_word` with a step of 10 ms, and PyPI's `pymicro-features`:
    /// windows of 30 ms, 40 channels from 125 to 7500 Hz, noise reduction and gain control.
    ///
    /// `micro_speech` has a step of 20 ms.
    pub const TF_MICRO_SPEECH: Self = Self {
        sample_rate: 16_000,
        window_ms: 30,
        step_ms: 20,
        channels: 40,
        lower_hz: 125.0,
        upper_hz: 7500.0,
        noise: Some(Noise::DEFAULT),
        gain: Some(Gain::DEFAULT),
        log_shift: Some(6),
    };

    /// ESPHome's `micro_wake_word` and PyPI's `pymicro-features`: [`TF_MICRO_SPEECH`](Self::TF_MICRO_SPEECH) with a step of 10 ms.
    pub const MICRO_WAKE_WORD: Self = Self { step_ms: 10, ..Self::TF_MICRO_SPEECH };

    /// Silicon Labs' keyword spotting by MobileNetV2 (MLTK 0.20): windows of 30 ms with a step of 20, 49 channels from 125 to
    /// 3999 Hz, noise reduction that leaves 3 %.
    pub const MLTK_KWS: Self = Self {
        channels: 49,
        upper_hz: 3999.0,
        noise: Some(Noise { min_signal_remaining: 0.03, ..Noise::DEFAULT }),
        gain: None,
        ..Self::TF_MICRO_SPEECH
    };

    /// Samples of a window.
    pub fn window(&self) -> usize {
        milliseconds(self.window_ms, self.sample_rate)
    }

    /// Samples from one window's start to the next one's.
    pub fn step(&self) -> usize {
        milliseconds(self.step_ms, self.sample_rate)
    }

    /// Whole windows in a recording of so many samples.
    pub fn frames(&self, samples: usize) -> usize {
        samples.checked_sub(self.window()).map_or(0, |rest| rest / self.step().max(1) + 1)
    }

    /// Samples of the transform: the power of two that a window fits into.
    pub(super) fn transform(&self) -> usize {
        self.window().next_power_of_two()
    }

    /// By how many bits the transform's division leaves magnitudes too small, with those of the filters' weights taken off.
    pub(super) fn correction_bits(&self) -> i32 {
        self.transform().trailing_zeros() as i32 - super::bank::WEIGHT_BITS as i32 / 2
    }

    /// Checks every range that a field states.
    pub(super) fn check(&self) -> Result<(), Error> {
        let rate = 1000..=96_000;
        if !rate.contains(&self.sample_rate) || self.window() < 8 || self.window() > 4096 {
            return Err(Error::FrontWindow);
        }
        if self.step() == 0 || self.step() > self.window() {
            return Err(Error::FrontWindow);
        }
        let channels = 1..=256;
        let bands = self.lower_hz >= 0.0 && self.upper_hz > self.lower_hz;
        let below = self.upper_hz < self.sample_rate as f32 / 2.0;
        if !channels.contains(&self.channels) || !bands || !below {
            return Err(Error::FrontBands);
        }
        let part = |x: f32| (0.0..=1.0).contains(&x);
        let noise = self.noise.is_none_or(|noise| {
            noise.smoothing_bits <= 16
                && part(noise.even_smoothing)
                && part(noise.odd_smoothing)
                && part(noise.min_signal_remaining)
        });
        let smoothing = self.smoothing_bits();
        let gain = self.gain.is_none_or(|gain| {
            part(gain.strength)
                && gain.offset > 0.0
                && gain.offset <= 65536.0
                && (12..=31).contains(&gain.gain_bits)
                && (0..32).contains(&(smoothing - self.correction_bits()))
                && i32::from(gain.gain_bits)
                    >= self.correction_bits() + super::gain::SNR_BITS as i32
        });
        if !noise || !gain || self.log_shift.is_some_and(|shift| shift > 11) {
            return Err(Error::FrontGain);
        }
        Ok(())
    }

    /// Bits that the noise estimate is more exact than the signal.
    pub(super) fn smoothing_bits(&self) -> i32 {
        self.noise.map_or(Noise::DEFAULT.smoothing_bits, |noise| noise.smoothing_bits).into()
    }
}

fn milliseconds(length: u16, rate: u32) -> usize {
    (u64::from(length) * u64::from(rate) / 1000) as usize
}
