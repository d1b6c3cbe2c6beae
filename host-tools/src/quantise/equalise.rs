//! Cross-layer equalisation: moves the spread between the channels of a tensor into the weights
//! around it, so that one scale for the whole tensor loses less.
//!
//! Where only convolutions write and read a tensor (residual sums between them included), channel
//! `c` may be divided by any `s[c]` if the weights that write it are divided and those that read it
//! multiplied by it: the network computes the same. Nagel et al. 2019,
//! <https://arxiv.org/abs/1906.04721>, section 4.1, without its restriction to pairs of layers.

use headstart::graph::{Activation, Binary, Graph, Node, Op, ValueId};

use crate::float::Run;
use crate::quantise::sample::Sample;

/// Tensors whose channels share one factor each.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What convolutions write.
    written: Vec<ValueId>,
    /// The tensors that convolutions read: those that were written, or what a clamp makes of them. These are quantised.
    pub read: Vec<ValueId>,
    /// Channels of each of them.
    channels: usize,
    /// Upper bound of the clamp between the two.
    bound: Option<f32>,
}

/// The groups of tensors that only convolutions write and read.
#[must_use]
pub fn groups(graph: &Graph) -> Vec<Group> {
    let links = Links::new(graph);
    let mut groups = sums(graph, &links);
    groups.extend(graph.nodes.iter().filter_map(|node| clamped(graph, &links, node)));
    groups
}

/// Who makes and who reads each value, by the nodes' places.
struct Links {
    producer: Vec<Option<usize>>,
    readers: Vec<Vec<usize>>,
}

impl Links {
    fn new(graph: &Graph) -> Self {
        let count = graph.values.len();
        let mut links = Self { producer: vec![None; count], readers: vec![Vec::new(); count] };
        for (index, node) in graph.nodes.iter().enumerate() {
            links.producer[node.output] = Some(index);
            node.inputs.iter().for_each(|&input| links.readers[input].push(index));
        }
        links
    }

    fn readers<'a>(&'a self, graph: &'a Graph, value: ValueId) -> impl Iterator<Item = &'a Node> {
        self.readers[value].iter().map(|&index| &graph.nodes[index])
    }
}

/// The result of a ReLU or of a clamp from 0 behind a convolution.
fn clamped(graph: &Graph, links: &Links, node: &Node) -> Option<Group> {
    let bound = match node.op {
        Op::Activation(Activation::Relu) => None,
        Op::Activation(Activation::Clip { min: 0.0, max }) if max > 0.0 => Some(max),
        _ => return None,
    };
    let written = node.inputs[0];
    let producer = &graph.nodes[links.producer[written]?];
    let inside = links.readers[written].len() == 1
        && !graph.outputs.contains(&written)
        && has_weights(graph, producer)
        && is_read_by_convolutions(graph, links, node.output)
        // A sum would need the same factors in its other operand.
        && !links.readers(graph, node.output).any(|n| is_sum(graph, n));
    inside.then(|| Group {
        written: vec![written],
        read: vec![node.output],
        channels: graph.values[written].shape[1],
        bound,
    })
}

/// Tensors that are convolutions' results as they are, or sums of such.
fn sums(graph: &Graph, links: &Links) -> Vec<Group> {
    let mut root: Vec<ValueId> = (0..graph.values.len()).collect();
    fn find(root: &mut [ValueId], mut value: ValueId) -> ValueId {
        while root[value] != value {
            // The way is halved for whoever comes next.
            root[value] = root[root[value]];
            value = root[value];
        }
        value
    }
    for node in graph.nodes.iter().filter(|node| is_sum(graph, node)) {
        for &input in &node.inputs {
            let (a, b) = (find(&mut root, input), find(&mut root, node.output));
            root[a.max(b)] = a.min(b);
        }
    }
    let mut members: Vec<Vec<ValueId>> = vec![Vec::new(); graph.values.len()];
    for value in 0..graph.values.len() {
        members[find(&mut root, value)].push(value);
    }
    let mut groups: Vec<Group> = Vec::new();
    for members in members {
        let inside = |&value: &ValueId| is_between_convolutions(graph, links, value);
        if let Some(&value) = members.first()
            && members.iter().all(inside)
        {
            // What convolutions write has channels.
            let channels = graph.values[value].shape[1];
            groups.push(Group { written: members.clone(), read: members, channels, bound: None });
        }
    }
    groups
}

