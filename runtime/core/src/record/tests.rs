use std::string::String;
use std::vec;
use std::vec::Vec;

use super::*;
use half::f16;

const HALF_OF_VERSION_1: &[u8] = include_bytes!("half_of_version_1.bin");

const WEIGHTS: [f32; 6] = [0.5, -0.001, 3.0e-5, 1.0e-7, -2.0, 0.25];
const BIAS: [f32; 2] = [100.5, -3.0];
const BACKBONE: [u8; 32] = [7; 32];

fn parts() -> HeadParts<'static> {
    HeadParts {
        head: LinearHead::new(&WEIGHTS, &BIAS, 3).unwrap(),
        backbone_digest: BACKBONE,
        labels: &["mug", "Tæve"],
        samples: &[12, 0],
        learner: Learner::Blend,
        storage: Storage::F32,
        temperature: 0.75,
        unknown_threshold: 0.4,
        prototypes: None,
        held_out: Some((11, 12)),
    }
}

fn emit(parts: &HeadParts<'_>) -> Vec<u8> {
    let mut bytes = vec![0xAA; parts.encoded_len().unwrap()];
    assert_eq!(parts.emit(&mut bytes).unwrap(), bytes.len());
    bytes
}

/// Changes bytes of the body and writes the digest that then belongs there.
fn forge(mut bytes: Vec<u8>, offset: usize, with: &[u8]) -> Vec<u8> {
    bytes[offset..offset + with.len()].copy_from_slice(with);
    let is_compact = bytes[2] == COMPACT_VERSION;
    let body = bytes.len() - if is_compact { COMPACT_DIGEST } else { EXACT_DIGEST };
    let digest = Sha256::digest(&bytes[..body]);
    let length = bytes.len() - body;
    bytes[body..].copy_from_slice(&digest[..length]);
    bytes
}

/// Found by fuzzing: each was finite, and their product was not.
#[test]
fn a_weight_that_its_scale_makes_infinite_is_refused() {
    let forged = forge(HALF_OF_VERSION_1.to_vec(), 40, &1.0e38_f32.to_le_bytes());
    assert_eq!(HeadRecord::parse(&forged).unwrap_err(), Error::NotFinite);
    let bytes = emit(&HeadParts { storage: Storage::F16, ..parts() });
    for exponent in [14, 15] {
        let forged = forge(bytes.clone(), exponent, &[127]);
        assert_eq!(HeadRecord::parse(&forged).unwrap_err(), Error::NotFinite);
    }
}

/// Three classes over two features, with prototypes, as they were written before there was a version 2.
#[test]
fn a_half_record_of_version_1_still_opens() {
    let record = HeadRecord::parse_for(HALF_OF_VERSION_1, &BACKBONE).unwrap();
    assert_eq!((record.storage(), record.learner()), (Storage::F16, Learner::Blend));
    assert!(record.labels().eq(["mug", "cup", "Tässchen"]) && record.samples().eq([3, 4, 0]));
    assert_eq!((record.temperature(), record.unknown_threshold()), (0.5, 0.4));
    assert_eq!((record.held_out(), record.backbone_digest()), (Some((5, 7)), &BACKBONE[..]));
    assert_eq!(record.prototypes(), Some(&[1, 2, 3, 4, 5, 6][..]));
    let (mut weights, mut bias) = ([9.0; 6], [9.0; 3]);
    record.read(&mut weights, &mut bias).unwrap();
    assert_eq!((weights, bias), ([0.5, -1.0, 2.0, 0.25, 1.0, 0.0], [0.0, 1.0, -1.0]));
    for bit in 0..HALF_OF_VERSION_1.len() * 8 {
        let mut changed = HALF_OF_VERSION_1.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(HeadRecord::parse(&changed).is_err(), "bit {bit}");
    }
}

#[test]
fn a_half_record_has_two_bytes_a_parameter_and_at_most_64() {
    let labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let weights: Vec<f32> = (0..12_800).map(|i| (i as f32).sin() / 100.0).collect();
    let bias: [f32; 10] = core::array::from_fn(|class| class as f32 - 4.0);
    let calibrated = HeadParts {
        head: LinearHead::new(&weights, &bias, 1280).unwrap(),
        labels: &labels,
        samples: &[20; 10],
        storage: Storage::F16,
        held_out: Some((190, 200)),
        ..parts()
    };
    let besides = |parts: HeadParts<'_>| emit(&parts).len() - 2 * (weights.len() + bias.len());
    // 20 of them are the labels.
    assert_eq!(besides(calibrated), 63);
    assert_eq!(besides(HeadParts { samples: &[140; 10], ..calibrated }), 64);
    let plain =
        HeadParts { temperature: 1.0, unknown_threshold: 0.0, held_out: None, ..calibrated };
    assert_eq!(besides(plain), 56);
}

