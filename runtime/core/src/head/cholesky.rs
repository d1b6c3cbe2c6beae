//! Cholesky's factorisation of a packed lower triangle, in rows.
//!
//! Row `i` of the triangle starts at `i * (i + 1) / 2` and has `i + 1` entries. Everything long is a
//! dot product of two rows, so memory is read in order and the sums are those of
//! [`super::numeric`].

use super::numeric::{add_scaled, dot, dots};
use crate::Error;

/// Rows that are reduced together: each earlier row is then read once for all of them.
const BLOCK: usize = 4;

/// A pivot below this part of its diagonal entry is rounding error: eight units in the last place.
const LEAST_PIVOT: f32 = 8.0 * f32::EPSILON;

/// Where row `row` starts; also the length of a triangle with `row` rows.
pub(crate) const fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

/// Replaces the lower triangle of `A` by `L`, with `A = L Lᵀ`; the diagonal holds `1 / L[i][i]`.
///
/// # Errors
///
/// [`Error::NotPositiveDefinite`] with the first row whose pivot is not finite or not clearly positive.
pub(crate) fn factor(triangle: &mut [f32], side: usize) -> Result<(), Error> {
    let mut first = 0;
    while first < side {
        let count = BLOCK.min(side - first);
        let (done, rest) = triangle.split_at_mut(start(first));
        if count == BLOCK {
            reduce_block(done, rest, first);
        } else {
            let mut rest = &mut *rest;
            for row in first..side {
                let (current, next) = rest.split_at_mut(row + 1);
                reduce_row(done, current, 0, first);
                rest = next;
            }
        }
        for row in first..first + count {
            let (done, rest) = triangle.split_at_mut(start(row));
            reduce_row(done, rest, first, row);
            let pivot = rest[row] - dot(&rest[..row], &rest[..row]);
            if !(pivot.is_finite() && pivot > LEAST_PIVOT * rest[row]) {
                return Err(Error::NotPositiveDefinite { row });
            }
            rest[row] = 1.0 / libm::sqrtf(pivot);
        }
        first += count;
    }
    Ok(())
}

/// Columns `from..to` of one row, given all rows above it.
fn reduce_row(done: &[f32], current: &mut [f32], from: usize, to: usize) {
    for column in from..to {
        let above = &done[start(column)..=start(column) + column];
        let sum = dot(&current[..column], &above[..column]);
        current[column] = (current[column] - sum) * above[column];
    }
}

/// Columns `0..first` of the four rows from `first`, which stand at the front of `rest`.
fn reduce_block(done: &[f32], rest: &mut [f32], first: usize) {
    let (a, rest) = rest.split_at_mut(first + 1);
    let (b, rest) = rest.split_at_mut(first + 2);
    let (c, rest) = rest.split_at_mut(first + 3);
    let d = &mut rest[..first + 4];
    for column in 0..first {
        let above = &done[start(column)..=start(column) + column];
        let sums = dots([&a[..column], &b[..column], &c[..column], &d[..column]], &above[..column]);
        for (row, sum) in [&mut *a, &mut *b, &mut *c, &mut *d].into_iter().zip(sums) {
            row[column] = (row[column] - sum) * above[column];
        }
    }
}

/// Solves `A x = b` in place, with the triangle that [`factor`] left.
pub(crate) fn solve(triangle: &[f32], x: &mut [f32]) {
    for row in 0..x.len() {
        let (entries, inverse) =
            (&triangle[start(row)..start(row) + row], triangle[start(row) + row]);
        x[row] = (x[row] - dot(entries, &x[..row])) * inverse;
    }
    for row in (0..x.len()).rev() {
        let (entries, inverse) =
            (&triangle[start(row)..start(row) + row], triangle[start(row) + row]);
        x[row] *= inverse;
        let value = x[row];
        add_scaled(&mut x[..row], -value, entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Random;

    #[test]
    fn a_solution_solves_the_system_at_every_size() {
        for side in 1..=19 {
            let mut random = Random::new(side as u64);
            let mut next = || random.next_u32() as f32 / u32::MAX as f32 - 0.5;
            let vectors: [[f32; 24]; 19] =
                core::array::from_fn(|_| core::array::from_fn(|_| next()));
            let entry =
                |i: usize, j: usize| dot(&vectors[i], &vectors[j]) + if i == j { 0.1 } else { 0.0 };
            let mut triangle = [0.0; start(19)];
            for i in 0..side {
                for j in 0..=i {
                    triangle[start(i) + j] = entry(i, j);
                }
            }
            let expected: [f32; 19] = core::array::from_fn(|_| next());
            let mut x: [f32; 19] = core::array::from_fn(|i| {
                (0..side).map(|j| if i < side { entry(i, j) * expected[j] } else { 0.0 }).sum()
            });
            factor(&mut triangle[..start(side)], side).unwrap();
            solve(&triangle[..start(side)], &mut x[..side]);
            for i in 0..side {
                assert!((x[i] - expected[i]).abs() < 1e-4, "{side}: {} {}", x[i], expected[i]);
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_is_refused_with_its_row() {
        let mut triangle = [4.0, 2.0, 1.0, 0.0, 0.0, 1.0];
        assert_eq!(factor(&mut triangle, 3), Err(Error::NotPositiveDefinite { row: 1 }));
        let mut triangle = [f32::NAN];
        assert_eq!(factor(&mut triangle, 1), Err(Error::NotPositiveDefinite { row: 0 }));
    }
}
