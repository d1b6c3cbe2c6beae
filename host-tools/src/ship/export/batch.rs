//! Whether the batch can stay open.

use headstart::graph::{Graph, Node, Op, ValueId};

/// Whether dimension 0 is the batch everywhere, so that its size can stay open.
pub(super) fn is_first_everywhere(graph: &Graph) -> bool {
    graph.inputs.iter().all(|&input| is_one(graph, input))
        && graph.outputs.iter().all(|&output| is_data(graph, output))
        && graph.nodes.iter().all(|node| treats_samples_alike(graph, node))
}

fn treats_samples_alike(graph: &Graph, node: &Node) -> bool {
    let rank_of = |id: ValueId| graph.values[id].shape.len();
    let rank = rank_of(node.output);
    let data: Vec<_> = node.inputs.iter().copied().filter(|&id| is_data(graph, id)).collect();
    let is_only_first = || data == [node.inputs[0]];
    let keeps_samples_apart = match &node.op {
        Op::Conv(_) | Op::BatchNormalization { .. } => is_only_first(),
        Op::Gemm(gemm) => is_only_first() && !gemm.trans_a,
        Op::Transpose { permutation } => permutation.first() == Some(&0),
        Op::Concat { axis } => *axis != 0 && data.len() == node.inputs.len(),
        Op::Softmax { axis, .. } => *axis != 0,
        Op::ReduceMean { axes, .. } => !axes.contains(&0),
        Op::Pad(pad) => pad.begin.first() == Some(&0) && pad.end.first() == Some(&0),
        // Rows of a matrix are samples only on the left side.
        Op::MatMul => {
            rank >= 2
                && data.iter().all(|&id| rank_of(id) == rank)
                && !(rank == 2 && is_data(graph, node.inputs[1]))
        }
        Op::Activation(_)
        | Op::PRelu
        | Op::Binary(_)
        | Op::MaxPool(_)
        | Op::MaxPoolIndices(_)
        | Op::AveragePool(_)
        | Op::GlobalAveragePool
        | Op::Reshape { .. }
        | Op::Resize(_) => true,
    };
    let is_aligned = !node.op.facts().broadcasts || data.iter().all(|&id| rank_of(id) == rank);
    keeps_samples_apart
        && is_aligned
        && !data.is_empty()
        && is_one(graph, node.output)
        && data.iter().all(|&id| is_one(graph, id))
}

fn is_one(graph: &Graph, id: ValueId) -> bool {
    graph.values[id].shape.first() == Some(&1)
}

fn is_data(graph: &Graph, id: ValueId) -> bool {
    graph.values[id].constant.is_none()
}
