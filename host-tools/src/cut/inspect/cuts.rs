//! Costs of each sensible cut: in the backbone, in the feature cache, and in training what is behind it.

use headstart::graph::{Graph, ValueId};

use super::{FreezeKind, FreezePoint, depends_on_input, find_classifier};

/// How many samples a step has for which memory is stated.
pub const BATCH: u64 = 20;

/// One cut, with everything behind it but the classifier trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The name of the tensor, or `none` for the input.
    pub tensor: String,
    /// The name of the node that makes the tensor.
    pub node: String,
    /// Bytes of weights before the cut, a byte each.
    pub backbone_bytes: u64,
    /// Multiply-accumulates before the cut, once a sample.
    pub backbone_macs: u64,
    /// Multiply-accumulates behind the cut, for one answer; training takes three times as many a sample and
    /// epoch.
    pub tail_macs: u64,
    /// How many numbers behind the cut are trained.
    pub parameters: u64,
    /// Bytes of a sample's features, a byte each.
    pub feature_bytes: u64,
    /// Bytes that training takes at most with AdamW and [`BATCH`] samples a step: weights, their gradients and two moments, and all results
    /// with their gradients.
    pub training_bytes: u64,
}

/// Lists the graph's freeze points through which everything passes, from the input on, with their costs; the last one leaves the classifier
/// alone.
#[must_use]
pub fn cuts(graph: &Graph, points: &[FreezePoint]) -> Vec<Cut> {
    let Some(classifier) = find_classifier(graph) else { return Vec::new() };
    let Ok(body) = graph.cut_at(&[classifier.features]) else { return Vec::new() };
    let prices = Prices::new(&body);
    let mut cuts = vec![prices.cut("none".to_owned(), String::new(), 0)];
    let mut nodes = body.nodes.iter().enumerate();
    // Both are in the order of execution.
    for point in points.iter().filter(|point| point.kind != FreezeKind::Branch) {
        let found = nodes.find(|(_, node)| body.values[node.output].name == point.tensor);
        let Some((index, _)) = found else { break };
        cuts.push(prices.cut(point.tensor.clone(), point.node.clone(), index + 1));
    }
    cuts
}

/// What lies before and behind each node, as sums over the order of execution.
///
/// Where all passes through one node's result, all that depends on the input and runs before it is needed for it: so one
/// pass over the network tells the price of every cut.
struct Prices {
    /// Elements of constants that the first nodes need, by how many those are.
    constants_before: Vec<u64>,
    /// Elements of constants that the nodes behind them need.
    constants_behind: Vec<u64>,
    macs_before: Vec<u64>,
    macs_behind: Vec<u64>,
    /// Elements of the results of the nodes behind.
    results_behind: Vec<u64>,
    /// Elements that cross.
    crossing: Vec<u64>,
}

impl Prices {
    fn new(body: &Graph) -> Self {
        let count = body.nodes.len();
        let depends = depends_on_input(body);
        let elements = |id: ValueId| {
            body.values[id].shape.iter().map(|&extent| extent as u64).product::<u64>()
        };
        // The first and the last node that needs each value, counted from 1: what is known needs a node if that reads it.
        let mut used = vec![(usize::MAX, 0); body.values.len()];
        for (index, node) in body.nodes.iter().enumerate().rev() {
            let (first, last) =
                if depends[node.output] { (index + 1, index + 1) } else { used[node.output] };
            for &input in &node.inputs {
                let use_of = &mut used[input];
                *use_of = (use_of.0.min(first), use_of.1.max(last));
            }
        }
        let mut prices = Self {
            constants_before: vec![0; count + 1],
            constants_behind: vec![0; count + 1],
            macs_before: vec![0; count + 1],
            macs_behind: vec![0; count + 1],
            results_behind: vec![0; count + 1],
            crossing: vec![0; count + 1],
        };
        for (value, &(first, last)) in body.values.iter().zip(&used).filter(|(_, used)| used.1 > 0)
        {
            if let Some(data) = &value.constant {
                prices.constants_before[first] += data.len() as u64;
                prices.constants_behind[last - 1] += data.len() as u64;
            }
        }
        for (index, node) in body.nodes.iter().enumerate() {
            let macs = body.multiply_accumulates(node);
            let (first, last) = used[node.output];
            if depends[node.output] {
                prices.macs_before[index + 1] += macs;
                prices.macs_behind[index] += macs;
                prices.results_behind[index] += elements(node.output);
                prices.crossing[index + 1] = elements(node.output);
            } else if last > 0 {
                prices.macs_before[first] += macs;
                prices.macs_behind[last - 1] += macs;
            }
        }
        let read = body.inputs.iter().filter(|&&input| used[input].1 > 0);
        prices.crossing[0] = read.map(|&input| elements(input)).sum();
        for sums in [&mut prices.constants_before, &mut prices.macs_before] {
            (0..count).for_each(|at| sums[at + 1] += sums[at]);
        }
        for sums in
            [&mut prices.constants_behind, &mut prices.macs_behind, &mut prices.results_behind]
        {
            (0..count).rev().for_each(|at| sums[at] += sums[at + 1]);
        }
        prices
    }

    /// The cut behind the first `nodes` nodes.
    fn cut(&self, tensor: String, node: String, nodes: usize) -> Cut {
        let parameters = self.constants_behind[nodes];
        let results = self.crossing[nodes] + self.results_behind[nodes];
        Cut {
            tensor,
            node,
            backbone_bytes: self.constants_before[nodes],
            backbone_macs: self.macs_before[nodes],
            tail_macs: self.macs_behind[nodes],
            parameters,
            feature_bytes: self.crossing[nodes],
            training_bytes: 16 * parameters + 8 * BATCH * results,
        }
    }
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Gemm, Op};

    use super::*;
    use crate::cut::inspect::freeze_points;

    #[test]
    fn a_later_cut_trains_less_and_keeps_more() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 8]);
        graph.inputs.push(x);
        let gemm = || Op::Gemm(Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false });
        let mut y = x;
        for (layer, [from, to]) in [[8, 6], [6, 4], [4, 3]].into_iter().enumerate() {
            let data = vec![0.5; from * to];
            let weight = graph.add_constant(format!("w{layer}"), vec![from, to], data).unwrap();
            y = graph
                .add_node(format!("fc{layer}"), gemm(), vec![y, weight], format!("y{layer}"))
                .unwrap();
            if layer < 2 {
                let relu = Op::Activation(Activation::Relu);
                y = graph
                    .add_node(format!("r{layer}"), relu, vec![y], format!("z{layer}"))
                    .unwrap();
            }
        }
        graph.outputs.push(y);
        let found = cuts(&graph, &freeze_points(&graph));
        let seen: Vec<_> = found
            .iter()
            .map(|cut| (cut.tensor.as_str(), cut.backbone_bytes, cut.parameters, cut.feature_bytes))
            .collect();
        assert_eq!(seen, [("none", 0, 72, 8), ("z0", 48, 24, 6), ("z1", 72, 0, 4)]);
        let [first, second, _] = &found[..] else { panic!("three cuts") };
        assert_eq!((first.tail_macs, second.backbone_macs, second.tail_macs), (72, 48, 24));
        // z0, y1 and z1 of 6, 4 and 4 elements.
        assert_eq!(second.training_bytes, 16 * 24 + 8 * 20 * 14);
    }
}
