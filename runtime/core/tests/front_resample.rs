//! Sound at another rate: tones that pass and tones that do not, pieces beside the whole.

#[path = "front/signal.rs"]
mod signal;

use std::f64::consts::TAU;

use headstart::Error;
use headstart::front::Resampler;
use headstart::front::resample::Rates;
use proptest::prelude::*;
use signal::samples;

const RATES: [Rates; 8] = [
    Rates { from: 8000, to: 16_000 },
    Rates { from: 16_000, to: 8000 },
    Rates { from: 44_100, to: 16_000 },
    Rates { from: 48_000, to: 16_000 },
    Rates { from: 11_025, to: 16_000 },
    Rates { from: 22_050, to: 8000 },
    Rates { from: 16_000, to: 44_100 },
    Rates { from: 16_000, to: 16_000 },
];

fn resampled(rates: Rates, pieces: &[&[i16]]) -> Vec<i16> {
    let mut memory = vec![u32::MAX; rates.words().unwrap()];
    let mut values = vec![];
    let mut resampler = Resampler::new(rates, &mut memory).unwrap();
    for piece in pieces {
        resampler.push(piece, |sample| values.push(sample));
    }
    resampler.finish(|sample| values.push(sample));
    values
}

fn tone(hz: f64, rate: u32, count: usize) -> Vec<f64> {
    (0..count).map(|at| 20_000.0 * (TAU * hz * at as f64 / f64::from(rate)).sin()).collect()
}

/// The largest difference of two recordings, without what is near their ends.
fn difference(found: &[i16], expected: &[f64]) -> f64 {
    let inside = found.len() / 4..found.len() * 3 / 4;
    let pairs = found[inside.clone()].iter().zip(&expected[inside]);
    pairs.map(|(&found, expected)| (f64::from(found) - expected).abs()).fold(0.0, f64::max)
}

#[test]
fn tones_below_the_lower_half_rate_pass_and_those_above_do_not() {
    for rates in RATES.into_iter().filter(|rates| rates.from != rates.to) {
        let lower = f64::from(rates.from.min(rates.to)) / 2.0;
        for part in [0.01, 0.2, 0.5, 0.7, 0.8] {
            let sound: Vec<i16> =
                tone(part * lower, rates.from, 12_000).iter().map(|x| x.round() as i16).collect();
            let found = resampled(rates, &[&sound]);
            assert_eq!(found.len(), rates.samples(12_000));
            let expected = tone(part * lower, rates.to, found.len());
            let error = difference(&found, &expected) / 20_000.0;
            assert!(error < 0.002, "{rates:?} {part}: {error}");
        }
        if rates.from > rates.to {
            for part in [1.05, 1.3, 1.7] {
                if part * lower > f64::from(rates.from) / 2.0 {
                    continue;
                }
                let sound: Vec<i16> = tone(part * lower, rates.from, 12_000)
                    .iter()
                    .map(|x| x.round() as i16)
                    .collect();
                let found = resampled(rates, &[&sound]);
                let error = difference(&found, &vec![0.0; found.len()]) / 20_000.0;
                assert!(error < 0.001, "{rates:?} {part}: {error}");
            }
        }
    }
}

#[test]
fn a_constant_stays_what_it_is() {
    for rates in RATES {
        for level in [i16::MIN, -1, 0, 1, 12_345, i16::MAX] {
            let found = resampled(rates, &[&[level; 3000]]);
            let inside = &found[found.len() / 4..found.len() * 3 / 4];
            assert!(inside.iter().all(|&sample| sample == level), "{rates:?} {level}");
        }
    }
}

#[test]
fn one_sample_and_none_are_recordings_too() {
    for rates in RATES {
        assert!(resampled(rates, &[]).is_empty());
        assert_eq!(resampled(rates, &[&[1000]]).len(), rates.samples(1));
    }
}

#[test]
fn rates_outside_their_range_are_refused() {
    for [from, to] in [[0, 16_000], [16_000, 0], [768_000, 16_000], [16_000, 999], [44_101, 16_000]]
    {
        let rates = Rates { from, to };
        assert_eq!(rates.words(), Err(Error::FrontRate));
        assert_eq!(Resampler::new(rates, &mut []).err(), Some(Error::FrontRate));
    }
    let expected = RATES[0].words().unwrap();
    let error = Resampler::new(RATES[0], &mut [0; 10]).err();
    assert_eq!(error, Some(Error::BufferLength { expected, found: 10 }));
}

proptest! {
    #[test]
    fn pieces_of_any_length_give_the_bits_of_the_whole(
        which in 0..RATES.len(),
        count in 0_u32..3000,
        lengths in prop::collection::vec(1_usize..900, 1..20),
    ) {
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
        let whole = resampled(RATES[which], &[&all]);
        prop_assert_eq!(whole.len(), RATES[which].samples(all.len()));
        prop_assert_eq!(whole, resampled(RATES[which], &pieces));
    }
}
