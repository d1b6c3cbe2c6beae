//! Chains of convolutions whose results are kept a few rows at a time.
//!
//! A value with [`kept_rows`](Value::kept_rows) is a band: it holds the rows that the next
//! convolution needs for one strip of the chain's last result. For every strip, each convolution
//! makes the rows that are missing; rows that the strip before had already move to the band's start.

use core::ops::Range;

use super::arena::split;
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

    /// The strips: for each, the rows that every stage must have made.
    pub(crate) fn strips(&self) -> impl Iterator<Item = [Range<usize>; MOST_STAGES]> + '_ {
        let last = self.count - 1;
        let height = self.result().height as usize;
        (0..height).step_by(self.rows).map(move |first| {
            let mut rows = [const { 0..0 }; MOST_STAGES];
            rows[last] = first..(first + self.rows).min(height);
            for at in (1..=last).rev() {
                let before = self.stages[at - 1].value.height as usize;
                rows[at - 1] = self.stages[at].reads(&rows[at], before);
            }
            rows
        })
    }

    /// Where stage `at` finds its input when the strip has `rows`: bytes of the arena, the number of
    /// rows and the first one.
    pub(crate) fn source(&self, at: usize, rows: &[Range<usize>; MOST_STAGES]) -> Source {
        match at.checked_sub(1) {
            Some(before) => Source { value: self.stages[before].value, rows: rows[before].clone() },
            None => Source { value: self.input, rows: 0..self.input.height as usize },
        }
    }

    /// Makes the whole chain, strip after strip; `see` is called with the node, its value, the first
    /// row and the rows' elements whenever some were made.
    pub(crate) fn run(
        &self,
        pack: &Pack<'_>,
        kernels: Kernels,
        arena: &mut [i8],
        mut see: impl FnMut(u32, &Value, usize, &[i8]),
    ) -> Result<(), Error> {
        let last = self.count - 1;
        let mut had = [const { 0..0 }; MOST_STAGES];
        for rows in self.strips() {
            for (at, stage) in self.stages().iter().enumerate() {
                let (value, wanted, had) = (&stage.value, &rows[at], &had[at]);
                let (bytes, place) = (value.row_bytes(), value.range());
                let mut first = wanted.start;
                // The last result is whole: its rows have places of their own.
                let band = if at < last { wanted.start } else { 0 };
                if at < last && had.start <= first && first < had.end {
                    // Row by row: a row's old and new places never overlap.
                    let moved = (first - had.start) * bytes;
                    for row in 0..if moved > 0 { had.end - first } else { 0 } {
                        let start = place.start + row * bytes;
                        let (to, from) = arena.split_at_mut(start + moved);
                        to[start..start + bytes].copy_from_slice(&from[..bytes]);
                    }
                    first = had.end;
                }
                let missing = first..wanted.end.max(first);
                if missing.is_empty() {
                    continue;
                }
                let start = place.start + (missing.start - band) * bytes;
                let out = start..start + missing.len() * bytes;
                let source = self.source(at, &rows);
                let (sources, result) = split(arena, out.clone());
                let x = source.tensor(sources.tensor(source.range()));
                stage.make(pack, kernels, (x, source.rows.start), &missing, result)?;
                see(stage.node, value, missing.start, &arena[out]);
            }
            had = rows;
        }
        Ok(())
    }
}

/// The input of a stage, as far as it is in the arena.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    value: Value,
    /// Its rows.
    pub(crate) rows: Range<usize>,
}

impl Source {
    /// Bytes of the arena.
    pub(crate) fn range(&self) -> Range<usize> {
        let start = self.value.offset as usize;
        start..start + self.rows.len() * self.value.row_bytes()
    }

    /// These bytes as a tensor.
    pub(crate) fn tensor<'a>(&self, data: &'a [i8]) -> Tensor<'a> {
        Tensor { height: self.rows.len(), ..tensor(&self.value, data) }
    }
}
