//! Counts, sums and products of labelled samples, as integers.

use crate::Error;
use crate::checked::{expect_len, product};
use crate::head::{MAX_CLASSES, MAX_FEATURES};

/// The most samples of a [`Statistics`]: so many products of two int8 (2¹⁴ at most) stay below 2³¹.
pub const MAX_SAMPLES: u32 = (1 << 17) - 1;

/// Elements of the triangle of products: `features · (features + 1) / 2`.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn products_len(features: usize) -> Result<usize, Error> {
    Ok(product(&[features, features.checked_add(1).ok_or(Error::ShapeOverflow)?])? / 2)
}

/// Counts, sums and products of labelled samples, as integers in the caller's memory: all that closed-form learners need.
///
/// | memory | what | range |
/// | --- | --- | --- |
/// | `counts[class]` | samples | all together at most [`MAX_SAMPLES`] |
/// | `sums[class][feature]` | `Σ q[f]` over the class | at most 2²⁴ |
/// | `products[f (f + 1) / 2 + g]`, `g ≤ f` | `Σ q[f] q[g]` over all samples | below 2³¹ |
///
/// Zeros are the statistics of no samples. Two of them are equal exactly if their memory is.
#[derive(Debug, PartialEq, Eq)]
pub struct Statistics<'a> {
    counts: &'a mut [u32],
    sums: &'a mut [i32],
    products: &'a mut [i32],
    features: usize,
    samples: u32,
}

impl<'a> Statistics<'a> {
    /// Takes memory that holds statistics, or zeros.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] for no class, no feature, or too many; [`Error::BufferLength`];
    /// [`Error::TooManySamples`]; [`Error::FieldInvalid`] with the first feature (`offset`) whose sums no
    /// samples can have.
    pub fn new(
        counts: &'a mut [u32],
        sums: &'a mut [i32],
        products: &'a mut [i32],
        features: usize,
    ) -> Result<Self, Error> {
        if !(1..=MAX_CLASSES).contains(&counts.len()) || !(1..=MAX_FEATURES).contains(&features) {
            return Err(Error::ShapeOverflow);
        }
        expect_len(sums.len(), product(&[counts.len(), features])?)?;
        expect_len(products.len(), products_len(features)?)?;
        let samples = counts.iter().try_fold(0, |all: u32, &count| {
            let all = all.checked_add(count).filter(|&all| all <= MAX_SAMPLES);
            all.ok_or(Error::TooManySamples { limit: MAX_SAMPLES })
        })?;
        let statistics = Self { counts, sums, products, features, samples };
        statistics.check()?;
        Ok(statistics)
    }

