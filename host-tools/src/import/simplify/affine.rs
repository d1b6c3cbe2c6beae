//! What scales or shifts each channel of a convolution or matrix product goes into its weights.

use headstart::graph::{Binary, Gemm, Op, Scale, ValueId};

use super::rewrite::Rewrite;

/// `channel · scale + shift`, for every output channel.
pub(super) struct Affine {
    pub(super) scale: Vec<f64>,
    pub(super) shift: Vec<f64>,
}

/// `Add`, `Sub`, `Mul` and `Div` by a constant of one number, or one a channel.
pub(super) fn into_producer(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Op::Binary(binary) = rewrite.node(node).op else { return false };
    let (a, b) = (rewrite.operand(node, 0), rewrite.operand(node, 1));
    let constant_first = rewrite.value(a).constant.is_some();
    let (x, constant) = if constant_first { (b, a) } else { (a, b) };
    let channels = rewrite.value(x).shape.get(1).copied().unwrap_or(0);
    if !is_absorbing(rewrite, x) || !rewrite.take(channels) {
        return false;
    }
    let Some(numbers) = per_channel(rewrite, x, constant) else { return false };
    if rewrite.value(x).shape != rewrite.output_shape(node) {
        return false;
    }
    let each = |f: &dyn Fn(f64) -> f64| numbers.iter().map(|&n| f(n)).collect::<Vec<_>>();
    let (scale, shift) = match (binary, constant_first) {
        (Binary::Add, _) => (each(&|_| 1.0), each(&|n| n)),
        (Binary::Sub, false) => (each(&|_| 1.0), each(&|n| -n)),
        (Binary::Sub, true) => (each(&|_| -1.0), each(&|n| n)),
        (Binary::Mul, _) => (each(&|n| n), each(&|_| 0.0)),
        (Binary::Div, false) if numbers.iter().all(|&n| n != 0.0) => {
            (each(&|n| 1.0 / n), each(&|_| 0.0))
        }
        (Binary::Div, _) => return false,
    };
    absorb(rewrite, node, x, &Affine { scale, shift })
}

/// One number for each channel of `x`, if the constant varies along no other dimension.
fn per_channel(rewrite: &Rewrite<'_>, x: ValueId, constant: ValueId) -> Option<Vec<f64>> {
    let shape = &rewrite.value(x).shape;
    let channels = *shape.get(1)?;
    let data = rewrite.constant(constant)?;
    if let &[number] = &*data {
        return Some(vec![f64::from(number); channels]);
    }
    let own = &rewrite.value(constant).shape;
    let leading = shape.len().checked_sub(own.len())?;
    let only_channels = own.iter().enumerate().all(|(i, &n)| n == 1 || leading + i == 1);
    (only_channels && data.len() == channels)
        .then(|| data.iter().map(|&number| f64::from(number)).collect())
}

/// Whether a value is made by a node whose weights can absorb what is done to it.
pub(super) fn is_absorbing(rewrite: &Rewrite<'_>, x: ValueId) -> bool {
    let Some(producer) = rewrite.sole_source(x).map(|source| rewrite.node(source)) else {
        return false;
    };
    matches!(producer.op, Op::Conv(_) | Op::Gemm(_) | Op::BatchNormalization { .. })
        && rewrite.value(producer.inputs[1]).constant.is_some()
}

/// Lets `node`, which applies `affine` to `x`, do the work of the node that makes `x` as well.
///
/// Nothing happens if that is no convolution, matrix product or normalisation of constant weights,
/// or if something else reads `x`.
pub(super) fn absorb(rewrite: &mut Rewrite<'_>, node: usize, x: ValueId, affine: &Affine) -> bool {
    let Some(producer) = rewrite.sole_source(x).filter(|_| is_absorbing(rewrite, x)) else {
        return false;
    };
    let op = rewrite.node(producer).op.clone();
    // Elements of the weight that belong to one output channel: a row, or every `channels`-th.
    let (by_rows, beta) = match &op {
        Op::Conv(_) => (true, 1.0),
        Op::Gemm(gemm) => (gemm.trans_b, f64::from(gemm.beta)),
        // Its factors are a row each, its offsets a bias.
        Op::BatchNormalization { .. } => (true, 1.0),
        _ => return false,
    };
    let mut inputs = rewrite.node(producer).inputs.clone();
    let Some(weight) = rewrite.constant(inputs[1]) else { return false };
    let channels = affine.scale.len();
    let row = weight.len() / channels.max(1);
    let bias = match inputs.get(2) {
        None => vec![0.0; channels],
        Some(&bias) => match bias_of(rewrite, bias, channels) {
            Some(bias) => bias,
            None => return false,
        },
    };

    let scales = affine.scale.iter().any(|&scale| scale != 1.0);
    if !rewrite.take(if scales { weight.len() } else { channels }) {
        return false;
    }
    let scale_of = |i: usize| affine.scale[if by_rows { i / row } else { i % channels }];
    let is_vector = rewrite.value(inputs[1]).shape.len() == 1;
    let axis = usize::from(!by_rows && !is_vector);
    let scale = scaled_scale(rewrite.value(inputs[1]).scale.as_ref(), axis, &affine.scale);
    let shifted = (0..channels)
        .map(|c| (bias[c] * beta * affine.scale[c] + affine.shift[c]) as f32)
        .collect();
    let name = rewrite.node(producer).name.clone();
    let output = rewrite.value(rewrite.node(node).output).name.clone();
    let shape = rewrite.value(inputs[1]).shape.clone();
    if scales {
        let scaled =
            weight.iter().enumerate().map(|(i, &w)| (f64::from(w) * scale_of(i)) as f32).collect();
        inputs[1] = rewrite.add_constant(format!("{output}.weight"), shape, scaled, scale);
    }
    let bias = rewrite.add_constant(format!("{output}.bias"), vec![channels], shifted, None);
    match inputs.get_mut(2) {
        Some(place) => *place = bias,
        None => inputs.push(bias),
    }
    let op = match op {
        Op::Gemm(gemm) => Op::Gemm(Gemm { beta: 1.0, ..gemm }),
        op => op,
    };
    rewrite.set(node, op, inputs);
    rewrite.rename(node, name);
    true
}

