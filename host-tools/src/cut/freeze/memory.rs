use headstart::graph::{Graph, ValueId};

/// Bytes of int8 activations that are alive at once, at most, while `value` is computed; an
/// estimate, since the planner may place several in one another or leave gaps.
pub(super) fn peak_bytes(graph: &Graph, value: ValueId) -> u64 {
    let Ok(part) = graph.cut_at(&[value]) else { return 0 };
    let mut last_read = vec![0; part.values.len()];
    for (index, node) in part.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| last_read[input] = index);
    }
    part.outputs.iter().for_each(|&output| last_read[output] = part.nodes.len());
    let size = |id: ValueId| match part.values[id].constant {
        Some(_) => 0,
        None => part.values[id].shape.iter().map(|&n| n as u64).product::<u64>(),
    };
    let mut alive: u64 = part.inputs.iter().map(|&id| size(id)).sum();
    let mut peak = alive;
    for (index, node) in part.nodes.iter().enumerate() {
        alive += size(node.output);
        peak = peak.max(alive);
        let mut read = node.inputs.clone();
        read.sort_unstable();
        read.dedup();
        let freed: u64 =
            read.iter().filter(|&&id| last_read[id] == index).map(|&id| size(id)).sum();
        alive -= freed;
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
