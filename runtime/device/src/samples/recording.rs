//! Sound of one channel, as a `.wav` file or memory has it.

use std::io::Cursor;

use headstart::front::Resampler;
use headstart::front::resample::Rates;
use hound::{SampleFormat, WavReader, WavSpec};

use super::SampleProblem;

/// The rates that are read, in samples a second.
const RATES: std::ops::RangeInclusive<u32> = 1000..=192_000;
/// The most channels.
const CHANNELS: u16 = 8;
/// The most samples of one channel: six minutes at the highest rate, over an hour at 16 kHz.
const MOST_SAMPLES: u32 = 1 << 26;

/// Sound of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Samples a second.
    pub rate: u32,
    /// The samples, from the first on.
    pub samples: Vec<i16>,
}

impl Recording {
    /// Reads a `.wav` file: integers of 8 to 32 bits or float32, at 1,000 to 192,000 samples a second, in 1 to 8 channels.
    ///
    /// Each sample becomes one of 16 bits: more bits are rounded half up, float32 is taken from −1 to 1 and clipped. Channels are
    /// mixed to their mean, rounded half up.
    ///
    /// # Errors
    ///
    /// [`SampleProblem::NotARecording`] where the file breaks its format or is shorter than it says,
    /// [`SampleProblem::RecordingLimits`] past these limits, [`SampleProblem::NoSound`] without samples, and
    /// [`SampleProblem::NotFinite`] where a sample is no number.
    pub fn from_wav(content: &[u8]) -> Result<Self, SampleProblem> {
        let broken = |error: hound::Error| SampleProblem::NotARecording(error.to_string());
        let mut reader = WavReader::new(Cursor::new(content)).map_err(broken)?;
        let spec = reader.spec();
        let (count, frames) = (reader.len(), reader.duration());
        if !RATES.contains(&spec.sample_rate)
            || !(1..=CHANNELS).contains(&spec.channels)
            || frames > MOST_SAMPLES
        {
            return Err(SampleProblem::RecordingLimits {
                rate: spec.sample_rate,
                channels: spec.channels,
                samples: frames,
            });
        }
        // Nothing is allocated for samples that are not there.
        let bytes = u64::from(count) * u64::from(spec.bits_per_sample.div_ceil(8));
        if bytes > content.len() as u64 {
            let problem =
                format!("{bytes} bytes of sound are announced, and the file has {}", content.len());
            return Err(SampleProblem::NotARecording(problem));
        }
        if frames == 0 {
            return Err(SampleProblem::NoSound);
        }
        let mut mix = Mix::new(spec.channels, frames as usize);
        match spec.sample_format {
            SampleFormat::Int => {
                for sample in reader.samples::<i32>() {
                    mix.put(to_16_bits(sample.map_err(broken)?, spec));
                }
            }
            SampleFormat::Float => {
                for (index, sample) in reader.samples::<f32>().enumerate() {
                    let sample = sample.map_err(broken)?;
                    if !sample.is_finite() {
                        return Err(SampleProblem::NotFinite { index });
                    }
                    mix.put(
                        (f64::from(sample) * 32768.0 + 0.5).floor().clamp(-32768.0, 32767.0) as i32
                    );
                }
            }
        }
        Ok(Self { rate: spec.sample_rate, samples: mix.samples })
    }

    /// The same sound at another rate, by the filter of [`headstart::front::resample`].
    ///
    /// # Errors
    ///
    /// [`headstart::Error::FrontRate`] for rates that this has no filter for.
    pub fn resampled(&self, rate: u32) -> Result<Self, headstart::Error> {
        let rates = Rates { from: self.rate, to: rate };
        let mut memory = vec![0; rates.words()?];
        let mut resampler = Resampler::new(rates, &mut memory)?;
        let mut samples = Vec::with_capacity(rates.samples(self.samples.len()));
        resampler.push(&self.samples, |sample| samples.push(sample));
        resampler.finish(|sample| samples.push(sample));
        Ok(Self { rate, samples })
    }
}

/// An integer sample of so many bits with 16.
fn to_16_bits(sample: i32, spec: WavSpec) -> i32 {
    match u32::from(spec.bits_per_sample) {
        bits @ 17.. => {
            let drop = bits - 16;
            let rounded = (i64::from(sample) + (1 << (drop - 1))) >> drop;
            rounded.clamp(i16::MIN.into(), i16::MAX.into()) as i32
        }
        bits => sample << (16 - bits),
    }
}

/// Means of channels.
struct Mix {
    channels: i32,
    sum: i32,
    there: i32,
    samples: Vec<i16>,
}

impl Mix {
    fn new(channels: u16, frames: usize) -> Self {
        Self { channels: channels.into(), sum: 0, there: 0, samples: Vec::with_capacity(frames) }
    }

