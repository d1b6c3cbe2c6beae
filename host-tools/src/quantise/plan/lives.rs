//! When memory is needed, and by how many bytes.

use headstart::network::{Activation, Binary, Node};

use super::strips;
use super::strips::Chain;
use crate::quantise::lowered::{Lowered, LoweredNode};

/// Places start at multiples of this, so that vector loads do not straddle cache lines.
pub(super) const ALIGNMENT: usize = 16;

/// Memory that one value uses, or several in turn. Time is counted in nodes: value 0 exists at 0,
/// node `k` runs at `k + 1`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) bytes: usize,
}

/// Every value's buffer, and the buffers. A node whose elements each depend on one element of an
/// operand that nothing else needs takes that operand's place; chains hold all that they use until
/// they end.
pub(super) fn buffers(lowered: &Lowered, chosen: &[Chain]) -> (Vec<usize>, Vec<Life>) {
    let kept = strips::kept_rows(lowered, chosen);
    let mut lives: Vec<Life> = lowered
        .values
        .iter()
        .zip(&kept)
        .enumerate()
        .map(|(time, (value, &kept))| {
            let [height, width, channels] = value.extents;
            let rows = if kept == 0 { height } else { usize::from(kept) };
            Life { first: time, last: time, bytes: rows * width * channels }
        })
        .collect();
    for (index, node) in lowered.nodes.iter().enumerate() {
        node.operands(|value| lives[value as usize].last = index + 1);
    }
    // A tail reads these when all nodes have run.
    for &value in &lowered.crossing {
        lives[value as usize].last = lowered.nodes.len() + 1;
    }
    for chain in chosen {
        for value in chain.nodes.clone().map(|node| node + 1) {
            lives[value].first = chain.nodes.start + 1;
            lives[value].last = lives[value].last.max(chain.nodes.end);
        }
        lowered.nodes[chain.nodes.start].operands(|input| {
            let last = &mut lives[input as usize].last;
            *last = (*last).max(chain.nodes.end);
        });
    }
    let mut owners: Vec<usize> = (0..lives.len()).collect();
    let mut buffers: Vec<Life> = lives.clone();
    for (index, node) in lowered.nodes.iter().enumerate() {
        let value = index + 1;
        let replaced = replaceable(lowered, node, value).into_iter().flatten();
        if let Some(operand) = replaced.into_iter().find(|&operand| lives[operand].last == value) {
            let owner = owners[operand];
            owners[value] = owner;
            buffers[owner].last = lives[value].last;
            buffers[value].bytes = 0;
        }
    }
    (owners, buffers)
}

/// Operands of the result's shape, if each element of the result depends on one element of each.
fn replaceable(lowered: &Lowered, node: &LoweredNode, value: usize) -> [Option<usize>; 2] {
    let same = |operand: u32| {
        let operand = operand as usize;
        (lowered.values[operand].extents == lowered.values[value].extents).then_some(operand)
    };
    match *node {
        LoweredNode::Plain(
            Node::Table { input, .. } | Node::Activation(Activation { input, .. }),
        ) => [same(input), None],
        LoweredNode::Plain(Node::Binary(Binary { a, b, .. })) => match (same(a), same(b)) {
            (Some(a), Some(b)) => [Some(a), Some(b)],
            _ => [None; 2],
        },
        _ => [None; 2],
    }
}

/// The most bytes that live at one time, and the first such time.
pub(super) fn peak(lives: &[Life]) -> (usize, usize) {
    let end = lives.iter().map(|life| life.last).max().unwrap_or(0);
    // What begins at each time, and what has ended then.
    let (mut begins, mut ended) = (vec![0_usize; end + 1], vec![0_usize; end + 2]);
    for life in lives.iter().filter(|life| life.first <= life.last) {
        let bytes = life.bytes.next_multiple_of(ALIGNMENT);
        begins[life.first] += bytes;
        ended[life.last + 1] += bytes;
    }
    let (mut most, mut alive) = ((0, 0), 0);
    for time in 0..=end {
        alive = alive + begins[time] - ended[time];
        if alive > most.0 {
            most = (alive, time);
        }
    }
    most
}
