//! Log-mel and MFCC beside definitions in float64, and in pieces beside the whole.

#[path = "front/signal.rs"]
mod signal;

use headstart::Error;
use headstart::front::Mel;
use headstart::front::mel::{Bands, Cepstrum, Settings, Shape};
use proptest::prelude::*;
use signal::samples;

/// What librosa and Kaldi (kaldi-native-fbank) make of the samples: `tests/front/golden.py` wrote it.
const GOLDEN: &[u8] = include_bytes!("front/mel.bin");

const NAMED: [Settings; 4] =
    [Settings::LIBROSA, Settings::LIBROSA_MFCC, Settings::KALDI, Settings::KALDI_MFCC];

fn spectrogram<const L: usize>(settings: &Settings, pieces: &[&[i16]]) -> Vec<f32> {
    let mut memory = vec![u32::MAX; settings.words::<L>().unwrap()];
    let mut values = vec![];
    let mut front = Mel::<L>::new(settings, &mut memory).unwrap();
    for piece in pieces {
        front.push(piece, |frame| values.extend_from_slice(frame));
    }
    front.finish(|frame| values.extend_from_slice(frame));
    values
}

#[test]
fn values_are_those_of_librosa_and_kaldi_to_a_ten_thousandth_of_full_scale() {
    let golden: Vec<f32> = GOLDEN.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    let mut rest = &golden[..];
    for settings in NAMED {
        let values = spectrogram::<1>(&settings, &[&samples(8000)]);
        assert_eq!(values.len(), settings.frames(8000) * settings.values());
        let expected;
        (expected, rest) = rest.split_at(values.len());
        let least = expected.iter().copied().fold(f32::INFINITY, f32::min);
        let most = expected.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for (at, (found, expected)) in values.iter().zip(expected).enumerate() {
            let error = (found - expected).abs() / (most - least);
            assert!(error <= 1e-4, "{settings:?} {at}: {found} {expected}");
        }
    }
    assert!(rest.is_empty());
}

#[test]
fn the_bits_do_not_depend_on_how_many_windows_are_worked_on_at_once() {
    let all = samples(9000);
    for settings in NAMED {
        let one = spectrogram::<1>(&settings, &[&all]);
        assert_eq!(one, spectrogram::<4>(&settings, &[&all]));
        assert_eq!(one, spectrogram::<8>(&settings, &[&all]));
    }
}

#[test]
fn silence_and_the_extremes_give_finite_values() {
    for settings in NAMED {
        for sample in [0, i16::MIN, i16::MAX] {
            let values = spectrogram::<8>(&settings, &[&vec![sample; 4000]]);
            assert!(values.iter().all(|value| value.is_finite()));
            if sample == 0 && settings.cepstrum.is_none() {
                let floor = settings.floor.ln() * settings.factor;
                assert!(values.iter().all(|value| (value - floor).abs() < 1e-3));
            }
        }
    }
}

#[test]
fn a_recording_that_ends_leaves_nothing_behind() {
    for settings in NAMED {
        let mut memory = vec![0; settings.words::<8>().unwrap()];
        let mut front = Mel::<8>::new(&settings, &mut memory).unwrap();
        front.push(&samples(1234), |_| ());
        front.finish(|_| ());
        let mut values = vec![];
        front.push(&samples(3000), |frame| values.extend_from_slice(frame));
        front.finish(|frame| values.extend_from_slice(frame));
        assert_eq!(values, spectrogram::<8>(&settings, &[&samples(3000)]));
    }
}

#[test]
fn settings_outside_their_range_are_refused() {
    let good = Settings::LIBROSA;
    let cepstrum = |coefficients, lifter| Settings {
        cepstrum: Some(Cepstrum { coefficients, lifter }),
        ..good
    };
    for (settings, error) in [
        (Settings { sample_rate: 0, ..good }, Error::FrontWindow),
        (Settings { window: 7, ..good }, Error::FrontWindow),
        (Settings { window: 4097, ..good }, Error::FrontWindow),
        (Settings { step: 0, ..good }, Error::FrontWindow),
        (Settings { step: 513, ..good }, Error::FrontWindow),
        (Settings { bands: 0, ..good }, Error::FrontBands),
        (Settings { bands: 257, ..good }, Error::FrontBands),
        (Settings { upper_hz: 8001.0, ..good }, Error::FrontBands),
        (Settings { lower_hz: f32::NAN, ..good }, Error::FrontBands),
        (Settings { floor: 0.0, ..good }, Error::FrontGain),
        (Settings { scale: f32::INFINITY, ..good }, Error::FrontGain),
        (Settings { pre_emphasis: 1.5, ..good }, Error::FrontGain),
        (cepstrum(0, 0.0), Error::FrontGain),
        (cepstrum(41, 0.0), Error::FrontGain),
        (cepstrum(13, -1.0), Error::FrontGain),
    ] {
        assert_eq!(Mel::<1>::new(&settings, &mut [0; 9000]).err(), Some(error), "{settings:?}");
    }
    let expected = good.words::<1>().unwrap();
    let found = expected - 1;
    let error = Mel::<1>::new(&good, &mut vec![0; found]).err();
    assert_eq!(error, Some(Error::BufferLength { expected, found }));
}

prop_compose! {
    fn settings()(
        sample_rate in prop::sample::select(vec![1000_u32, 8000, 16_000, 44_100, 96_000]),
        window in 8_u16..1100,
        step_part in 1_u32..=100,
        shape in prop::sample::select(vec![Shape::Hann, Shape::Povey, Shape::Hamming]),
        scale_of_bands in prop::sample::select(vec![Bands::Slaney, Bands::Kaldi]),
        centred in any::<bool>(),
        remove_mean in any::<bool>(),
        bands in 1_u16..=256,
        limits in (0.0_f32..0.5, 0.0_f32..=0.5),
        coefficients in prop::option::of(1_u16..40),
    ) -> Settings {
        Settings {
            sample_rate,
            window,
            step: (u32::from(window) * step_part / 100).max(1) as u16,
            shape,
            scale_of_bands,
            centred,
            remove_mean,
            bands,
            lower_hz: limits.0 * sample_rate as f32,
            upper_hz: limits.1 * sample_rate as f32,
            cepstrum: coefficients.map(|coefficients| Cepstrum { coefficients, lifter: 22.0 }),
            ..Settings::LIBROSA
        }
    }
}

proptest! {
    #[test]
    fn pieces_of_any_length_give_the_bits_of_the_whole(
        settings in settings(),
        count in 0_u32..4000,
        lengths in prop::collection::vec(1_usize..900, 1..20),
    ) {
        if settings.words::<1>().is_ok() {
            let all = samples(count);
            let (mut pieces, mut rest) = (vec![], &all[..]);
            for &length in lengths.iter().cycle() {
                let (piece, behind) = rest.split_at(length.min(rest.len()));
                pieces.push(piece);
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            let whole = spectrogram::<8>(&settings, &[&all]);
            prop_assert_eq!(whole.len(), settings.frames(all.len()) * settings.values());
            prop_assert!(whole.iter().all(|value| value.is_finite()));
            prop_assert_eq!(&whole, &spectrogram::<8>(&settings, &pieces));
            prop_assert_eq!(&whole, &spectrogram::<1>(&settings, &pieces));
        }
    }
}