    fn check(&self) -> Result<(), Error> {
        let refused = |offset| Error::FieldInvalid { offset };
        for (row, &count) in self.sums.chunks_exact(self.features).zip(&*self.counts) {
            let most = i64::from(count) * 128;
            match row.iter().position(|&sum| i64::from(sum).abs() > most) {
                Some(feature) => return Err(refused(feature)),
                None => continue,
            }
        }
        let most = i64::from(self.samples) << 14;
        for feature in 0..self.features {
            let row = &self.products[feature * (feature + 1) / 2..][..=feature];
            let square = i64::from(row[feature]);
            let bounded = row.iter().all(|&product| i64::from(product).abs() <= most);
            // Cauchy and Schwarz: no sum is larger than its squares allow.
            let sum = self.sums[feature..].iter().step_by(self.features);
            let sum: i64 = sum.map(|&sum| i64::from(sum)).sum();
            if !bounded || square < 0 || sum * sum > square * i64::from(self.samples) {
                return Err(refused(feature));
            }
        }
        Ok(())
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    /// The number of features of a sample.
    pub fn feature_len(&self) -> usize {
        self.features
    }

    /// The number of samples.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// How many samples each class has.
    pub fn counts(&self) -> &[u32] {
        self.counts
    }

    /// The sums of one class's features.
    ///
    /// # Panics
    ///
    /// If `class` is not below [`Self::classes`].
    pub fn sums(&self, class: usize) -> &[i32] {
        &self.sums[class * self.features..][..self.features]
    }

    /// `Σ q[f] q[g]` for every `g ≤ feature`.
    pub(super) fn products(&self, feature: usize) -> &[i32] {
        &self.products[feature * (feature + 1) / 2..][..=feature]
    }

    /// Learns a sample.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`]. Then nothing changed.
    pub fn add(&mut self, row: &[i8], class: u16) -> Result<(), Error> {
        let index = self.index(row, class)?;
        if self.samples >= MAX_SAMPLES {
            return Err(Error::TooManySamples { limit: MAX_SAMPLES });
        }
        self.apply(row, index, 1);
        self.counts[index] += 1;
        self.samples += 1;
        Ok(())
    }

    /// Forgets a sample that was learned: afterwards it is as if it had never been there.
    ///
    /// # Errors
    ///
    /// [`Error::NotLearned`] if no samples can leave the sums that would be left; a sample that
    /// was not learned is not always found out. [`Error::ClassOutOfRange`]; [`Error::BufferLength`].
    /// Then nothing changed.
    pub fn remove(&mut self, row: &[i8], class: u16) -> Result<(), Error> {
        let index = self.index(row, class)?;
        let left = self.counts[index].checked_sub(1).ok_or(Error::NotLearned)?;
        let most = i64::from(left) * 128;
        let possible = |(&sum, &q): (&i32, &i8)| (i64::from(sum) - i64::from(q)).abs() <= most;
        if !self.sums(index).iter().zip(row).all(possible) {
            return Err(Error::NotLearned);
        }
        self.apply(row, index, -1);
        if self.samples == 1 && self.products.iter().any(|&product| product != 0) {
            self.apply(row, index, 1);
            return Err(Error::NotLearned);
        }
        self.counts[index] = left;
        self.samples -= 1;
        Ok(())
    }

    /// Adds what another device learned; its class `c` is `classes[c]` here.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySamples`]; [`Error::ClassOutOfRange`]; [`Error::BufferLength`]. Then nothing changed.
    pub fn merge(&mut self, other: &Statistics<'_>, classes: &[u16]) -> Result<(), Error> {
        expect_len(other.features, self.features)?;
        expect_len(classes.len(), other.classes())?;
        let here = self.classes();
        if let Some(&class) = classes.iter().find(|&&class| usize::from(class) >= here) {
            return Err(Error::ClassOutOfRange { class, classes: here as u16 });
        }
        let samples = self.samples + other.samples;
        if samples > MAX_SAMPLES {
            return Err(Error::TooManySamples { limit: MAX_SAMPLES });
        }
        for (from, &to) in classes.iter().enumerate() {
            let to = usize::from(to);
            self.counts[to] += other.counts[from];
            let sums = &mut self.sums[to * self.features..][..self.features];
            sums.iter_mut().zip(other.sums(from)).for_each(|(to, from)| *to += from);
        }
        // As in `apply`.
        let pairs = self.products.iter_mut().zip(&*other.products);
        pairs.for_each(|(to, from)| *to = to.wrapping_add(*from));
        self.samples = samples;
        Ok(())
    }

    /// Makes the samples of class `from` samples of `to`; `from` then has none.
    ///
    /// # Errors
    ///
    /// [`Error::ClassOutOfRange`].
    pub fn join(&mut self, from: u16, to: u16) -> Result<(), Error> {
        let classes = self.classes();
        if let Some(class) = [from, to].into_iter().find(|&class| usize::from(class) >= classes) {
            return Err(Error::ClassOutOfRange { class, classes: classes as u16 });
        }
        let (from, to) = (usize::from(from), usize::from(to));
        self.counts[to] += core::mem::take(&mut self.counts[from]);
        for feature in 0..self.features {
            let sum = core::mem::take(&mut self.sums[from * self.features + feature]);
            self.sums[to * self.features + feature] += sum;
        }
        Ok(())
    }

    fn index(&self, row: &[i8], class: u16) -> Result<usize, Error> {
        expect_len(row.len(), self.features)?;
        let (index, classes) = (usize::from(class), self.classes());
        if index >= classes {
            return Err(Error::ClassOutOfRange { class, classes: classes as u16 });
        }
        Ok(index)
    }

    /// Adds or takes off one sample. No sum leaves its range: the number of samples bounds all.
    fn apply(&mut self, row: &[i8], class: usize, sign: i32) {
        let sums = &mut self.sums[class * self.features..][..self.features];
        sums.iter_mut().zip(row).for_each(|(sum, &q)| *sum += sign * i32::from(q));
        let mut rest = &mut *self.products;
        for (feature, &q) in row.iter().enumerate() {
            let (products, after) = rest.split_at_mut(feature + 1);
            let factor = sign * i32::from(q);
            // A sample that was never learned, taken off, may pass the range.
            for (product, &other) in products.iter_mut().zip(row) {
                *product = product.wrapping_add(factor * i32::from(other));
            }
            rest = after;
        }
    }
}
