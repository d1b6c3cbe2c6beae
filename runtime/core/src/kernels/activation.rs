//! Functions of real numbers with factors a channel: in whole vectors, but for what lines are looked up; by tables where there are many
//! more pixels than entries.

use super::channels::{Function, by_channel, step};
use super::generic::{Activation, Curve, Output, Points, Table, entry, factors, hard_swish};
#[cfg(feature = "burn")]
use super::work::Portable;
use super::work::{Instructions, STEP, Step};
use crate::network::{FACTOR_BYTES, LINES, TABLE_BYTES};

/// Channels that are taken through all pixels together: their tables stay in a core's first cache.
pub(super) const TOGETHER: usize = 64;

/// Pixels from which on tables are made: an entry takes as long as an element, and looking up half of that.
const MANY: usize = 2 * TABLE_BYTES;

/// [`generic::activation`](super::generic::activation), bit for bit.
#[inline(always)]
pub(super) fn activation(
    set: impl Instructions,
    activation: &Activation<'_>,
    to: Output,
    elements: &mut [i8],
) {
    let numbers = |channel: usize| factors(activation.factors[channel]);
    let zero_point = activation.zero_point;
    match activation.curve {
        Curve::HardSwish => by_channel(set, &Swish, numbers, zero_point, &to, None, elements),
        Curve::Lines(points) if elements.len() / to.channels.max(1) < MANY => {
            by_channel(set, &Lines(points), numbers, zero_point, &to, None, elements);
        }
        Curve::Lines(points) => {
            let first = (0..).step_by(TOGETHER);
            for (first, factors) in first.zip(activation.factors.chunks(TOGETHER)) {
                let mut tables = [[0; TABLE_BYTES]; TOGETHER];
                for (table, &channel) in tables.iter_mut().zip(factors) {
                    *table = table_of(set, &Lines(points), channel, zero_point, &to);
                }
                for pixel in elements.chunks_exact_mut(to.channels) {
                    look_up_each(&tables[..factors.len()], &mut pixel[first..]);
                }
            }
        }
    }
}

/// The tables of all channels: what an activation gives for −128, −127 … 127.
#[cfg(feature = "burn")]
pub(crate) fn tables(activation: &Activation<'_>, to: Output) -> std::vec::Vec<Table> {
    let one = |&channel: &[u8; FACTOR_BYTES]| match activation.curve {
        Curve::HardSwish => table_of(Portable, &Swish, channel, activation.zero_point, &to),
        Curve::Lines(points) => {
            table_of(Portable, &Lines(points), channel, activation.zero_point, &to)
        }
    };
    activation.factors.iter().map(one).collect()
}

/// The results of a channel for −128, −127 … 127.
#[inline(always)]
fn table_of(
    set: impl Instructions,
    function: &impl Function,
    channel: [u8; FACTOR_BYTES],
    zero_point: i8,
    to: &Output,
) -> Table {
    let [inner, outer] = factors(channel).map(|factor| [factor; STEP]);
    let mut elements: [i8; TABLE_BYTES] = core::array::from_fn(|at| (at as u8 ^ 0x80) as i8);
    for elements in elements.as_chunks_mut().0 {
        step(set, function, zero_point, to, elements, [&inner, &outer]);
    }
    elements.map(i8::cast_unsigned)
}

/// Replaces neighbouring elements by their entries, each in a table of its own.
#[inline(always)]
pub(super) fn look_up_each(tables: &[Table], elements: &mut [i8]) {
    for (q, table) in elements.iter_mut().zip(tables) {
        *q = entry(table, *q);
    }
}

/// [`Curve::HardSwish`].
struct Swish;

impl Function for Swish {
    #[inline(always)]
    fn replace(&self, x: &mut Step, [inner, outer]: [&Step; 2]) {
        for ((x, inner), outer) in x.iter_mut().zip(inner).zip(outer) {
            *x = hard_swish(*x * inner) * outer;
        }
    }
}

/// [`Curve::Lines`]. Only what depends on a place is taken element by element: gathering loads are slow on many CPUs.
struct Lines<'a>(&'a Points);

impl Function for Lines<'_> {
    #[inline(always)]
    fn replace(&self, x: &mut Step, [inner, outer]: [&Step; 2]) {
        let (mut lines, mut from, mut to) = ([0_i32; STEP], [0.0; STEP], [0.0; STEP]);
        for ((x, inner), line) in x.iter_mut().zip(inner).zip(&mut lines) {
            let t = *x * inner + (LINES / 2) as f32;
            // Not a number is 0, as in the definition's conversion.
            let inside = if t > 0.0 { t } else { 0.0 };
            let inside = if inside < (LINES - 1) as f32 { inside } else { (LINES - 1) as f32 };
            *line = inside as i32;
            *x = t - *line as f32;
        }
        for ((from, to), &line) in from.iter_mut().zip(&mut to).zip(&lines) {
            let line = (line as usize).min(LINES - 1);
            *from = f32::from_le_bytes(self.0[line]);
            *to = f32::from_le_bytes(self.0[line + 1]);
        }
        for (((x, outer), from), to) in x.iter_mut().zip(outer).zip(&from).zip(&to) {
            *x = (from + (to - from) * *x) * outer;
        }
    }
}