/// A sum or difference of computed tensors of one shape.
fn is_sum(graph: &Graph, node: &Node) -> bool {
    matches!(node.op, Op::Binary(Binary::Add | Binary::Sub))
        && node.inputs.iter().all(|&input| {
            let value = &graph.values[input];
            value.constant.is_none() && value.shape == graph.values[node.output].shape
        })
}

fn is_between_convolutions(graph: &Graph, links: &Links, value: ValueId) -> bool {
    let written = links.producer[value].is_some_and(|index| {
        is_sum(graph, &graph.nodes[index]) || has_weights(graph, &graph.nodes[index])
    });
    written && is_read_by_convolutions(graph, links, value)
}

/// Whether all readers are convolutions, or sums, and at least one is there.
fn is_read_by_convolutions(graph: &Graph, links: &Links, value: ValueId) -> bool {
    let reads_well = |node: &Node| {
        is_sum(graph, node)
            || (has_weights(graph, node)
                && node.inputs[0] == value
                && reads_by_channel(graph, node))
    };
    let mut readers = links.readers(graph, value).peekable();
    graph.values[value].shape.len() >= 3
        && !graph.outputs.contains(&value)
        && readers.peek().is_some()
        && readers.all(reads_well)
}

/// Whether a node is a convolution whose weights are known.
fn has_weights(graph: &Graph, node: &Node) -> bool {
    matches!(node.op, Op::Conv(_))
        && node.inputs[1..].iter().all(|&id| graph.values[id].constant.is_some())
}

/// Whether each weight of a convolution reads one channel that its place tells.
fn reads_by_channel(graph: &Graph, node: &Node) -> bool {
    let Op::Conv(conv) = &node.op else { return false };
    let channels = graph.values[node.inputs[0]].shape[1];
    conv.groups == 1
        || (conv.groups == channels && graph.values[node.inputs[1]].shape[0] == channels)
}

/// Equalises all groups of a graph, which computes the same outputs. `done` is called once a sample.
///
/// # Errors
///
/// Whatever the executor says of a sample.
pub fn equalise<R: Run>(
    graph: &Graph,
    runner: &R,
    samples: &[Sample],
    done: &(impl Fn() + Sync),
) -> Result<Graph, R::Error> {
    let groups = groups(graph);
    let reaches = reaches(graph, &groups, runner, samples, done)?;
    let links = Links::new(graph);
    let mut equalised = graph.clone();
    for (group, reach) in groups.iter().zip(&reaches) {
        let weights = reader_reach(graph, &links, group);
        let factors = factors(reach, &weights, group.bound);
        let writers = group.written.iter().filter_map(|&value| links.producer[value]);
        let readers = group.read.iter().flat_map(|&value| &links.readers[value]).copied();
        let mut nodes: Vec<usize> = writers.chain(readers).collect();
        nodes.sort_unstable();
        nodes.dedup();
        for node in nodes {
            scale(&mut equalised, graph, &graph.nodes[node], group, &factors);
        }
    }
    Ok(equalised)
}

/// The factor of every channel, by the reach of its activations and of the weights that read it:
/// `√(reach / weights)`, after which both reach equally far in every channel.
///
/// Under a clamp the factors are at most 1 and at least `reach / bound`: then the bound, which is
/// the same integer for all channels, cuts off nothing that was seen and everything that it did.
fn factors(reach: &[f32], weights: &[f32], bound: Option<f32>) -> Vec<f32> {
    let usable = |factor: f32| if factor.is_normal() { factor } else { 1.0 };
    let balanced: Vec<f32> =
        reach.iter().zip(weights).map(|(reach, weight)| usable((reach / weight).sqrt())).collect();
    let Some(bound) = bound else { return balanced };
    let greatest = balanced.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    balanced
        .iter()
        .zip(reach)
        .map(|(factor, reach)| usable((factor / greatest).clamp((reach / bound).min(1.0), 1.0)))
        .collect()
}

