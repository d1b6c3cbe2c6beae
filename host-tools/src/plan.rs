//! Places every tensor in the arena so that no two that live at the same time overlap.

use headstart::backbone::Node;

use crate::lower::{Lowered, LoweredNode};

/// Places start at multiples of this, so that vector loads do not straddle cache lines.
const ALIGNMENT: usize = 16;

/// When a tensor is needed: from the node that defines it to the last one that reads it.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: usize,
    last: usize,
    bytes: usize,
}

/// The offset of every value, largest tensors placed first, each at the lowest free place.
#[must_use]
pub fn offsets(lowered: &Lowered) -> Vec<usize> {
    let lives = lives(lowered);
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|&value| (std::cmp::Reverse(lives[value].bytes), lives[value].first));
    let mut offsets = vec![0; lives.len()];
    let mut placed: Vec<usize> = Vec::new();
    for value in order {
        let life = lives[value];
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(|&&other| lives[other].first <= life.last && life.first <= lives[other].last)
            .map(|&other| (offsets[other], offsets[other] + lives[other].bytes))
            .collect();
        taken.sort_unstable();
        let mut start = 0;
        for (from, to) in taken {
            if start + life.bytes <= from {
                break;
            }
            start = start.max(to.next_multiple_of(ALIGNMENT));
        }
        offsets[value] = start;
        placed.push(value);
    }
    offsets
}

/// Time is counted in nodes: value 0 exists at 0, node `k` runs at `k + 1`.
fn lives(lowered: &Lowered) -> Vec<Life> {
    let mut lives: Vec<Life> = lowered
        .values
        .iter()
        .enumerate()
        .map(|(time, value)| Life {
            first: time,
            last: time,
            bytes: value.extents.iter().product(),
        })
        .collect();
    for (index, node) in lowered.nodes.iter().enumerate() {
        operands(node, |value| lives[value as usize].last = index + 1);
    }
    lives
}

fn operands(node: &LoweredNode, mut read: impl FnMut(u32)) {
    match node {
        LoweredNode::Plain(node) => Node::operands(node, read),
        LoweredNode::Concat { operands, .. } => operands.iter().for_each(|&(value, _)| read(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::LoweredValue;
    use crate::quantise::Quantisation;

    fn chain(sizes: &[usize], skip_from: u32) -> Lowered {
        let quantisation = Quantisation { scale: 1.0, zero_point: 0 };
        let mut lowered = Lowered::default();
        for (index, &size) in (0_u32..).zip(sizes) {
            lowered.values.push(LoweredValue { extents: [1, 1, size], quantisation });
            if index > 0 {
                let last = index as usize + 1 == sizes.len();
                let mut operands = vec![(index - 1, 1.0)];
                operands.extend(last.then_some((skip_from, 1.0)));
                lowered.nodes.push(LoweredNode::Concat { axis: 2, operands });
            }
        }
        lowered
    }

    #[test]
    fn tensors_that_live_together_never_overlap() {
        let lowered = chain(&[100, 300, 50, 200, 10], 1);
        let (offsets, lives) = (offsets(&lowered), lives(&lowered));
        for a in 0..lives.len() {
            for b in a + 1..lives.len() {
                let together = lives[a].first <= lives[b].last && lives[b].first <= lives[a].last;
                let apart = offsets[a] + lives[a].bytes <= offsets[b]
                    || offsets[b] + lives[b].bytes <= offsets[a];
                assert!(!together || apart, "values {a} and {b}");
            }
        }
    }

    #[test]
    fn a_chain_takes_its_largest_pair() {
        let lowered = chain(&[64, 320, 64, 160], 2);
        let offsets = offsets(&lowered);
        let end = (0..4).map(|v| offsets[v] + lowered.values[v].extents[2]).max();
        assert_eq!(end, Some(64 + 320));
    }
}
