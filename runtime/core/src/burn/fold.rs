use std::vec::Vec;

use super::Executor;
use crate::burn::FloatBackend;
use crate::graph::{Graph, Node, Value};

/// The result of a node whose operands are all constants, for folding; `None` if one is not, or if
/// the node cannot be executed.
#[must_use]
pub fn evaluate<B: FloatBackend>(node: &Node, operands: &[&Value]) -> Option<Vec<f32>> {
    let mut graph = Graph::default();
    let mut inputs = Vec::with_capacity(operands.len());
    for operand in operands {
        operand.constant.as_ref()?;
        graph.values.push((*operand).clone());
        inputs.push(graph.values.len() - 1);
    }
    let output = graph.add_node(node.name.as_str(), node.op.clone(), inputs, "").ok()?;
    graph.outputs.push(output);
    let executor = Executor::<B>::new(&graph, &B::Device::default()).ok()?;
    Some(executor.run(&[]).ok()?.pop()?.data)
}
