use headstart::graph::{Graph, ValueId};

/// Bytes of int8 activations that are alive at once, at most, while `value` is computed; an
/// estimate, since the planner may place several in one another or leave gaps.
pub(super) fn peak_bytes(graph: &Graph, value: ValueId) -> u64 {
    // There may be thousands of cuts of a file of a megabyte: the part before each is looked at in place.
    let mut needed = vec![false; graph.values.len()];
    needed[value] = true;
    for node in graph.nodes.iter().rev() {
        if needed[node.output] {
            node.inputs.iter().for_each(|&input| needed[input] = true);
        }
    }
    let nodes = || graph.nodes.iter().filter(|node| needed[node.output]).enumerate();
    let mut last_read = vec![0; graph.values.len()];
    for (index, node) in nodes() {
        node.inputs.iter().for_each(|&input| last_read[input] = index);
    }
    last_read[value] = usize::MAX;
    let size = |id: ValueId| match graph.values[id].constant {
        Some(_) => 0,
        None => graph.values[id].shape.iter().map(|&n| n as u64).product::<u64>(),
    };
    let mut alive: u64 = graph.inputs.iter().map(|&id| size(id)).sum();
    let mut peak = alive;
    for (index, node) in nodes() {
        alive += size(node.output);
        peak = peak.max(alive);
        for &input in &node.inputs {
            // Once, however often the node reads it.
            if last_read[input] == index {
                last_read[input] = usize::MAX;
                alive -= size(input);
            }
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Binary, Op};

    use super::*;

    #[test]
    fn a_skip_connection_stays_alive() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 10]);
        graph.inputs.push(x);
        let relu = || Op::Activation(Activation::Relu);
        let a = graph.add_node("a", relu(), vec![x], "a").unwrap();
        let b = graph.add_node("b", relu(), vec![a], "b").unwrap();
        let sum = graph.add_node("sum", Op::Binary(Binary::Add), vec![b, x], "sum").unwrap();
        graph.outputs.push(sum);
        assert_eq!(peak_bytes(&graph, sum), 30);
        assert_eq!(peak_bytes(&graph, a), 20);
    }
}
