//! Reads the scales that a model brings along, and what follows for tensors of which they say nothing.

use headstart::graph::{Graph, Scale, Value};

use crate::quantise::rounding::Quantisation;

/// The quantisation that the source model gives a tensor as a whole, if it does.
#[must_use]
pub fn own(value: &Value) -> Option<Quantisation> {
    match value.scale {
        Some(Scale::Tensor { scale, zero_point }) => Some(Quantisation { scale, zero_point }),
        _ => None,
    }
}

/// The quantisation of all tensors of a model, as far as its own scales say it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The quantisation of each value; `None` where nothing says it.
    pub quantisation: Vec<Option<Quantisation>>,
    /// Tensors that are rounded although the model does not say so, a line each.
    pub differences: Vec<String>,
}

/// The quantisation that a model's own scales fix, and what follows: moving elements and clamping them commute with rounding, so that what
/// goes into such a node is rounded like what comes out, and, if that is not known, the other way round.
#[must_use]
pub fn known(graph: &Graph) -> Known {
    let mut quantisation: Vec<Option<Quantisation>> = graph.values.iter().map(own).collect();
    let mut differences = Vec::new();
    for node in graph.nodes.iter().rev().filter(|node| node.op.facts().commutes_with_rounding) {
        let Some(behind) = quantisation[node.output] else { continue };
        for &input in &node.inputs {
            if quantisation[input].is_some() || graph.values[input].constant.is_some() {
                continue;
            }
            quantisation[input] = Some(behind);
            if graph.readers(input) > 1 {
                differences.push(format!(
                    "tensor '{}' is read before it is rounded, too: it is rounded for all who read it, by half a \
                     step of {} at most",
                    graph.values[input].name, behind.scale
                ));
            }
        }
    }
    for node in graph.nodes.iter().filter(|node| node.op.facts().commutes_with_rounding) {
        let first = quantisation[node.inputs[0]];
        let same = node.inputs.iter().all(|&input| quantisation[input] == first);
        if quantisation[node.output].is_none() && same {
            quantisation[node.output] = first;
        }
    }
    Known { quantisation, differences }
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Op};

    use super::*;
    use crate::import::scales::is_quantised;

    fn relu() -> Op {
        Op::Activation(Activation::Relu)
    }

    #[test]
    fn scales_reach_what_is_only_moved_or_bounded() {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 4]);
        graph.inputs.push(x);
        let a = graph.add_node("a", Op::Activation(Activation::Sigmoid), vec![x], "a").unwrap();
        let b = graph.add_node("b", relu(), vec![a], "b").unwrap();
        let c = graph.add_node("c", Op::Reshape { shape: vec![1, 4] }, vec![b], "c").unwrap();
        graph.outputs.push(c);
        assert_eq!(known(&graph).quantisation, [None; 4]);
        assert!(!is_quantised(&graph));
        graph.values[b].scale = Some(Scale::Tensor { scale: 0.5, zero_point: 3 });
        let q = Some(Quantisation { scale: 0.5, zero_point: 3 });
        let found = known(&graph);
        assert_eq!(found.quantisation, [None, q, q, q]);
        assert_eq!(found.differences.len(), 0);
        graph.outputs.push(a);
        assert!(known(&graph).differences[0].contains("'a'"));
    }
}
