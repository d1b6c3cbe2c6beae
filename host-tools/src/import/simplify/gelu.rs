//! The Gaussian error linear unit, which exporters write as five to eight nodes.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use headstart::graph::{Activation, Binary, GELU_CUBE, GELU_SLOPE, Op, ValueId};

use super::activation::{activation, is_close};
use super::rewrite::Rewrite;

/// Products that a product may consist of.
const MOST_FACTORS: usize = 4;

/// `x · (1 + Erf(x / √2)) / 2`, its factors in any order, is `Gelu`; with `Tanh` of a cubic it is `GeluTanh`.
pub(super) fn fuse(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some((number, [a, b])) = factors(rewrite, node) else { return false };
    if !is_close(number, 0.5) {
        return false;
    }
    for (x, gate) in [(a, b), (b, a)] {
        if rewrite.value(x).shape == rewrite.output_shape(node)
            && let Some(fused) = gate_of(rewrite, gate, x)
        {
            rewrite.set(node, Op::Activation(fused), vec![x]);
            return true;
        }
    }
    false
}

/// A product as a number and two tensors.
fn factors(rewrite: &Rewrite<'_>, node: usize) -> Option<(f32, [ValueId; 2])> {
    let (mut number, mut tensors, mut open) = (1.0, Vec::new(), vec![node]);
    let mut left = MOST_FACTORS;
    while let Some(node) = open.pop() {
        left = left.checked_sub(1)?;
        let (a, b) = (rewrite.operand(node, 0), *rewrite.node(node).inputs.get(1)?);
        match rewrite.node(node).op {
            Op::Binary(Binary::Mul) => {}
            Op::Binary(Binary::Div) => {
                number /= rewrite.number(b)?;
                tensors.push(a);
                continue;
            }
            _ => return None,
        }
        for value in [a, b] {
            let is_product = |&source: &usize| {
                let is_number = |&id: &ValueId| rewrite.number(id).is_some();
                match rewrite.node(source).op {
                    Op::Binary(Binary::Mul) => true,
                    Op::Binary(Binary::Div) => {
                        rewrite.node(source).inputs[1..].iter().all(is_number)
                    }
                    _ => false,
                }
            };
            match (rewrite.number(value), rewrite.sole_source(value).filter(is_product)) {
                (Some(factor), _) => number *= factor,
                (None, Some(source)) => open.push(source),
                (None, None) => tensors.push(value),
            }
        }
    }
    Some((number, tensors.try_into().ok()?))
}

/// The function that `x` times `gate` is twice.
fn gate_of(rewrite: &Rewrite<'_>, gate: ValueId, x: ValueId) -> Option<Activation> {
    let (share, one) = with_number(rewrite, gate, Binary::Add)?;
    let source = rewrite.sole_source(share)?;
    let inner = rewrite.operand(source, 0);
    match activation(rewrite, source)? {
        _ if one != 1.0 => None,
        Activation::Erf => {
            let (operand, factor) = scaled(rewrite, inner)?;
            (operand == x && is_close(factor, FRAC_1_SQRT_2)).then_some(Activation::Gelu)
        }
        Activation::Tanh => {
            let (line, slope) = scaled(rewrite, inner)?;
            let sum = rewrite.source(line)?;
            let (a, b) = operands(rewrite, sum, Binary::Add)?;
            let cube = if a == x { b } else { a };
            let (power, factor) = scaled(rewrite, cube)?;
            let is_sum = [a, b].contains(&x) && is_cube(rewrite, power, x);
            let is_gelu = is_close(slope, GELU_SLOPE as f32) && is_close(factor, GELU_CUBE as f32);
            (is_sum && is_gelu).then_some(Activation::GeluTanh)
        }
        _ => None,
    }
}

/// Whether a value is `x³`.
fn is_cube(rewrite: &Rewrite<'_>, value: ValueId, x: ValueId) -> bool {
    let Some(source) = rewrite.source(value) else { return false };
    if let Some(Activation::Power { exponent }) = activation(rewrite, source) {
        return exponent == 3.0 && rewrite.operand(source, 0) == x;
    }
    let Some((a, b)) = operands(rewrite, source, Binary::Mul) else { return false };
    [(a, b), (b, a)].into_iter().any(|(factor, square)| {
        let inner = rewrite.source(square).and_then(|node| operands(rewrite, node, Binary::Mul));
        factor == x && inner == Some((x, x))
    })
}

