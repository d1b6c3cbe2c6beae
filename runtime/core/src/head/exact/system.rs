//! The linear system that both learners solve.

use super::cholesky::{dot, factor, solve, start};
use super::{Statistics, products_len};
use crate::Error;
use crate::checked::{expect_len, product, sum};
use crate::head::numeric::Scratch;
use crate::record::check_shape;

/// Largest residual that is accepted, as a part of the right-hand side.
const TOLERANCE: f64 = 1e-6;

/// Around what products of features are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Centre {
    /// The mean of all samples.
    Mean,
    /// The mean of each sample's class.
    ClassMeans,
}

/// `A = P + diagonal · I`, where `P[f][g]` sums the products of centred features over all samples.
pub(super) struct System<'s, 'm> {
    statistics: &'s Statistics<'s>,
    centre: Centre,
    diagonal: f64,
    /// The lower triangle of `A`, then of its factor.
    triangle: &'m mut [f64],
    /// `Σ q[f]` over all samples: whole numbers.
    pub(super) totals: &'m mut [f64],
    /// What is solved for; [`Self::solve`] replaces it by the solution.
    pub(super) vector: &'m mut [f64],
    target: &'m mut [f64],
    product: &'m mut [f64],
}

impl<'s, 'm> System<'s, 'm> {
    pub(super) fn scratch_len(features: usize, classes: usize) -> Result<usize, Error> {
        sum(&[products_len(features)?, product(&[4, features])?, classes])
    }

    /// Checks the caller's buffers and computes `P`.
    pub(super) fn new(
        statistics: &'s Statistics<'s>,
        centre: Centre,
        weights: &[f32],
        bias: &[f32],
        scratch: &'m mut [f64],
    ) -> Result<Self, Error> {
        let (features, classes) = (statistics.feature_len(), statistics.classes());
        expect_len(bias.len(), classes)?;
        check_shape(weights.len(), classes, features)?;
        if statistics.samples() == 0 {
            return Err(Error::NoSamples);
        }
        let mut memory = Scratch::new(scratch, Self::scratch_len(features, classes)?)?;
        let triangle = memory.take(products_len(features)?)?;
        let [totals, vector, target, product] =
            [(); 4].map(|()| memory.take(features).unwrap_or_default());
        totals.fill(0.0);
        for class in 0..classes {
            totals.iter_mut().zip(statistics.sums(class)).for_each(|(t, &s)| *t += f64::from(s));
        }
        let mut system =
            Self { statistics, centre, diagonal: 0.0, triangle, totals, vector, target, product };
        (0..features).for_each(|feature| system.fill(feature));
        Ok(system)
    }

    fn fill(&mut self, feature: usize) {
        let line = &mut self.triangle[start(feature)..][..=feature];
        let products = self.statistics.products(feature);
        match self.centre {
            Centre::Mean => {
                let samples = i64::from(self.statistics.samples());
                let own = self.totals[feature] as i64;
                for ((entry, &product), &other) in line.iter_mut().zip(products).zip(&*self.totals)
                {
                    // A whole number below 2⁴⁹, rounded once by the division.
                    let whole = samples * i64::from(product) - own * other as i64;
                    *entry = whole as f64 / samples as f64;
                }
            }
            Centre::ClassMeans => {
                line.iter_mut().zip(products).for_each(|(entry, &p)| *entry = f64::from(p));
                for (class, &count) in self.statistics.counts().iter().enumerate() {
                    let sums = self.statistics.sums(class);
                    if count > 0 {
                        let mean = f64::from(sums[feature]) / f64::from(count);
                        line.iter_mut().zip(sums).for_each(|(e, &s)| *e -= mean * f64::from(s));
                    }
                }
            }
        }
    }

    /// The trace of `P`: the sum of squares of the centred features.
    pub(super) fn trace(&self) -> f64 {
        (0..self.totals.len()).fold(0.0, |sum, row| sum + self.triangle[start(row) + row])
    }

    /// Fixes what is added to the diagonal, and factorises.
    pub(super) fn factor(&mut self, diagonal: f64) -> Result<(), Error> {
        if !(diagonal.is_finite() && diagonal >= 0.0) {
            return Err(Error::NotFinite);
        }
        self.diagonal = diagonal;
        let side = self.totals.len();
        (0..side).for_each(|row| self.triangle[start(row) + row] += diagonal);
        factor(self.triangle, side)
    }

    /// Solves `A x = vector` in place and checks the residual, with entries that are computed anew.
    pub(super) fn solve(&mut self) -> Result<(), Error> {
        self.target.copy_from_slice(self.vector);
        solve(self.triangle, self.vector);
        for (product, value) in self.product.iter_mut().zip(&*self.vector) {
            *product = self.diagonal * value;
        }
        for (feature, &value) in self.vector.iter().enumerate() {
            let products = self.statistics.products(feature);
            let mut own = 0.0;
            for ((&p, &x), product) in products.iter().zip(&*self.vector).zip(&mut *self.product) {
                own += f64::from(p) * x;
                *product += f64::from(p) * value;
            }
            // The diagonal was added above: once is enough.
            self.product[feature] += own - f64::from(products[feature]) * value;
        }
        match self.centre {
            Centre::Mean => {
                let factor = dot(self.totals, self.vector) / f64::from(self.statistics.samples());
                self.product.iter_mut().zip(&*self.totals).for_each(|(p, t)| *p -= factor * t);
            }
            Centre::ClassMeans => {
                for (class, &count) in self.statistics.counts().iter().enumerate() {
                    let sums = self.statistics.sums(class);
                    if count > 0 {
                        let factor = self.along(sums) / f64::from(count);
                        let pairs = self.product.iter_mut().zip(sums);
                        pairs.for_each(|(p, &s)| *p -= factor * f64::from(s));
                    }
                }
            }
        }
        let (mut error, mut size) = (0.0, 0.0);
        for (found, target) in self.product.iter().zip(&*self.target) {
            error += (found - target) * (found - target);
            size += target * target;
        }
        let accurate = error <= TOLERANCE * TOLERANCE * size;
        if accurate { Ok(()) } else { Err(Error::Inaccurate) }
    }

    /// The product of sums and the vector.
    pub(super) fn along(&self, sums: &[i32]) -> f64 {
        sums.iter().zip(&*self.vector).fold(0.0, |all, (&sum, x)| all + f64::from(sum) * x)
    }
}
