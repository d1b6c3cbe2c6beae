//! Activations that exporters write as several nodes.

use headstart::graph::{Activation, Binary, Op, ValueId};

use super::rewrite::Rewrite;

/// The function that a node applies to its operand.
pub(super) fn activation(rewrite: &Rewrite<'_>, node: usize) -> Option<Activation> {
    match rewrite.node(node).op {
        Op::Activation(activation) => Some(activation),
        _ => None,
    }
}

/// The bounds of a node that does nothing but bound.
fn bounds(activation: Activation) -> Option<(f32, f32)> {
    match activation {
        Activation::Relu => Some((0.0, f32::INFINITY)),
        Activation::Clip { min, max } => Some((min, max)),
        _ => None,
    }
}

/// `Clip` and `Relu` one after the other are one `Clip`; a `Clip` from 0 on is a `Relu`.
pub(super) fn merge_bounds(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some(own) = activation(rewrite, node) else { return false };
    let Some((min, max)) = bounds(own) else { return false };
    let x = rewrite.operand(node, 0);
    let before = rewrite.source(x).and_then(|source| {
        let inner = bounds(activation(rewrite, source)?)?;
        Some((rewrite.operand(source, 0), inner))
    });
    // Where every input of −∞ and of ∞ ends up says all about a chain of bounds.
    let apply = |x: f32, (min, max): (f32, f32)| x.max(min).min(max);
    let (x, min, max) = match before {
        Some((start, inner)) => {
            let end = |x: f32| apply(apply(x, inner), (min, max));
            (start, end(f32::NEG_INFINITY), end(f32::INFINITY))
        }
        None => (x, min, max),
    };
    let merged = match (min, max) {
        (0.0, f32::INFINITY) => Activation::Relu,
        _ => Activation::Clip { min, max },
    };
    if merged == own && x == rewrite.operand(node, 0) {
        return false;
    }
    rewrite.set(node, Op::Activation(merged), vec![x]);
    true
}

/// `x · Sigmoid(x)` is `Silu`, `x · HardSigmoid(x)` with slope 1/6 is `HardSwish`, `x · Tanh(Softplus(x))` is `Mish`.
pub(super) fn fuse_product(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some((a, b)) = product(rewrite, node) else { return false };
    for (x, gate) in [(a, b), (b, a)] {
        let Some(source) = rewrite.sole_source(gate) else { continue };
        if let Some(Activation::Tanh) = activation(rewrite, source)
            && let Some(inner) = rewrite.sole_source(rewrite.operand(source, 0))
            && activation(rewrite, inner) == Some(Activation::Softplus)
            && rewrite.operand(inner, 0) == x
        {
            rewrite.set(node, Op::Activation(Activation::Mish), vec![x]);
            return true;
        }
        if rewrite.node(source).inputs.first() != Some(&x) {
            continue;
        }
        let fused = match activation(rewrite, source) {
            Some(Activation::Sigmoid) => Activation::Silu,
            Some(Activation::HardSigmoid { alpha, beta })
                if is_close(alpha, 1.0 / 6.0) && beta == 0.5 =>
            {
                Activation::HardSwish
            }
            _ => continue,
        };
        rewrite.set(node, Op::Activation(fused), vec![x]);
        return true;
    }
    false
}

/// `Clip(x + 3, 0, 6) / 6` is `HardSigmoid`, `x · Clip(x + 3, 0, 6) / 6` is `HardSwish`.
pub(super) fn fuse_scaled(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some(scaled) = sixth(rewrite, node) else { return false };
    if let Some(x) = shifted_relu6(rewrite, scaled) {
        let hard_sigmoid = Activation::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 };
        rewrite.set(node, Op::Activation(hard_sigmoid), vec![x]);
        return true;
    }
    let inner = rewrite.sole_source(scaled).and_then(|source| product(rewrite, source));
    let Some((a, b)) = inner else { return false };
    for (x, gate) in [(a, b), (b, a)] {
        if shifted_relu6(rewrite, gate) == Some(x) {
            rewrite.set(node, Op::Activation(Activation::HardSwish), vec![x]);
            return true;
        }
    }
    false
}

/// The operands of a product.
fn product(rewrite: &Rewrite<'_>, node: usize) -> Option<(ValueId, ValueId)> {
    match rewrite.node(node).op {
        Op::Binary(Binary::Mul) => Some((rewrite.operand(node, 0), rewrite.operand(node, 1))),
        _ => None,
    }
}

/// The value whose sixth a node computes.
fn sixth(rewrite: &Rewrite<'_>, node: usize) -> Option<ValueId> {
    let Op::Binary(binary) = rewrite.node(node).op else { return None };
    let (a, b) = (rewrite.operand(node, 0), rewrite.operand(node, 1));
    let is_number = |value, wanted| {
        // A constant of higher rank would add dimensions to the result.
        let keeps_rank = rewrite.value(value).shape.len() <= rewrite.output_shape(node).len();
        keeps_rank && rewrite.number(value).is_some_and(|number| is_close(number, wanted))
    };
    let found = match binary {
        Binary::Div if is_number(b, 6.0) => a,
        Binary::Mul if is_number(b, 1.0 / 6.0) => a,
        Binary::Mul if is_number(a, 1.0 / 6.0) => b,
        _ => return None,
    };
    (rewrite.value(found).shape == rewrite.output_shape(node)).then_some(found)
}

