//! A flash memory whose power can be cut inside any operation, and whose cells can fail.

use std::collections::HashMap;

use headstart::head::Random;
use headstart::store::{Flash, Geometry};

/// How an operation that power was cut in leaves the words or blocks that it was changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    /// Each bit is the old or the new one, and stays so.
    Stable,
    /// Bits that were changing read as either, another one at each reading, until they are erased.
    Weak,
    /// Error correction reports it at each reading, until it is erased.
    Unreadable,
}

/// Where power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    /// After that part, of 256, of the words or blocks; the next one is torn.
    Inside(u8),
    After,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Which change, write or erase, counted from the arming.
    pub(crate) change: usize,
    pub(crate) moment: Moment,
    pub(crate) torn: Torn,
}

/// Faults of a medium without power cuts, each with a chance of 1 in that many; 0 never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A write that leaves out a word.
    pub(crate) dropped: u32,
    /// A write that flips a bit of a word.
    pub(crate) flipped_write: u32,
    /// A read that flips a bit, which is right the next time.
    pub(crate) flipped_read: u32,
    /// An erase that does nothing and reports success.
    pub(crate) ignored_erase: u32,
    /// A driver that reports an error.
    pub(crate) refused: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediumError {
    PowerIsOff,
    Unreadable,
    Refused,
}

#[derive(Clone, Debug)]
pub(crate) struct Medium {
    pub(crate) geometry: Geometry,
    pub(crate) bytes: Vec<u8>,
    /// A bit a word: it was written since its block was erased.
    used: Vec<bool>,
    /// Words in another state than their bytes say: the other value that they may read as.
    torn: HashMap<usize, (Torn, Vec<u8>)>,
    cut: Option<Cut>,
    off: bool,
    /// Writes and erases since the arming.
    pub(crate) changes: usize,
    /// Erases of each block.
    pub(crate) erases: Vec<u32>,
    pub(crate) faults: Faults,
    /// An erase goes from its last block to the first one.
    pub(crate) backwards: bool,
    /// Bits that cannot be erased: byte and mask of bits that stay programmed.
    pub(crate) stuck: Vec<(usize, u8)>,
    pub(crate) random: Random,
}

impl Medium {
    pub(crate) fn new(geometry: Geometry, seed: u64) -> Self {
        let capacity = geometry.capacity as usize;
        let mut medium = Self {
            geometry,
            bytes: vec![0; capacity],
            used: vec![true; capacity / geometry.write as usize],
            torn: HashMap::new(),
            cut: None,
            off: false,
            changes: 0,
            erases: vec![0; capacity / geometry.erase as usize],
            faults: Faults::default(),
            backwards: seed % 2 == 1,
            stuck: Vec::new(),
            random: Random::new(seed),
        };
        // A device that was never used: anything may stand there.
        for byte in &mut medium.bytes {
            *byte = medium.random.next_u32() as u8;
        }
        medium
    }

    pub(crate) fn arm(&mut self, cut: Option<Cut>) {
        (self.cut, self.off, self.changes) = (cut, false, 0);
    }

    /// Makes the medium like another one of the same geometry, but for its random numbers.
    pub(crate) fn restore(&mut self, from: &Self) {
        self.bytes.copy_from_slice(&from.bytes);
        self.used.copy_from_slice(&from.used);
        self.torn.clone_from(&from.torn);
        self.erases.copy_from_slice(&from.erases);
        self.arm(None);
    }

    /// Whether this change happens whole (`None`), or how much of it before power is off.
    fn begin(&mut self, units: usize) -> Result<Option<(usize, Torn)>, MediumError> {
        if self.off {
            return Err(MediumError::PowerIsOff);
        }
        let change = self.changes;
        self.changes += 1;
        let Some(cut) = self.cut.filter(|cut| cut.change == change) else { return Ok(None) };
        self.off = true;
        match cut.moment {
            Moment::Before => Err(MediumError::PowerIsOff),
            Moment::Inside(part) => Ok(Some((units * usize::from(part) / 256, cut.torn))),
            Moment::After => Ok(Some((units, cut.torn))),
        }
    }

    fn chance(&mut self, one_in: u32) -> bool {
        one_in > 0 && self.random.below(one_in) == 0
    }

    fn mix(random: &mut Random, a: &[u8], b: &[u8]) -> Vec<u8> {
        // Sometimes all of one: a torn word may look untouched or complete.
        let all = random.below(8);
        a.iter()
            .zip(b)
            .map(|(a, b)| {
                let mask = match all {
                    0 => 0,
                    1 => 0xFF,
                    _ => random.next_u32() as u8,
                };
                (a & mask) | (b & !mask)
            })
            .collect()
    }

