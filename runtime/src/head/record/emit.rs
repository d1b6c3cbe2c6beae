//! Writing a head record.

use half::f16;
use sha2::{Digest, Sha256};

use super::{FLAG_F16, FLAG_PROTOTYPES, Layout, Learner, MAGIC, Storage, VERSION, label_is_valid};
use crate::Error;
use crate::head::{LinearHead, MAX_CLASSES, MAX_FEATURES, numeric};

/// What a head record is written from.
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
    /// Divides the logits before the softmax; above 0.
    pub temperature: f32,
    /// A best probability below this means "unknown"; 0 to 1.
    pub unknown_threshold: f32,
    /// A feature vector for each class that can stand for its samples where those are gone, `[class][feature]`: for
    /// heads that leave their samples behind.
    pub prototypes: Option<&'a [i8]>,
    /// Held-out samples answered correctly, and held-out samples; `None` if not measured.
    pub held_out: Option<(u32, u32)>,
}

impl HeadParts<'_> {
    /// Length of the record in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] past the limits of the format.
    pub fn encoded_len(&self) -> Result<usize, Error> {
        Ok(self.layout(self.labels.iter().copied())?.total)
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
        let layout = self.layout(labels.clone())?;
        self.check(labels.clone())?;
        let found = out.len();
        let out = out
            .get_mut(..layout.total)
            .ok_or(Error::BufferLength { expected: layout.total, found })?;
        let scale = self.weight_scale();
        let held_out = self.held_out.unwrap_or((0, 0));
        let (body, digest) = out.split_at_mut_checked(layout.body).ok_or(Error::Truncated)?;

        let mut writer = Writer(body);
        writer.put(&MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        let storage = if self.storage == Storage::F16 { FLAG_F16 } else { 0 };
        let prototypes = if self.prototypes.is_some() { FLAG_PROTOTYPES } else { 0 };
        writer.put(&[storage | prototypes, self.learner.id()])?;
        writer.count(self.head.feature_len())?;
        writer.count(self.head.classes())?;
        writer.count(label_bytes(labels.clone())?)?;
        writer.put(&self.temperature.to_le_bytes())?;
        writer.put(&self.unknown_threshold.to_le_bytes())?;
        writer.put(&held_out.0.to_le_bytes())?;
        writer.put(&held_out.1.to_le_bytes())?;
        writer.put(&scale.to_le_bytes())?;
        writer.put(&self.backbone_digest)?;
        for count in self.samples {
            writer.put(&count.to_le_bytes())?;
        }
        for label in labels {
            writer.put(&[u8::try_from(label.len()).map_err(|_| Error::ShapeOverflow)?])?;
            writer.put(label.as_bytes())?;
        }
        writer.zeros(layout.label_padding)?;
        for bias in self.head.bias() {
            writer.put(&bias.to_le_bytes())?;
        }
        for &weight in self.head.weights() {
            match self.storage {
                Storage::F32 => writer.put(&weight.to_le_bytes())?,
                Storage::F16 => writer.put(&f16::from_f32(weight / scale).to_le_bytes())?,
            }
        }
        writer.put(bytemuck::cast_slice(self.prototypes.unwrap_or_default()))?;
        writer.zeros(layout.last_padding)?;
        digest.copy_from_slice(&Sha256::digest(&*body));
        Ok(layout.total)
    }

    /// Brings the largest weight to 2^14 … 2^15, so that small ones keep their bits in float16.
    fn weight_scale(&self) -> f32 {
        if self.storage == Storage::F32 {
            return 1.0;
        }
        let largest =
            self.head.weights().iter().fold(0.0_f32, |most, &weight| most.max(weight.abs()));
        if !largest.is_normal() {
            return 1.0;
        }
        let (_, exponent) = libm::frexpf(largest);
        libm::ldexpf(1.0, exponent.saturating_sub(15).max(-126))
    }

    fn layout<'l>(&self, labels: impl Iterator<Item = &'l str>) -> Result<Layout, Error> {
        let (classes, feature_len) = (self.head.classes(), self.head.feature_len());
        if !(1..=MAX_CLASSES).contains(&classes) || !(1..=MAX_FEATURES).contains(&feature_len) {
            return Err(Error::ShapeOverflow);
        }
        let with_prototypes = self.prototypes.is_some();
        Layout::new(self.storage, feature_len, classes, label_bytes(labels)?, with_prototypes)
    }

    fn check<'l>(&self, labels: impl Iterator<Item = &'l str> + Clone) -> Result<(), Error> {
        numeric::expect_len(labels.clone().count(), self.head.classes())?;
        numeric::expect_len(self.samples.len(), self.head.classes())?;
        if let Some(prototypes) = self.prototypes {
            numeric::expect_len(prototypes.len(), self.head.weights().len())?;
        }
        for (class, label) in labels.clone().enumerate() {
            let twice = labels.clone().take(class).any(|earlier| earlier == label);
            if twice || !label_is_valid(label) {
                return Err(Error::LabelInvalid { class: class as u16 });
            }
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
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

fn label_bytes<'l>(mut labels: impl Iterator<Item = &'l str>) -> Result<usize, Error> {
    labels.try_fold(0, |bytes, label| numeric::sum(&[bytes, 1, label.len()]))
}

/// Puts fields on the front of a buffer.
struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (here, rest) = core::mem::take(&mut self.0)
            .split_at_mut_checked(bytes.len())
            .ok_or(Error::Truncated)?;
        here.copy_from_slice(bytes);
        self.0 = rest;
        Ok(())
    }

    fn count(&mut self, count: usize) -> Result<(), Error> {
        self.put(&u32::try_from(count).map_err(|_| Error::ShapeOverflow)?.to_le_bytes())
    }

    fn zeros(&mut self, length: usize) -> Result<(), Error> {
        self.put([0; 3].get(..length).ok_or(Error::ShapeOverflow)?)
    }
}
