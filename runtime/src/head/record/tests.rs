use std::string::String;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::head::LinearHead;

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
    let body = bytes.len() - DIGEST;
    let digest = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&digest);
    bytes
}

/// Found by fuzzing: each was finite, and their product was not.
#[test]
fn a_weight_that_its_scale_makes_infinite_is_refused() {
    let bytes = emit(&HeadParts { storage: Storage::F16, ..parts() });
    let forged = forge(bytes, 40, &1.0e38_f32.to_le_bytes());
    assert_eq!(HeadRecord::parse(&forged).unwrap_err(), Error::NotFinite);
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let bytes = emit(&parts());
    let record = HeadRecord::parse_for(&bytes, &BACKBONE).unwrap();
    assert_eq!((record.classes(), record.feature_len()), (2, 3));
    assert_eq!((record.storage(), record.learner()), (Storage::F32, Learner::Blend));
    assert_eq!((record.temperature(), record.unknown_threshold()), (0.75, 0.4));
    assert_eq!(record.held_out(), Some((11, 12)));
    assert_eq!(record.backbone_digest(), &BACKBONE);
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
    assert_eq!(bytes.len(), emit(&parts()).len() - 12);
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
            for flip in [1, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(HeadRecord::parse(&changed).is_err(), "byte {at} ^ {flip}");
            }
        }
    }
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let bytes = emit(&parts());
    for length in 0..bytes.len() {
        let error = HeadRecord::parse(&bytes[..length]).unwrap_err();
        let expected = if length == 0 { Error::NotAHead } else { Error::Truncated };
        assert_eq!(error, expected, "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(HeadRecord::parse(&longer).unwrap_err(), Error::TrailingBytes);
    assert_eq!(HeadRecord::parse(b"{\"a\": 1}").unwrap_err(), Error::NotAHead);
    assert_eq!(HeadRecord::parse(b"P6").unwrap_err(), Error::NotAHead);
}

#[test]
fn the_head_of_another_backbone_is_refused_by_name() {
    let bytes = emit(&parts());
    let mut other = BACKBONE;
    other[0] = 0xAB;
    let error = HeadRecord::parse_for(&bytes, &other).unwrap_err();
    let expected = Error::BackboneMismatch { expected: [0xAB, 7, 7, 7], found: [7; 4] };
    assert_eq!(error, expected);
    assert!(
        std::format!("{error}").contains("07070707")
            && std::format!("{error}").contains("ab070707")
    );
}

#[test]
fn a_record_with_a_right_digest_and_wrong_contents_is_refused() {
    let bytes = emit(&parts());
    let table = HEADER + 8;
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
        let whole: Vec<u8> = MAGIC.into_iter().chain(1_u16.to_le_bytes()).chain(bytes).collect();
        proptest::prop_assert!(HeadRecord::parse(&whole).is_err());
    }

    #[test]
    fn any_head_reads_back(
        seed in 0_u64..,
        classes in 1_usize..20,
        feature_len in 1_usize..40,
        half in 0..2,
    ) {
        let mut random = crate::head::Random::new(seed);
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
        proptest::prop_assert_eq!(bias, bias_back);
        for (found, expected) in weights_back.iter().zip(weights) {
            let tolerance = if half == 1 { expected.abs() / 2048.0 + 1e-9 } else { 0.0 };
            proptest::prop_assert!((found - expected).abs() <= tolerance);
        }
    }
}
