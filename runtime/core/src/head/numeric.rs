//! Sums in one stated order, and scratch memory.
//!
//! Every long sum of the learners is a [`dot`]: term `i` goes to lane `i % 8`, each lane adds its
//! terms in rising order, and the lanes are added as `((0+4) + (2+6)) + ((1+5) + (3+7))`. Rust never
//! fuses a multiplication with an addition on its own, so the result is the same bits on every
//! machine, whatever the vector width that the compiler picks.

use crate::Error;
use crate::kernels::chunk::padded;
use crate::kernels::linear;

const LANES: usize = 8;

type Lanes = [f32; LANES];

/// The sum of products of two slices of the same length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let a = &a[..b.len()];
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks(), b.as_chunks());
    for (a, b) in a.iter().zip(b) {
        lanes = add_products(lanes, a, b);
    }
    tree(add_products(lanes, &padded(a_tail), &padded(b_tail)))
}

/// Four [`dot`]s with one slice, bit-equal to doing them one by one, in a fraction of the time.
pub(crate) fn dots(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    linear::dots(rows, x).unwrap_or_else(|| portable_dots(rows, x))
}

/// Each chunk of `x` is read once.
fn portable_dots(rows: [&[f32]; 4], x: &[f32]) -> [f32; 4] {
    let [a, b, c, d] = rows.map(|row| row[..x.len()].as_chunks());
    let (chunks, tail) = x.as_chunks();
    let mut lanes = [[0.0; LANES]; 4];
    for ((((a, b), c), d), x) in a.0.iter().zip(b.0).zip(c.0).zip(d.0).zip(chunks) {
        lanes[0] = add_products(lanes[0], a, x);
        lanes[1] = add_products(lanes[1], b, x);
        lanes[2] = add_products(lanes[2], c, x);
        lanes[3] = add_products(lanes[3], d, x);
    }
    let (tails, tail) = ([a.1, b.1, c.1, d.1].map(padded), padded(tail));
    core::array::from_fn(|row| tree(add_products(lanes[row], &tails[row], &tail)))
}

/// [`dot`] of weights and int8 features, in the same order.
pub(crate) fn dot_features(weights: &[f32], features: &[i8]) -> f32 {
    let weights = &weights[..features.len()];
    let ((weights, weight_tail), (features, feature_tail)) =
        (weights.as_chunks(), features.as_chunks::<LANES>());
    let lanes = linear::dot(weights, features, [0.0; LANES]);
    let mut tail = [0.0; LANES];
    tail.iter_mut().zip(feature_tail).for_each(|(to, from)| *to = f32::from(*from));
    tree(add_products(lanes, &padded(weight_tail), &tail))
}

/// Lanes go in and out by value: so they stay in registers.
#[inline(always)]
fn add_products(lanes: Lanes, a: &Lanes, b: &Lanes) -> Lanes {
    core::array::from_fn(|lane| lanes[lane] + a[lane] * b[lane])
}

fn tree(lanes: Lanes) -> f32 {
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// `y += factor * x`.
pub(crate) fn add_scaled(y: &mut [f32], factor: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// Hands out pieces of a caller's scratch memory.
pub(crate) struct Scratch<'a, T>(&'a mut [T]);

impl<'a, T> Scratch<'a, T> {
    /// All of `memory`, which must have at least `needed` elements.
    pub(crate) fn new(memory: &'a mut [T], needed: usize) -> Result<Self, Error> {
        if memory.len() < needed {
            return Err(Error::BufferLength { expected: needed, found: memory.len() });
        }
        Ok(Self(memory))
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a mut [T], Error> {
        let found = self.0.len();
        let (taken, rest) = core::mem::take(&mut self.0)
            .split_at_mut_checked(length)
            .ok_or(Error::BufferLength { expected: length, found })?;
        self.0 = rest;
        Ok(taken)
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> &'a mut [T] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Random;

    #[test]
    fn a_dot_product_adds_in_the_stated_order() {
        let a: [f32; 19] = core::array::from_fn(|i| 1.0 + i as f32 * 0.37);
        let b: [f32; 19] = core::array::from_fn(|i| 1.0 / (i as f32 - 3.3));
        let mut lanes = [0.0_f32; 8];
        for i in 0..19 {
            lanes[i % 8] += a[i] * b[i];
        }
        let [l0, l1, l2, l3, l4, l5, l6, l7] = lanes;
        let expected = ((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7));
        assert_eq!(dot(&a, &b).to_bits(), expected.to_bits());
        assert_eq!(dots([&a, &b, &a, &b], &b)[2].to_bits(), expected.to_bits());
        let q: [i8; 19] = core::array::from_fn(|i| (i as i32 * 13 - 100) as i8);
        let q_as_f32 = q.map(f32::from);
        assert_eq!(dot_features(&a, &q).to_bits(), dot(&a, &q_as_f32).to_bits());
    }

    #[test]
    fn four_dot_products_at_once_have_the_bits_of_each_alone() {
        let mut random = Random::new(3);
        for length in 0..100 {
            let mut row = || -> [f32; 100] {
                core::array::from_fn(|_| {
                    (random.next_u32() as f32 / 2.0_f32.powi(31) - 1.0).powi(5)
                })
            };
            let [a, b, c, d, x] = core::array::from_fn(|_| row());
            // Rows may be longer.
            let (rows, x) = ([&a[..], &b, &c, &d[..length]], &x[..length]);
            let expected = rows.map(|row| dot(row, x).to_bits());
            assert_eq!(dots(rows, x).map(f32::to_bits), expected, "{length}");
            assert_eq!(portable_dots(rows, x).map(f32::to_bits), expected, "{length}");
        }
    }
}