/// `x`, if `value` is `Clip(x + 3, 0, 6)` and read nowhere else.
fn shifted_relu6(rewrite: &Rewrite<'_>, value: ValueId) -> Option<ValueId> {
    let clip = rewrite.sole_source(value)?;
    if activation(rewrite, clip) != Some(Activation::Clip { min: 0.0, max: 6.0 }) {
        return None;
    }
    let add = rewrite.sole_source(rewrite.operand(clip, 0))?;
    if rewrite.node(add).op != Op::Binary(Binary::Add) {
        return None;
    }
    let (a, b) = (rewrite.operand(add, 0), rewrite.operand(add, 1));
    let (x, three) = if rewrite.number(a) == Some(3.0) { (b, a) } else { (a, b) };
    let same_shape = rewrite.value(x).shape == rewrite.output_shape(add);
    (same_shape && rewrite.number(three) == Some(3.0)).then_some(x)
}

/// Whether numbers of a model are the same but for rounding.
pub(super) fn is_close(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-5 * b.abs()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Sketch, names};
    use super::*;

    fn clip(min: f32, max: f32) -> Op {
        Op::Activation(Activation::Clip { min, max })
    }

    #[test]
    fn bounds_merge_to_what_the_chain_does() {
        let infinity = f32::INFINITY;
        let cases: &[(&[Op], Activation)] = &[
            (&[clip(0.0, infinity)], Activation::Relu),
            (&[clip(0.0, infinity), clip(-infinity, 6.0)], Activation::Clip { min: 0.0, max: 6.0 }),
            (&[clip(-1.0, 1.0), clip(0.0, infinity)], Activation::Clip { min: 0.0, max: 1.0 }),
            (&[clip(-2.0, -1.0), clip(0.0, 1.0)], Activation::Clip { min: 0.0, max: 0.0 }),
            (&[clip(2.0, 1.0), clip(0.0, 3.0)], Activation::Clip { min: 1.0, max: 1.0 }),
        ];
        for (chain, expected) in cases {
            let mut sketch = Sketch::new(&[1, 8]);
            let y = chain.iter().fold(0, |x, op| sketch.node(op.clone(), &[x]));
            let simple = sketch.check(&[y]);
            assert_eq!(simple.nodes.len(), 1);
            assert_eq!(simple.nodes[0].op, Op::Activation(*expected));
        }
    }

    #[test]
    fn gates_of_the_same_value_become_one_function() {
        let hard = Activation::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 };
        let cases = [
            (Activation::Sigmoid, vec!["Silu"]),
            (hard, vec!["HardSwish"]),
            (Activation::Tanh, vec!["Tanh", "Mul"]),
            (Activation::HardSigmoid { alpha: 0.2, beta: 0.5 }, vec!["HardSigmoid", "Mul"]),
        ];
        for (gate, expected) in cases {
            for swapped in [false, true] {
                let mut sketch = Sketch::new(&[1, 8]);
                let g = sketch.node(Op::Activation(gate), &[0]);
                let operands = if swapped { [g, 0] } else { [0, g] };
                let y = sketch.node(Op::Binary(Binary::Mul), &operands);
                assert_eq!(names(&sketch.check(&[y])), expected);
                assert_eq!(names(&sketch.check(&[y, g])).len(), 2, "the gate is read elsewhere");
            }
        }
        for (inner, expected) in
            [(Activation::Softplus, vec!["Mish"]), (Activation::Erf, vec!["Erf", "Tanh", "Mul"])]
        {
            let mut sketch = Sketch::new(&[1, 8]);
            let inner = sketch.node(Op::Activation(inner), &[0]);
            let gate = sketch.node(Op::Activation(Activation::Tanh), &[inner]);
            let y = sketch.node(Op::Binary(Binary::Mul), &[gate, 0]);
            assert_eq!(names(&sketch.check(&[y])), expected);
        }
        let mut sketch = Sketch::new(&[1, 8]);
        let x = sketch.relu(0);
        let gate = sketch.node(Op::Activation(Activation::Sigmoid), &[x]);
        let y = sketch.node(Op::Binary(Binary::Mul), &[0, gate]);
        assert_eq!(names(&sketch.check(&[y])).len(), 3, "a gate of another value");
    }

    #[test]
    fn hard_functions_are_found_in_their_parts() {
        let mut sketch = Sketch::new(&[1, 8]);
        let three = sketch.constant(&[], &[3.0]);
        let six = sketch.constant(&[1], &[6.0]);
        let sixth = sketch.constant(&[], &[1.0 / 6.0]);
        let shifted = sketch.node(Op::Binary(Binary::Add), &[0, three]);
        let bounded = sketch.node(clip(0.0, 6.0), &[shifted]);
        let gate = sketch.node(Op::Binary(Binary::Div), &[bounded, six]);
        let same_gate = sketch.node(Op::Binary(Binary::Mul), &[sixth, bounded]);
        let whole = sketch.node(Op::Binary(Binary::Mul), &[bounded, 0]);
        let product = sketch.node(Op::Binary(Binary::Mul), &[0, gate]);
        let quotient = sketch.node(Op::Binary(Binary::Div), &[whole, six]);
        assert_eq!(names(&sketch.check(&[gate])), ["HardSigmoid"]);
        assert_eq!(names(&sketch.check(&[same_gate])), ["HardSigmoid"]);
        assert_eq!(names(&sketch.check(&[product])), ["HardSwish"]);
        assert_eq!(names(&sketch.check(&[quotient])), ["HardSwish"]);
        assert_eq!(
            names(&sketch.check(&[quotient, bounded])).len(),
            4,
            "bounded is read elsewhere"
        );

        let other = sketch.node(clip(0.0, 5.0), &[shifted]);
        let other = sketch.node(Op::Binary(Binary::Div), &[other, six]);
        assert_eq!(names(&sketch.check(&[other])).len(), 3, "other bounds");
    }
}
