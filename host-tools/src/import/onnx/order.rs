//! The order in which a file's nodes can be computed: its own, as far as that is one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use rten_onnx::onnx::{GraphProto, NodeProto};

use super::attributes::NodeView;
use crate::error::Problem;

/// The nodes' places in the file, each behind all that it reads; `tensors` are names of constants. Nodes that stand so in the file
/// already keep their order.
///
/// # Errors
///
/// [`Problem::Node`] for a name that nothing defines, and for nodes that need each other in a circle.
pub(super) fn order<'a>(
    graph: &'a GraphProto,
    tensors: impl Iterator<Item = &'a str>,
) -> Result<Vec<usize>, Problem> {
    let mut defined: HashMap<&str, Option<usize>> = HashMap::new();
    let inputs = graph.input.iter().filter_map(|info| info.name.as_deref());
    defined.extend(tensors.chain(inputs).map(|name| (name, None)));
    for (at, node) in graph.node.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            // What is defined twice is refused where it is defined.
            defined.entry(name).or_insert(Some(at));
        }
    }
    let mut waits = vec![0_usize; graph.node.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); graph.node.len()];
    for (at, node) in graph.node.iter().enumerate() {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            match defined.get(name.as_str()) {
                Some(None) => {}
                Some(&Some(from)) => {
                    waits[at] += 1;
                    readers[from].push(at);
                }
                None => {
                    return Err(refuse(node, &format!("reads {name:?}, which nothing defines")));
                }
            }
        }
    }
    let ready = (0..waits.len()).filter(|&at| waits[at] == 0).map(Reverse);
    let mut ready: BinaryHeap<Reverse<usize>> = ready.collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for &reader in &readers[at] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    match waits.iter().position(|&waits| waits > 0) {
        None => Ok(order),
        Some(at) => {
            Err(refuse(&graph.node[at], "needs its own result, through other nodes or itself"))
        }
    }
}

/// Whether each node is needed by an output of the graph.
pub(super) fn needed(graph: &GraphProto, order: &[usize]) -> Vec<bool> {
    let outputs = graph.output.iter().filter_map(|info| info.name.as_deref());
    let mut names: HashSet<&str> = outputs.collect();
    let mut needed = vec![false; graph.node.len()];
    for &at in order.iter().rev() {
        let node = &graph.node[at];
        if node.output.iter().any(|name| names.contains(name.as_str())) {
            needed[at] = true;
            names.extend(reads(node));
        }
    }
    needed
}

/// The names that a node reads, those of the graphs inside it included: those may be the outer graph's.
pub(super) fn reads(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        names.extend(node.input.iter().map(String::as_str).filter(|name| !name.is_empty()));
        let inner = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref());
        for graph in inner {
            waiting.extend(&graph.node);
            names.extend(graph.output.iter().filter_map(|info| info.name.as_deref()));
        }
    }
    names
}

fn refuse(node: &NodeProto, what: &str) -> Problem {
    let view = NodeView::new(node, 0);
    Problem::Node {
        node: view.name.clone(),
        operator: view.operator().escape_debug().to_string(),
        what: what.to_owned(),
    }
}
