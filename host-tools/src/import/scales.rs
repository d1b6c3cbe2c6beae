//! What an already quantised model says of its tensors, and what follows from it for those of which it says
//! nothing.

use headstart::graph::{Activation, Graph, GraphError, Op, PadMode, Scale, Value, ValueId};

use crate::quantise::rounding::Quantisation;

/// Whether the model brings scales along.
#[must_use]
pub fn is_quantised(graph: &Graph) -> bool {
    graph.values.iter().any(|value| value.scale.is_some())
}

/// The tensor's own quantisation.
#[must_use]
pub fn own(value: &Value) -> Option<Quantisation> {
    match value.scale {
        Some(Scale::Tensor { scale, zero_point }) => Some(Quantisation { scale, zero_point }),
        _ => None,
    }
}

/// The tensor `x` rounded to `scale`, which is one of a computed tensor: `x` itself if its elements are of that
/// scale already, or if it is an input without one; else the result, called `name`, of a clamp called `node` to
/// what 8 bits of that scale can say.
///
/// # Errors
///
/// Whatever the graph refuses.
pub fn round(
    graph: &mut Graph,
    x: ValueId,
    scale: Scale,
    node: &str,
    name: &str,
) -> Result<ValueId, GraphError> {
    if carried(graph, x) == Some(&scale) {
        return Ok(x);
    }
    if graph.inputs.contains(&x) && graph.values[x].scale.is_none() {
        graph.values[x].scale = Some(scale);
        return Ok(x);
    }
    let (min, max) = match scale {
        Scale::Tensor { scale, zero_point } => {
            let end = |q: i8| (f32::from(q) - f32::from(zero_point)) * scale;
            (end(i8::MIN), end(i8::MAX))
        }
        Scale::Constant { .. } => (f32::NEG_INFINITY, f32::INFINITY),
    };
    let clamp = Op::Activation(Activation::Clip { min, max });
    let rounded = graph.add_node(node, clamp, vec![x], name)?;
    graph.values[rounded].scale = Some(scale);
    Ok(rounded)
}

/// The scale that the elements of `value` have.
#[must_use]
pub fn carried(graph: &Graph, value: ValueId) -> Option<&Scale> {
    graph.values[origin(graph, value)].scale.as_ref()
}

/// The tensor whose elements `value` holds in another order or shape: the nearest that has a scale, or the first.
#[must_use]
pub fn origin(graph: &Graph, mut value: ValueId) -> ValueId {
    while graph.values[value].scale.is_none()
        // The producer is one of the last nodes while a graph grows.
        && let Some(node) = graph.nodes.iter().rev().find(|node| node.output == value)
        && moves(&node.op)
    {
        value = node.inputs[0];
    }
    value
}

/// What the scales of a model say of all of its tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Per value; `None` where nothing says it.
    pub quantisation: Vec<Option<Quantisation>>,
    /// Where a tensor is rounded although the model does not say so, a line each.
    pub differences: Vec<String>,
}

/// Scales, and what follows: moving elements and clamping them commute with rounding, so that what goes into
/// such a node is rounded like what comes out, and, if that is not known, the other way round.
#[must_use]
pub fn known(graph: &Graph) -> Known {
    let mut quantisation: Vec<Option<Quantisation>> = graph.values.iter().map(own).collect();
    let mut differences = Vec::new();
    for node in graph.nodes.iter().rev().filter(|node| commutes(&node.op)) {
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
    for node in graph.nodes.iter().filter(|node| commutes(&node.op)) {
        let first = quantisation[node.inputs[0]];
        let same = node.inputs.iter().all(|&input| quantisation[input] == first);
        if quantisation[node.output].is_none() && same {
            quantisation[node.output] = first;
        }
    }
    Known { quantisation, differences }
}

/// Whether an operator gives only elements of its one operand, or zeros.
fn moves(op: &Op) -> bool {
    match op {
        Op::Reshape { .. } | Op::Transpose { .. } | Op::MaxPool(_) => true,
        Op::Pad(pad) => !matches!(pad.mode, PadMode::Constant(x) if x != 0.0),
        _ => false,
    }
}

/// Whether rounding the result of an operator is the same as rounding what it reads.
fn commutes(op: &Op) -> bool {
    let clamps = matches!(op, Op::Activation(Activation::Relu | Activation::Clip { .. }));
    moves(op) || clamps || matches!(op, Op::Concat { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

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
