//! Chains of convolutions whose results are kept a few rows at a time.
//!
//! A value with [`kept_rows`](Value::kept_rows) is a band: it holds the rows that the next
//! convolution needs for one strip of the chain's last result. For every strip, each convolution
//! makes the rows that are missing; rows that the strip before had already move to the band's start.

use core::ops::Range;

use super::run::{convolution, output, tensor};
use super::{Conv, Node};
use crate::Error;
use crate::kernels::Kernels;
use crate::kernels::generic::Tensor;
use crate::pack::{Pack, Value};

/// Most convolutions of a chain.
pub(crate) const MOST_STAGES: usize = 4;

/// A convolution of a chain: its result is value `node + 1`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) node: u32,
    conv: Conv,
    pub(crate) value: Value,
}

impl Stage {
    /// The rows of an input of `height` rows that `rows` of the result read.
    fn reads(&self, rows: &Range<usize>, height: usize) -> Range<usize> {
        let window = &self.conv.window;
        let [stride, padding] = [window.stride[0], window.padding[0]].map(usize::from);
        let first = (rows.start * stride).saturating_sub(padding);
        let end = ((rows.end - 1) * stride + self.reach()).saturating_sub(padding);
        first.min(height)..end.min(height)
    }

    /// Rows that one row of the result reads.
    fn reach(&self) -> usize {
        let window = &self.conv.window;
        (usize::from(window.kernel[0]) - 1) * usize::from(window.dilation[0]) + 1
    }

    /// Makes `rows` of the result in `out`, of an input whose rows from `first` on `x` holds.
    pub(crate) fn make(
        &self,
        pack: &Pack<'_>,
        kernels: Kernels,
        (x, first): (Tensor<'_>, usize),
        rows: &Range<usize>,
        out: &mut [i8],
    ) -> Result<(), Error> {
        let input = pack.value(self.conv.input)?;
        let to = output(&self.value, self.conv.min, self.conv.max);
        let mut window = self.conv.window;
        let (stride, padding) = (usize::from(window.stride[0]), usize::from(window.padding[0]));
        // Rows before the first one that is read are left out, so that what is missing is padding.
        let start = (rows.start * stride).saturating_sub(padding).max(first);
        let skipped = (start - first) * x.width * x.channels;
        window.padding[0] = (padding + start - rows.start * stride) as u16;
        let mut c = convolution(pack, &self.conv, (&input, x), (&self.value, to));
        c.x.data = &x.data[skipped..];
        c.x.height = x.height - (start - first);
        c.to.height = rows.len();
        c.window = &window;
        if self.conv.is_depthwise(&input, &self.value) {
            kernels.depthwise(&c, 0, out);
        } else {
            kernels.conv(&c, 0, out);
        }
        Ok(())
    }
}

/// A chain: all values but the last one are bands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    /// The first `count` of these; the others are copies of the first.
    stages: [Stage; MOST_STAGES],
    count: usize,
    /// Of the value that the first convolution reads.
    input: Value,
    /// Rows of the last result that a strip has.
    rows: usize,
}

/// What runs next.
#[allow(clippy::large_enum_variant, reason = "there is no heap, and one at a time")]
pub(crate) enum Part<'p> {
    /// One node, its index and its result.
    Node(u32, Node<'p>, Value),
    /// Several.
    Chain(Chain),
}

/// The nodes of a pack in the order of execution, chains as one.
///
/// Gives [`Error::BadNode`] where bands break a rule: a band that is the last value, or read by
/// another node than the next one, or too small for one row; a node that is no convolution; a chain
/// that is too long, or parts of which overlap.
pub(crate) fn parts<'p>(pack: &Pack<'p>) -> impl Iterator<Item = Result<Part<'p>, Error>> {
    let mut nodes = (0_u32..).zip(pack.nodes());
    core::iter::from_fn(move || {
        let (index, node) = nodes.next()?;
        Some(part(pack, index, node, &mut nodes))
    })
}

