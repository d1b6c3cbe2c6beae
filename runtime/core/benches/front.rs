//! Front ends on one second of sound at 16 kHz: a step of 10 ms, 98 to 101 frames.
#![allow(missing_docs, reason = "criterion's macros make public items without")]

use criterion::{Criterion, criterion_group, criterion_main};
use headstart::front::{Mel, Micro, mel, micro};

/// A second of noise.
fn second() -> Vec<i16> {
    (0..16_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 18) as i16).collect()
}

fn fronts(c: &mut Criterion) {
    let samples = second();
    let mut group = c.benchmark_group("one second at 16 kHz");
    let settings = micro::Settings::MICRO_WAKE_WORD;
    let mut memory = vec![0; settings.words().expect("settings in range")];
    let mut front = Micro::new(&settings, &mut memory).expect("enough memory");
    group.bench_function("micro, 40 channels", |b| {
        b.iter(|| {
            let mut sum = 0;
            front.push(&samples, |frame| sum += u32::from(frame[0]));
            front.reset();
            sum
        });
    });
    for (name, settings) in [
        ("log-mel as librosa, 40 bands", mel::Settings::LIBROSA),
        ("log-mel as Kaldi, 40 bands", mel::Settings::KALDI),
        ("MFCC as Kaldi, 13 of 23 bands", mel::Settings::KALDI_MFCC),
    ] {
        let mut memory = vec![0; settings.words::<8>().expect("settings in range")];
        let mut front = Mel::<8>::new(&settings, &mut memory).expect("enough memory");
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut sum = 0.0;
                front.push(&samples, |frame| sum += frame[0]);
                front.finish(|frame| sum += frame[0]);
                sum
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fronts);
criterion_main!(benches);
