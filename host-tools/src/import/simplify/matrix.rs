use headstart::graph::{Gemm, Op};

use super::rewrite::Rewrite;

/// `MatMul` of two matrices is a `Gemm`, which has a place for a bias.
pub(super) fn matmul_to_gemm(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let inputs = rewrite.node(node).inputs.clone();
    let is_matrix = |&input: &usize| rewrite.value(input).shape.len() == 2;
    if rewrite.node(node).op != Op::MatMul || !inputs.iter().all(is_matrix) {
        return false;
    }
    let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false };
    rewrite.set(node, Op::Gemm(gemm), inputs);
    true
}

#[cfg(test)]
mod tests {
    use headstart::graph::Binary;

    use super::super::testing::{Sketch, names};
    use super::*;

    #[test]
    fn a_matrix_product_and_its_bias_become_one_node() {
        let mut sketch = Sketch::new(&[1, 3]);
        let weight = sketch.weight(&[3, 4]);
        let bias = sketch.weight(&[4]);
        let x = sketch.node(Op::MatMul, &[0, weight]);
        let y = sketch.node(Op::Binary(Binary::Add), &[x, bias]);
        assert_eq!(names(&sketch.check(&[y])), ["Gemm"]);
        assert_eq!(names(&sketch.check(&[y, x])), ["Gemm", "Add"], "another reader");
    }

    #[test]
    fn products_of_stacks_stay() {
        let mut sketch = Sketch::new(&[1, 2, 3]);
        let weight = sketch.weight(&[3, 4]);
        let y = sketch.node(Op::MatMul, &[0, weight]);
        assert_eq!(names(&sketch.check(&[y])), ["MatMul"]);
    }
}
