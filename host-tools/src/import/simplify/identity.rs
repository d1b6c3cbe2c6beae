use headstart::graph::{Activation, Binary, Op};

use super::rewrite::Rewrite;

/// A node that passes its operand on unchanged is left out.
pub(super) fn remove(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some(value) = passed_on(rewrite, node) else { return false };
    let operand = rewrite.operand(node, value);
    if rewrite.value(operand).shape != rewrite.output_shape(node) {
        return false;
    }
    // What is rounded to another scale changes, and its operand may be read elsewhere.
    let scale = &rewrite.value(rewrite.node(node).output).scale;
    if scale.is_some() && *scale != rewrite.value(operand).scale {
        return false;
    }
    rewrite.forward(node, operand);
    true
}

/// The operand that equals the result, if its shape does.
fn passed_on(rewrite: &mut Rewrite<'_>, node: usize) -> Option<usize> {
    let uniform = match rewrite.node(node).op {
        Op::Binary(_) => [0, 1].map(|index| rewrite.uniform(rewrite.operand(node, index))),
        _ => [None; 2],
    };
    let is_all = |index: usize, number: f32| uniform[index] == Some(number);
    let shape = &rewrite.value(rewrite.operand(node, 0)).shape;
    match &rewrite.node(node).op {
        Op::Concat { .. } if rewrite.node(node).inputs.len() == 1 => Some(0),
        Op::Transpose { permutation } => {
            permutation.iter().copied().eq(0..shape.len()).then_some(0)
        }
        // Of these, equal shapes say that nothing was done.
        Op::Reshape { .. } | Op::Pad(_) | Op::GlobalAveragePool | Op::ReduceMean { .. } => Some(0),
        Op::Activation(Activation::Clip { min, max })
            if *min == f32::NEG_INFINITY && *max == f32::INFINITY =>
        {
            Some(0)
        }
        Op::Binary(Binary::Mul) if is_all(1, 1.0) => Some(0),
        Op::Binary(Binary::Mul) if is_all(0, 1.0) => Some(1),
        Op::Binary(Binary::Add) if is_all(1, 0.0) => Some(0),
        Op::Binary(Binary::Add) if is_all(0, 0.0) => Some(1),
        Op::Binary(Binary::Sub) if is_all(1, 0.0) => Some(0),
        Op::Binary(Binary::Div) if is_all(1, 1.0) => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Pad, PadMode};

    use super::super::testing::{Sketch, names};
    use super::*;

    fn pad(end: usize) -> Op {
        let mode = PadMode::Constant(0.0);
        Op::Pad(Pad { begin: vec![0; 4], end: vec![0, 0, end, 0], mode })
    }

    #[test]
    fn nodes_that_change_nothing_go() {
        let cases: &[(&str, Op)] = &[
            ("reshape", Op::Reshape { shape: vec![1, 2, 3, 1] }),
            ("transpose", Op::Transpose { permutation: vec![0, 1, 2, 3] }),
            ("pad", pad(0)),
            ("concat", Op::Concat { axis: 1 }),
            ("mean of one", Op::ReduceMean { axes: vec![0, 3], keep_dims: true }),
            (
                "clip",
                Op::Activation(Activation::Clip { min: f32::NEG_INFINITY, max: f32::INFINITY }),
            ),
        ];
        for (name, op) in cases {
            let mut sketch = Sketch::new(&[1, 2, 3, 1]);
            let x = sketch.relu(0);
            let y = sketch.node(op.clone(), &[x]);
            assert_eq!(names(&sketch.check(&[y])), ["Relu"], "{name}");
        }
    }

    #[test]
    fn neutral_constants_go_on_the_side_where_they_are_neutral() {
        let cases = [
            (Binary::Mul, 1.0, false, true),
            (Binary::Mul, 1.0, true, true),
            (Binary::Add, 0.0, true, true),
            (Binary::Sub, 0.0, false, true),
            (Binary::Sub, 0.0, true, false),
            (Binary::Div, 1.0, false, true),
            (Binary::Div, 1.0, true, false),
            (Binary::Add, 1.0, false, false),
            (Binary::Mul, 0.0, false, false),
        ];
        for (binary, number, first, goes) in cases {
            let mut sketch = Sketch::new(&[1, 2]);
            let x = sketch.relu(0);
            let constant = sketch.constant(&[2], &[number; 2]);
            let operands = if first { [constant, x] } else { [x, constant] };
            let y = sketch.node(Op::Binary(binary), &operands);
            let simple = sketch.graph(&[y]);
            let simple = super::super::simplify(&simple, &mut Default::default(), &mut |_, _| None);
            assert_eq!(names(&simple).len() == 1, goes, "{binary:?} {number} {first}");
        }
    }

    #[test]
    fn nodes_that_change_something_stay() {
        let mut sketch = Sketch::new(&[1, 2, 3, 3]);
        let x = sketch.relu(0);
        let transposed = sketch.node(Op::Transpose { permutation: vec![0, 1, 3, 2] }, &[x]);
        let padded = sketch.node(pad(1), &[x]);
        let pooled = sketch.node(Op::GlobalAveragePool, &[x]);
        let ones = sketch.constant(&[2, 2, 1, 1], &[1.0; 4]);
        let larger = sketch.node(Op::Binary(Binary::Mul), &[x, ones]);
        for y in [transposed, padded, pooled, larger] {
            assert_eq!(names(&sketch.check(&[y])).len(), 2);
        }
    }
}
