use sha2::{Digest, Sha256};

use super::*;

const BACKBONE: [u8; 32] = [7; 32];

fn filled() -> FeatureCache {
    let mut cache = FeatureCache::new(3);
    for (at, name) in ["mug", "Tässchen", "mug"].into_iter().enumerate() {
        let label = cache.class(name).unwrap();
        assert_eq!(cache.insert([at as u8; 16], label, &[-128, at as i8, 127]), Insertion::New);
    }
    cache
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let digest = Sha256::digest(&body);
    body.extend(digest);
    body
}

#[test]
fn what_is_emitted_is_parsed() {
    let cache = filled();
    let bytes = cache.emit(&BACKBONE);
    assert_eq!(FeatureCache::parse(&bytes, &BACKBONE, 3).unwrap(), cache);
    assert_eq!(cache.counts(), [2, 1]);
    let empty = FeatureCache::new(3);
    assert_eq!(FeatureCache::parse(&empty.emit(&BACKBONE), &BACKBONE, 3).unwrap(), empty);
}

#[test]
fn rows_that_show_a_sample_again_are_kept_beside_it() {
    let mut cache = filled();
    cache.insert([9; 16], 1, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let parsed = FeatureCache::parse(&cache.emit(&BACKBONE), &BACKBONE, 3).unwrap();
    assert_eq!(parsed, cache);
    assert_eq!(parsed.len(), 4);
    assert_eq!(parsed.features()[9..], [1, 2, 3]);
    assert_eq!(parsed.again(), (vec![4, 5, 6, 7, 8, 9], vec![3, 3]));
}

#[test]
fn four_bits_take_half_and_are_parsed_as_they_are() {
    let row = |seed: usize| -> Vec<i8> {
        (0..90).map(|at| ((at * at + 31 * seed) % 251) as u8 as i8).collect()
    };
    let mut whole = FeatureCache::new(30);
    let mut half = FeatureCache::new(30);
    assert!(half.keep_in(Bits::Four) && half.keep_in(Bits::Eight) && half.keep_in(Bits::Four));
    for seed in 0..20 {
        for cache in [&mut whole, &mut half] {
            let label = cache.class(["mug", "cup"][seed % 2]).unwrap();
            cache.insert([seed as u8; 16], label, &row(seed));
        }
    }
    assert_ne!(whole.features(), half.features());
    let bytes = half.emit(&BACKBONE);
    assert_eq!((bytes[8], bytes.len()), (2, half.file_bytes()));
    assert_eq!(whole.file_bytes() - bytes.len(), 20 * 3 * (30 - 18));
    let mut parsed = FeatureCache::parse(&bytes, &BACKBONE, 30).unwrap();
    assert_eq!(parsed, half);
    // What is lost is lost; what was whole is reduced to the same.
    assert!(!parsed.keep_in(Bits::Eight));
    assert_eq!(parsed, half);
    assert!(whole.keep_in(Bits::Four));
    assert_eq!(whole, half);
    let body = &bytes[..bytes.len() - DIGEST_BYTES];
    let first = 56 + 2 * 5 + 20;
    let mut forged = body.to_vec();
    forged[first] = 2;
    let refused = FeatureCache::parse(&sealed(forged), &BACKBONE, 30).unwrap_err();
    assert!(refused.to_string().contains("levels of a row"), "{refused}");
}

#[test]
fn every_form_says_where_it_ends() {
    for (weight, bits) in [(1, Bits::Eight), (1, Bits::Four), (3, Bits::Eight), (3, Bits::Four)] {
        let mut cache = filled();
        cache.insert([9; 16], 1, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(cache.keep_in(bits));
        cache.set_weight(&[1; 16], weight);
        let bytes = cache.emit(&BACKBONE);
        assert_eq!((end(&bytes), newer(&bytes)), (Some(bytes.len()), None));
        assert_eq!(end(&[&bytes[..], &[0; 70]].concat()), Some(bytes.len()));
        (0..bytes.len()).for_each(|cut| assert_eq!(end(&bytes[..cut]), None, "cut to {cut}"));
    }
    let mut counts = filled().emit(&BACKBONE);
    counts[44..56].fill(255);
    assert_eq!(end(&counts), None);
}

#[test]
fn the_newest_label_wins_and_is_reported() {
    let mut cache = filled();
    assert_eq!(cache.insert([0; 16], 0, &[9, 9, 9]), Insertion::Known);
    assert_eq!(cache.insert([0; 16], 1, &[9, 9, 9]), Insertion::Corrected);
    assert_eq!(cache.labels(), [1, 1, 0]);
    assert_eq!(cache.features()[..3], [-128, 0, 127]);
    assert_eq!(cache.len(), 3);
}

#[test]
fn any_changed_byte_and_any_cut_is_refused() {
    let bytes = filled().emit(&BACKBONE);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(FeatureCache::parse(&changed, &BACKBONE, 3).is_err(), "byte {at} changed");
        assert!(FeatureCache::parse(&bytes[..at], &BACKBONE, 3).is_err(), "cut to {at}");
    }
}

#[test]
fn a_forged_check_sum_does_not_get_past_the_rules() {
    let bytes = filled().emit(&BACKBONE);
    let body = &bytes[..bytes.len() - DIGEST_BYTES];
    assert!(FeatureCache::parse(&sealed(body.to_vec()), &BACKBONE, 3).is_ok());
    // Reserved bytes; feature, class and sample counts at their extremes; a class name's
    // length, name and label.
    let label = 56 + 2 + 3 + 2 + "Tässchen".len() + 16;
    let cases: [(usize, &[u8]); 12] = [
        (10, &[1]),
        (44, &[4]),
        (48, &[255, 255, 255, 255]),
        (48, &[3]),
        (52, &[255, 255, 255, 255]),
        (52, &[2]),
        (56, &[0, 0]),
        (58, &[0xFF]),
        (label, &[2]),
        // How often a sample is shown.
        (label + 2, &[0]),
        (label + 2, &[2]),
        (label + 2, &[MAX_VIEWS as u8 + 1]),
    ];
    for (at, forged) in cases {
        let mut body = body.to_vec();
        body[at..at + forged.len()].copy_from_slice(forged);
        let refused = FeatureCache::parse(&sealed(body), &BACKBONE, 3);
        assert!(matches!(refused, Err(StateProblem::Cache { .. })), "{at}: {refused:?}");
    }
    let mut twice = body.to_vec();
    twice[label + 4 + 3..][..16].copy_from_slice(&[0; 16]);
    assert!(matches!(
        FeatureCache::parse(&sealed(twice), &BACKBONE, 3),
        Err(StateProblem::Cache { reason: "a sample stands twice", .. })
    ));
}

#[test]
fn weights_are_kept_and_without_any_the_file_is_as_before() {
    let mut cache = filled();
    let plain = cache.emit(&BACKBONE);
    cache.set_weight(&[1; 16], 25);
    let weighted = cache.emit(&BACKBONE);
    assert_eq!((plain[8], weighted[8], weighted.len()), (1, 3, cache.file_bytes()));
    let parsed = FeatureCache::parse(&weighted, &BACKBONE, 3).unwrap();
    assert_eq!((parsed.weights(), &parsed), (&[1, 25, 1][..], &cache));
    let end = weighted.len() - DIGEST_BYTES;
    for weight in [0, MAX_WEIGHT + 1] {
        let mut body = weighted[..end].to_vec();
        body[end - 4..end - 2].copy_from_slice(&weight.to_le_bytes());
        assert!(FeatureCache::parse(&sealed(body), &BACKBONE, 3).is_err());
    }
    // A file that says without need how often each counts would be another file with the same meaning.
    let mut body = weighted[..end].to_vec();
    body[end - 4..end - 2].copy_from_slice(&1_u16.to_le_bytes());
    assert!(FeatureCache::parse(&sealed(body), &BACKBONE, 3).is_err());
    // Forgotten, or as before: no trace.
    cache.set_weight(&[1; 16], 1);
    assert_eq!(cache.emit(&BACKBONE), plain);
}

#[test]
fn another_backbone_and_a_later_version_are_refused_by_name() {
    let mut bytes = filled().emit(&BACKBONE);
    let other = FeatureCache::parse(&bytes, &[8; 32], 3).unwrap_err();
    assert!(matches!(other, StateProblem::OtherBackbone { .. }));
    assert!(other.to_string().contains("0707070707070707"));
    bytes[8] = 5;
    let later = FeatureCache::parse(&bytes, &BACKBONE, 3).unwrap_err();
    assert!(matches!(later, StateProblem::CacheVersion { found: 5 }));
    assert_eq!(newer(&bytes), Some(5));
    bytes[8] = 0;
    let none = FeatureCache::parse(&bytes, &BACKBONE, 3).unwrap_err();
    assert!(matches!(none, StateProblem::Cache { at: 8, .. }), "{none}");
}
