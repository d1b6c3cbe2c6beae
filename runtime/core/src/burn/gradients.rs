//! Gradients of every operator by Burn's autodiff against central differences, on every backend. `MaxPoolIndices` has
//! none: its result does not change where its operand changes a little.

use std::collections::BTreeMap;
use std::format;
use std::vec;
use std::vec::Vec;

use burn::backend::Autodiff;
use burn::tensor::TensorData;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;

use super::tensor::Array;
use super::testing::{noise, on_every_backend};
use super::{Executor, FloatBackend, Tensor};
use crate::graph::{
    Activation, AveragePool, Binary, Conv, Coordinates, Gemm, Graph, Interpolation, MaxPool, Op,
    Pad, PadMode, Resize, Rounding, Window,
};

/// Half the distance over which slopes are measured.
const STEP: f32 = 2e-3;

/// Distinct values between −2 and 2, none near another, near 0 or near a bound of a clamp.
fn apart(count: usize, seed: usize) -> Vec<f32> {
    let mut stride = 7 + 2 * seed;
    while count.is_multiple_of(stride) || (2..=stride / 2).any(|d| stride.is_multiple_of(d)) {
        stride += 1;
    }
    let value = |place: usize| (place as f32 + 0.5) / count as f32 * 4.0 - 2.0 + 0.0071;
    (0..count).map(|at| value(at * stride % count)).collect()
}

/// A graph of one node; its first operand is the input, the others are constants.
fn graph(op: &Op, shapes: &[&[usize]], data: &[Vec<f32>]) -> Graph {
    let mut graph = Graph::default();
    let mut operands = Vec::new();
    for (at, (shape, data)) in shapes.iter().zip(data).enumerate() {
        operands.push(match at {
            0 => graph.add_value("x", shape.to_vec()),
            _ => graph.add_constant(format!("c{at}"), shape.to_vec(), data.clone()).unwrap(),
        });
    }
    graph.inputs.push(0);
    let y = graph.add_node("node", op.clone(), operands, "y").unwrap();
    graph.outputs.push(y);
    graph
}

/// The sum of all results, each times a fixed number, in double precision.
fn weighed<B: FloatBackend>(op: &Op, shapes: &[&[usize]], data: &[Vec<f32>]) -> f64 {
    let graph = graph(op, shapes, data);
    let executor = Executor::<B>::new(&graph, &Default::default()).unwrap();
    let input = Tensor { shape: shapes[0].to_vec(), data: data[0].clone() };
    let found = &executor.run(&[input]).unwrap()[0].data;
    found.iter().zip(noise(found.len(), 77)).map(|(y, w)| f64::from(*y) * f64::from(w)).sum()
}

fn check<B: FloatBackend + AutodiffBackend>(op: Op, shapes: &[&[usize]]) {
    let count = |shape: &[usize]| shape.iter().product::<usize>();
    let mut data: Vec<Vec<f32>> =
        shapes.iter().enumerate().map(|(at, shape)| apart(count(shape), at)).collect();
    if matches!(op, Op::BatchNormalization { .. }) {
        // A variance is positive.
        data[4].iter_mut().for_each(|v| *v = v.abs() + 0.5);
    }
    if matches!(op, Op::Binary(Binary::Div)) {
        data[1].iter_mut().for_each(|v| *v = v.abs() + 0.5);
    }
    let graph = graph(&op, shapes, &data);
    let executor = Executor::<B>::new(&graph, &Default::default()).unwrap();
    let tracked: Vec<FloatTensor<B>> = shapes
        .iter()
        .zip(&data)
        .map(|(shape, data)| {
            let data = TensorData::new(data.clone(), shape.to_vec());
            B::float_set_require_grad(B::float_from_data(data, &Default::default()), true)
        })
        .collect();
    let constants: BTreeMap<_, _> = (1..shapes.len()).map(|at| (at, tracked[at].clone())).collect();
    let y = executor.forward_with(vec![tracked[0].clone()], &constants).unwrap().remove(0);
    let shape = graph.values[graph.outputs[0]].shape.clone();
    let weights = TensorData::new(noise(count(&shape), 77), shape);
    let weights = B::float_from_data(weights, &Default::default());
    let gradients = B::backward(B::float_sum(B::float_mul(y, weights)));
    for (operand, tensor) in tracked.iter().enumerate() {
        let primitive = B::grad(tensor, &gradients).expect("every operand has a gradient");
        let array = Array::<B::InnerBackend> { primitive, shape: shapes[operand].to_vec() };
        let found = array.download().unwrap().data;
        let slopes: Vec<f64> = (0..data[operand].len())
            .map(|at| {
                let mut moved = |step: f32| {
                    let before = data[operand][at];
                    data[operand][at] = before + step;
                    let (exact, sum) = (data[operand][at], weighed::<B>(&op, shapes, &data));
                    data[operand][at] = before;
                    (f64::from(exact), sum)
                };
                let ((right, above), (left, below)) = (moved(STEP), moved(-STEP));
                (above - below) / (right - left)
            })
            .collect();
        let largest = slopes.iter().fold(0.0_f64, |most, slope| most.max(slope.abs()));
        assert!(largest > 0.0, "{op:?}: operand {operand} has no slope");
        for (at, (&found, slope)) in found.iter().zip(slopes).enumerate() {
            let error = (f64::from(found) - slope).abs() / largest;
            assert!(
                error <= 1e-3,
                "{op:?}, operand {operand}, element {at}: {found} is not {slope}"
            );
        }
    }
}

