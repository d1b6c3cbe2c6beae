//! Exact learning: sums of integers, and heads that follow from the sums alone.
//!
//! Features are int8, so counts, sums and products of samples are integers, and integer sums do not
//! depend on the order of their terms. A head that is computed from [`Statistics`] is therefore the same,
//! bit for bit, whatever the order of the samples; a sample that is taken off again leaves the sums
//! as if it had never been there; and the sums of two devices add up to those of one that saw both.
//!
//! [`ridge`] and [`lda`] solve one linear system in float64 by Cholesky's factorisation, and check the
//! residual. They cost `features³ / 6` multiplications whatever the number of samples.

pub(super) mod cholesky;
mod lda;
mod ridge;
mod statistics;
mod system;

pub use lda::lda;
pub use ridge::ridge;
pub use statistics::{MAX_SAMPLES, Statistics, products_len};

use crate::Error;

/// Float64 elements that [`ridge`] and [`lda`] need.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] if they cannot be counted.
pub fn scratch_len(features: usize, classes: usize) -> Result<usize, Error> {
    system::System::scratch_len(features, classes)
}

#[cfg(test)]
mod tests;
