use headstart::graph::{Graph, ValueId};

use super::{depends_on_input, find_classifier};
use crate::cut::layout::{Order, orders};

/// Place of a tensor in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreezeKind {
    /// Everything passes through it on the way to the classifier.
    Trunk,
    /// A feature map on one of several parallel paths, inside a residual block for example.
    Branch,
    /// The tensor that the classifier reads: the usual place to freeze.
    Classifier,
}

/// A tensor at which freezing makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezePoint {
    /// The tensor's index in the graph.
    pub value: ValueId,
    /// The tensor's name.
    pub tensor: String,
    /// The name of the node that makes it.
    pub node: String,
    /// The tensor's shape, batch included.
    pub shape: Vec<usize>,
    /// The tensor's axes without the batch, places first and channels last; `None` where that is not known, and it is not pooled.
    pub order: Option<Order>,
    /// Multiply-accumulates of all that the tensor needs.
    pub macs: u64,
    /// The tensor's place in the network.
    pub kind: FreezeKind,
}

/// Lists the sensible freeze points in the order of execution, the classifier's input last.
///
/// A tensor that only an activation, normalisation or reshape reads is left out: what comes out of
/// that is better or the same. Gates of squeeze-and-excite blocks are left out too.
#[must_use]
pub fn freeze_points(graph: &Graph) -> Vec<FreezePoint> {
    points(graph, find_classifier(graph).map(|classifier| classifier.features))
}

/// Lists the freeze points of a graph that is the first part of a network: its last layer is no classifier.
#[must_use]
pub fn freeze_points_of_part(graph: &Graph) -> Vec<FreezePoint> {
    points(graph, None)
}

fn points(graph: &Graph, classifier: Option<ValueId>) -> Vec<FreezePoint> {
    let body = match classifier {
        Some(features) => graph.cut_at(&[features]).unwrap_or_default(),
        None => graph.clone(),
    };
    // The cut renumbers its values but keeps the order of its nodes.
    let mut originals = graph.nodes.iter();
    let depends = depends_on_input(&body);
    let trunk = trunk(&body, &depends);
    let unsettled = unsettled(&body);
    let macs: Vec<u64> = body.nodes.iter().map(|node| body.multiply_accumulates(node)).collect();
    let orders = orders(&body);
    let mut points = Vec::new();
    for (index, node) in body.nodes.iter().enumerate() {
        let original = originals.find(|original| {
            graph.values[original.output].name == body.values[node.output].name
                && original.name == node.name
        });
        let Some(original) = original else { continue };
        let is_features = classifier == Some(original.output);
        let kind = if is_features {
            FreezeKind::Classifier
        } else if !depends[node.output] || unsettled[node.output] {
            continue;
        } else if trunk[index] {
            FreezeKind::Trunk
        } else if is_map(&body.values[node.output].shape, orders[node.output].as_ref())
            && node.op.facts().computes
        {
            FreezeKind::Branch
        } else {
            continue;
        };
        points.push(FreezePoint {
            value: original.output,
            tensor: body.values[node.output].name.clone(),
            node: node.name.clone(),
            shape: body.values[node.output].shape.clone(),
            order: orders[node.output].clone(),
            macs: macs_up_to(&body, &macs, index),
            kind,
        });
    }
    points
}

/// For every node, whether all paths to the outputs pass through its result.
///
/// They do if at that moment of the execution no other value is still waiting for a reader.
fn trunk(graph: &Graph, depends: &[bool]) -> Vec<bool> {
    let end = graph.nodes.len();
    let mut last_read = vec![0; graph.values.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| last_read[input] = index);
    }
    graph.outputs.iter().for_each(|&output| last_read[output] = end);
    let mut waiting = graph.inputs.len();
    let mut expiring = vec![0_usize; end + 1];
    graph.inputs.iter().for_each(|&input| expiring[last_read[input]] += 1);
    let mut trunk = Vec::with_capacity(end);
    for (index, node) in graph.nodes.iter().enumerate() {
        waiting -= expiring[index];
        if depends[node.output] {
            waiting += 1;
            expiring[last_read[node.output].max(index + 1).min(end)] += 1;
        }
        trunk.push(waiting == 1 && depends[node.output]);
    }
    trunk
}