/// The part that begins with node `index`; a chain takes the rest of its nodes from those behind.
#[inline(never)]
fn part<'p>(
    pack: &Pack<'p>,
    index: u32,
    node: Result<Node<'p>, Error>,
    behind: &mut impl Iterator<Item = (u32, Result<Node<'p>, Error>)>,
) -> Result<Part<'p>, Error> {
    let bad = Error::BadNode { index };
    let (mut index, mut node) = (index, node?);
    let mut value = pack.value(index.saturating_add(1))?;
    if value.kept_rows == 0 {
        return Ok(Part::Node(index, node, value));
    }
    let Node::Conv(conv) = node else { return Err(bad) };
    let first = Stage { node: index, conv, value };
    let input = pack.value(conv.input)?;
    let mut chain = Chain { stages: [first; MOST_STAGES], count: 1, input, rows: 0 };
    while value.kept_rows != 0 {
        let (next, following) = behind.next().ok_or(bad)?;
        (index, node) = (next, following?);
        value = pack.value(index.saturating_add(1))?;
        match (node, chain.stages.get_mut(chain.count)) {
            (Node::Conv(conv), Some(place)) if conv.input == index => {
                *place = Stage { node: index, conv, value };
            }
            _ => return Err(bad),
        }
        chain.count += 1;
    }
    chain.rows = chain.most_rows();
    let sound = chain.rows > 0 && chain.input.kept_rows == 0 && chain.is_disjoint();
    if sound { Ok(Part::Chain(chain)) } else { Err(bad) }
}

