//! The hidden layer of a head that was trained through Burn, before a head record.
//!
//! The runtime's own heads are linear. A state folder's `head.hshr` may instead hold a hidden layer with
//! the head record of the last layer behind it; other readers refuse it by its magic.

use headstart::Error;
use headstart::head::{MAX_CLASSES, MAX_FEATURES};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 8] = *b"HSHIDE\x1a\n";
const VERSION: u16 = 1;
const HEADER: usize = 20;
const DIGEST: usize = 32;
/// The most hidden units: a unit is to the last layer what a class is to the record.
pub const MAX_UNITS: usize = MAX_CLASSES;

/// `unit = max(0, bias + Σ weights · features)`, on raw int8 features.
///
/// As bytes (integers and floats little-endian), with a head record whose features are the units behind it:
///
/// ```text
/// offset  bytes
///      0      8  magic "HSHIDE\x1a\n"
///      8      2  version, 1
///     10      2  zero
///     12      4  F, features
///     16      4  H, units, at most 4096
///     20     4H  bias, float32
///      …    4HF  weights [unit][feature], float32
///      …     32  SHA-256 of everything before
/// ```
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HiddenLayer {
    /// `[unit][feature]`.
    pub(crate) weights: Vec<f32>,
    /// One a unit.
    pub(crate) bias: Vec<f32>,
}

impl HiddenLayer {
    /// The units' values, in memory that is used again.
    pub(crate) fn units_in(&self, features: &[i8], units: &mut Vec<f32>) -> Result<(), Error> {
        let expected = self.weights.len() / self.bias.len();
        if features.len() != expected {
            return Err(Error::BufferLength { expected, found: features.len() });
        }
        let unit = |(row, bias): (&[f32], &f32)| {
            let sum = row.iter().zip(features).map(|(w, q)| w * f32::from(*q)).sum::<f32>();
            (bias + sum).max(0.0)
        };
        units.clear();
        units.extend(self.weights.chunks_exact(expected).zip(&self.bias).map(unit));
        Ok(())
    }

    /// The bytes, to stand before the record of the last layer.
    pub(crate) fn emit(&self) -> Vec<u8> {
        let units = self.bias.len();
        let mut bytes = Vec::with_capacity(HEADER + 4 * (units + self.weights.len()) + DIGEST);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(((self.weights.len() / units) as u32).to_le_bytes());
        bytes.extend((units as u32).to_le_bytes());
        bytes.extend(self.bias.iter().chain(&self.weights).flat_map(|number| number.to_le_bytes()));
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes
    }

    /// The layer, if there is one, and the head record behind it.
    ///
    /// # Errors
    /// The runtime's: for a cut, a changed byte, a count past its limit or a number that is not finite.
    pub(crate) fn split(bytes: &[u8]) -> Result<(Option<Self>, &[u8]), Error> {
        if !bytes.starts_with(&MAGIC) {
            return Ok((None, bytes));
        }
        let header = bytes.get(..HEADER).ok_or(Error::Truncated)?;
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
        match word(8) & 0xffff {
            0 => return Err(Error::FieldInvalid { offset: 8 }),
            found if found > u32::from(VERSION) => {
                return Err(Error::UnsupportedVersion { found: found as u16 });
            }
            _ if word(8) > u32::from(VERSION) => return Err(Error::FieldInvalid { offset: 10 }),
            _ => {}
        }
        let (features, units) = (word(12) as usize, word(16) as usize);
        if !(1..=MAX_FEATURES).contains(&features) || !(1..=MAX_UNITS).contains(&units) {
            return Err(Error::ShapeOverflow);
        }
        let numbers = features.checked_add(1).and_then(|row| row.checked_mul(units));
        let body = numbers.and_then(|n| n.checked_mul(4)?.checked_add(HEADER));
        let body = body.ok_or(Error::ShapeOverflow)?;
        let (layer, rest) = bytes.split_at_checked(body).ok_or(Error::Truncated)?;
        let (digest, record) = rest.split_at_checked(DIGEST).ok_or(Error::Truncated)?;
        if Sha256::digest(layer)[..] != *digest {
            return Err(Error::DigestMismatch { section: *b"HIDE" });
        }
        let numbers: Vec<f32> = layer[HEADER..]
            .chunks_exact(4)
            .map(|raw| f32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]))
            .collect();
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err(Error::NotFinite);
        }
        let (bias, weights) = numbers.split_at(units);
        Ok((Some(Self { weights: weights.to_vec(), bias: bias.to_vec() }), record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> HiddenLayer {
        HiddenLayer { weights: vec![1.0, 2.0, -1.0, 0.5, 0.0, 3.0], bias: vec![0.5, -2.0] }
    }

    #[test]
    fn what_is_emitted_is_split_off_again() {
        let bytes = [layer().emit(), b"record".to_vec()].concat();
        assert_eq!(HiddenLayer::split(&bytes).unwrap(), (Some(layer()), &b"record"[..]));
        assert_eq!(HiddenLayer::split(b"record").unwrap(), (None, &b"record"[..]));
        let mut units = Vec::new();
        for (features, expected) in [([1, 2, 3], [2.5, 7.5]), ([-1, -2, 0], [0.0, 0.0])] {
            layer().units_in(&features, &mut units).unwrap();
            assert_eq!(units, expected);
        }
        assert!(layer().units_in(&[1], &mut units).is_err());
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_refused() {
        let bytes = layer().emit();
        for at in MAGIC.len()..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            assert!(HiddenLayer::split(&changed).is_err(), "byte {at} changed");
            assert!(HiddenLayer::split(&bytes[..at]).is_err(), "cut to {at}");
        }
    }

    #[test]
    fn counts_past_the_limits_are_refused_before_anything_is_allocated() {
        for (at, count) in [(12, 0_u32), (12, u32::MAX), (16, 0), (16, 4097)] {
            let mut bytes = layer().emit();
            bytes[at..at + 4].copy_from_slice(&count.to_le_bytes());
            assert_eq!(HiddenLayer::split(&bytes), Err(Error::ShapeOverflow), "{at} {count}");
        }
    }
}