    fn put(&mut self, sample: i32) {
        self.sum += sample;
        self.there += 1;
        if self.there == self.channels {
            let mean = (2 * self.sum + self.channels).div_euclid(2 * self.channels);
            self.samples.push(mean as i16);
            (self.sum, self.there) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: WavSpec = WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };

    fn written<S: hound::Sample + Copy>(spec: WavSpec, samples: &[S]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for &sample in samples {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn samples(content: &[u8]) -> Vec<i16> {
        Recording::from_wav(content).unwrap().samples
    }

    #[test]
    fn every_width_becomes_16_bits() {
        let spec = |bits_per_sample| WavSpec { bits_per_sample, ..SPEC };
        assert_eq!(samples(&written(spec(8), &[-128, 0, 127_i32])), [-32768, 0, 32512]);
        assert_eq!(samples(&written(spec(16), &[-32768, 0, 32767_i32])), [-32768, 0, 32767]);
        let wide = [-8_388_608, -129, -128, 127, 128, 8_388_607_i32];
        assert_eq!(samples(&written(spec(24), &wide)), [-32768, -1, 0, 0, 1, 32767]);
        assert_eq!(
            samples(&written(spec(32), &[i32::MIN, 32768, 32767, i32::MAX])),
            [-32768, 1, 0, 32767]
        );
        let float = WavSpec { bits_per_sample: 32, sample_format: SampleFormat::Float, ..SPEC };
        let sound = [-2.0, -1.0, 0.0, 0.5, 1.0, 1e30_f32];
        assert_eq!(samples(&written(float, &sound)), [-32768, -32768, 0, 16384, 32767, 32767]);
    }

    #[test]
    fn channels_are_mixed_to_their_mean() {
        let stereo = WavSpec { channels: 2, ..SPEC };
        let sound = [100, 200, -1, 0, 32767, 32767, -32768, -32768_i32];
        assert_eq!(samples(&written(stereo, &sound)), [150, 0, 32767, -32768]);
    }

    #[test]
    fn one_sample_and_a_constant_are_recordings() {
        assert_eq!(samples(&written(SPEC, &[7_i32])), [7]);
        let constant = Recording { rate: 8000, samples: vec![-1234; 2000] };
        let found = constant.resampled(16_000).unwrap();
        assert_eq!(found.samples.len(), 4000);
        assert!(found.samples[200..3800].iter().all(|&sample| sample == -1234));
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_refused() {
        let whole = written(SPEC, &[1, 2, 3, 4, 5_i32]);
        assert_eq!(samples(&whole), [1, 2, 3, 4, 5]);
        for length in 0..whole.len() {
            let problem = Recording::from_wav(&whole[..length]).unwrap_err();
            assert!(matches!(problem, SampleProblem::NotARecording(_)), "{length}: {problem:?}");
        }
    }

    #[test]
    fn bad_headers_are_refused_with_what_is_wrong() {
        let change = |at: usize, bytes: &[u8]| {
            let mut content = written(SPEC, &[1, 2, 3, 4_i32]);
            content[at..at + bytes.len()].copy_from_slice(bytes);
            Recording::from_wav(&content).unwrap_err()
        };
        // Rate and bytes a second, which must agree.
        let rate =
            |hz: u32| change(24, &[hz.to_le_bytes(), (hz.wrapping_mul(2)).to_le_bytes()].concat());
        for hz in [0, 999, 768_000] {
            assert!(matches!(rate(hz), SampleProblem::RecordingLimits { rate, .. } if rate == hz));
        }
        // Four gigabytes of sound.
        for size in [u32::MAX - 1, u32::MAX, 1 << 30] {
            let problem = change(40, &size.to_le_bytes());
            let refused = matches!(
                problem,
                SampleProblem::NotARecording(_) | SampleProblem::RecordingLimits { .. }
            );
            assert!(refused, "{size}: {problem:?}");
        }
        for channels in [0_u16, 9, 65_535] {
            let problem = change(22, &channels.to_le_bytes());
            let refused = matches!(
                problem,
                SampleProblem::NotARecording(_) | SampleProblem::RecordingLimits { .. }
            );
            assert!(refused, "{channels}: {problem:?}");
        }
        assert!(matches!(change(34, &[0, 0]), SampleProblem::NotARecording(_)), "bits");
        assert!(matches!(change(20, &[85, 0]), SampleProblem::NotARecording(_)), "format");
        assert!(matches!(change(40, &[0; 4]), SampleProblem::NoSound));
        assert!(matches!(Recording::from_wav(b"RIFF"), Err(SampleProblem::NotARecording(_))));
        assert!(matches!(
            Recording::from_wav(&written::<i32>(SPEC, &[])),
            Err(SampleProblem::NoSound)
        ));
    }

    #[test]
    fn samples_that_are_no_numbers_are_refused() {
        let float = WavSpec { bits_per_sample: 32, sample_format: SampleFormat::Float, ..SPEC };
        for bad in [f32::NAN, f32::INFINITY] {
            let problem = Recording::from_wav(&written(float, &[0.0, bad])).unwrap_err();
            assert!(matches!(problem, SampleProblem::NotFinite { index: 1 }));
        }
    }

    #[test]
    fn a_changed_byte_never_panics() {
        let whole = written(SPEC, &[1, 2, 3, 4_i32]);
        for at in 0..whole.len() {
            for byte in [0, 1, 2, 127, 128, 255] {
                let mut content = whole.clone();
                content[at] = byte;
                let _ = Recording::from_wav(&content);
            }
        }
    }
}