#[test]
fn a_half_record_reads_back_with_what_it_leaves_out() {
    let samples = [u32::MAX, 200];
    let half = HeadParts { storage: Storage::F16, samples: &samples, ..parts() };
    let bytes = emit(&half);
    let record = HeadRecord::parse_for(&bytes, &BACKBONE).unwrap();
    assert_eq!((record.classes(), record.feature_len()), (2, 3));
    assert_eq!((record.storage(), record.learner()), (Storage::F16, Learner::Blend));
    assert_eq!(record.temperature(), 0.75);
    assert!((record.unknown_threshold() - 0.4).abs() < 2e-4);
    assert_eq!(record.held_out(), Some((11, 12)));
    assert_eq!(record.backbone_digest(), &BACKBONE[..8]);
    assert!(record.labels().eq(["mug", "Tæve"]) && record.samples().eq(samples));
    assert_eq!(record.class("Tæve"), Some(1));

    let plain = HeadParts { temperature: 1.0, unknown_threshold: 0.0, held_out: None, ..half };
    let prototypes = [1, -2, 127, -128, 0, 5];
    let bytes = emit(&HeadParts { prototypes: Some(&prototypes), ..plain });
    let record = HeadRecord::parse_for(&bytes, &BACKBONE).unwrap();
    assert_eq!((record.temperature(), record.unknown_threshold()), (1.0, 0.0));
    assert_eq!((record.held_out(), record.prototypes()), (None, Some(&prototypes[..])));
    for learner in Learner::ALL {
        let bytes = emit(&HeadParts { learner, ..plain });
        assert_eq!(HeadRecord::parse(&bytes).unwrap().learner(), learner);
    }
    for temperature in [1e-9, 1e6] {
        let refused = HeadParts { temperature, ..half };
        let error = refused.emit(&mut [0; 400]).unwrap_err();
        assert_eq!(error, Error::FieldInvalid { offset: 24 });
    }
}

#[test]
fn a_half_record_with_a_right_digest_and_wrong_contents_is_refused() {
    let bytes = emit(&HeadParts { storage: Storage::F16, ..parts() });
    let nan = f16::NAN.to_le_bytes();
    for (offset, with, expected) in [
        (2, &[3][..], Error::UnsupportedVersion { found: 3 }),
        (2, &[1], Error::NotAHead),
        (3, &[0x30], Error::FieldInvalid { offset: 3 }),
        (3, &[0x37], Error::FieldInvalid { offset: 3 }),
        (3, &[0xB5], Error::FieldInvalid { offset: 3 }),
        (12, &[0], Error::ShapeOverflow),
        (13, &[0], Error::ShapeOverflow),
        // A longer form than the shortest.
        (12, &[0x83, 0, 2], Error::Truncated),
        (14, &[0x80], Error::FieldInvalid { offset: 3 }),
        (15, &[0x81], Error::FieldInvalid { offset: 3 }),
        (16, &[0, 0], Error::FieldInvalid { offset: 3 }),
        (16, &nan, Error::FieldInvalid { offset: 3 }),
        (18, &nan, Error::FieldInvalid { offset: 3 }),
        (18, &[0, 0x40], Error::FieldInvalid { offset: 3 }),
        (20, &[0x80, 0], Error::Truncated),
        // The labels' lengths.
        (25, &[4], Error::Truncated),
        (26, b"\n", Error::LabelInvalid { class: 0 }),
        (35, &nan, Error::NotFinite),
        (39, &nan, Error::NotFinite),
    ] {
        let forged = forge(bytes.clone(), offset, with);
        assert_eq!(HeadRecord::parse(&forged).unwrap_err(), expected, "{offset} {with:?}");
    }
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let bytes = emit(&parts());
    let record = HeadRecord::parse_for(&bytes, &BACKBONE).unwrap();
    assert_eq!((record.classes(), record.feature_len()), (2, 3));
    assert_eq!((record.storage(), record.learner()), (Storage::F32, Learner::Blend));
    assert_eq!((record.temperature(), record.unknown_threshold()), (0.75, 0.4));
    assert_eq!(record.held_out(), Some((11, 12)));
    assert_eq!(record.backbone_digest(), &BACKBONE[..]);
    assert!(record.labels().eq(["mug", "Tæve"]));
    assert_eq!((record.class("Tæve"), record.class("tæve")), (Some(1), None));
    assert!(record.samples().eq([12, 0]));
    let (mut weights, mut bias) = ([0.0; 6], [0.0; 2]);
    record.read(&mut weights, &mut bias).unwrap();
    assert_eq!((weights, bias), (WEIGHTS, BIAS));
    assert!(record.read(&mut weights[..5], &mut bias).is_err());

    assert_eq!(record.prototypes(), None);

    let prototypes = [1, -2, 127, -128, 0, 5];
    let bytes = emit(&HeadParts { prototypes: Some(&prototypes), ..parts() });
    assert_eq!(HeadRecord::parse(&bytes).unwrap().prototypes(), Some(&prototypes[..]));
    let unmeasured = emit(&HeadParts { held_out: None, ..parts() });
    assert_eq!(HeadRecord::parse(&unmeasured).unwrap().held_out(), None);
}

