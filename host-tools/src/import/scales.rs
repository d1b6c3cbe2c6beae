//! The scales that an already quantised model brings along, on the tensors of its float graph.

use headstart::graph::{Activation, Graph, GraphError, Op, Scale, ValueId};

/// Slope of a line that is a step for every number of which 1 part in 10³⁰ is nothing.
pub(crate) const STEEP: f32 = 1e30;

/// Whether the model brings scales along.
#[must_use]
pub fn is_quantised(graph: &Graph) -> bool {
    graph.values.iter().any(|value| value.scale.is_some())
}

/// Rounds the tensor `x` to `scale`, which is one of a computed tensor: `x` itself if its elements are of that scale already, or if it is
/// an input without one; else the result, called `name`, of a clamp called `node` to what 8 bits of that scale can say.
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
        && let Some(node) = graph.producer(value).map(|index| &graph.nodes[index])
        && node.op.facts().selects
    {
        value = node.inputs[0];
    }
    value
}