fn window(
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    pads: [usize; 2],
) -> Window {
    Window {
        kernel: kernel.to_vec(),
        strides: strides.to_vec(),
        dilations: dilations.to_vec(),
        pads_begin: vec![pads[0]; 2],
        pads_end: vec![pads[1]; 2],
    }
}

fn convolutions<B: FloatBackend>() {
    let cases: [(&[usize], &[usize], Window, usize); 15] = [
        (&[2, 3, 4, 3], &[4, 3, 1, 1], window([1; 2], [1; 2], [1; 2], [0; 2]), 1),
        (&[2, 3, 5, 4], &[4, 3, 1, 1], window([1; 2], [2; 2], [1; 2], [0; 2]), 1),
        (&[2, 2, 5, 4], &[3, 2, 3, 3], window([3; 2], [1; 2], [1; 2], [1; 2]), 1),
        (&[1, 2, 6, 5], &[3, 2, 3, 3], window([3; 2], [2; 2], [1; 2], [1; 2]), 1),
        // A row and a column that no window reads, and none.
        (&[2, 8, 8, 8], &[12, 8, 1, 1], window([1; 2], [2; 2], [1; 2], [0; 2]), 1),
        (&[2, 6, 9, 9], &[8, 6, 3, 3], window([3; 2], [2; 2], [1; 2], [0; 2]), 1),
        (&[2, 6, 8, 8], &[6, 1, 3, 3], window([3; 2], [2; 2], [1; 2], [1; 2]), 6),
        (&[1, 2, 6, 6], &[2, 2, 3, 2], window([3, 2], [2; 2], [1; 2], [0, 1]), 1),
        (&[1, 2, 6, 6], &[2, 2, 2, 2], window([2; 2], [1; 2], [2; 2], [1; 2]), 1),
        (&[2, 3, 5, 4], &[3, 1, 3, 3], window([3; 2], [1; 2], [1; 2], [1; 2]), 3),
        (&[2, 3, 6, 5], &[3, 1, 3, 3], window([3; 2], [2; 2], [1; 2], [1; 2]), 3),
        (&[1, 3, 7, 7], &[3, 1, 3, 3], window([3; 2], [2; 2], [2; 2], [0, 1]), 3),
        (&[1, 4, 4, 4], &[6, 2, 3, 3], window([3; 2], [1; 2], [1; 2], [1; 2]), 2),
        (&[1, 4, 5, 4], &[6, 2, 1, 2], window([1, 2], [1; 2], [1; 2], [2; 2]), 2),
        (&[2, 3, 4, 5], &[3, 1, 2, 2], window([2; 2], [2; 2], [1; 2], [3, 2]), 3),
    ];
    for (x, weight, window, groups) in cases {
        let op = Op::Conv(Conv { window, groups });
        check::<Autodiff<B>>(op.clone(), &[x, weight]);
        check::<Autodiff<B>>(op, &[x, weight, &weight[..1]]);
    }
    let line = Window {
        kernel: vec![3],
        strides: vec![1],
        dilations: vec![1],
        pads_begin: vec![1],
        pads_end: vec![1],
    };
    check::<Autodiff<B>>(Op::Conv(Conv { window: line, groups: 1 }), &[&[2, 2, 5], &[3, 2, 3]]);
}
on_every_backend!(convolutions);

fn pooling<B: FloatBackend>() {
    for window in [
        window([2; 2], [2; 2], [1; 2], [0; 2]),
        window([3; 2], [2; 2], [1; 2], [1; 2]),
        window([2; 2], [1; 2], [2; 2], [0; 2]),
    ] {
        check::<Autodiff<B>>(Op::MaxPool(MaxPool { window: window.clone() }), &[&[2, 2, 4, 6]]);
        for count_include_pad in [false, true] {
            let window = window.clone();
            let pool = AveragePool { window, count_include_pad, ceil_extra: vec![0; 2] };
            check::<Autodiff<B>>(Op::AveragePool(pool), &[&[2, 2, 4, 6]]);
        }
    }
    check::<Autodiff<B>>(Op::GlobalAveragePool, &[&[2, 3, 4, 2]]);
    let axes = vec![1, 3];
    check::<Autodiff<B>>(Op::ReduceMean { axes, keep_dims: false }, &[&[2, 3, 2, 4]]);
}
on_every_backend!(pooling);