    /// Sets a word to something between two values.
    fn tear(&mut self, word: usize, old: &[u8], new: &[u8], torn: Torn) {
        let size = self.geometry.write as usize;
        let place = word * size..(word + 1) * size;
        match torn {
            Torn::Stable => {
                let mixed = Self::mix(&mut self.random, old, new);
                self.bytes[place].copy_from_slice(&mixed);
            }
            Torn::Weak | Torn::Unreadable => {
                self.bytes[place].copy_from_slice(old);
                self.torn.insert(word, (torn, new.to_vec()));
            }
        }
    }

    fn apply_stuck(&mut self) {
        for &(byte, mask) in &self.stuck {
            if self.geometry.erased == 0xFF {
                self.bytes[byte] &= !mask;
            } else {
                self.bytes[byte] |= mask;
            }
        }
    }
}

impl Flash for Medium {
    type Error = MediumError;

    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MediumError> {
        let (offset, align) = (offset as usize, self.geometry.read as usize);
        assert!(offset.is_multiple_of(align) && bytes.len().is_multiple_of(align));
        if self.off {
            return Err(MediumError::PowerIsOff);
        }
        if self.chance(self.faults.refused) {
            return Err(MediumError::Refused);
        }
        let range = offset..offset + bytes.len();
        bytes.copy_from_slice(&self.bytes[range.clone()]);
        if !self.torn.is_empty() {
            let size = self.geometry.write as usize;
            for word in range.start / size..range.end.div_ceil(size) {
                let Some((torn, other)) = self.torn.get(&word) else { continue };
                if *torn == Torn::Unreadable {
                    return Err(MediumError::Unreadable);
                }
                let start = word * size;
                let read = Self::mix(&mut self.random, &self.bytes[start..start + size], other);
                for (at, byte) in (start..).zip(read) {
                    if range.contains(&at) {
                        bytes[at - offset] = byte;
                    }
                }
            }
        }
        if !bytes.is_empty() && self.chance(self.faults.flipped_read) {
            let bit = self.random.below(bytes.len() as u32 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let size = self.geometry.write as usize;
        let offset = offset as usize;
        assert!(offset.is_multiple_of(size) && bytes.len().is_multiple_of(size));
        let words = bytes.len() / size;
        let cut = self.begin(words)?;
        if self.chance(self.faults.refused) {
            return Err(MediumError::Refused);
        }
        let whole = cut.map_or(words, |(whole, _)| whole);
        for (index, data) in bytes.chunks_exact(size).enumerate() {
            let word = offset / size + index;
            let place = word * size..(word + 1) * size;
            if index > whole || (index == whole && index == words) {
                break;
            }
            let faulty = self.faults.ignored_erase > 0 || !self.stuck.is_empty();
            assert!(!self.used[word] || faulty, "word {word} is written twice");
            self.used[word] = true;
            let old = self.bytes[place.clone()].to_vec();
            let new: Vec<u8> = if self.geometry.erased == 0xFF {
                old.iter().zip(data).map(|(old, data)| old & data).collect()
            } else {
                old.iter().zip(data).map(|(old, data)| old | data).collect()
            };
            if index == whole {
                let (_, torn) = cut.unwrap();
                self.tear(word, &old, &new, torn);
                break;
            }
            if self.chance(self.faults.dropped) {
                continue;
            }
            self.bytes[place.clone()].copy_from_slice(&new);
            if self.chance(self.faults.flipped_write) {
                let bit = self.random.below(size as u32 * 8) as usize;
                self.bytes[place.start + bit / 8] ^= 1 << (bit % 8);
            }
        }
        self.apply_stuck();
        if self.off { Err(MediumError::PowerIsOff) } else { Ok(()) }
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), MediumError> {
        let size = self.geometry.erase as usize;
        let (from, to) = (from as usize, to as usize);
        assert!(from < to && from.is_multiple_of(size) && to.is_multiple_of(size));
        let blocks = (to - from) / size;
        let cut = self.begin(blocks)?;
        if self.chance(self.faults.refused) {
            return Err(MediumError::Refused);
        }
        if self.chance(self.faults.ignored_erase) {
            return Ok(());
        }
        let whole = cut.map_or(blocks, |(whole, _)| whole);
        let word_size = self.geometry.write as usize;
        for index in 0..blocks.min(whole + 1) {
            let index_of_block = if self.backwards { blocks - 1 - index } else { index };
            let block = from / size + index_of_block;
            let words = block * size / word_size..(block + 1) * size / word_size;
            self.erases[block] += 1;
            if let Some((_, torn)) = cut.filter(|_| index == whole) {
                let erased = vec![self.geometry.erased; word_size];
                for word in words {
                    let old = self.bytes[word * word_size..(word + 1) * word_size].to_vec();
                    self.tear(word, &old, &erased, torn);
                    self.used[word] = true;
                }
                break;
            }
            self.bytes[block * size..(block + 1) * size].fill(self.geometry.erased);
            self.used[words.clone()].fill(false);
            if !self.torn.is_empty() {
                self.torn.retain(|word, _| !words.contains(word));
            }
        }
        self.apply_stuck();
        if self.off { Err(MediumError::PowerIsOff) } else { Ok(()) }
    }
}
