//! The order of execution with the smallest peak of memory.
//!
//! States are sets of nodes that have run; the search always goes on from a state whose peak so far
//! is least, so the first way to the end is one of the best. Networks are nearly chains: they have few
//! states. Where there are too many, the order of the source model stays.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use headstart::network::{Activation, AveragePool, Binary, Conv, GridPool, IntegerMean, Node};

use crate::quantise::lowered::{Lowered, LoweredNode};

/// States that are looked at before the search gives up.
const MOST_STATES: usize = 50_000;

/// Nodes that are looked at, all states together, and words of memory that those may take: with many nodes the
/// search gives up earlier.
const MOST_STEPS: usize = 1 << 27;
const MOST_WORDS: usize = 1 << 23;

/// Puts the nodes in the order with the smallest peak of live bytes; of several, in the one that
/// takes them as early as they stand now.
pub(super) fn reorder(lowered: &mut Lowered) {
    if lowered.nodes.is_empty() {
        return;
    }
    let Some(order) = search(lowered) else { return };
    if order.iter().enumerate().all(|(at, &node)| at == node) {
        return;
    }
    let mut renamed = vec![0_u32; lowered.values.len()];
    for (at, &node) in (1..).zip(&order) {
        renamed[node + 1] = at;
    }
    let mut nodes = Vec::with_capacity(order.len());
    let mut values = vec![lowered.values[0]];
    for &node in &order {
        let mut moved = lowered.nodes[node].clone();
        rename(&mut moved, &renamed);
        nodes.push(moved);
        values.push(lowered.values[node + 1]);
    }
    for view in lowered.views.iter_mut().flatten() {
        view.value = renamed[view.value as usize];
    }
    (lowered.nodes, lowered.values) = (nodes, values);
}

fn rename(node: &mut LoweredNode, renamed: &[u32]) {
    let new = |value: &mut u32| *value = renamed[*value as usize];
    match node {
        LoweredNode::Concat { operands, .. } => operands.iter_mut().for_each(|(v, _)| new(v)),
        LoweredNode::Plain(Node::Binary(Binary { a, b, .. })) => {
            new(a);
            new(b);
        }
        LoweredNode::Plain(
            Node::Conv(Conv { input, .. })
            | Node::Table { input, .. }
            | Node::MaxPool { input, .. }
            | Node::AveragePool(AveragePool { input, .. })
            | Node::GridPool(GridPool { input, .. })
            | Node::IntegerMean(IntegerMean { input, .. })
            | Node::Activation(Activation { input, .. })
            | Node::Pad { input, .. }
            | Node::Permute { input, .. }
            | Node::Softmax { input, .. },
        ) => new(input),
        // Lowering makes concatenations of its own kind.
        LoweredNode::Plain(Node::Concat { .. }) => (),
    }
}

/// Which nodes have run.
type Done = Rc<[u64]>;

/// How a state was reached: its peak, the bytes that live in it, and the node that ran last.
struct Reached {
    peak: usize,
    alive: usize,
    from: Option<(Done, usize)>,
}

fn search(lowered: &Lowered) -> Option<Vec<usize>> {
    let count = lowered.nodes.len();
    let most_states =
        MOST_STATES.min(MOST_STEPS / count.max(1)).min(MOST_WORDS / count.div_ceil(64).max(1));
    let bytes: Vec<usize> = lowered.values.iter().map(|v| v.extents.iter().product()).collect();
    let mut reads: Vec<Vec<usize>> = Vec::with_capacity(count);
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); bytes.len()];
    for (index, node) in lowered.nodes.iter().enumerate() {
        let mut read = Vec::new();
        node.operands(|value| read.push(value as usize));
        read.sort_unstable();
        read.dedup();
        read.iter().for_each(|&value| readers[value].push(index));
        reads.push(read);
    }
    let has = |done: &[u64], node: usize| done[node / 64] >> (node % 64) & 1 == 1;
    let start: Done = vec![0; count.div_ceil(64)].into();
    let mut states = HashMap::new();
    states.insert(start.clone(), Reached { peak: bytes[0], alive: bytes[0], from: None });
    // Least peak first, then most nodes done, then the state reached last.
    let mut queue = BinaryHeap::from([(Reverse(bytes[0]), 0, 0_usize, start)]);
    while let Some((Reverse(peak), ran, _, done)) = queue.pop() {
        if ran == count {
            return Some(path(&states, done));
        }
        let reached = &states[&done];
        if peak > reached.peak {
            continue;
        }
        let alive = reached.alive;
        // The features are the last result.
        let last = count - 1;
        for node in (0..count).filter(|&node| !has(&done, node) && (node < last || ran == last)) {
            if !reads[node].iter().all(|&value| value == 0 || has(&done, value - 1)) {
                continue;
            }
            let gone = reads[node].iter().filter(|&&value| {
                readers[value].iter().all(|&reader| reader == node || has(&done, reader))
            });
            let freed: usize = gone.map(|&value| bytes[value]).sum();
            let during = alive + bytes[node + 1];
            let (peak, alive) = (peak.max(during), during - freed);
            let mut next = done.to_vec();
            next[node / 64] |= 1 << (node % 64);
            let next: Done = next.into();
            if states.get(&next).is_some_and(|known| known.peak <= peak) {
                continue;
            }
            let from = Some((done.clone(), node));
            states.insert(next.clone(), Reached { peak, alive, from });
            if states.len() > most_states {
                return None;
            }
            // Of nodes that may run, the one that stands first is looked at first.
            queue.push((Reverse(peak), ran + 1, count - node, next));
        }
    }
    None
}

fn path(states: &HashMap<Done, Reached>, end: Done) -> Vec<usize> {
    let (mut order, mut at) = (Vec::new(), end);
    while let Some((before, node)) = states[&at].from.clone() {
        order.push(node);
        at = before;
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise::lowered::LoweredValue;
    use crate::quantise::rounding::Quantisation;

    /// Two branches of one value, each of which grows and shrinks, and their concatenation.
    fn branches() -> Lowered {
        let quantisation = Quantisation { scale: 1.0, zero_point: 0 };
        let value = |size| LoweredValue { extents: [1, 1, size], quantisation };
        let node = |operands: &[u32]| LoweredNode::Concat {
            axis: 2,
            operands: operands.iter().map(|&value| (value, 1.0)).collect(),
        };
        Lowered {
            values: [10, 100, 100, 5, 5, 10].map(value).to_vec(),
            // Both grow before either shrinks.
            nodes: vec![node(&[0]), node(&[0]), node(&[1]), node(&[2]), node(&[3, 4])],
            views: vec![],
            ..Lowered::default()
        }
    }

    #[test]
    fn one_branch_is_finished_before_the_other_grows() {
        let mut lowered = branches();
        reorder(&mut lowered);
        let sizes: Vec<usize> = lowered.values.iter().map(|value| value.extents[2]).collect();
        assert_eq!(sizes, [10, 100, 5, 100, 5, 10]);
        let mut found = Vec::new();
        lowered.nodes.iter().for_each(|node| node.operands(|value| found.push(value)));
        assert_eq!(found, [0, 1, 0, 3, 2, 4]);
    }

    #[test]
    fn a_chain_stays_as_it_is() {
        let mut lowered = branches();
        lowered.nodes.truncate(1);
        lowered.values.truncate(2);
        reorder(&mut lowered);
        assert_eq!(lowered.values.len(), 2);
    }
}
