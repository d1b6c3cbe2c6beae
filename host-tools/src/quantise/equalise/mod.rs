//! A scale of its own for every channel of a tensor, wherever the nodes around it can hold one.
//!
//! Where nodes with weights or tables write and read a tensor, channel `c` may be divided by any `s[c]` if the weights that write it are
//! divided by it and those that read it multiplied: the network computes the same, and a channel of small values no longer shares the steps
//! of a large one. The writers' multipliers hold the scales, the readers' weights absorb them before they are rounded, functions of one
//! element have a table a channel. Nagel et al. 2019, <https://arxiv.org/abs/1906.04721>, section 4.1, without its restriction to pairs of
//! layers and to functions that commute with a factor.

mod absorb;
mod balance;
mod groups;
mod useful;

pub use absorb::absorbed;
pub(super) use useful::useful;

use std::sync::Arc;

use headstart::graph::{Graph, ValueId};

use balance::balanced;
use groups::{Group, Groups};

/// The scales of the channels of a graph's tensors, relative to each other: the tensor as a whole has a scale besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelScales {
    /// A number for each channel of a value; `None` where all have one scale.
    of: Vec<Option<Arc<[f32]>>>,
}

/// What samples showed of every channel of every tensor, by the tensor's id. A tensor whose channels were not told apart has one of them.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Least and greatest value; both ends hold 0.
    pub ends: Vec<Vec<(f32, f32)>>,
    /// Variance of the values.
    pub variances: Vec<Vec<f32>>,
}

impl ChannelScales {
    /// A scale of 1 for each channel that may have one of its own.
    #[must_use]
    pub fn ones(graph: &Graph) -> Self {
        Self::of_groups(&Groups::new(graph), |group| vec![1.0; group.channels])
    }

    /// Chooses the scales by what samples showed of each channel and by the weights that read it.
    #[must_use]
    pub fn choose(graph: &Graph, seen: &Seen) -> Self {
        let readers = readers(graph);
        Self::of_groups(&Groups::new(graph), |group| balanced(graph, &readers, group, seen))
    }

    /// The scales that `choose` gives each group, and those that follow for products and for channels side by side.
    fn of_groups(groups: &Groups, mut choose: impl FnMut(&Group) -> Vec<f32>) -> Self {
        let mut scales: Vec<Arc<[f32]>> = Vec::with_capacity(groups.all.len());
        for group in &groups.all {
            let chosen: Vec<f32> = match group.product {
                _ if !group.joined.is_empty() => {
                    let of = |&(operand, channels): &(ValueId, usize)| match groups.of[operand] {
                        Some(at) => scales[at].to_vec(),
                        None => vec![1.0; channels],
                    };
                    group.joined.iter().flat_map(of).collect()
                }
                Some(operands) => {
                    let of = operands.map(|operand| groups.of[operand].map(|at| &scales[at]));
                    let one = |scales: Option<&Arc<[f32]>>, c: usize| scales.map_or(1.0, |s| s[c]);
                    (0..group.channels).map(|c| one(of[0], c) * one(of[1], c)).collect()
                }
                None => choose(group),
            };
            scales.push(chosen.into());
        }
        Self { of: groups.of.iter().map(|group| group.map(|at| scales[at].clone())).collect() }
    }

    /// Whether no tensor has scales of its channels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.iter().all(Option::is_none)
    }

    /// The scales of a value's channels, its second axis; `None` where all have one.
    #[must_use]
    pub fn of(&self, value: ValueId) -> Option<&[f32]> {
        self.of.get(value)?.as_deref()
    }
}

/// The places of the nodes that read each value.
pub(super) fn readers(graph: &Graph) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); graph.values.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| readers[input].push(index));
    }
    readers
}

#[cfg(test)]
mod tests;
