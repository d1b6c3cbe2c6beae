//! Model files of at most a megabyte that ask for as much time and memory as they can: valid ones, unlike changed seeds.
//!
//! Each kind is one way in which a small file meant much work once, with its amounts drawn anew. [`watched`] runs a
//! program on such a file and tells what it took.

mod onnx;
mod tflite;
pub mod watched;

use headstart::head::Random;

/// The most bytes of a file.
pub const MAX_BYTES: usize = 1_000_000;

/// A valid model file that asks for much time or memory.
#[derive(Clone, Debug)]
pub struct Bomb {
    /// The kind of file: what it asks for.
    pub kind: &'static str,
    /// `onnx` or `tflite`.
    pub format: &'static str,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
}

/// Chance, in the amounts that these files need.
pub(crate) struct Draw(Random);

impl Draw {
    /// A number from `least` to `most`, evenly.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::from(self.0.below(u32::try_from(most - least + 1).expect("a small range")))
    }

    /// A number from 1 to `most`, each power of two as likely as the next one.
    pub(crate) fn size(&mut self, most: i64) -> i64 {
        let bits = i64::from(most.ilog2());
        let power = 1_i64 << self.between(0, bits);
        (power + self.between(0, power.min(1 << 30) - 1)).min(most)
    }

    /// One of these.
    pub(crate) fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.0.below(list.len() as u32) as usize]
    }
}

/// How many kinds there are; as many seeds in a row give one of each.
pub fn kinds() -> u64 {
    (onnx::KINDS.len() + tflite::KINDS.len()) as u64
}

/// Makes bomb number `seed`; the same number gives the same file.
pub fn bomb(seed: u64) -> Bomb {
    let mut draw = Draw(Random::new(seed));
    let kind = (seed % kinds()) as usize;
    // Too long a file is drawn again, with fewer parts.
    for most in [20_000, 8_000, 3_000, 1_000, 200, 40, 10] {
        let (kind, format, bytes) = match onnx::KINDS.get(kind) {
            Some((name, make)) => (*name, "onnx", make(&mut draw, most)),
            None => {
                let (name, make) = tflite::KINDS[kind - onnx::KINDS.len()];
                (name, "tflite", make(&mut draw, most))
            }
        };
        if bytes.len() <= MAX_BYTES {
            return Bomb { kind, format, bytes };
        }
    }
    unreachable!("ten parts of any kind are a short file")
}
