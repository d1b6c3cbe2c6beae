//! A pack with a trainable tail opens, or is refused, in the same way with and without `std`.

#[cfg(feature = "std")]
mod common;

use headstart::Error;
use headstart::backbone::Backbone;
use headstart::pack::Pack;
use headstart::session;
use sha2::{Digest, Sha256};

/// The pack by hand of the other tests, with this tail: values 1 and 2 cross, three inputs of the head.
const PACK: &[u8] = include_bytes!("tail/section.hspk");
const TAIL: [u8; 20] = [1, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0];
const DIGEST: &str = "cdd5624c6826aa07a7ff7fadc7fc8167f102f4a645194a547ec2ca64bd60f398";

/// Where the section stands in the section table.
fn entry() -> usize {
    (64..PACK.len()).step_by(64).find(|&at| PACK[at..].starts_with(b"TAIL")).unwrap()
}

/// The pack with these bytes at an offset of its tail, and digests that fit.
fn with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut pack = PACK.to_vec();
    let entry = entry();
    let number =
        |at: usize| u64::from_le_bytes(PACK[entry + at..][..8].try_into().unwrap()) as usize;
    let (start, length) = (number(8), number(16));
    pack[start + offset..][..bytes.len()].copy_from_slice(bytes);
    let digest = Sha256::digest(&pack[start..][..length]);
    pack[entry + 32..][..32].copy_from_slice(&digest);
    let table = 64 + 64 * usize::from(u16::from_le_bytes([pack[10], pack[11]]));
    let header = Sha256::new().chain_update(&pack[..32]).chain_update(&pack[64..table]).finalize();
    pack[32..64].copy_from_slice(&header);
    pack
}

#[cfg(feature = "std")]
#[test]
fn the_pack_of_this_test_is_what_is_written() {
    let contents = headstart::pack::Contents { tail: Some(TAIL.to_vec()), ..common::contents() };
    assert!(headstart::pack::emit(&contents).unwrap() == PACK);
}

#[test]
fn a_pack_with_a_tail_opens_and_gives_the_features_that_cross() {
    assert!(with(0, &TAIL) == PACK);
    let pack = Pack::open(PACK).unwrap();
    let tail = pack.tail().unwrap();
    assert_eq!(tail.crossing().collect::<Vec<_>>(), [1, 2]);
    assert_eq!((pack.feature_len(), pack.head_inputs()), (10, 3));
    let digest: String = pack.backbone_digest().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, DIGEST);
    let (mut arena, mut features) = (vec![0; pack.plan().arena_bytes as usize], [0; 10]);
    let mut backbone = Backbone::new(pack, &mut arena).unwrap();
    backbone.features_into(&[1, 2, 3, 60], &mut features).unwrap();
    assert_eq!(features, [2, -3, 4, -4, 6, -5, 100, -91, 29, -25]);
}

#[test]
fn what_runs_heads_only_refuses_it_by_name() {
    let pack = Pack::open(PACK).unwrap();
    assert_eq!(session::accepts(&pack), Err(Error::TailNotRunnable { node: 2 }));
}

#[test]
fn a_tail_that_breaks_a_rule_is_refused() {
    let damaged = [&PACK[..PACK.len() - 1], &[PACK[PACK.len() - 1] ^ 1]].concat();
    assert_eq!(Pack::open(&damaged).err(), Some(Error::DigestMismatch { section: *b"TAIL" }));
    for (offset, bytes, expected) in [
        (0, [2, 0].as_slice(), Error::UnsupportedVersion { found: 2 }),
        (2, &[4], Error::BadTail),
        (3, &[0], Error::ShapeOverflow),
        (3, &[17], Error::ShapeOverflow),
        (3, &[3], Error::Truncated),
        (4, &[0], Error::ShapeOverflow),
        (4, &[4], Error::PlanMismatch),
        (8, &[1], Error::Truncated),
        // A value that the last node overwrites, values that do not rise, and one that is not there.
        (12, &[0], Error::BadTail),
        (16, &[1], Error::BadTail),
        (16, &[3], Error::BadTail),
    ] {
        let found = Pack::open(&with(offset, bytes)).err();
        assert_eq!(found, Some(expected), "{bytes:?} at {offset}");
    }
}