/// For every value, whether its one reader only finishes it: what that gives is the better place.
fn unsettled(graph: &Graph) -> Vec<bool> {
    let mut readers = vec![0; graph.values.len()];
    let mut by_such = vec![false; graph.values.len()];
    graph.outputs.iter().for_each(|&output| readers[output] += 1);
    for node in &graph.nodes {
        for &input in &node.inputs {
            readers[input] += 1;
            by_such[input] = node.op.facts().finishes;
        }
    }
    readers.iter().zip(by_such).map(|(&count, such)| count == 1 && such).collect()
}

/// Whether a tensor is known to have more than one place.
fn is_map(shape: &[usize], order: Option<&Order>) -> bool {
    let places = order.and_then(|order| order.split_last()).map(|(_, places)| places);
    places.is_some_and(|places| places.iter().any(|axis| shape[axis + 1] > 1))
}

/// Those of all nodes that the one at `last` needs, itself included.
fn macs_up_to(graph: &Graph, macs_of: &[u64], last: usize) -> u64 {
    let mut needed = vec![false; graph.values.len()];
    needed[graph.nodes[last].output] = true;
    let mut macs = 0_u64;
    for (node, &own) in graph.nodes[..=last].iter().zip(macs_of).rev() {
        if needed[node.output] {
            macs = macs.saturating_add(own);
            node.inputs.iter().for_each(|&input| needed[input] = true);
        }
    }
    macs
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Binary, Conv, Gemm, Op, Window};

    use super::*;

    /// `stem → relu → [conv → relu → conv] + → relu → pool → reshape → classifier`.
    fn residual_network() -> Graph {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 2, 4, 4]);
        graph.inputs.push(x);
        let weight = graph.add_constant("w", vec![2, 2, 1, 1], vec![1.0; 4]).unwrap();
        let matrix = graph.add_constant("m", vec![2, 3], vec![1.0; 6]).unwrap();
        let mut node = |name: &str, op: Op, inputs: &[ValueId]| {
            graph.add_node(name, op, inputs.to_vec(), format!("{name}_out")).unwrap()
        };
        let pair = |n| vec![n; 2];
        let window = Window {
            kernel: pair(1),
            strides: pair(1),
            dilations: pair(1),
            pads_begin: pair(0),
            pads_end: pair(0),
        };
        let conv = || Op::Conv(Conv { window: window.clone(), groups: 1 });
        let relu = || Op::Activation(Activation::Relu);
        let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false };
        let stem = node("stem", conv(), &[x, weight]);
        let stem = node("stem_relu", relu(), &[stem]);
        let inner = node("expand", conv(), &[stem, weight]);
        let inner = node("expand_relu", relu(), &[inner]);
        let inner = node("project", conv(), &[inner, weight]);
        let sum = node("sum", Op::Binary(Binary::Add), &[stem, inner]);
        let sum = node("sum_relu", relu(), &[sum]);
        let pool = node("pool", Op::GlobalAveragePool, &[sum]);
        let flat = node("flat", Op::Reshape { shape: vec![1, 2] }, &[pool]);
        let logits = node("classifier", Op::Gemm(gemm), &[flat, matrix]);
        graph.outputs.push(logits);
        graph
    }

    #[test]
    fn a_residual_network_can_freeze_between_and_inside_its_blocks() {
        let graph = residual_network();
        let points = freeze_points(&graph);
        let found: Vec<_> =
            points.iter().map(|point| (point.node.as_str(), point.kind, point.macs)).collect();
        use FreezeKind::{Branch, Classifier, Trunk};
        assert_eq!(
            found,
            [
                ("stem_relu", Trunk, 64),
                ("expand_relu", Branch, 128),
                ("project", Branch, 192),
                ("sum_relu", Trunk, 192),
                ("flat", Classifier, 192),
            ]
        );
        for point in points {
            assert_eq!(graph.values[point.value].name, point.tensor);
        }
    }

    #[test]
    fn two_inputs_of_a_block_are_no_trunk() {
        let mut graph = residual_network();
        // A second way around the block and its sum.
        let x = graph.inputs[0];
        let around = graph.add_node("around", Op::GlobalAveragePool, vec![x], "around").unwrap();
        let pool = graph.value_named("pool_out").unwrap();
        let add = Op::Binary(Binary::Add);
        let sum = graph.add_node("late", add, vec![around, pool], "late").unwrap();
        graph.outputs = vec![sum];
        let points = freeze_points(&graph);
        let trunk: Vec<_> = points
            .iter()
            .filter(|point| point.kind == FreezeKind::Trunk)
            .map(|point| point.node.as_str())
            .collect();
        assert_eq!(trunk, ["late"]);
    }
}