/// Greatest magnitude of every channel of every group over the samples.
fn reaches<R: Run>(
    graph: &Graph,
    groups: &[Group],
    runner: &R,
    samples: &[Sample],
    done: &(impl Fn() + Sync),
) -> Result<Vec<Vec<f32>>, R::Error> {
    let mut group_of = vec![None; graph.values.len()];
    for (index, group) in groups.iter().enumerate() {
        group.read.iter().for_each(|&value| group_of[value] = Some(index));
    }
    let empty: Vec<Vec<f32>> = groups.iter().map(|group| vec![0.0; group.channels]).collect();
    crate::float::over_samples(
        samples,
        runner.at_once(),
        &empty,
        |reaches, sample| {
            runner.run(sample, &mut |value, data| {
                let Some(reach) = group_of[value].map(|index: usize| &mut reaches[index]) else {
                    return;
                };
                let pixels = data.len() / reach.len();
                for (reach, plane) in reach.iter_mut().zip(data.chunks_exact(pixels)) {
                    *reach = plane.iter().fold(*reach, |most, v| most.max(v.abs()));
                }
            })?;
            done();
            Ok(())
        },
        |all, part| {
            let pairs = all.iter_mut().flatten().zip(part.iter().flatten());
            pairs.for_each(|(a, &b)| *a = a.max(b));
        },
    )
}

/// Greatest magnitude of the weights that read each channel of a group.
fn reader_reach(graph: &Graph, links: &Links, group: &Group) -> Vec<f32> {
    let mut reach = vec![0.0_f32; group.channels];
    let readers = group.read.iter().flat_map(|&value| links.readers(graph, value));
    for node in readers.filter(|node| reads(node, group)) {
        let weights = graph.values[node.inputs[1]].constant.as_deref();
        let weights = weights.expect("only convolutions of known weights read a group");
        for_each_reader(graph, node, group.channels, |channel, index| {
            reach[channel] = reach[channel].max(weights[index].abs());
        });
    }
    reach
}

fn reads(node: &Node, group: &Group) -> bool {
    matches!(node.op, Op::Conv(_)) && group.read.contains(&node.inputs[0])
}

/// Calls `visit` with every weight of a reading convolution: the channel that it reads, its index.
fn for_each_reader(
    graph: &Graph,
    node: &Node,
    channels: usize,
    mut visit: impl FnMut(usize, usize),
) {
    let shape = &graph.values[node.inputs[1]].shape;
    let taps: usize = shape[2..].iter().product();
    for index in 0..shape.iter().product() {
        // Depthwise weights are [channel][1][taps], full ones [out][channel][taps].
        visit(index / taps % channels, index);
    }
}

