//! Counts, sums and products of labelled samples, as whole numbers.

use super::layout::Layout;
use super::parallel::{among, rows};
use crate::Error;
use crate::checked::{expect_len, product as product_of, sum};
use crate::head::{MAX_CLASSES, Samples};
use crate::kernels::squares::{MOST_PAIRS, Pairs, SIDE, whole_product};
use crate::record::check_shape;

/// The largest weight of a class.
pub const MAX_WEIGHT: u8 = 16;
/// The most times that one sample counts: with that all sums stay whole, of any number of samples that a state can have.
pub const MAX_TIMES: u16 = 128;
/// Pairs of samples that are multiplied together.
const ROWS: usize = 128;
const _: () = assert!(ROWS <= MOST_PAIRS);

/// A square of whole numbers below 2⁵³, `[row][column]`.
pub type WholeSquare = [[f64; SIDE]; SIDE];

pub(super) fn blocks(features: usize) -> usize {
    features.div_ceil(SIDE)
}

/// How many squares hold the products of so many features.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn squares_len(features: usize) -> Result<usize, Error> {
    let blocks = blocks(features);
    Ok(product_of(&[blocks, sum(&[blocks, 1])?])? / 2)
}

/// How many lines of scratch memory [`Sums::add`] needs for so many features.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn pairs_len(features: usize) -> Result<usize, Error> {
    product_of(&[blocks(features), ROWS])
}

/// How many lines of scratch memory [`System::new`](super::System::new) and [`logits`](super::logits) need for so many features.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn panel_len(features: usize) -> Result<usize, Error> {
    product_of(&[blocks(features), 2, SIDE])
}

/// Writes what each sample of a class weighs: the whole number nearest to how often the class would go into the largest
/// one, at most [`MAX_WEIGHT`]; 1 for a class without samples.
pub fn class_weights(counts: &[u32], weights: &mut [u8]) {
    let most = counts.iter().copied().max().unwrap_or(0);
    for (weight, &count) in weights.iter_mut().zip(counts) {
        let nearest = (u64::from(most) + u64::from(count / 2)) / u64::from(count.max(1));
        *weight = if count == 0 { 1 } else { nearest.clamp(1, MAX_WEIGHT.into()) as u8 };
    }
}

/// Counts, sums and products of labelled samples, in the caller's memory. Zeros are the sums of no samples.
#[derive(Debug)]
pub struct Sums<'a> {
    features: usize,
    weights: &'a [u8],
    counts: &'a mut [u32],
    totals: &'a mut [i64],
    squares: &'a mut [WholeSquare],
}

impl<'a> Sums<'a> {
    /// Takes memory that holds sums, or zeros: samples of each class, `Σ q` over them, `[class][feature]`, and
    /// [`squares_len`] squares of `Σ w q qᵀ` over all. Every sample weighs what `weights` says of its class.
    ///
    /// # Errors
    ///
    /// [`Error::ShapeOverflow`] for no class, no feature, or too many; [`Error::BufferLength`].
    pub fn new(
        features: usize,
        weights: &'a [u8],
        counts: &'a mut [u32],
        totals: &'a mut [i64],
        squares: &'a mut [WholeSquare],
    ) -> Result<Self, Error> {
        if !(1..=MAX_CLASSES).contains(&counts.len()) {
            return Err(Error::ShapeOverflow);
        }
        expect_len(weights.len(), counts.len())?;
        check_shape(totals.len(), counts.len(), features)?;
        expect_len(squares.len(), squares_len(features)?)?;
        Ok(Self { features, weights, counts, totals, squares })
    }

    /// Adds samples, each of them so many times, 1 to [`MAX_TIMES`]: the sums are those of so many equal samples, in the time of one.
    /// `panel` is scratch memory of [`pairs_len`].
    ///
    /// # Errors
    ///
    /// [`Error::ClassOutOfRange`]; [`Error::BufferLength`] for other features, or a short panel; [`Error::ShapeOverflow`] for other
    /// times. Nothing is added then.
    pub fn add(
        &mut self,
        samples: Samples<'_>,
        times: u16,
        panel: &mut [Pairs],
    ) -> Result<(), Error> {
        self.change(samples, times, 1, panel)
    }

