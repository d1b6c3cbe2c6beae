//! Cholesky's factorisation of an upper triangle of squares, with right-hand sides behind each row.
//!
//! From every element the products of each block of 64 rows are taken at once, the sum of them in rising order; within a block they
//! are taken one after the other.

use super::layout::Layout;
use super::parallel::{FEW, among, each};
use crate::Error;
use crate::kernels::squares::{Line, SIDE, Square, eliminate, product};

/// A pivot below this part of its diagonal entry is rounding error: eight units in the last place.
const LEAST_PIVOT: f32 = 8.0 * f32::EPSILON;

/// Replaces the triangle of `A` by `U`, with `A = Uᵀ U`, whose diagonal holds inverses, and the right-hand sides `B` by `U⁻ᵀ B`.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] with the first row whose pivot is not clearly positive.
pub(super) fn factor(layout: Layout, squares: &mut [Square]) -> Result<(), Error> {
    among(squares.len(), || factor_by_blocks(layout, squares))
}

/// Row after row: what the rows above take from a square is taken while it is near.
fn factor_by_blocks(layout: Layout, squares: &mut [Square]) -> Result<(), Error> {
    for block in 0..layout.blocks {
        let (above, own) = squares.split_at_mut(layout.start(block));
        let (above, own) = (&*above, &mut own[..layout.width(block)]);
        each(own, 0, FEW / block.max(1), &|at, square| {
            for row in 0..block {
                let row = &above[layout.start(row) + block - row..];
                let columns = |_| layout.columns(block, at);
                subtract(&row[0], &row[at..=at], core::slice::from_mut(square), columns);
            }
        });
        let Some((diagonal, others)) = own.split_first_mut() else { break };
        decompose(diagonal)
            .map_err(|row| Error::NotPositiveDefinite { row: block * SIDE + row })?;
        each(others, 0, FEW, &|_, square| eliminate(diagonal, square));
    }
    Ok(())
}

/// Replaces `U⁻ᵀ B`, as [`factor`] leaves it, by `A⁻¹ B`.
pub(super) fn back(layout: Layout, squares: &mut [Square]) {
    let mut turned = [[0.0; SIDE]; SIDE];
    for block in (0..layout.blocks).rev() {
        let (own, below) = squares[layout.start(block)..].split_at_mut(layout.width(block));
        let (triangle, solutions) = own.split_at_mut(layout.blocks - block);
        for later in block + 1..layout.blocks {
            transpose(&triangle[later - block], &mut turned);
            let start = layout.start(later) - layout.start(block + 1);
            let known = &below[start + layout.blocks - later..][..layout.sides()];
            let columns = |side| layout.columns(block, layout.blocks - block + side);
            subtract(&turned, known, solutions, columns);
        }
        for solution in solutions {
            substitute(&triangle[0], solution);
        }
    }
}

/// `squares[i] -= aᵀ b[i]`, in the first `columns(i)` columns of each; those behind them are zeros.
pub(super) fn subtract(
    a: &[Line],
    b: &[Square],
    squares: &mut [Square],
    columns: impl Fn(usize) -> usize,
) {
    let mut sums = [[0.0; SIDE]; SIDE];
    for (at, (square, b)) in squares.iter_mut().zip(b).enumerate() {
        let columns = columns(at);
        product(a, b, columns, &mut sums);
        if columns == SIDE {
            let pairs = square.as_flattened_mut().iter_mut().zip(sums.as_flattened());
            pairs.for_each(|(x, sum)| *x -= sum);
        } else {
            for (line, sums) in square.iter_mut().zip(&sums) {
                line[..columns].iter_mut().zip(sums).for_each(|(x, sum)| *x -= sum);
            }
        }
    }
}

/// A triangle alone, in its upper half; the row whose pivot fails.
fn decompose(square: &mut Square) -> Result<(), usize> {
    for p in 0..SIDE {
        let (done, rest) = square.split_at_mut(p);
        let line = &mut rest[0];
        let entry = line[p];
        for above in done {
            let factor = above[p];
            for (x, y) in line[p..].iter_mut().zip(&above[p..]) {
                *x -= factor * y;
            }
        }
        let pivot = line[p];
        if !(pivot.is_finite() && pivot > LEAST_PIVOT * entry) {
            return Err(p);
        }
        let inverse = 1.0 / libm::sqrtf(pivot);
        line[p + 1..].iter_mut().for_each(|x| *x *= inverse);
        line[p] = inverse;
    }
    Ok(())
}

/// Solves an upper triangle for 64 columns.
fn substitute(u: &Square, lines: &mut Square) {
    for p in (0..SIDE).rev() {
        let (before, done) = lines.split_at_mut(p + 1);
        let line = &mut before[p];
        for (factor, below) in u[p][p + 1..].iter().zip(&*done) {
            line.iter_mut().zip(below).for_each(|(x, y)| *x -= factor * y);
        }
        let inverse = u[p][p];
        line.iter_mut().for_each(|x| *x *= inverse);
    }
}

fn transpose(from: &Square, to: &mut Square) {
    for (i, line) in from.iter().enumerate() {
        to.iter_mut().zip(line).for_each(|(to, x)| to[i] = *x);
    }
}
