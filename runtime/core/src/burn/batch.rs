//! Which values of a graph grow with the batch.

use std::vec;
use std::vec::Vec;

use crate::graph::{Graph, Node, Op};

/// For each value whether its first dimension grows with the batch, or the index of the first node
/// that mixes the batch with something else: such a graph runs only at the batch that it was built
/// for. The graph's shapes and order are already verified.
pub(super) fn batched(graph: &Graph) -> Result<Vec<bool>, usize> {
    let mut batched = vec![false; graph.values.len()];
    for &input in &graph.inputs {
        batched[input] = true;
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.inputs.iter().any(|&input| batched[input]) {
            if !keeps_batch_first(graph, node, &batched) {
                return Err(index);
            }
            batched[node.output] = true;
        }
    }
    Ok(batched)
}

/// Whether rows of the batch stay apart and first; at least one operand grows with the batch.
fn keeps_batch_first(graph: &Graph, node: &Node, batched: &[bool]) -> bool {
    let grows = |operand: usize| node.inputs.get(operand).is_some_and(|&id| batched[id]);
    let shape = |operand: usize| graph.values[node.inputs[operand]].shape.as_slice();
    let only_first = (1..node.inputs.len()).all(|operand| !grows(operand));
    let result = graph.values[node.output].shape.as_slice();
    // A scalar has no dimension that could grow.
    if result.is_empty() || (0..node.inputs.len()).any(|i| grows(i) && shape(i).is_empty()) {
        return false;
    }
    match &node.op {
        Op::Conv(_) | Op::BatchNormalization { .. } => only_first,
        // The numbers of a later row's elements are those of no single row.
        Op::MaxPoolIndices(_) => false,
        Op::Activation(_) | Op::MaxPool(_) | Op::AveragePool(_) | Op::GlobalAveragePool => true,
        Op::Resize(_) => true,
        Op::Binary(_) | Op::PRelu => (0..2).all(|operand| {
            let aligned = shape(operand).len() == result.len();
            if grows(operand) { aligned } else { !aligned || shape(operand)[0] == 1 }
        }),
        Op::ReduceMean { axes, .. } => !axes.contains(&0),
        Op::Softmax { axis, .. } => *axis > 0,
        Op::Concat { axis } => *axis > 0 && (0..node.inputs.len()).all(grows),
        Op::Pad(pad) => pad.begin[0] == 0 && pad.end[0] == 0,
        Op::Reshape { .. } => true,
        Op::Transpose { permutation } => permutation[0] == 0,
        Op::Gemm(gemm) => {
            !gemm.trans_a
                && only_first
                && (node.inputs.len() < 3 || {
                    let c = shape(2);
                    c.len() < 2 || c[0] == 1
                })
        }
        Op::MatMul => match (grows(0), grows(1)) {
            (true, false) => shape(0).len() >= 2 && shape(1).len() <= 2,
            (true, true) => shape(0).len() >= 3 && shape(0).len() == shape(1).len(),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Binary};

    fn graph_of(op: Op, second: Option<Vec<usize>>) -> Graph {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 4, 6]);
        graph.inputs.push(x);
        let mut operands = vec![x];
        if let Some(shape) = second {
            let data = vec![0.0; shape.iter().product()];
            operands.push(graph.add_constant("c", shape, data).unwrap());
        }
        let y = graph.add_node("node", op, operands, "y").unwrap();
        graph.outputs.push(y);
        graph
    }

    #[test]
    fn the_batch_may_not_be_mixed_averaged_or_moved() {
        let mixing = [
            Op::Transpose { permutation: vec![1, 0, 2] },
            Op::ReduceMean { axes: vec![0, 2], keep_dims: true },
            Op::Softmax { axis: 0, flatten: true },
        ];
        for op in mixing {
            assert_eq!(batched(&graph_of(op, None)), Err(0));
        }
        assert_eq!(batched(&graph_of(Op::Concat { axis: 1 }, Some(vec![1, 2, 6]))), Err(0));
        assert_eq!(batched(&graph_of(Op::Binary(Binary::Add), Some(vec![3, 4, 6]))), Err(0));
    }

    #[test]
    fn rows_that_stay_apart_may_be_many() {
        let apart = [
            Op::Transpose { permutation: vec![0, 2, 1] },
            Op::ReduceMean { axes: vec![1, 2], keep_dims: false },
            Op::Reshape { shape: vec![24] },
            Op::Activation(Activation::Relu),
        ];
        for op in apart {
            assert_eq!(batched(&graph_of(op, None)), Ok(vec![true, true]));
        }
        assert!(batched(&graph_of(Op::Binary(Binary::Mul), Some(vec![4, 1]))).is_ok());
        assert!(batched(&graph_of(Op::MatMul, Some(vec![6, 5]))).is_ok());
    }
}