fn scale(equalised: &mut Graph, graph: &Graph, node: &Node, group: &Group, factors: &[f32]) {
    let edit = |equalised: &mut Graph, id: ValueId, change: &mut dyn FnMut(&mut [f32])| {
        if let Some(constant) = &equalised.values[id].constant {
            let mut data = constant.to_vec();
            change(&mut data);
            equalised.values[id].constant = Some(data.into());
        }
    };
    if !matches!(node.op, Op::Conv(_)) {
        return;
    }
    if group.written.contains(&node.output) {
        for &id in &node.inputs[1..] {
            edit(equalised, id, &mut |data| {
                let row = data.len() / factors.len();
                for (row, factor) in data.chunks_exact_mut(row).zip(factors) {
                    row.iter_mut().for_each(|w| *w /= factor);
                }
            });
        }
    }
    if reads(node, group) {
        edit(equalised, node.inputs[1], &mut |data| {
            for_each_reader(graph, node, factors.len(), |channel, index| {
                data[index] *= factors[channel];
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::FloatGraph;
    use headstart::graph::{Conv, Window};
    use std::path::Path;

    fn convolution(graph: &mut Graph, x: ValueId, shape: [usize; 4], groups: usize) -> ValueId {
        let count: usize = shape.iter().product();
        let name = format!("{}", graph.values.len());
        let wave = |i: usize| (i as f32 * 1.7).sin() * (1.0 + (i % shape[0]) as f32);
        let weight = (0..count).map(wave).collect();
        let w = graph.add_constant(format!("w{name}"), shape.to_vec(), weight).unwrap();
        let bias = (0..shape[0]).map(|i| i as f32).collect();
        let b = graph.add_constant(format!("b{name}"), vec![shape[0]], bias).unwrap();
        let window = Window {
            kernel: shape[2..].to_vec(),
            strides: vec![1; 2],
            dilations: vec![1; 2],
            pads_begin: vec![shape[2] / 2; 2],
            pads_end: vec![shape[3] / 2; 2],
        };
        let conv = Op::Conv(Conv { window, groups });
        graph.add_node(name.clone(), conv, vec![x, w, b], name).unwrap()
    }

    /// A residual sum between convolutions, read by a full and a depthwise one.
    fn network() -> (Graph, Vec<ValueId>) {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2, 5, 5]);
        graph.inputs.push(x);
        let a = convolution(&mut graph, x, [4, 2, 1, 1], 1);
        let b = convolution(&mut graph, a, [4, 4, 3, 3], 1);
        let sum = Op::Binary(Binary::Add);
        let sum = graph.add_node("sum", sum, vec![a, b], "sum").unwrap();
        let d = convolution(&mut graph, sum, [4, 1, 3, 3], 4);
        let y = convolution(&mut graph, d, [3, 4, 1, 1], 1);
        graph.outputs.push(y);
        (graph, vec![a, b, sum])
    }

    /// The first output of `runner` for `sample`.
    fn output(graph: &Graph, runner: &FloatGraph, sample: &[f32]) -> Vec<f32> {
        let mut found = Vec::new();
        let see = &mut |id, data: &[f32]| {
            if graph.outputs.contains(&id) {
                found = data.to_vec();
            }
        };
        runner.run(sample, see).unwrap();
        found
    }

    fn assert_equalising_changes_weights_alone(graph: &Graph) {
        let sample = |s: i32| (0..50).map(|i| ((i * 7 + s * 13) as f32).cos()).collect::<Vec<_>>();
        let samples: Vec<Sample> = (0..4).map(|s| sample(s).into()).collect();
        let before = FloatGraph::new(Path::new("test"), graph).unwrap();
        let equalised = equalise(graph, &before, &samples, &|| ()).unwrap();
        assert_ne!(graph, &equalised);
        let after = FloatGraph::new(Path::new("test"), &equalised).unwrap();
        for sample in &samples {
            let pairs = output(graph, &before, &sample.values()).into_iter().zip(output(
                graph,
                &after,
                &sample.values(),
            ));
            for (a, b) in pairs {
                assert!((a - b).abs() <= 1e-4 * a.abs().max(1.0), "{a} {b}");
            }
        }
    }

    #[test]
    fn an_equalised_network_computes_the_same() {
        let (graph, group) = network();
        assert_eq!(groups(&graph)[0].read, group);
        assert_equalising_changes_weights_alone(&graph);
    }

    #[test]
    fn a_clamp_between_convolutions_still_cuts_off_what_it_did() {
        for activation in [Activation::Relu, Activation::Clip { min: 0.0, max: 3.0 }] {
            let mut graph = Graph::default();
            let x = graph.add_value("x", vec![1, 2, 5, 5]);
            graph.inputs.push(x);
            let a = convolution(&mut graph, x, [4, 2, 3, 3], 1);
            let clamp = Op::Activation(activation);
            let clamp = graph.add_node("clamp", clamp, vec![a], "clamp").unwrap();
            let y = convolution(&mut graph, clamp, [3, 4, 1, 1], 1);
            graph.outputs.push(y);
            assert_eq!(groups(&graph)[0].read, [clamp]);
            assert_equalising_changes_weights_alone(&graph);
        }
    }

    #[test]
    fn a_clamp_that_a_sum_reads_is_left_alone() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2, 5, 5]);
        graph.inputs.push(x);
        let a = convolution(&mut graph, x, [4, 2, 3, 3], 1);
        let relu = Op::Activation(Activation::Relu);
        let relu = graph.add_node("relu", relu, vec![a], "relu").unwrap();
        let b = convolution(&mut graph, relu, [4, 4, 1, 1], 1);
        let sum = Op::Binary(Binary::Add);
        let sum = graph.add_node("sum", sum, vec![relu, b], "sum").unwrap();
        let y = convolution(&mut graph, sum, [3, 4, 1, 1], 1);
        graph.outputs.push(y);
        assert_eq!(groups(&graph), []);
    }

    #[test]
    fn a_tensor_that_leaves_the_graph_is_left_alone() {
        let (mut graph, group) = network();
        graph.outputs.push(group[2]);
        assert!(groups(&graph).iter().all(|found| !found.read.contains(&group[2])));
    }
}