/// Windows over three dimensions. Not on CUDA: there CubeCL 0.10 leaves zeros in the gradient of a kernel over volumes, and what has one is
/// trained on the CPU, since gradients are compared before.
fn volumes<B: FloatBackend>() {
    let window = |kernel: [usize; 3], stride: usize, pad: usize| Window {
        strides: vec![stride; 3],
        pads_begin: vec![pad; 3],
        pads_end: vec![pad; 3],
        ..Window::new(&kernel)
    };
    let conv = Op::Conv(Conv { window: window([2, 3, 1], 1, 1), groups: 1 });
    check::<Autodiff<B>>(conv, &[&[1, 2, 3, 3, 2], &[2, 2, 2, 3, 1], &[2]]);
    let window = window([2; 3], 2, 0);
    check::<Autodiff<B>>(Op::MaxPool(MaxPool { window: window.clone() }), &[&[1, 2, 4, 2, 4]]);
    let pool = AveragePool { window, count_include_pad: false, ceil_extra: vec![0; 3] };
    check::<Autodiff<B>>(Op::AveragePool(pool), &[&[1, 2, 4, 2, 4]]);
    check::<Autodiff<B>>(Op::GlobalAveragePool, &[&[1, 2, 2, 3, 2]]);
}
on_every_backend!(volumes, in float32);

fn functions<B: FloatBackend>() {
    let others =
        [Activation::HardSigmoid { alpha: 0.3, beta: 0.5 }, Activation::Power { exponent: 3.0 }];
    for activation in Activation::EACH.into_iter().chain(others) {
        check::<Autodiff<B>>(Op::Activation(activation), &[&[2, 3, 4]]);
    }
    check::<Autodiff<B>>(Op::PRelu, &[&[2, 3, 4], &[3, 1]]);
    for binary in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div] {
        check::<Autodiff<B>>(Op::Binary(binary), &[&[2, 3, 4], &[3, 1]]);
        check::<Autodiff<B>>(Op::Binary(binary), &[&[2, 3], &[2, 3]]);
    }
    check::<Autodiff<B>>(Op::Softmax { axis: 1, flatten: false }, &[&[3, 5]]);
    check::<Autodiff<B>>(Op::Softmax { axis: 1, flatten: true }, &[&[2, 2, 3]]);
    check::<Autodiff<B>>(
        Op::BatchNormalization { epsilon: 1e-3 },
        &[&[2, 3, 4], &[3], &[3], &[3], &[3]],
    );
}
on_every_backend!(functions);

fn shapes_and_products<B: FloatBackend>() {
    check::<Autodiff<B>>(Op::Concat { axis: 1 }, &[&[2, 3, 2], &[2, 1, 2]]);
    for mode in [PadMode::Constant(0.5), PadMode::Reflect, PadMode::Edge, PadMode::Wrap] {
        let pad = Pad { begin: vec![0, 0, 1, 2], end: vec![0, 0, 2, 1], mode };
        check::<Autodiff<B>>(Op::Pad(pad), &[&[1, 2, 3, 3]]);
    }
    for interpolation in [Interpolation::Linear, Interpolation::Nearest(Rounding::Floor)] {
        for coordinates in [Coordinates::HalfPixel, Coordinates::AlignCorners] {
            let grown = Resize::linear(&[3, 2], &[5, 6]);
            let grown = Resize { coordinates, interpolation, ..grown };
            check::<Autodiff<B>>(Op::Resize(grown), &[&[2, 2, 3, 2]]);
        }
    }
    check::<Autodiff<B>>(Op::Resize(Resize::linear(&[5], &[3])), &[&[2, 2, 5]]);
    check::<Autodiff<B>>(Op::Reshape { shape: vec![2, 6] }, &[&[2, 3, 2]]);
    check::<Autodiff<B>>(Op::Transpose { permutation: vec![0, 2, 1] }, &[&[2, 3, 4]]);
    for (trans_a, trans_b) in [(false, false), (false, true), (true, false)] {
        let gemm = Op::Gemm(Gemm { alpha: 0.5, beta: 2.0, trans_a, trans_b });
        let a: &[usize] = if trans_a { &[3, 2] } else { &[2, 3] };
        let b: &[usize] = if trans_b { &[4, 3] } else { &[3, 4] };
        check::<Autodiff<B>>(gemm, &[a, b, &[4]]);
    }
    check::<Autodiff<B>>(Op::MatMul, &[&[2, 3], &[3, 4]]);
    check::<Autodiff<B>>(Op::MatMul, &[&[2, 2, 3], &[2, 3, 4]]);
}
on_every_backend!(shapes_and_products, in float32);
