//! Labelled features, as views over the caller's memory.

use super::numeric::Scratch;
use crate::Error;
use crate::checked::{expect_len, product, sum};
use crate::head::Random;

/// Labelled int8 features: `features[sample][feature]`, row-major, one label a sample.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    features: &'a [i8],
    labels: &'a [u16],
    feature_len: usize,
    subset: Option<&'a [u32]>,
    again: &'a [u32],
}

impl<'a> Samples<'a> {
    /// A view of all samples.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] unless there are `feature_len` features for each label;
    /// [`Error::ShapeOverflow`] if `feature_len` is 0 or past the limit, or there are more than
    /// `u32::MAX` samples.
    pub fn new(features: &'a [i8], labels: &'a [u16], feature_len: usize) -> Result<Self, Error> {
        if !(1..=super::MAX_FEATURES).contains(&feature_len) || u32::try_from(labels.len()).is_err()
        {
            return Err(Error::ShapeOverflow);
        }
        expect_len(features.len(), product(&[labels.len(), feature_len])?)?;
        Ok(Self { features, labels, feature_len, subset: None, again: &[] })
    }

    /// A view of some samples, in the order of `indices`, which count through all samples, also
    /// where `self` is a subset already. An index may stand there twice.
    ///
    /// # Errors
    ///
    /// [`Error::SampleOutOfRange`] for an index past the end.
    pub fn select(&self, indices: &'a [u32]) -> Result<Self, Error> {
        let samples = self.labels.len();
        match indices.iter().find(|&&index| index as usize >= samples) {
            Some(&index) => Err(Error::SampleOutOfRange { index: index as usize, samples }),
            None => Ok(Self { subset: Some(indices), again: &[], ..*self }),
        }
    }

    /// Marks the last `owners.len()` rows as showing earlier samples again, another crop of a picture say: row `len − owners.len() + i`
    /// shows sample `owners[i]`. What is held out to measure is then never trained on in another guise.
    ///
    /// # Errors
    ///
    /// [`Error::SampleOutOfRange`] for an owner that is no earlier sample.
    pub fn showing_again(&self, owners: &'a [u32]) -> Result<Self, Error> {
        let samples = self.len().saturating_sub(owners.len());
        match owners.iter().find(|&&owner| owner as usize >= samples) {
            Some(&owner) => Err(Error::SampleOutOfRange { index: owner as usize, samples }),
            None => Ok(Self { again: owners, ..*self }),
        }
    }

    /// Which samples the last rows show again.
    pub(crate) fn again(&self) -> &'a [u32] {
        self.again
    }

    /// The rows that are samples of their own.
    pub(crate) fn distinct(&self) -> Self {
        let count = self.len() - self.again.len();
        let again = &[];
        match self.subset {
            Some(indices) => Self { subset: Some(&indices[..count]), again, ..*self },
            None => Self {
                features: &self.features[..count * self.feature_len],
                labels: &self.labels[..count],
                again,
                ..*self
            },
        }
    }

    /// The number of samples in the view.
    pub fn len(&self) -> usize {
        self.subset.map_or(self.labels.len(), <[u32]>::len)
    }

    /// Whether the view has no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of features of a sample.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// Where a sample of the view stands among all samples.
    pub(crate) fn position(&self, sample: usize) -> usize {
        self.subset.map_or(sample, |indices| indices[sample] as usize)
    }

    /// The features of one sample of the view.
    ///
    /// # Panics
    ///
    /// If `sample` is not below [`Self::len`].
    pub fn row(&self, sample: usize) -> &'a [i8] {
        let start = self.position(sample) * self.feature_len;
        &self.features[start..start + self.feature_len]
    }

    /// The class of one sample of the view.
    ///
    /// # Panics
    ///
    /// If `sample` is not below [`Self::len`].
    pub fn label(&self, sample: usize) -> u16 {
        self.labels[self.position(sample)]
    }

    /// Features and class of each sample of the view.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [i8], u16)> {
        (0..self.len()).map(|sample| (self.row(sample), self.label(sample)))
    }

    /// Writes how many samples each class has.
    ///
    /// # Errors
    ///
    /// [`Error::ClassOutOfRange`] for a label that has no place in `counts`.
    pub fn count(&self, counts: &mut [u32]) -> Result<(), Error> {
        counts.fill(0);
        let classes = u16::try_from(counts.len()).unwrap_or(u16::MAX);
        for sample in 0..self.len() {
            let class = self.label(sample);
            *counts
                .get_mut(usize::from(class))
                .ok_or(Error::ClassOutOfRange { class, classes })? += 1;
        }
        Ok(())
    }
}

