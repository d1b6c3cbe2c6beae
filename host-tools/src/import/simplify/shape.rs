use headstart::graph::Op;

use super::rewrite::Rewrite;

/// Chains of `Reshape` and chains of `Transpose` become one; a `Transpose` that moves only
/// dimensions of extent 1 becomes a `Reshape`.
pub(super) fn merge(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some(&x) = rewrite.node(node).inputs.first() else { return false };
    let source = rewrite.source(x);
    let before = source.map(|source| (rewrite.operand(source, 0), rewrite.node(source).op.clone()));
    match (rewrite.node(node).op.clone(), before) {
        (Op::Reshape { shape }, Some((start, Op::Reshape { .. }))) => {
            rewrite.set(node, Op::Reshape { shape }, vec![start]);
            true
        }
        (
            Op::Transpose { permutation: outer },
            Some((start, Op::Transpose { permutation: inner })),
        ) => {
            let permutation = outer.iter().map(|&axis| inner[axis]).collect();
            rewrite.set(node, Op::Transpose { permutation }, vec![start]);
            true
        }
        (Op::Transpose { permutation }, _) => {
            let extents = &rewrite.value(x).shape;
            let moved: Vec<_> = permutation.iter().filter(|&&axis| extents[axis] != 1).collect();
            if !moved.is_sorted() {
                return false;
            }
            let shape = rewrite.output_shape(node).to_vec();
            rewrite.set(node, Op::Reshape { shape }, vec![x]);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Sketch, names};
    use super::*;

    fn transpose(permutation: &[usize]) -> Op {
        Op::Transpose { permutation: permutation.to_vec() }
    }

    #[test]
    fn chains_of_shapes_become_one_or_none() {
        let mut sketch = Sketch::new(&[1, 2, 3, 4]);
        let a = sketch.node(Op::Reshape { shape: vec![6, 4] }, &[0]);
        let b = sketch.node(Op::Reshape { shape: vec![1, 24] }, &[a]);
        assert_eq!(names(&sketch.check(&[b])), ["Reshape"]);
        assert_eq!(names(&sketch.check(&[a, b])), ["Reshape", "Reshape"], "both are read");

        let to_last = sketch.node(transpose(&[0, 2, 3, 1]), &[0]);
        let and_on = sketch.node(transpose(&[0, 3, 1, 2]), &[to_last]);
        let y = sketch.relu(and_on);
        assert_eq!(names(&sketch.check(&[y])), ["Relu"], "there and back");
        let twice = sketch.node(transpose(&[0, 2, 3, 1]), &[to_last]);
        assert_eq!(names(&sketch.check(&[twice])), ["Transpose"]);
    }

    #[test]
    fn a_transpose_of_single_pixels_moves_nothing() {
        let mut sketch = Sketch::new(&[1, 5, 1, 1]);
        let y = sketch.node(transpose(&[0, 2, 3, 1]), &[0]);
        assert_eq!(names(&sketch.check(&[y])), ["Reshape"]);
    }
}
