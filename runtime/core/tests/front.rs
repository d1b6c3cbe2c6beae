//! Front ends beside others' values, and in pieces beside the whole: `tests/front/golden.py` wrote the expected values.

#[path = "front/signal.rs"]
mod signal;

use headstart::Error;
use headstart::front::Micro;
use headstart::front::micro::{Gain, Noise, Settings, to_int8};
use proptest::prelude::*;
use signal::samples;

const GOLDEN: &[u8] = include_bytes!("front/micro.bin");

const NAMED: [Settings; 4] = [
    Settings::MICRO_WAKE_WORD,
    Settings::TF_MICRO_SPEECH,
    Settings::MLTK_KWS,
    Settings {
        window_ms: 25,
        step_ms: 10,
        channels: 32,
        gain: None,
        noise: Some(Noise::DEFAULT),
        ..Settings::TF_MICRO_SPEECH
    },
];

fn spectrogram(settings: &Settings, samples: &[i16]) -> Vec<u16> {
    let mut memory = vec![u32::MAX; settings.words().unwrap()];
    let mut values = vec![];
    let mut front = Micro::new(settings, &mut memory).unwrap();
    front.push(samples, |frame| values.extend_from_slice(frame));
    values
}

#[test]
fn spectrograms_are_those_of_tensorflow_lite_micro() {
    let golden: Vec<u16> = GOLDEN.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b)).collect();
    let mut rest = &golden[..];
    for settings in NAMED {
        let values = spectrogram(&settings, &samples(8000));
        assert_eq!(values.len(), settings.frames(8000) * usize::from(settings.channels));
        let expected;
        (expected, rest) = rest.split_at(values.len());
        assert!(values == expected, "{settings:?}");
    }
    assert!(rest.is_empty());
}

#[test]
fn a_reset_separates_recordings() {
    let settings = Settings::TF_MICRO_SPEECH;
    let mut memory = vec![0; settings.words().unwrap()];
    let mut front = Micro::new(&settings, &mut memory).unwrap();
    front.push(&samples(1234), |_| ());
    front.reset();
    let mut values = vec![];
    front.push(&samples(3000), |frame| values.extend_from_slice(frame));
    assert_eq!(values, spectrogram(&settings, &samples(3000)));
}

#[test]
fn presets_fit_into_six_kilobytes() {
    for settings in NAMED {
        assert!(settings.words().unwrap() * 4 <= 6 * 1024, "{settings:?}");
    }
}

#[test]
fn the_memory_is_as_large_as_stated() {
    let settings = Settings::MICRO_WAKE_WORD;
    // 480 samples, twice; 512 for sines and 512 for the transform; ends of 41 triangles; 236 frequencies; signal, noise; gains.
    let expected = 240 + 240 + 256 + 256 + 21 + 236 + 40 + 40 + 63;
    assert_eq!(settings.words(), Ok(expected));
    let mut memory = vec![0; expected - 1];
    let error = Micro::new(&settings, &mut memory).err();
    assert_eq!(error, Some(Error::BufferLength { expected, found: expected - 1 }));
}