/// Samples sorted by class, as the learners draw and split them.
pub(crate) struct Groups<'a> {
    /// Sample numbers, class after class, in random order within each.
    pub(crate) samples: &'a mut [u32],
    /// Where each class starts, and the end.
    pub(crate) starts: &'a [u32],
}

impl<'a> Groups<'a> {
    pub(crate) fn scratch_len(samples: usize, classes: usize) -> Result<usize, Error> {
        sum(&[samples, classes, 1])
    }

    pub(crate) fn new(
        samples: Samples<'_>,
        classes: usize,
        random: &mut Random,
        scratch: &mut Scratch<'a, u32>,
    ) -> Result<Self, Error> {
        let order = scratch.take(samples.len())?;
        let starts = scratch.take(classes + 1)?;
        starts.fill(0);
        samples.count(&mut starts[..classes])?;
        // Ends first: filling the places from behind makes starts of them.
        let mut end = 0;
        for place in starts.iter_mut() {
            end += core::mem::take(place);
            *place = end;
        }
        for sample in (0..samples.len()).rev() {
            let place = &mut starts[usize::from(samples.label(sample))];
            *place -= 1;
            order[*place as usize] = sample as u32;
        }
        for class in starts.windows(2) {
            random.shuffle(&mut order[class[0] as usize..class[1] as usize]);
        }
        Ok(Self { samples: order, starts })
    }

    /// The samples of one class.
    pub(crate) fn class(&self, class: usize) -> &[u32] {
        &self.samples[self.starts[class] as usize..self.starts[class + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: [i8; 6] = [1, 2, 3, 4, 5, 6];

    #[test]
    fn a_subset_counts_through_all_samples() {
        let all = Samples::new(&FEATURES, &[0, 1, 1], 2).unwrap();
        let some = all.select(&[2, 0]).unwrap();
        assert_eq!((some.len(), some.row(0), some.label(1)), (2, &[5, 6][..], 0));
        let again = some.select(&[1]).unwrap();
        assert_eq!(again.row(0), [3, 4]);
        let mut counts = [9; 2];
        all.count(&mut counts).unwrap();
        assert_eq!(counts, [1, 2]);
        assert_eq!(all.iter().last().unwrap(), (&[5_i8, 6][..], 1));
    }

    #[test]
    fn lengths_labels_and_indices_are_checked() {
        let error = Samples::new(&FEATURES, &[0, 1], 2).unwrap_err();
        assert_eq!(error, Error::BufferLength { expected: 4, found: 6 });
        assert_eq!(Samples::new(&[], &[], 0).unwrap_err(), Error::ShapeOverflow);
        let all = Samples::new(&FEATURES, &[0, 1, 7], 2).unwrap();
        let error = all.select(&[3]).unwrap_err();
        assert_eq!(error, Error::SampleOutOfRange { index: 3, samples: 3 });
        let error = all.count(&mut [0; 2]).unwrap_err();
        assert_eq!(error, Error::ClassOutOfRange { class: 7, classes: 2 });
    }

    #[test]
    fn groups_hold_every_sample_once_under_its_class() {
        let labels = [2, 0, 2, 2, 0, 4];
        let samples = Samples::new(&[0; 6], &labels, 1).unwrap();
        let needed = Groups::scratch_len(6, 5).unwrap();
        let mut memory = [9; 12];
        let mut scratch = Scratch::new(&mut memory, needed).unwrap();
        let groups = Groups::new(samples, 5, &mut Random::new(1), &mut scratch).unwrap();
        assert_eq!(groups.starts, [0, 2, 2, 5, 5, 6]);
        for class in 0..5 {
            let right = |&sample: &u32| usize::from(labels[sample as usize]) == class;
            assert!(groups.class(class).iter().all(right));
        }
        groups.samples.sort_unstable();
        assert_eq!(groups.samples, [0, 1, 2, 3, 4, 5]);
    }
}
