use headstart::graph::{Op, elements};

use super::Fold;
use super::rewrite::Rewrite;

/// A node of constants only becomes a constant. Reshapes need no evaluator.
pub(super) fn constant(rewrite: &mut Rewrite<'_>, node: usize, evaluate: &mut Fold<'_>) -> bool {
    let operands: Vec<_> =
        rewrite.node(node).inputs.iter().map(|&input| rewrite.value(input)).collect();
    let Some(first) = operands.first().and_then(|value| value.constant.as_ref()) else {
        return false;
    };
    if operands.iter().any(|value| value.constant.is_none()) {
        return false;
    }
    let data = match rewrite.node(node).op {
        Op::Reshape { .. } => Some(first.to_vec()),
        _ => evaluate(rewrite.node(node), &operands),
    };
    let expected = elements(rewrite.output_shape(node)).ok();
    match data {
        Some(data) if Some(data.len()) == expected => {
            rewrite.set_constant(node, data);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Binary, Op};

    use super::super::simplify;
    use super::super::testing::{Sketch, names};

    #[test]
    fn what_depends_on_constants_only_is_computed_once() {
        let mut sketch = Sketch::new(&[1, 2]);
        let a = sketch.constant(&[2], &[-1.0, 4.0]);
        let relu = sketch.node(Op::Activation(Activation::Relu), &[a]);
        let reshaped = sketch.node(Op::Reshape { shape: vec![1, 2] }, &[relu]);
        let sum = sketch.node(Op::Binary(Binary::Add), &[0, reshaped]);
        let graph = sketch.graph(&[sum]);
        let simple = sketch.check(&[sum]);
        assert_eq!(names(&simple), ["Add"]);

        let unable = simplify(&graph, &mut Default::default(), &mut |_, _| None);
        assert_eq!(names(&unable), ["Relu", "Reshape", "Add"]);
    }
}
