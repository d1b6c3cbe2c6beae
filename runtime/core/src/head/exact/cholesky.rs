//! Cholesky's factorisation of a packed lower triangle in float64.
//!
//! The float32 one of the other learners loses what a sum of squares of many samples holds: products
//! of centred features come from differences of integers up to 2⁴⁸.

use crate::Error;

const LANES: usize = 8;
/// A pivot below this part of its diagonal entry is rounding error.
const LEAST_PIVOT: f64 = 64.0 * f64::EPSILON;

/// Where row `row` starts; also the length of a triangle with `row` rows.
pub(crate) const fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

/// The sum of products, in the order of [`crate::head::numeric`]: term `i` in lane `i % 8`.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((a, a_tail), (b, b_tail)) = (a[..b.len()].as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        lanes = core::array::from_fn(|lane| lanes[lane] + a[lane] * b[lane]);
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_tail).zip(b_tail) {
        *lane += a * b;
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Replaces the lower triangle of `A` by `L`, with `A = L Lᵀ`; the diagonal holds `1 / L[i][i]`.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] with the first row whose pivot is not clearly positive.
pub(crate) fn factor(triangle: &mut [f64], side: usize) -> Result<(), Error> {
    for row in 0..side {
        let (done, rest) = triangle.split_at_mut(start(row));
        let current = &mut rest[..=row];
        for column in 0..row {
            let above = &done[start(column)..=start(column) + column];
            let sum = dot(&current[..column], &above[..column]);
            current[column] = (current[column] - sum) * above[column];
        }
        let pivot = current[row] - dot(&current[..row], &current[..row]);
        if !(pivot.is_finite() && pivot > LEAST_PIVOT * current[row]) {
            return Err(Error::NotPositiveDefinite { row });
        }
        current[row] = 1.0 / libm::sqrt(pivot);
    }
    Ok(())
}

/// Solves `A x = b` in place.
pub(crate) fn solve(triangle: &[f64], x: &mut [f64]) {
    for row in 0..x.len() {
        let (entries, inverse) = (&triangle[start(row)..][..row], triangle[start(row) + row]);
        x[row] = (x[row] - dot(entries, &x[..row])) * inverse;
    }
    for row in (0..x.len()).rev() {
        let (entries, inverse) = (&triangle[start(row)..][..row], triangle[start(row) + row]);
        x[row] *= inverse;
        let value = x[row];
        x[..row].iter_mut().zip(entries).for_each(|(x, entry)| *x -= value * entry);
    }
}