    /// Takes off samples that were added, each so many times.
    ///
    /// # Errors
    ///
    /// Those of [`add`](Self::add).
    pub fn take(
        &mut self,
        samples: Samples<'_>,
        times: u16,
        panel: &mut [Pairs],
    ) -> Result<(), Error> {
        self.change(samples, times, -1, panel)
    }

    fn change(
        &mut self,
        samples: Samples<'_>,
        times: u16,
        sign: i32,
        panel: &mut [Pairs],
    ) -> Result<(), Error> {
        if !(1..=MAX_TIMES).contains(&times) {
            return Err(Error::ShapeOverflow);
        }
        let factor = sign * i32::from(times);
        let (features, classes) = (self.features, self.counts.len());
        expect_len(samples.feature_len(), features)?;
        let needed = pairs_len(features)?;
        if panel.len() < needed {
            return Err(Error::BufferLength { expected: needed, found: panel.len() });
        }
        let labels = (0..samples.len()).map(|at| samples.label(at));
        if let Some(class) = labels.clone().find(|&class| usize::from(class) >= classes) {
            return Err(Error::ClassOutOfRange { class, classes: classes as u16 });
        }
        for (row, class) in samples.iter() {
            let count = &mut self.counts[usize::from(class)];
            *count = count.wrapping_add_signed(factor);
            let totals = &mut self.totals[usize::from(class) * features..][..features];
            totals
                .iter_mut()
                .zip(row)
                .for_each(|(total, &q)| *total += i64::from(factor * i32::from(q)));
        }
        among(self.squares.len(), || self.change_squares(samples, factor, panel));
        Ok(())
    }

    /// Whole numbers can be added in any order: here by weight, so that few panels are not full.
    fn change_squares(&mut self, samples: Samples<'_>, factor: i32, panel: &mut [Pairs]) {
        for weight in 1..=MAX_WEIGHT {
            let mut filled = 0;
            for (row, class) in samples.iter() {
                if self.weights[usize::from(class)] != weight {
                    continue;
                }
                for (block, part) in row.chunks(SIDE).enumerate() {
                    let line = &mut panel[block * ROWS + filled / 2];
                    let (own, none) = line.split_at_mut(part.len());
                    none.fill([0; 2]);
                    // The first of a pair is alone until the second comes.
                    match filled % 2 {
                        0 => own.iter_mut().zip(part).for_each(|(x, &q)| *x = [i16::from(q), 0]),
                        _ => own.iter_mut().zip(part).for_each(|(x, &q)| x[1] = i16::from(q)),
                    }
                }
                filled += 1;
                if filled == 2 * ROWS {
                    self.multiply(panel, ROWS, factor * i32::from(weight));
                    filled = 0;
                }
            }
            if filled > 0 {
                self.multiply(panel, filled.div_ceil(2), factor * i32::from(weight));
            }
        }
    }

    /// Adds `factor` times the products of the panel's samples, of which there are so many pairs.
    fn multiply(&mut self, panel: &[Pairs], count: usize, factor: i32) {
        let layout = Layout { blocks: blocks(self.features), classes: 0 };
        let factor = f64::from(factor);
        rows(layout, 0..layout.blocks, self.squares, &|row, squares| {
            let mut sums = [[0; SIDE]; SIDE];
            for (block, square) in (row..).zip(squares) {
                let [a, b] = [row, block].map(|block| &panel[block * ROWS..][..count]);
                whole_product(a, b, &mut sums);
                let pairs = square.as_flattened_mut().iter_mut().zip(sums.as_flattened());
                pairs.for_each(|(whole, &sum)| *whole += factor * f64::from(sum));
            }
        });
    }

    /// The number of features of a sample.
    #[must_use]
    pub fn feature_len(&self) -> usize {
        self.features
    }

    /// How many samples each class has.
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        self.counts
    }

    pub(super) fn weights(&self) -> &[u8] {
        self.weights
    }

    /// `Σ q` over a class.
    pub(super) fn totals(&self, class: usize) -> &[i64] {
        &self.totals[class * self.features..][..self.features]
    }

    pub(super) fn squares(&self) -> &[WholeSquare] {
        self.squares
    }
}
