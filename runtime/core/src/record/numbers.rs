//! Weights and biases as a record holds them.

use half::f16;

use super::Storage;

/// Numbers of one width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    bytes: &'a [u8],
    storage: Storage,
    scale: f32,
}

impl<'a> Numbers<'a> {
    /// The scale is of float16 alone.
    pub(super) fn new(bytes: &'a [u8], storage: Storage, scale: f32) -> Self {
        Self { bytes, storage, scale }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn are_finite(&self) -> bool {
        (0..self.len()).all(|index| self.at(index).is_finite())
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn read(&self, to: &mut [f32]) {
        for (index, to) in to.iter_mut().enumerate() {
            *to = self.at(index);
        }
    }

    fn len(&self) -> usize {
        match self.storage {
            Storage::F32 => self.bytes.len() / 4,
            Storage::F16 => self.bytes.len() / 2,
        }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn at(&self, index: usize) -> f32 {
        let start = index.wrapping_mul(self.storage.bytes());
        let rest = self.bytes.get(start..).unwrap_or_default();
        match (self.storage, rest) {
            (Storage::F32, &[a, b, c, d, ..]) => f32::from_le_bytes([a, b, c, d]),
            (Storage::F16, &[a, b, ..]) => f16::from_le_bytes([a, b]).to_f32() * self.scale,
            _ => f32::NAN,
        }
    }
}
