//! Functions of real numbers with factors a channel: hard-swish in vectors, lines by tables where there are more pixels than entries.

use super::generic::{Activation, Curve, Output, Table, entry, factors, hard_swish};
use crate::network::{FACTOR_BYTES, TABLE_BYTES};

/// Channels that are taken through all pixels together: their tables stay in a core's first cache.
pub(super) const TOGETHER: usize = 64;

/// Elements of a step.
const STEP: usize = 16;

/// [`generic::activation`](super::generic::activation), bit for bit.
#[inline(always)]
pub(super) fn activation(activation: &Activation<'_>, to: Output, elements: &mut [i8]) {
    let channels = activation.factors.len().max(1);
    // Of few channels several pixels are one row, so that rows are not too short for vectors.
    let pixels = (TOGETHER / channels).max(1);
    let many = elements.len() / channels > TABLE_BYTES;
    let first = (0..).step_by(TOGETHER);
    for (first, factors) in first.zip(activation.factors.chunks(TOGETHER)) {
        let part = Part { activation, factors: Factors::new(factors), to };
        let tables = match activation.curve {
            Curve::Lines(_) if many => Some(part.tables()),
            _ => None,
        };
        let length = factors.len() * pixels;
        for row in elements.chunks_mut(channels * pixels) {
            let end = row.len().min(first + length);
            let row = &mut row[first..end];
            match (&tables, activation.curve) {
                (Some(tables), _) => {
                    for (q, table) in row.iter_mut().zip(tables) {
                        *q = entry(table, *q);
                    }
                }
                (None, Curve::HardSwish) => part.swish(row),
                (None, Curve::Lines(_)) => part.each(row),
            }
        }
    }
}

/// The tables of all channels: what an activation gives for −128, −127 … 127.
#[cfg(feature = "burn")]
pub(crate) fn tables(activation: &Activation<'_>, to: Output) -> std::vec::Vec<Table> {
    let one =
        |&channel: &[u8; FACTOR_BYTES]| table(|q| activation.result(q, factors(channel), &to));
    activation.factors.iter().map(one).collect()
}

#[inline(always)]
fn table(result: impl Fn(i8) -> i8) -> Table {
    core::array::from_fn(|at| result((at as u8 ^ 0x80).cast_signed()).cast_unsigned())
}

/// Inner and outer factors of neighbouring elements: those of some channels, again and again.
struct Factors {
    inner: [f32; TOGETHER],
    outer: [f32; TOGETHER],
}

impl Factors {
    #[inline(always)]
    fn new(channels: &[[u8; FACTOR_BYTES]]) -> Self {
        let mut all = Self { inner: [0.0; TOGETHER], outer: [0.0; TOGETHER] };
        let places = all.inner.iter_mut().zip(&mut all.outer);
        for ((inner, outer), &channel) in places.zip(channels.iter().cycle()) {
            [*inner, *outer] = factors(channel);
        }
        all
    }

    #[inline(always)]
    fn pairs(&self) -> impl Iterator<Item = [f32; 2]> {
        self.inner.iter().zip(&self.outer).map(|(&inner, &outer)| [inner, outer])
    }
}

/// An activation of some channels.
struct Part<'a> {
    activation: &'a Activation<'a>,
    factors: Factors,
    to: Output,
}

impl Part<'_> {
    #[inline(always)]
    fn tables(&self) -> [Table; TOGETHER] {
        let mut tables = [[0; TABLE_BYTES]; TOGETHER];
        for (place, pair) in tables.iter_mut().zip(self.factors.pairs()) {
            *place = table(|q| self.activation.result(q, pair, &self.to));
        }
        tables
    }

    #[inline(always)]
    fn each(&self, row: &mut [i8]) {
        for (q, pair) in row.iter_mut().zip(self.factors.pairs()) {
            *q = self.activation.result(*q, pair, &self.to);
        }
    }

    /// Hard-swish, so many elements at once as vectors take.
    #[inline(always)]
    fn swish(&self, row: &mut [i8]) {
        let zero_point = i32::from(self.activation.zero_point);
        let result = |q: i8, inner: f32, outer: f32| {
            self.to.quantise(hard_swish((i32::from(q) - zero_point) as f32 * inner) * outer)
        };
        let (steps, rest) = row.as_chunks_mut::<STEP>();
        let (inner, outer) = (self.factors.inner.as_chunks(), self.factors.outer.as_chunks());
        for ((step, inner), outer) in steps.iter_mut().zip(inner.0).zip(outer.0) {
            let inner: &[f32; STEP] = inner;
            let outer: &[f32; STEP] = outer;
            *step = core::array::from_fn(|at| result(step[at], inner[at], outer[at]));
        }
        let done = steps.len() * STEP;
        for (q, [inner, outer]) in rest.iter_mut().zip(self.factors.pairs().skip(done)) {
            *q = result(*q, inner, outer);
        }
    }
}
