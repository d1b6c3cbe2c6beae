//! Writing a head record.

use half::f16;
use sha2::{Digest, Sha256};

use super::{
    COMPACT_DIGEST, COMPACT_MAGIC, COMPACT_VERSION, EXACT_DIGEST, EXACT_MAGIC, EXACT_VERSION,
    FLAG_CALIBRATED, FLAG_HELD_OUT, FLAG_PROTOTYPES, FLAG_STANDS_IN, Learner, LinearHead,
    MAX_CLASSES, MAX_FEATURES, Storage, label_is_valid,
};
use crate::Error;
use crate::checked::expect_len;

/// The parts that a head record is written from.
#[derive(Clone, Copy, Debug)]
pub struct HeadParts<'a> {
    /// The weights and the bias.
    pub head: LinearHead<'a>,
    /// Digest of the backbone whose features the head works on.
    pub backbone_digest: [u8; 32],
    /// The labels, in the order of classes; distinct, 1 to 64 bytes, without control characters.
    pub labels: &'a [&'a str],
    /// How many samples each class was learned from.
    pub samples: &'a [u32],
    /// The learner that made the head.
    pub learner: Learner,
    /// How to store the weights.
    pub storage: Storage,
    /// The temperature, above 0, which divides the logits before the softmax.
    pub temperature: f32,
    /// The best probability below which an answer is "unknown"; 0 to 1.
    pub unknown_threshold: f32,
    /// A feature vector for each class that can stand for its samples where those are gone, `[class][feature]`: for
    /// heads that leave their samples behind.
    pub prototypes: Option<&'a [i8]>,
    /// Held-out samples answered correctly, and held-out samples; `None` if not measured.
    pub held_out: Option<(u32, u32)>,
}

impl<'a> HeadParts<'a> {
    /// Parts with float32 weights and without prototypes, of a head of which nothing was measured. Use it behind `..`, after the fields
    /// that differ.
    #[must_use]
    pub fn new(
        head: LinearHead<'a>,
        backbone_digest: [u8; 32],
        labels: &'a [&'a str],
        samples: &'a [u32],
    ) -> Self {
        Self {
            head,
            backbone_digest,
            labels,
            samples,
            learner: Learner::Other,
            storage: Storage::F32,
            temperature: 1.0,
            unknown_threshold: 0.0,
            prototypes: None,
            held_out: None,
        }
    }
}

