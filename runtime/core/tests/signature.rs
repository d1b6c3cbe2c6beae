//! A trusted pack is one that its maker signed, for this board, and not an old one.
#![cfg(all(feature = "std", feature = "signature"))]

mod common;

use common::contents;
use ed25519_dalek::{Signer, SigningKey};
use headstart::Error;
use headstart::pack::{Pack, Trust, emit, sign};

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

fn public(secret: [u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(&secret).verifying_key().to_bytes()
}

fn signed(secret: [u8; 32], family: &str, counter: u64) -> Vec<u8> {
    let key = SigningKey::from_bytes(&secret);
    let pack = emit(&contents()).unwrap();
    sign(&pack, family, counter, &public(secret), |m| key.sign(m).to_bytes()).unwrap()
}

fn trust<'a>(keys: &'a [[u8; 32]], least_counter: u64) -> Trust<'a> {
    Trust { keys, family: "camera-2", least_counter }
}

#[test]
fn a_signed_pack_opens_for_its_key_family_and_counter_only() {
    let bytes = signed(OLD, "camera-2", 7);
    let both = [public(NEW), public(OLD)];
    let (pack, counter) = Pack::open_trusted(&bytes, &trust(&both, 7)).unwrap();
    assert_eq!(counter, 7);
    let plain = emit(&contents()).unwrap();
    assert_eq!(pack.backbone_digest(), Pack::open(&plain).unwrap().backbone_digest());
    assert_eq!(pack.signature().unwrap().family, "camera-2");
    // Anyone may look at it without a key.
    assert!(Pack::open(&bytes).is_ok());

    let error = |bytes: &[u8], trust: &Trust<'_>| Pack::open_trusted(bytes, trust).err();
    let key = headstart::pack::key_name(&public(OLD));
    assert_eq!(error(&bytes, &trust(&[public(NEW)], 0)), Some(Error::UnknownKey { key }));
    assert_eq!(error(&bytes, &trust(&[], 0)), Some(Error::UnknownKey { key }));
    let downgrade = Error::Downgrade { found: 7, least: 8 };
    assert_eq!(error(&bytes, &trust(&both, 8)), Some(downgrade));
    assert_eq!(error(&plain, &trust(&both, 0)), Some(Error::Unsigned));
    let other = signed(OLD, "camera-20", 7);
    assert_eq!(error(&other, &trust(&both, 0)), Some(Error::OtherFamily));
}

#[test]
fn a_pack_is_signed_again_in_place_of_before() {
    let first = signed(OLD, "camera-2", 7);
    let key = SigningKey::from_bytes(&NEW);
    let again = sign(&first, "camera-2", 9, &public(NEW), |m| key.sign(m).to_bytes()).unwrap();
    assert_eq!(again, signed(NEW, "camera-2", 9));
    for name in ["", "a b", "é", &"x".repeat(33)] {
        let refused = sign(&first, name, 9, &public(NEW), |m| key.sign(m).to_bytes());
        assert_eq!(refused, Err(Error::OtherFamily), "{name}");
    }
}

#[test]
fn every_changed_bit_and_every_length_is_refused() {
    let bytes = signed(OLD, "camera-2", 7);
    let keys = [public(OLD)];
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(Pack::open_trusted(&changed, &trust(&keys, 0)).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(Pack::open_trusted(&bytes[..length], &trust(&keys, 0)).is_err(), "{length}");
    }
}

/// Someone who can compute digests, but has no key.
#[test]
fn every_changed_bit_is_refused_also_with_the_digests_computed_again() {
    let bytes = signed(OLD, "camera-2", 7);
    let keys = [public(OLD)];
    let count = usize::from(bytes[10]);
    let table: Vec<(usize, usize)> = (0..count)
        .map(|entry| {
            let number = |at: usize| {
                let at = 64 + 64 * entry + at;
                u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
            };
            (number(8), number(16))
        })
        .collect();
    let mut invalid = 0;
    for (entry, &(start, length)) in table.iter().enumerate() {
        for bit in 8 * start..8 * (start + length) {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            reseal(&mut forged, entry, start, length);
            let error = Pack::open_trusted(&forged, &trust(&keys, 0)).unwrap_err();
            invalid += usize::from(error == Error::SignatureInvalid);
            assert!(!matches!(error, Error::DigestMismatch { .. }), "bit {bit} was not resealed");
        }
    }
    // All of the sections before the signature, and most of its own bits.
    assert!(invalid > 8 * table.iter().take(count - 1).map(|(_, length)| length).sum::<usize>());
}

fn reseal(bytes: &mut [u8], entry: usize, start: usize, length: usize) {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(&bytes[start..start + length]);
    bytes[64 + 64 * entry + 32..][..32].copy_from_slice(&digest);
    let count = usize::from(bytes[10]);
    let header = Sha256::new()
        .chain_update(&bytes[..32])
        .chain_update(&bytes[64..64 + 64 * count])
        .finalize();
    bytes[32..64].copy_from_slice(&header);
}

#[test]
fn a_signature_of_another_pack_is_invalid() {
    let mut other = contents();
    other.weights[0] ^= 1;
    let key = SigningKey::from_bytes(&OLD);
    let own = emit(&contents()).unwrap();
    let mut message = None;
    let keep = |m: &[u8; headstart::pack::MESSAGE_BYTES]| {
        message = Some(*m);
        key.sign(m).to_bytes()
    };
    sign(&own, "camera-2", 7, &public(OLD), keep).unwrap();
    let stolen = key.sign(&message.unwrap()).to_bytes();
    let forged = sign(&emit(&other).unwrap(), "camera-2", 7, &public(OLD), |_| stolen).unwrap();
    let keys = [public(OLD)];
    let refused = Pack::open_trusted(&forged, &trust(&keys, 0)).err();
    assert_eq!(refused, Some(Error::SignatureInvalid));
}
