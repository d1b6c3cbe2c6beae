//! Chains of convolutions whose results are kept a few rows at a time.
//!
//! A value with [`kept_rows`](Value::kept_rows) is a band: it holds the rows that the next
//! convolution needs for one strip of the chain's last result.

use core::ops::Range;

use super::{Conv, Network, Node, Value};
use crate::Error;

/// Most convolutions of a chain.
pub(crate) const MOST_STAGES: usize = 4;

/// A convolution of a chain: its result is value `node + 1`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) node: u32,
    pub(crate) conv: Conv,
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
}

/// A chain: all values but the last one are bands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    /// The first `count` of these; the others are copies of the first.
    stages: [Stage; MOST_STAGES],
    count: usize,
    /// Of the value that the first convolution reads.
    pub(crate) input: Value,
    /// Rows of the last result that a strip has.
    pub(crate) rows: usize,
}

/// What runs next.
#[allow(clippy::large_enum_variant, reason = "there is no heap, and one at a time")]
pub(crate) enum Part<'p> {
    /// One node, its index and its result.
    Node(u32, Node<'p>, Value),
    /// Several.
    Chain(Chain),
}

impl<'p> Network<'p> {
    /// The nodes in the order of execution, chains as one.
    ///
    /// Gives [`Error::BadNode`] where bands break a rule: a band that is the last value, or read by
    /// another node than the next one, or too small for one row; a node that is no convolution; a chain
    /// that is too long, or parts of which overlap.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Result<Part<'p>, Error>> {
        let mut nodes = (0_u32..).zip(self.nodes());
        core::iter::from_fn(move || {
            let (index, node) = nodes.next()?;
            Some(part(self, index, node, &mut nodes))
        })
    }
}

/// The part that begins with node `index`; a chain takes the rest of its nodes from those behind.
#[inline(never)]
fn part<'p>(
    network: &Network<'p>,
    index: u32,
    node: Result<Node<'p>, Error>,
    behind: &mut impl Iterator<Item = (u32, Result<Node<'p>, Error>)>,
) -> Result<Part<'p>, Error> {
    let bad = Error::BadNode { index };
    let (mut index, mut node) = (index, node?);
    let mut value = network.value(index.saturating_add(1))?;
    if value.kept_rows == 0 {
        return Ok(Part::Node(index, node, value));
    }
    let Node::Conv(conv) = node else { return Err(bad) };
    let first = Stage { node: index, conv, value };
    let input = network.value(conv.input)?;
    let mut chain = Chain { stages: [first; MOST_STAGES], count: 1, input, rows: 0 };
    while value.kept_rows != 0 {
        let (next, following) = behind.next().ok_or(bad)?;
        (index, node) = (next, following?);
        value = network.value(index.saturating_add(1))?;
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
    /// The convolutions, in their order.
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages[..self.count]
    }

    /// The result.
    pub(crate) fn result(&self) -> Value {
        self.stages[self.count - 1].value
    }

    /// The rows that every stage must have made for these rows of the result.
    pub(crate) fn strip(&self, result: Range<usize>) -> [Range<usize>; MOST_STAGES] {
        let last = self.count - 1;
        let mut rows = [const { 0..0 }; MOST_STAGES];
        rows[last] = result;
        for at in (1..=last).rev() {
            let before = self.stages[at - 1].value.height as usize;
            rows[at - 1] = self.stages[at].reads(&rows[at], before);
        }
        rows
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
}
