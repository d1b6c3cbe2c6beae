use std::sync::Arc;

use headstart::graph::{Op, Scale, Value, elements};

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
        Op::Reshape { .. } => Some(first.clone()),
        _ => evaluate(rewrite.node(node), &operands).map(Arc::from),
    };
    let expected = elements(rewrite.output_shape(node)).ok();
    match data {
        Some(data) if Some(data.len()) == expected => {
            let scale =
                moved_scale(&rewrite.node(node).op, operands[0], rewrite.output_shape(node));
            rewrite.set_constant(node, data, scale);
            true
        }
        _ => false,
    }
}

/// The scales of a constant whose elements were moved.
fn moved_scale(op: &Op, x: &Value, shape: &[usize]) -> Option<Scale> {
    let Some(Scale::Constant { scales, axis }) = &x.scale else { return None };
    let axis = match op {
        Op::Transpose { permutation } => permutation.iter().position(|from| from == axis)?,
        Op::Reshape { .. } if scales.len() == 1 => 0,
        // The axis is still there, and no element crossed it.
        Op::Reshape { .. } => {
            let before = x.shape.get(..*axis)?.iter().product::<usize>();
            (0..shape.len()).find(|&at| {
                shape[at] == scales.len() && shape[..at].iter().product::<usize>() == before
            })?
        }
        _ => return None,
    };
    Some(Scale::Constant { scales: scales.clone(), axis })
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