/// The scales of weights that are multiplied by a factor a channel, the channels being along `axis`.
fn scaled_scale(of: Option<&Scale>, axis: usize, factors: &[f64]) -> Option<Scale> {
    let Some(Scale::Constant { scales, axis: own }) = of else { return None };
    // A scale is above 0: a negative factor turns the integers around.
    let scaled = |(at, factor): (usize, &f64)| {
        let scale = *scales.get(at % scales.len())?;
        let scale = (f64::from(scale) * factor.abs()) as f32;
        (scale.is_finite() && scale > 0.0).then_some(scale)
    };
    let fits = scales.len() == 1 || *own == axis && scales.len() == factors.len();
    let scales = factors.iter().enumerate().map(scaled).collect::<Option<Vec<f32>>>()?;
    fits.then(|| Scale::Constant { scales: scales.into(), axis })
}

/// A bias with one number for each of `channels`, from a constant of one number or one a channel.
fn bias_of(rewrite: &Rewrite<'_>, bias: ValueId, channels: usize) -> Option<Vec<f64>> {
    let data = rewrite.constant(bias)?;
    let last = rewrite.value(bias).shape.last().copied().unwrap_or(1);
    match &*data {
        &[number] => Some(vec![f64::from(number); channels]),
        numbers if numbers.len() == channels && last == channels => {
            Some(numbers.iter().map(|&number| f64::from(number)).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Sketch, gemm, names};
    use super::*;

    #[test]
    fn every_operator_and_order_goes_into_the_weights() {
        for binary in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div] {
            for constant_first in [false, true] {
                for shape in [vec![4, 1, 1], vec![1, 4, 1, 1], vec![], vec![1]] {
                    let mut sketch = Sketch::new(&[1, 2, 5, 5]);
                    let x = sketch.conv(0, 4, true);
                    let constant = sketch.positive(&shape);
                    let operands = if constant_first { [constant, x] } else { [x, constant] };
                    let y = sketch.node(Op::Binary(binary), &operands);
                    let simple = sketch.check(&[y]);
                    let stays = binary == Binary::Div && constant_first;
                    assert_eq!(
                        names(&simple).len(),
                        1 + usize::from(stays),
                        "{binary:?} {shape:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn matrix_products_take_scale_and_shift_too() {
        for trans_b in [false, true] {
            let mut sketch = Sketch::new(&[1, 3]);
            let weight = sketch.weight(if trans_b { &[4, 3] } else { &[3, 4] });
            let bias = sketch.weight(&[1, 4]);
            let x = sketch.node(
                Op::Gemm(Gemm { alpha: 0.5, beta: 2.0, trans_a: false, trans_b }),
                &[0, weight, bias],
            );
            let scale = sketch.positive(&[4]);
            let y = sketch.node(Op::Binary(Binary::Mul), &[x, scale]);
            let y = sketch.node(Op::Binary(Binary::Add), &[scale, y]);
            assert_eq!(names(&sketch.check(&[y])), ["Gemm"]);
        }
    }

    #[test]
    fn a_normalisation_that_stands_alone_takes_scale_and_shift() {
        let mut sketch = Sketch::new(&[1, 4, 2, 2]);
        let [a, b, c] = [(); 3].map(|()| sketch.weight(&[4]));
        let variance = sketch.positive(&[4]);
        let op = Op::BatchNormalization { epsilon: 0.1 };
        let x = sketch.node(op, &[0, a, b, c, variance]);
        let scale = sketch.positive(&[4, 1, 1]);
        let y = sketch.node(Op::Binary(Binary::Mul), &[x, scale]);
        let y = sketch.node(Op::Binary(Binary::Sub), &[scale, y]);
        assert_eq!(names(&sketch.check(&[y])), ["BatchNormalization"]);
    }

    #[test]
    fn it_stays_where_the_weights_cannot_say_it() {
        let mut sketch = Sketch::new(&[1, 2, 4, 4]);
        let x = sketch.conv(0, 4, false);
        let columns = sketch.positive(&[4]);
        let by_column = sketch.node(Op::Binary(Binary::Mul), &[x, columns]);
        assert_eq!(names(&sketch.check(&[by_column])), ["Conv", "Mul"], "not one a channel");

        let channels = sketch.positive(&[4, 1, 1]);
        let scaled = sketch.node(Op::Binary(Binary::Mul), &[x, channels]);
        assert_eq!(names(&sketch.check(&[scaled, x])), ["Conv", "Mul"], "another reader");

        let batch = sketch.positive(&[3, 4, 1, 1]);
        let larger = sketch.node(Op::Binary(Binary::Mul), &[x, batch]);
        assert_eq!(names(&sketch.check(&[larger])), ["Conv", "Mul"], "a larger result");

        let mut sketch = Sketch::new(&[4, 3]);
        let weight = sketch.weight(&[3, 4]);
        let rows = sketch.weight(&[4, 1]);
        let x = sketch.node(gemm(false), &[0, weight, rows]);
        let shift = sketch.positive(&[4]);
        let y = sketch.node(Op::Binary(Binary::Add), &[x, shift]);
        assert_eq!(names(&sketch.check(&[y])), ["Gemm", "Add"], "a bias a row");
    }
}