#[test]
fn settings_outside_their_range_are_refused() {
    let good = Settings::TF_MICRO_SPEECH;
    let noise = |noise| Settings { noise: Some(noise), ..good };
    let gain = |gain| Settings { gain: Some(gain), ..good };
    for (settings, error) in [
        (Settings { sample_rate: 0, ..good }, Error::FrontWindow),
        (Settings { sample_rate: 768_000, ..good }, Error::FrontWindow),
        (Settings { window_ms: 0, ..good }, Error::FrontWindow),
        (Settings { window_ms: u16::MAX, ..good }, Error::FrontWindow),
        (Settings { step_ms: 0, ..good }, Error::FrontWindow),
        (Settings { step_ms: 31, ..good }, Error::FrontWindow),
        (Settings { channels: 0, ..good }, Error::FrontBands),
        (Settings { channels: 257, ..good }, Error::FrontBands),
        (Settings { lower_hz: -1.0, ..good }, Error::FrontBands),
        (Settings { lower_hz: f32::NAN, ..good }, Error::FrontBands),
        (Settings { upper_hz: 125.0, ..good }, Error::FrontBands),
        (Settings { upper_hz: 8000.0, ..good }, Error::FrontBands),
        (Settings { upper_hz: f32::INFINITY, ..good }, Error::FrontBands),
        (noise(Noise { smoothing_bits: 17, ..Noise::DEFAULT }), Error::FrontGain),
        (noise(Noise { even_smoothing: 1.1, ..Noise::DEFAULT }), Error::FrontGain),
        (noise(Noise { odd_smoothing: f32::NAN, ..Noise::DEFAULT }), Error::FrontGain),
        (noise(Noise { min_signal_remaining: -0.1, ..Noise::DEFAULT }), Error::FrontGain),
        (gain(Gain { strength: 2.0, ..Gain::DEFAULT }), Error::FrontGain),
        (gain(Gain { offset: 0.0, ..Gain::DEFAULT }), Error::FrontGain),
        (gain(Gain { gain_bits: 14, ..Gain::DEFAULT }), Error::FrontGain),
        (Settings { log_shift: Some(12), ..good }, Error::FrontGain),
    ] {
        assert_eq!(settings.words(), Err(error), "{settings:?}");
        assert_eq!(Micro::new(&settings, &mut [0; 2000]).err(), Some(error), "{settings:?}");
    }
}

#[test]
fn int8_values_are_those_of_micro_speech() {
    // Its own formula, with the rounding that it states.
    for value in 0..=u16::MAX {
        let expected = (u64::from(value) * 256 + 666 / 2) / 666;
        assert_eq!(i64::from(to_int8(value)), (expected as i64 - 128).min(127), "{value}");
    }
}

prop_compose! {
    fn settings()(
        sample_rate in prop::sample::select(vec![1000_u32, 8000, 11_025, 16_000, 44_100, 96_000]),
        window_ms in 1_u16..60,
        step_part in 1_u16..=100,
        channels in 1_u16..=256,
        lower in 0.0_f32..0.4,
        upper in 0.0_f32..0.5,
        noise in prop::option::of((0_u8..=16, 0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0)),
        gain in prop::option::of((0.0_f32..=1.0, 0.1_f32..1000.0, 12_u8..=31)),
        log_shift in prop::option::of(0_u8..=11),
    ) -> Settings {
        Settings {
            sample_rate,
            window_ms,
            step_ms: (window_ms * step_part / 100).max(1),
            channels,
            lower_hz: lower * sample_rate as f32,
            upper_hz: upper * sample_rate as f32,
            noise: noise.map(|(smoothing_bits, even_smoothing, odd_smoothing, min_signal_remaining)| {
                Noise { smoothing_bits, even_smoothing, odd_smoothing, min_signal_remaining }
            }),
            gain: gain.map(|(strength, offset, gain_bits)| Gain { strength, offset, gain_bits }),
            log_shift,
        }
    }
}

proptest! {
    #[test]
    fn pieces_of_any_length_give_the_bits_of_the_whole(
        which in 0..NAMED.len(),
        count in 0_u32..4000,
        pieces in prop::collection::vec(1_usize..700, 1..20),
    ) {
        let settings = NAMED[which];
        let samples = samples(count);
        let mut memory = vec![0; settings.words().unwrap()];
        let mut front = Micro::new(&settings, &mut memory).unwrap();
        let (mut values, mut rest) = (vec![], &samples[..]);
        for &piece in pieces.iter().cycle() {
            let taken;
            (taken, rest) = rest.split_at(piece.min(rest.len()));
            front.push(taken, |frame| values.extend_from_slice(frame));
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(values, spectrogram(&settings, &samples));
    }

    #[test]
    fn any_settings_are_refused_or_run_on_any_samples(
        settings in settings(),
        samples in prop::collection::vec(prop_oneof![any::<i16>(), Just(i16::MIN), Just(i16::MAX), Just(0)], 0..6000),
    ) {
        if settings.words().is_ok() {
            let values = spectrogram(&settings, &samples);
            prop_assert_eq!(values.len(), settings.frames(samples.len()) * usize::from(settings.channels));
        } else {
            prop_assert!(Micro::new(&settings, &mut []).is_err());
        }
    }
}
