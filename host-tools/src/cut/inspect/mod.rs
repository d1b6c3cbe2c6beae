//! Inspects a graph: its layers, where it could be frozen, and which part of it is the classifier.

mod classifier;
mod cuts;
mod freeze_points;

pub use classifier::{Classifier, Linear, find_classifier, find_pixel_classifier};
pub use cuts::{BATCH, Cut, cuts};
pub use freeze_points::{FreezeKind, FreezePoint, freeze_points, freeze_points_of_part};

use headstart::graph::Graph;

/// One node, as `inspect` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The node's name.
    pub name: String,
    /// The operator that the node applies.
    pub operator: &'static str,
    /// The name of the tensor that it makes.
    pub output: String,
    /// The shape of the output, batch included.
    pub shape: Vec<usize>,
    /// How many elements the constant operands have.
    pub parameters: u64,
    /// How many multiply-accumulates the node takes for one sample.
    pub macs: u64,
}

/// Lists all nodes in the order of execution.
#[must_use]
pub fn layers(graph: &Graph) -> Vec<Layer> {
    let layer = |node: &headstart::graph::Node| {
        let constants = node.inputs.iter().filter_map(|&id| graph.values[id].constant.as_ref());
        Layer {
            name: node.name.clone(),
            operator: node.op.name(),
            output: graph.values[node.output].name.clone(),
            shape: graph.values[node.output].shape.clone(),
            parameters: constants.map(|data| data.len() as u64).sum(),
            macs: graph.multiply_accumulates(node),
        }
    };
    graph.nodes.iter().map(layer).collect()
}

/// For every value, whether it depends on what the caller supplies.
fn depends_on_input(graph: &Graph) -> Vec<bool> {
    let mut depends = vec![false; graph.values.len()];
    graph.inputs.iter().for_each(|&input| depends[input] = true);
    for node in &graph.nodes {
        depends[node.output] = node.inputs.iter().any(|&input| depends[input]);
    }
    depends
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Conv, Op, Window};

    use super::*;

    #[test]
    fn a_layer_counts_its_weights_and_products() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 3, 8, 8]);
        graph.inputs.push(x);
        let weight = graph.add_constant("w", vec![4, 3, 3, 3], vec![0.0; 108]).unwrap();
        let bias = graph.add_constant("b", vec![4], vec![0.0; 4]).unwrap();
        let pair = |n| vec![n; 2];
        let window = Window {
            kernel: pair(3),
            strides: pair(2),
            dilations: pair(1),
            pads_begin: pair(1),
            pads_end: pair(1),
        };
        let conv = Op::Conv(Conv { window, groups: 1 });
        let y = graph.add_node("conv", conv, vec![x, weight, bias], "y").unwrap();
        let z = graph.add_node("relu", Op::Activation(Activation::Relu), vec![y], "z").unwrap();
        graph.outputs.push(z);
        let found = layers(&graph);
        assert_eq!(found[0].parameters, 112);
        assert_eq!(found[0].macs, 4 * 4 * 4 * 27);
        assert_eq!((found[1].operator, found[1].parameters, found[1].macs), ("Relu", 0, 0));
    }
}