/// A value as a tensor times a number.
fn scaled(rewrite: &Rewrite<'_>, value: ValueId) -> Option<(ValueId, f32)> {
    if let Some(found) = with_number(rewrite, value, Binary::Mul) {
        return Some(found);
    }
    let (a, b) = operands(rewrite, rewrite.source(value)?, Binary::Div)?;
    let divisor = rewrite.number(b)?;
    let factor = if is_close(divisor, SQRT_2) { FRAC_1_SQRT_2 } else { 1.0 / divisor };
    Some((a, factor))
}

/// The operands of a node that adds or multiplies a tensor and a number.
fn with_number(rewrite: &Rewrite<'_>, value: ValueId, op: Binary) -> Option<(ValueId, f32)> {
    let (a, b) = operands(rewrite, rewrite.source(value)?, op)?;
    match (rewrite.number(a), rewrite.number(b)) {
        (None, Some(number)) => Some((a, number)),
        (Some(number), None) => Some((b, number)),
        _ => None,
    }
}

fn operands(rewrite: &Rewrite<'_>, node: usize, op: Binary) -> Option<(ValueId, ValueId)> {
    (rewrite.node(node).op == Op::Binary(op))
        .then(|| (rewrite.operand(node, 0), rewrite.operand(node, 1)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Sketch, names};
    use super::*;

    fn act(activation: Activation) -> Op {
        Op::Activation(activation)
    }

    const MUL: Op = Op::Binary(Binary::Mul);
    const ADD: Op = Op::Binary(Binary::Add);

    #[test]
    fn a_gelu_is_found_in_its_parts_in_whatever_order_they_stand() {
        for order in 0..4 {
            let mut sketch = Sketch::new(&[1, 8]);
            let root = sketch.constant(&[], &[if order == 0 { SQRT_2 } else { FRAC_1_SQRT_2 }]);
            let (one, half) = (sketch.constant(&[], &[1.0]), sketch.constant(&[1], &[0.5]));
            let x = sketch.relu(0);
            let scale = if order == 0 { Op::Binary(Binary::Div) } else { MUL };
            let scaled = sketch.node(scale, &[x, root]);
            let erf = sketch.node(act(Activation::Erf), &[scaled]);
            let gate = sketch.node(ADD, &[one, erf]);
            let y = match order {
                0 => {
                    let product = sketch.node(MUL, &[x, gate]);
                    sketch.node(MUL, &[product, half])
                }
                1 => {
                    let halved = sketch.node(MUL, &[x, half]);
                    sketch.node(MUL, &[halved, gate])
                }
                2 => {
                    let two = sketch.constant(&[], &[2.0]);
                    let halved = sketch.node(Op::Binary(Binary::Div), &[gate, two]);
                    sketch.node(MUL, &[halved, x])
                }
                _ => {
                    let halved = sketch.node(MUL, &[half, gate]);
                    sketch.node(MUL, &[halved, x])
                }
            };
            assert_eq!(names(&sketch.check(&[y])), ["Relu", "Gelu"], "order {order}");
            let read = sketch.check(&[y, gate]);
            assert_eq!(names(&read).len(), 5, "what is read elsewhere stays: {:?}", names(&read));
        }
    }

    #[test]
    fn its_approximation_is_found_as_well_and_another_polynomial_is_not() {
        for (factor, expected) in [(GELU_CUBE as f32, vec!["GeluTanh"]), (0.05, vec![])] {
            for by_products in [false, true] {
                let mut sketch = Sketch::new(&[1, 8]);
                let (one, half) = (sketch.constant(&[], &[1.0]), sketch.constant(&[], &[0.5]));
                let slope = sketch.constant(&[], &[GELU_SLOPE as f32]);
                let factor = sketch.constant(&[], &[factor]);
                let cube = if by_products {
                    let square = sketch.node(MUL, &[0, 0]);
                    sketch.node(MUL, &[0, square])
                } else {
                    sketch.node(act(Activation::Power { exponent: 3.0 }), &[0])
                };
                let curve = sketch.node(MUL, &[cube, factor]);
                let sum = sketch.node(ADD, &[0, curve]);
                let line = sketch.node(MUL, &[sum, slope]);
                let tanh = sketch.node(act(Activation::Tanh), &[line]);
                let gate = sketch.node(ADD, &[tanh, one]);
                let halved = sketch.node(MUL, &[half, 0]);
                let y = sketch.node(MUL, &[halved, gate]);
                let found = names(&sketch.check(&[y]));
                match expected.is_empty() {
                    true => assert!(found.len() > 6, "{found:?}"),
                    false => assert_eq!(found, expected),
                }
            }
        }
    }
}
