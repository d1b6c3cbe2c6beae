//! Chains of convolutions that may run in strips: expand, depthwise, project, or parts of it.

use std::ops::Range;

use headstart::network::{Conv, Node};

use crate::quantise::lowered::{Lowered, LoweredNode};

/// The aim of a plan: speed or size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Strips only where intermediate results are too large for a core's own cache.
    Speed,
    /// Strips wherever they lower the peak.
    Size,
}

/// Bytes that the bands of a chain may take: they stay in a core's own cache, with room for weights
/// and what a strip reads and writes. More rows a strip mean fewer calls.
const BANDS: usize = 160 << 10;

/// Where size counts, bands take at most this part of what whole results would: a smaller part
/// saves little more, for every strip needs the rows of a window.
const PART: usize = 4;

/// Convolutions each of which reads the one before, which nothing else reads.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) nodes: Range<usize>,
    /// Rows kept of all results but the last.
    kept_rows: Vec<u16>,
    /// Bytes of these results if they were whole.
    pub(super) whole_bytes: usize,
}

impl Chain {
    /// Whether one of its nodes runs at this time.
    pub(super) fn runs_at(&self, time: usize) -> bool {
        (self.nodes.start + 1..=self.nodes.end).contains(&time)
    }
}

/// All chains around a depthwise convolution for which bands are smaller than whole results.
pub(super) fn chains(lowered: &Lowered, aim: Aim) -> Vec<Chain> {
    let mut readers = vec![0; lowered.values.len()];
    for node in &lowered.nodes {
        node.operands(|value| readers[value as usize] += 1);
    }
    lowered.crossing.iter().for_each(|&value| readers[value as usize] += 1);
    let mut chains: Vec<Chain> = Vec::new();
    for middle in 0..lowered.nodes.len() {
        let Some(depthwise) = conv(lowered, middle) else { continue };
        let channels = lowered.values[depthwise.input as usize].extents[2];
        if depthwise.groups as usize != channels || depthwise.window.kernel == [1, 1] {
            continue;
        }
        // Node `at` reads the result of the node before it, alone.
        let follows = |at: usize| {
            at > 0
                && readers[at] == 1
                && conv(lowered, at).is_some_and(|conv| conv.input as usize == at)
        };
        let plain = |at: usize| {
            conv(lowered, at).is_some_and(|conv| conv.window.kernel == [1, 1] && conv.groups == 1)
        };
        let start = if follows(middle) && plain(middle - 1) { middle - 1 } else { middle };
        let end = if follows(middle + 1) && plain(middle + 1) { middle + 2 } else { middle + 1 };
        let free = chains.last().is_none_or(|chain| chain.nodes.end <= start);
        if end - start > 1 && free {
            chains.extend(chain(lowered, start..end, aim));
        }
    }
    chains
}

fn conv(lowered: &Lowered, node: usize) -> Option<&Conv> {
    match lowered.nodes.get(node)? {
        LoweredNode::Plain(Node::Conv(conv)) => Some(conv),
        _ => None,
    }
}

/// The chain with the most rows a strip whose bands stay small; `None` if a band would be no smaller
/// than its result.
fn chain(lowered: &Lowered, nodes: Range<usize>, aim: Aim) -> Option<Chain> {
    let results: Vec<[usize; 3]> =
        nodes.clone().map(|node| lowered.values[node + 1].extents).collect();
    let (last, bands) = results.split_last()?;
    let needs = |rows: usize| -> Option<Vec<u16>> {
        let mut needed = rows;
        let mut kept = vec![0; bands.len()];
        for at in (0..bands.len()).rev() {
            let window = conv(lowered, nodes.start + at + 1)?.window;
            let reach = (usize::from(window.kernel[0]) - 1) * usize::from(window.dilation[0]) + 1;
            needed = (needed - 1) * usize::from(window.stride[0]) + reach;
            kept[at] = u16::try_from(needed).ok().filter(|_| needed < bands[at][0])?;
        }
        Some(kept)
    };
    let bytes = |kept: &[u16]| -> usize {
        kept.iter().zip(bands).map(|(&rows, [_, w, c])| usize::from(rows) * w * c).sum()
    };
    let whole_bytes = bands.iter().map(|extents| extents.iter().product::<usize>()).sum();
    let most = if aim == Aim::Size { BANDS.min(whole_bytes / PART) } else { BANDS };
    let mut kept = needs(1)?;
    // An even number, which two threads divide evenly.
    for rows in (2..=last[0]).step_by(2) {
        match needs(rows) {
            Some(more) if bytes(&more) <= most => kept = more,
            _ => break,
        }
    }
    Some(Chain { nodes, kept_rows: kept, whole_bytes })
}

/// Rows of every value that are kept at a time; 0 for all.
pub(super) fn kept_rows(lowered: &Lowered, chosen: &[Chain]) -> Vec<u16> {
    let mut kept = vec![0; lowered.values.len()];
    for chain in chosen {
        let values = &mut kept[chain.nodes.start + 1..];
        values[..chain.kept_rows.len()].copy_from_slice(&chain.kept_rows);
    }
    kept
}