#[test]
fn half_storage_keeps_eleven_bits_of_small_weights_too() {
    let bytes = emit(&HeadParts { storage: Storage::F16, ..parts() });
    let record = HeadRecord::parse(&bytes).unwrap();
    let (mut weights, mut bias) = ([0.0; 6], [0.0; 2]);
    record.read(&mut weights, &mut bias).unwrap();
    assert_eq!(bias, BIAS);
    for (found, expected) in weights.iter().zip(WEIGHTS) {
        assert!((found - expected).abs() <= expected.abs() / 2048.0, "{found} {expected}");
    }
}

#[test]
fn every_changed_byte_is_refused() {
    for storage in [Storage::F32, Storage::F16] {
        let bytes = emit(&HeadParts { storage, prototypes: Some(&[5; 6]), ..parts() });
        for at in 0..bytes.len() {
            for flip in [1, 2, 4, 8, 16, 32, 64, 128, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(HeadRecord::parse(&changed).is_err(), "byte {at} ^ {flip}");
            }
        }
    }
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    for storage in [Storage::F32, Storage::F16] {
        let bytes = emit(&HeadParts { storage, ..parts() });
        for length in 0..bytes.len() {
            let error = HeadRecord::parse(&bytes[..length]).unwrap_err();
            let expected = if length == 0 { Error::NotAHead } else { Error::Truncated };
            assert_eq!(error, expected, "{length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(HeadRecord::parse(&longer).unwrap_err(), Error::TrailingBytes);
    }
    assert_eq!(HeadRecord::parse(b"{\"a\": 1}").unwrap_err(), Error::NotAHead);
    assert_eq!(HeadRecord::parse(b"P6").unwrap_err(), Error::NotAHead);
}

#[test]
fn the_head_of_another_backbone_is_refused_by_name() {
    for storage in [Storage::F32, Storage::F16] {
        let bytes = emit(&HeadParts { storage, ..parts() });
        let mut other = BACKBONE;
        other[0] = 0xAB;
        let error = HeadRecord::parse_for(&bytes, &other).unwrap_err();
        let expected = Error::BackboneMismatch { expected: [0xAB, 7, 7, 7], found: [7; 4] };
        assert_eq!(error, expected);
        let text = std::format!("{error}");
        assert!(text.contains("07070707") && text.contains("ab070707"));
        other = BACKBONE;
        other[7] = 0xAB;
        assert!(HeadRecord::parse_for(&bytes, &other).is_err());
    }
}

#[test]
fn a_record_with_a_right_digest_and_wrong_contents_is_refused() {
    let bytes = emit(&parts());
    let table = EXACT_HEADER + 8;
    let weights = table + 9 + 3 + 8;
    let nan = f32::NAN.to_le_bytes();
    for (offset, with, expected) in [
        (8, &[2_u8, 0][..], Error::UnsupportedVersion { found: 2 }),
        (8, &[0, 0], Error::FieldInvalid { offset: 8 }),
        (10, &[4], Error::FieldInvalid { offset: 10 }),
        (10, &[2], Error::Truncated),
        (11, &[0], Error::FieldInvalid { offset: 11 }),
        (12, &[0, 0, 0, 0], Error::ShapeOverflow),
        (12, &[255, 255, 255, 255], Error::ShapeOverflow),
        (16, &[0, 0, 0, 0], Error::ShapeOverflow),
        (16, &[1, 0x10, 0, 0], Error::ShapeOverflow),
        (16, &[0, 0x10, 0, 0], Error::Truncated),
        (20, &[0, 0, 0, 0], Error::ShapeOverflow),
        (24, &[0, 0, 0, 0], Error::FieldInvalid { offset: 24 }),
        (24, &nan, Error::FieldInvalid { offset: 24 }),
        (28, &nan, Error::FieldInvalid { offset: 28 }),
        (28, &2.0_f32.to_le_bytes(), Error::FieldInvalid { offset: 28 }),
        (32, &[13, 0, 0, 0], Error::FieldInvalid { offset: 32 }),
        (40, &[0, 0, 0, 0], Error::FieldInvalid { offset: 40 }),
        (table + 4, &[6], Error::LabelInvalid { class: 1 }),
        (table, &[0], Error::LabelInvalid { class: 0 }),
        (table + 1, &[0xFF], Error::LabelInvalid { class: 0 }),
        (table + 1, b"\n", Error::LabelInvalid { class: 0 }),
        (table + 10, &[1], Error::TrailingBytes),
        (table + 12, &f32::INFINITY.to_le_bytes(), Error::NotFinite),
        (weights + 8, &nan, Error::NotFinite),
    ] {
        let forged = forge(bytes.clone(), offset, with);
        assert_eq!(HeadRecord::parse(&forged).unwrap_err(), expected, "{offset} {with:?}");
    }
    let twins = emit(&HeadParts { labels: &["mug", "mob"], ..parts() });
    let forged = forge(twins, table + 5, b"mug");
    assert_eq!(HeadRecord::parse(&forged).unwrap_err(), Error::LabelInvalid { class: 1 });
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let long: String = "x".repeat(65);
    let nan = [f32::NAN; 6];
    let refused = [
        HeadParts { labels: &["mug"], ..parts() },
        HeadParts { labels: &["mug", "mug"], ..parts() },
        HeadParts { labels: &["mug", ""], ..parts() },
        HeadParts { labels: &["mug", "a\tb"], ..parts() },
        HeadParts { labels: &["mug", &long], ..parts() },
        HeadParts { samples: &[1, 2, 3], ..parts() },
        HeadParts { prototypes: Some(&[1; 5]), ..parts() },
        HeadParts { temperature: 0.0, ..parts() },
        HeadParts { unknown_threshold: f32::NAN, ..parts() },
        HeadParts { held_out: Some((2, 1)), ..parts() },
        HeadParts { head: LinearHead::new(&nan, &BIAS, 3).unwrap(), ..parts() },
    ];
    for parts in refused {
        assert!(parts.emit(&mut [0; 400]).is_err(), "{parts:?}");
    }
    let needed = parts().encoded_len().unwrap();
    let error = parts().emit(&mut vec![0; needed - 1]).unwrap_err();
    assert_eq!(error, Error::BufferLength { expected: needed, found: needed - 1 });
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8.., 0..300)) {
        let exact: Vec<u8> = [&EXACT_MAGIC[..], &[1, 0], &bytes].concat();
        let compact: Vec<u8> = [&COMPACT_MAGIC[..], &[COMPACT_VERSION], &bytes].concat();
        proptest::prop_assert!(HeadRecord::parse(&exact).is_err());
        proptest::prop_assert!(HeadRecord::parse(&compact).is_err());
    }

    #[test]
    fn any_head_reads_back(
        seed in 0_u64..,
        classes in 1_usize..20,
        feature_len in 1_usize..40,
        half in 0..2,
    ) {
        let mut random = crate::random::Random::new(seed);
        let mut next = || random.next_u32() as f32 / u32::MAX as f32 - 0.5;
        let weights: Vec<f32> = (0..classes * feature_len).map(|_| next()).collect();
        let bias: Vec<f32> = (0..classes).map(|_| next()).collect();
        let labels: Vec<String> = (0..classes).map(|class| std::format!("class {class}")).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let storage = if half == 1 { Storage::F16 } else { Storage::F32 };
        let bytes = emit(&HeadParts {
            head: LinearHead::new(&weights, &bias, feature_len).unwrap(),
            labels: &labels,
            samples: &vec![1; classes],
            storage,
            ..parts()
        });
        let record = HeadRecord::parse(&bytes).unwrap();
        let (mut weights_back, mut bias_back) = (vec![0.0; weights.len()], vec![0.0; classes]);
        record.read(&mut weights_back, &mut bias_back).unwrap();
        proptest::prop_assert!(record.labels().eq(labels));
        for (found, expected) in weights_back.iter().zip(weights).chain(bias_back.iter().zip(bias)) {
            let tolerance = if half == 1 { expected.abs() / 2048.0 + 1e-9 } else { 0.0 };
            proptest::prop_assert!((found - expected).abs() <= tolerance);
        }
    }
}
