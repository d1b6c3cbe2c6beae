//! Features of samples in flash, one after another: seen once, learned from again and again.

use super::medium::read_words;
use super::{Flash, StoreError};

/// Bytes of a label's entry, or the flash's word if that is longer.
const ENTRY: u32 = 8;

/// The part of a flash that a log uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LogRegion {
    /// Where the region starts, a multiple of the erase size.
    pub start: u32,
    /// The most samples that the log holds.
    pub samples: u16,
}

/// A log of samples: the features of each and its class, in a [`LogRegion`].
///
/// ```text
/// start   backbone digest, 32 bytes
///         samples × entry: class u16, its complement, ones
/// next erase block
///         samples × features, int8, in whole words
/// ```
///
/// Features are written before their entry, and the digest is erased before anything else, so that an
/// entry is never seen without its features. What a power cut tore may look erased and must not be
/// written over, so a log that was opened with this digest is read only until it is cleared; what cannot be
/// read is not there. Where the flash is in the address space, all features are one slice
/// `[sample][feature]`, from [`features_start`](Self::features_start) on.
///
/// ```text
/// append  features → barrier → entry → barrier → read it back
/// clear   erase digest and entries → barrier → erase features → barrier → digest → barrier
/// ```
#[derive(Debug)]
pub struct FeatureLog<F> {
    flash: F,
    region: LogRegion,
    entry: u32,
    features: u32,
    features_start: u32,
    end: u32,
    len: u16,
    /// Whether everything since the last erase is known, so that more may be written.
    open: bool,
}

impl<F: Flash> FeatureLog<F> {
    /// Opens the log of this backbone's samples, with so many features each; clears what another backbone left.
    ///
    /// # Errors
    ///
    /// [`StoreError::Geometry`] if the features are not a whole number of words;
    /// [`StoreError::Region`]; [`StoreError::Flash`].
    pub fn open(
        flash: F,
        region: LogRegion,
        backbone: &[u8; 32],
        features: u32,
    ) -> Result<Self, StoreError<F::Error>> {
        let geometry = flash.geometry();
        if !geometry.is_supported() || features == 0 || !features.is_multiple_of(geometry.write) {
            return Err(StoreError::Geometry);
        }
        let entry = ENTRY.max(geometry.write);
        let samples = u32::from(region.samples);
        let head = Self::header(geometry.write);
        let features_start = samples
            .checked_mul(entry)
            .and_then(|bytes| bytes.checked_add(head)?.checked_add(region.start))
            .and_then(|end| end.checked_next_multiple_of(geometry.erase));
        let end = features_start
            .and_then(|start| samples.checked_mul(features)?.checked_add(start))
            .and_then(|end| end.checked_next_multiple_of(geometry.erase))
            .filter(|&end| end <= geometry.capacity);
        let (Some(features_start), Some(end)) = (features_start, end) else {
            return Err(StoreError::Region);
        };
        if samples == 0 || !region.start.is_multiple_of(geometry.erase) {
            return Err(StoreError::Region);
        }
        let mut log =
            Self { flash, region, entry, features, features_start, end, len: 0, open: false };
        let mut found = [0; 32];
        let read = read_words(&mut log.flash, region.start, &mut found);
        if read.is_ok() && found == *backbone {
            log.find();
        } else {
            // Another backbone's, or torn.
            log.clear(backbone)?;
        }
        Ok(log)
    }

    /// Bytes before the entries: the digest, in whole words.
    const fn header(word: u32) -> u32 {
        32_u32.next_multiple_of(if word == 0 { 1 } else { word })
    }

    /// Counts the samples up to the first place that has none, or an entry that was torn.
    fn find(&mut self) {
        self.len = 0;
        while self.len < self.region.samples && matches!(self.class(self.len), Ok(Some(_))) {
            self.len = self.len.saturating_add(1);
        }
    }

    fn entry_at(&self, sample: u16) -> u32 {
        let header = Self::header(self.flash.geometry().write);
        let entries = u32::from(sample).saturating_mul(self.entry);
        self.region.start.saturating_add(header).saturating_add(entries)
    }

    fn features_at(&self, sample: u16) -> u32 {
        self.features_start.saturating_add(u32::from(sample).saturating_mul(self.features))
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> u16 {
        self.len
    }

    /// Whether the log has no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The flash that holds the log. Where it lies in the address space, features can be read in place.
    #[must_use]
    pub fn flash(&self) -> &F {
        &self.flash
    }

    /// Where the features of the first sample lie in the flash.
    #[must_use]
    pub fn features_start(&self) -> u32 {
        self.features_start
    }

    /// The class of a sample; `None` where no sample is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Flash`].
    pub fn class(&mut self, sample: u16) -> Result<Option<u16>, StoreError<F::Error>> {
        if sample >= self.region.samples {
            return Ok(None);
        }
        let mut bytes = [0; ENTRY as usize];
        let at = self.entry_at(sample);
        read_words(&mut self.flash, at, &mut bytes)?;
        let [a, b, c, d, ..] = bytes;
        let (class, check) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        Ok((class == !check).then_some(class))
    }

    /// Adds a sample. It is there whole, or not at all, after a power cut.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooLong`] if the log is full, was not cleared since it was opened with samples in
    /// it, or the features are not as many as it was opened for; [`StoreError::NotWritten`];
    /// [`StoreError::Flash`]. After the last two it must be cleared.
    pub fn append(&mut self, class: u16, features: &[i8]) -> Result<(), StoreError<F::Error>> {
        let limit = usize::from(self.region.samples);
        if !self.open || self.len >= self.region.samples || features.len() != self.features as usize
        {
            return Err(StoreError::TooLong { limit, found: usize::from(self.len) });
        }
        // Closed until it is known what the flash holds.
        self.open = false;
        self.flash.write(self.features_at(self.len), bytemuck::cast_slice(features))?;
        self.flash.barrier()?;
        let mut entry = [0xFF; 256];
        let entry = entry.get_mut(..self.entry as usize).ok_or(StoreError::Geometry)?;
        let words = class.to_le_bytes().into_iter().chain((!class).to_le_bytes());
        entry.iter_mut().zip(words).for_each(|(to, from)| *to = from);
        self.flash.write(self.entry_at(self.len), entry)?;
        self.flash.barrier()?;
        if self.class(self.len)? != Some(class) {
            return Err(StoreError::NotWritten);
        }
        self.len = self.len.saturating_add(1);
        self.open = true;
        Ok(())
    }

    /// Forgets all samples. After a power cut the samples are there as they were, or the first of
    /// them, or none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Flash`].
    pub fn clear(&mut self, backbone: &[u8; 32]) -> Result<(), StoreError<F::Error>> {
        self.open = false;
        self.len = 0;
        // One erase goes through its blocks in any order: features must outlive the entries.
        self.flash.erase(self.region.start, self.features_start)?;
        self.flash.barrier()?;
        self.flash.erase(self.features_start, self.end)?;
        self.flash.barrier()?;
        let mut header = [0xFF; 256];
        let length = Self::header(self.flash.geometry().write) as usize;
        let header = header.get_mut(..length).ok_or(StoreError::Geometry)?;
        header.iter_mut().zip(backbone).for_each(|(to, from)| *to = *from);
        self.flash.write(self.region.start, header)?;
        self.flash.barrier()?;
        self.open = true;
        Ok(())
    }
}