impl HeadParts<'_> {
    /// The head record as bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Self::emit`].
    #[cfg(feature = "std")]
    pub fn to_vec(&self) -> Result<std::vec::Vec<u8>, Error> {
        let mut record = std::vec![0; self.encoded_len()?];
        self.emit(&mut record)?;
        Ok(record)
    }

    /// Length of the head record in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] past the limits of the format.
    pub fn encoded_len(&self) -> Result<usize, Error> {
        self.check_shape()?;
        let mut writer = Writer { out: &mut [], written: 0 };
        let digest = self.write(self.labels.iter().copied(), &mut writer);
        Ok(writer.written.saturating_add(digest))
    }

    /// Writes the record to the start of `out` and says how long it is.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] if `out` is shorter than [`Self::encoded_len`] or a table has not
    /// one entry a class; [`Error::NotFinite`], [`Error::LabelInvalid`], [`Error::FieldInvalid`]
    /// and [`Error::ShapeOverflow`] if the parts could not be read back.
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, Error> {
        self.emit_labelled(self.labels.iter().copied(), out)
    }

    /// [`Self::emit`] with these labels instead of its own.
    pub(crate) fn emit_labelled<'l>(
        &self,
        labels: impl Iterator<Item = &'l str> + Clone,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        self.check_shape()?;
        self.check(labels.clone())?;
        let mut writer = Writer { out, written: 0 };
        let length = self.write(labels, &mut writer);
        let digest = Sha256::digest(writer.out.get(..writer.written).unwrap_or_default());
        writer.put(digest.get(..length).unwrap_or(&digest));
        let (expected, found) = (writer.written, writer.out.len());
        if expected > found { Err(Error::BufferLength { expected, found }) } else { Ok(expected) }
    }

    /// Writes everything before the digest, and says how many bytes of that belong behind it.
    fn write<'l>(
        &self,
        labels: impl Iterator<Item = &'l str> + Clone,
        writer: &mut Writer<'_>,
    ) -> usize {
        match self.storage {
            Storage::F32 => self.write_exact(labels, writer),
            Storage::F16 => self.write_compact(labels, writer),
        }
    }

    fn write_exact<'l>(
        &self,
        labels: impl Iterator<Item = &'l str> + Clone,
        writer: &mut Writer<'_>,
    ) -> usize {
        let held_out = self.held_out.unwrap_or((0, 0));
        writer.put(&EXACT_MAGIC);
        writer.put(&EXACT_VERSION.to_le_bytes());
        writer
            .put(&[if self.prototypes.is_some() { FLAG_PROTOTYPES } else { 0 }, self.learner.id()]);
        let label_bytes = labels.clone().map(|label| label.len().saturating_add(1));
        let label_bytes = label_bytes.fold(0, usize::saturating_add);
        writer.words(&[
            self.head.feature_len() as u32,
            self.head.classes() as u32,
            label_bytes as u32,
            self.temperature.to_bits(),
            self.unknown_threshold.to_bits(),
            held_out.0,
            held_out.1,
            1.0_f32.to_bits(),
        ]);
        writer.put(&self.backbone_digest);
        writer.words(self.samples);
        writer.labels(labels);
        writer.align();
        writer.words(bytemuck::cast_slice(self.head.bias()));
        writer.words(bytemuck::cast_slice(self.head.weights()));
        writer.put(bytemuck::cast_slice(self.prototypes.unwrap_or_default()));
        writer.align();
        EXACT_DIGEST
    }

    fn write_compact<'l>(
        &self,
        labels: impl Iterator<Item = &'l str>,
        writer: &mut Writer<'_>,
    ) -> usize {
        let calibrated = (self.temperature, self.unknown_threshold) != (1.0, 0.0);
        let held_out = self.held_out.filter(|&(_, all)| all > 0);
        let flag = |is_there, flag| if is_there { flag } else { 0 };
        let flags = flag(calibrated, FLAG_CALIBRATED)
            | flag(held_out.is_some(), FLAG_HELD_OUT)
            | flag(self.prototypes.is_some(), FLAG_STANDS_IN);
        writer.put(&COMPACT_MAGIC);
        writer.put(&[COMPACT_VERSION, self.learner.id() & 15 | flags]);
        writer.put(self.backbone_digest.get(..8).unwrap_or_default());
        writer.varint(self.head.feature_len() as u32);
        writer.varint(self.head.classes() as u32);
        let (weights, bias) = (self.head.weights(), self.head.bias());
        let exponents = [exponent(weights), exponent(bias)];
        writer.put(&exponents.map(i8::cast_unsigned));
        if calibrated {
            for number in [self.temperature, self.unknown_threshold] {
                writer.put(&f16::from_f32(number).to_le_bytes());
            }
        }
        if let Some((right, all)) = held_out {
            writer.varint(right);
            writer.varint(all.saturating_sub(right));
        }
        let least = self.samples.iter().copied().min().unwrap_or(0);
        writer.varint(least);
        for count in self.samples {
            writer.varint(count.saturating_sub(least));
        }
        writer.labels(labels);
        for (numbers, exponent) in [bias, weights].into_iter().zip(exponents.into_iter().rev()) {
            let scale = libm::ldexpf(1.0, exponent.into());
            for number in numbers {
                writer.put(&f16::from_f32(number / scale).to_le_bytes());
            }
        }
        writer.put(bytemuck::cast_slice(self.prototypes.unwrap_or_default()));
        COMPACT_DIGEST
    }

    fn check_shape(&self) -> Result<(), Error> {
        let (classes, feature_len) = (self.head.classes(), self.head.feature_len());
        if !(1..=MAX_CLASSES).contains(&classes) || !(1..=MAX_FEATURES).contains(&feature_len) {
            return Err(Error::ShapeOverflow);
        }
        Ok(())
    }

    fn check<'l>(&self, labels: impl Iterator<Item = &'l str> + Clone) -> Result<(), Error> {
        expect_len(labels.clone().count(), self.head.classes())?;
        expect_len(self.samples.len(), self.head.classes())?;
        if let Some(prototypes) = self.prototypes {
            expect_len(prototypes.len(), self.head.weights().len())?;
        }
        for (class, label) in labels.clone().enumerate() {
            let twice = labels.clone().take(class).any(|earlier| earlier == label);
            if twice || !label_is_valid(label) {
                return Err(Error::LabelInvalid { class: class as u16 });
            }
        }
        let temperature = match self.storage {
            Storage::F32 => self.temperature,
            Storage::F16 => f16::from_f32(self.temperature).to_f32(),
        };
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(Error::FieldInvalid { offset: 24 });
        }
        if !(0.0..=1.0).contains(&self.unknown_threshold) {
            return Err(Error::FieldInvalid { offset: 28 });
        }
        if self.held_out.is_some_and(|(correct, total)| correct > total) {
            return Err(Error::FieldInvalid { offset: 32 });
        }
        if !self.head.is_finite() {
            return Err(Error::NotFinite);
        }
        Ok(())
    }
}

/// The power of two that brings the largest number to 2^14 … 2^15, so that small ones keep their bits
/// in float16.
fn exponent(numbers: &[f32]) -> i8 {
    let largest = numbers.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
    if !largest.is_normal() {
        return 0;
    }
    let (_, exponent) = libm::frexpf(largest);
    // From −126 to 113.
    exponent.saturating_sub(15).max(-126) as i8
}

/// Puts fields on the front of a buffer; what finds no room is only counted.
struct Writer<'a> {
    out: &'a mut [u8],
    written: usize,
}

impl Writer<'_> {
    #[cfg_attr(target_os = "none", inline(never))]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.written.saturating_add(bytes.len());
        if let Some(place) = self.out.get_mut(self.written..end) {
            place.copy_from_slice(bytes);
        }
        self.written = end;
    }

    fn words(&mut self, words: &[u32]) {
        if cfg!(target_endian = "little") {
            return self.put(bytemuck::cast_slice(words));
        }
        for word in words {
            self.put(&word.to_le_bytes());
        }
    }

    fn varint(&mut self, mut value: u32) {
        while value > 0x7F {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }

    fn labels<'l>(&mut self, labels: impl Iterator<Item = &'l str>) {
        for label in labels {
            // A valid one has 64 bytes at most.
            self.put(&[label.len() as u8]);
            self.put(label.as_bytes());
        }
    }

    /// Zeros up to a multiple of 4.
    fn align(&mut self) {
        self.put([0; 3].get(..self.written.wrapping_neg() & 3).unwrap_or_default());
    }
}
