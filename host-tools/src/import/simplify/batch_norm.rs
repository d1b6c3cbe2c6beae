use headstart::graph::Op;

use super::affine::{Affine, absorb, is_absorbing};
use super::rewrite::Rewrite;

/// `BatchNormalization` of a convolution or matrix product goes into its weights.
pub(super) fn into_producer(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Op::BatchNormalization { epsilon } = rewrite.node(node).op else { return false };
    if !is_absorbing(rewrite, rewrite.operand(node, 0)) {
        return false;
    }
    let parameter = |index: usize| rewrite.constant(rewrite.operand(node, index));
    let (Some(gamma), Some(beta), Some(mean), Some(variance)) =
        (parameter(1), parameter(2), parameter(3), parameter(4))
    else {
        return false;
    };
    let channels = gamma.len();
    if !rewrite.take(channels) {
        return false;
    }
    let scale: Vec<_> = (0..channels)
        .map(|c| f64::from(gamma[c]) / (f64::from(variance[c]) + f64::from(epsilon)).sqrt())
        .collect();
    // A variance of −epsilon is no network; the executor will show what it does with it.
    if !scale.iter().all(|scale| scale.is_finite()) {
        return false;
    }
    let shift = (0..channels).map(|c| f64::from(beta[c]) - f64::from(mean[c]) * scale[c]).collect();
    let x = rewrite.operand(node, 0);
    absorb(rewrite, node, x, &Affine { scale, shift })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Sketch, gemm, names};
    use super::*;
    use headstart::graph::ValueId;

    fn batch_norm(sketch: &mut Sketch, x: ValueId, channels: usize) -> ValueId {
        let parameters = [
            sketch.positive(&[channels]),
            sketch.weight(&[channels]),
            sketch.weight(&[channels]),
            sketch.positive(&[channels]),
        ];
        let [gamma, beta, mean, variance] = parameters;
        let op = Op::BatchNormalization { epsilon: 1e-3 };
        sketch.node(op, &[x, gamma, beta, mean, variance])
    }

    #[test]
    fn a_convolution_takes_its_normalisation_with_and_without_bias() {
        for with_bias in [false, true] {
            let mut sketch = Sketch::new(&[1, 2, 5, 5]);
            let x = sketch.conv(0, 3, with_bias);
            let y = batch_norm(&mut sketch, x, 3);
            let y = sketch.relu(y);
            let simple = sketch.check(&[y]);
            assert_eq!(names(&simple), ["Conv", "Relu"]);
            assert_eq!(simple.nodes[0].name, sketch.graph(&[x]).nodes[0].name);
        }
    }

    #[test]
    fn a_matrix_product_takes_its_normalisation() {
        let mut sketch = Sketch::new(&[1, 3]);
        let weight = sketch.weight(&[5, 3]);
        let x = sketch.node(gemm(true), &[0, weight]);
        let y = batch_norm(&mut sketch, x, 5);
        assert_eq!(names(&sketch.check(&[y])), ["Gemm"]);
    }

    #[test]
    fn a_convolution_that_something_else_reads_keeps_its_values() {
        let mut sketch = Sketch::new(&[1, 2, 5, 5]);
        let x = sketch.conv(0, 3, true);
        let y = batch_norm(&mut sketch, x, 3);
        let z = sketch.relu(x);
        assert_eq!(names(&sketch.check(&[y, z])), ["Conv", "BatchNormalization", "Relu"]);
        let y = batch_norm(&mut sketch, 0, 2);
        assert_eq!(names(&sketch.check(&[y])), ["BatchNormalization"], "of the input itself");
    }
}