impl Chain {
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages[..self.count]
    }

    /// The result.
    pub(crate) fn result(&self) -> Value {
        self.stages[self.count - 1].value
    }

    /// The most rows of the last result for which all bands have room; 0 if not even one.
    fn most_rows(&self) -> usize {
        let fits = |rows: usize| {
            let mut needed = rows;
            self.stages().windows(2).rev().all(|pair| {
                let [before, stage] = pair else { return false };
                let stride = usize::from(stage.conv.window.stride[0]);
                let reach = (needed - 1).saturating_mul(stride).saturating_add(stage.reach());
                needed = reach.min(before.value.height as usize);
                needed <= before.value.rows() as usize
            })
        };
        // Needs grow with the rows.
        let (mut good, mut bad) = (0, self.result().height as usize + 1);
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            if fits(middle) { good = middle } else { bad = middle }
        }
        good
    }

    /// Whether input, bands and result lie apart: all of them are in use at a time.
    fn is_disjoint(&self) -> bool {
        let apart = |a: &Value, b: &Value| {
            let (a, b) = (a.range(), b.range());
            a.end <= b.start || b.end <= a.start
        };
        self.stages().iter().enumerate().all(|(at, stage)| {
            apart(&self.input, &stage.value)
                && self.stages[..at].iter().all(|before| apart(&before.value, &stage.value))
        })
    }

    /// Makes the whole chain in the arena, strip after strip; `see` is called with the node, its value,
    /// the first row and the rows' elements whenever some were made.
    pub(crate) fn run(
        &self,
        pack: &Pack<'_>,
        kernels: Kernels,
        arena: &mut [i8],
        see: impl FnMut(u32, &Value, usize, &[i8]),
    ) -> Result<(), Error> {
        let mut ranges = [const { 0..0 }; MOST_STAGES + 1];
        ranges[MOST_STAGES] = self.input.range();
        for (range, stage) in ranges.iter_mut().zip(self.stages()) {
            *range = stage.value.range();
        }
        // They lie apart: `part` saw to it.
        let [places @ .., input] =
            arena.get_disjoint_mut(ranges).map_err(|_| Error::ShapeOverflow)?;
        let mut places: [&mut [i8]; MOST_STAGES] = places;
        let rows = 0..self.result().height as usize;
        self.make(pack, kernels, input, &mut places[..self.count], rows, see)
    }

    /// Makes some rows of the result in `out`, which holds just these, of the chain's input; bands are
    /// kept in `scratch`, which is made long enough.
    #[cfg(feature = "std")]
    pub(crate) fn make_rows(
        &self,
        pack: &Pack<'_>,
        kernels: Kernels,
        input: &[i8],
        scratch: &mut std::vec::Vec<i8>,
        rows: Range<usize>,
        out: &mut [i8],
    ) -> Result<(), Error> {
        let (_, bands) = self.stages().split_last().ok_or(Error::ShapeOverflow)?;
        let needed = bands.iter().map(|band| band.value.range().len()).sum();
        if scratch.len() < needed {
            scratch.resize(needed, 0);
        }
        let mut places: [&mut [i8]; MOST_STAGES] = core::array::from_fn(|_| Default::default());
        let mut free = scratch.as_mut_slice();
        for (place, band) in places.iter_mut().zip(bands) {
            (*place, free) = free.split_at_mut(band.value.range().len());
        }
        places[bands.len()] = out;
        self.make(pack, kernels, input, &mut places[..self.count], rows, |_, _, _, _| ())
    }

    /// The chain's input, as bytes of the arena.
    #[cfg(feature = "std")]
    pub(crate) fn input(&self) -> Range<usize> {
        self.input.range()
    }

    /// Makes `rows` of the result, strip after strip, with one place a stage: the bands, and the result
    /// from `rows.start` on.
    fn make(
        &self,
        pack: &Pack<'_>,
        kernels: Kernels,
        input: &[i8],
        places: &mut [&mut [i8]],
        rows: Range<usize>,
        mut see: impl FnMut(u32, &Value, usize, &[i8]),
    ) -> Result<(), Error> {
        let last = self.count - 1;
        let mut had = [const { 0..0 }; MOST_STAGES];
        let mut next = rows.start;
        while next < rows.end {
            let strip = self.strip(next..(next + self.rows).min(rows.end));
            next = strip[last].end;
            for (at, stage) in self.stages().iter().enumerate() {
                let bytes = stage.value.row_bytes();
                let (before, here) = places.split_at_mut(at);
                let Some(place) = here.first_mut() else { return Err(Error::ShapeOverflow) };
                let (wanted, had) = (&strip[at], &had[at]);
                let mut first = wanted.start;
                // The result is whole: its rows have places of their own.
                let origin = if at < last { wanted.start } else { rows.start };
                if at < last && had.start <= first && first < had.end {
                    // Row by row: a row's old and new places never overlap.
                    let moved = (first - had.start) * bytes;
                    for row in 0..if moved > 0 { had.end - first } else { 0 } {
                        let (to, from) = place.split_at_mut(row * bytes + moved);
                        to[row * bytes..][..bytes].copy_from_slice(&from[..bytes]);
                    }
                    first = had.end;
                }
                let missing = first..wanted.end.max(first);
                if missing.is_empty() {
                    continue;
                }
                let out = (missing.start - origin) * bytes..(missing.end - origin) * bytes;
                let (x, origin) = match at.checked_sub(1) {
                    Some(source) => {
                        let (rows, value) = (&strip[source], &self.stages[source].value);
                        let data = &before[source][..rows.len() * value.row_bytes()];
                        (Tensor { height: rows.len(), ..tensor(value, data) }, rows.start)
                    }
                    None => (tensor(&self.input, input), 0),
                };
                let result = &mut place[out];
                stage.make(pack, kernels, (x, origin), &missing, result)?;
                see(stage.node, &stage.value, missing.start, result);
            }
            had = strip;
        }
        Ok(())
    }

    /// The rows that every stage must have made for these rows of the result.
    fn strip(&self, result: Range<usize>) -> [Range<usize>; MOST_STAGES] {
        let last = self.count - 1;
        let mut rows = [const { 0..0 }; MOST_STAGES];
        rows[last] = result;
        for at in (1..=last).rev() {
            let before = self.stages[at - 1].value.height as usize;
            rows[at - 1] = self.stages[at].reads(&rows[at], before);
        }
        rows
    }
}
