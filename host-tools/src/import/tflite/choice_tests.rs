//! Comparisons, choices and transposed convolutions, element by element.

use headstart::graph::{Op, Scale};

use super::import_bytes;
use super::operator_tests::{assert_close, computed, count, op, reals, run, whole, why};
use super::testing::{OperatorOf, TensorOf, file};
use crate::import::scales::carried;

fn truths(name: &str, shape: &[i32]) -> TensorOf {
    TensorOf { kind: 6, ..computed(name, shape) }
}

#[test]
fn numbers_are_compared_and_chosen() {
    let x = [-1.0, 0.5, 2.0];
    for (code, expected) in
        [(61, [0.0, 0.0, 1.0]), (62, [0.0, 1.0, 1.0]), (58, [1.0, 0.0, 0.0]), (63, [1.0, 1.0, 0.0])]
    {
        let tensors = [
            computed("x", &[1, 3]),
            reals("c", &[], &[0.5]),
            truths("b", &[1, 3]),
            computed("y", &[1, 3]),
        ];
        let operators = [op(code, &[0, 1], &[2]), op(53, &[2], &[3])];
        assert_eq!(run(&tensors, &operators, 3, &x), expected, "{code}");
    }
    let tensors = [
        computed("x", &[1, 3]),
        reals("zero", &[], &[0.0]),
        truths("above", &[1, 3]),
        computed("curve", &[1, 3]),
        computed("y", &[1, 3]),
        truths("below", &[1, 3]),
    ];
    let curve = op(47, &[0], &[3]);
    let choose = [op(61, &[0, 1], &[2]), curve.clone(), op(123, &[2, 0, 3], &[4])];
    let expected = x.map(|x: f32| if x > 0.0 { x } else { x.exp() });
    assert_close(&run(&tensors, &choose, 4, &x), &expected);
    let opposite = [op(61, &[0, 1], &[2]), op(87, &[2], &[5]), curve, op(64, &[5, 3, 0], &[4])];
    assert_close(&run(&tensors, &opposite, 4, &x), &expected);
    for (code, expected) in [(86, [0.0, 1.0, 0.0]), (84, [1.0, 1.0, 1.0])] {
        let tensors = [
            computed("x", &[1, 3]),
            reals("low", &[], &[0.0]),
            reals("high", &[], &[1.0]),
            truths("a", &[1, 3]),
            truths("b", &[1, 3]),
            truths("both", &[1, 3]),
            computed("y", &[1, 3]),
        ];
        let operators = [
            op(61, &[0, 1], &[3]),
            op(58, &[0, 2], &[4]),
            op(code, &[3, 4], &[5]),
            op(53, &[5], &[6]),
        ];
        assert_eq!(run(&tensors, &operators, 6, &x), expected, "{code}");
    }
}

#[test]
fn a_choice_of_integers_keeps_their_scales() {
    let of = |name: &str, scale: f32| TensorOf {
        kind: 9,
        scales: vec![scale],
        zero_points: vec![3],
        ..computed(name, &[1, 3])
    };
    let tensors = [
        of("x", 0.02),
        TensorOf { data: vec![3], shape: vec![], ..of("zero", 0.02) },
        truths("above", &[1, 3]),
        of("other", 0.5),
        of("y", 0.5),
    ];
    let operators = [op(61, &[0, 1], &[2]), op(101, &[0], &[3]), op(123, &[2, 0, 3], &[4])];
    let imported = import_bytes(&file(&tensors, &operators, [0, 4]), "test.tflite").unwrap();
    assert_eq!(imported.boundaries.iter().len(), 0);
    for node in &imported.graph.nodes {
        let is_unrounded = imported.graph.values[node.output].name.ends_with("_unrounded");
        let has_scale = carried(&imported.graph, node.output).is_some();
        assert!(has_scale || is_unrounded, "{:?}", imported.graph.values[node.output]);
    }
    let obstacle = crate::quantise::lower::obstacle(&imported.graph);
    assert_eq!(obstacle.map(|error| error.to_string()), None);
}

#[test]
fn differences_are_squared_and_tensors_repeated() {
    let tensors =
        [computed("x", &[1, 3]), reals("c", &[3], &[1.0, 1.0, 4.0]), computed("y", &[1, 3])];
    let squared = run(&tensors, &[op(99, &[0, 1], &[2])], 2, &[0.0, 1.0, 2.0]);
    assert_eq!(squared, [1.0, 0.0, 4.0]);
    let tiled = |times: &[i32], to: &[i32]| {
        let tensors =
            [computed("x", &[1, 1, 2, 2]), whole("times", &[4], times), computed("y", to)];
        (tensors, [op(69, &[0, 1], &[2])])
    };
    let (tensors, operators) = tiled(&[1, 2, 1, 2], &[1, 2, 2, 4]);
    let y = run(&tensors, &operators, 2, &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(y, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0].repeat(2));
    let (tensors, operators) = tiled(&[2, 1, 1, 1], &[2, 1, 2, 2]);
    assert!(why(&tensors, &operators, 2).contains("a batch several times"));
}

/// The network of one transposed convolution of `[1, 2, 3, 2]` to `to` with a kernel of `[outputs 2, k, k, 2]`.
fn transposed(k: i32, stride: i32, to: [i32; 2], padding: i8) -> (Vec<TensorOf>, OperatorOf) {
    let shape = [1, to[0], to[1], 2];
    let kernel: Vec<f32> = count(2 * k * k * 2).iter().map(|w| w / 8.0 - 1.0).collect();
    let tensors = vec![
        computed("x", &[1, 2, 3, 2]),
        whole("shape", &[4], &shape),
        reals("w", &[2, k, k, 2], &kernel),
        reals("b", &[2], &[0.5, -0.5]),
        computed("y", &shape),
    ];
    let mut operator = op(67, &[1, 2, 0, 3], &[4]);
    operator.bytes = vec![(0, padding)];
    operator.words = vec![(1, stride), (2, stride)];
    (tensors, operator)
}

#[test]
fn transposed_convolutions_spread_every_element() {
    // Kernel, stride, rows and columns of the result, padding kept (0) or not.
    for (k, stride, to, padding, before) in [
        (3, 2, [4, 6], 0, [0, 0]),
        (2, 2, [4, 6], 0, [0, 0]),
        (3, 2, [5, 7], 1, [0, 0]),
        (4, 2, [4, 6], 0, [1, 1]),
        (3, 1, [2, 3], 0, [1, 1]),
    ] {
        let (tensors, operator) = transposed(k, stride, to, padding);
        let x: Vec<f32> = count(12).iter().map(|x| x - 5.0).collect();
        let y = run(&tensors, &[operator], 4, &x);
        let [rows, columns] = to.map(|n| n as usize);
        let (k, stride) = (k as usize, stride as usize);
        let mut expected: Vec<f32> = [0.5, -0.5].repeat(rows * columns);
        for (at, x) in x.iter().enumerate() {
            let (row, column, input) = (at / 6, at / 2 % 3, at % 2);
            for tap in 0..2 * k * k {
                let (output, i, j) = (tap / (k * k), tap / k % k, tap % k);
                let place = [
                    (row * stride + i, rows, before[0]),
                    (column * stride + j, columns, before[1]),
                ];
                let place =
                    place.map(|(at, most, before)| at.checked_sub(before).filter(|&at| at < most));
                let [Some(r), Some(c)] = place else { continue };
                let weight = (tap * 2 + input) as f32 / 8.0 - 1.0;
                expected[(r * columns + c) * 2 + output] += x * weight;
            }
        }
        assert_close(&y, &expected);
    }
    let (mut tensors, operator) = transposed(3, 2, [4, 6], 0);
    tensors[2].shape = vec![2, 3, 3, 1];
    tensors[2].data.truncate(72);
    assert!(why(&tensors, &[operator], 4).contains("weights of 1 channels to 2 over 2"));
}

#[test]
fn integers_of_a_transposed_convolution_are_those_of_the_file() {
    let (mut tensors, operator) = transposed(3, 2, [4, 6], 0);
    let of = |tensor: &mut TensorOf, kind: i8, scales: Vec<f32>| {
        tensor.kind = kind;
        tensor.zero_points = vec![0; scales.len()];
        tensor.scales = scales;
    };
    of(&mut tensors[0], 9, vec![0.1]);
    of(&mut tensors[2], 9, vec![0.5, 0.25]);
    of(&mut tensors[3], 2, vec![0.05, 0.025]);
    of(&mut tensors[4], 9, vec![0.2]);
    tensors[2].data = (0..36).collect();
    tensors[3].data = [7_i32, -7].iter().flat_map(|b| b.to_le_bytes()).collect();
    let bytes = file(&tensors, &[operator], [0, 4]);
    let graph = import_bytes(&bytes, "test.tflite").unwrap().graph;
    let conv = graph.nodes.iter().find(|node| matches!(node.op, Op::Conv(_))).unwrap();
    let scales = |of: usize| match &graph.values[conv.inputs[of]].scale {
        Some(Scale::Constant { scales, axis: 0 }) => scales.to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(scales(1), [[0.5; 4], [0.25; 4]].concat(), "four cells of each channel");
    assert_eq!(scales(2), [[0.05; 4], [0.025; 4]].concat());
    let rounded = graph.nodes.iter().find(|node| node.inputs[0] == conv.output).unwrap();
    assert!(graph.values[rounded.output].scale.is_some(), "rounded before it is moved");
    let obstacle = crate::quantise::lower::obstacle(&graph);
    assert_eq!(obstacle.map(|error| error.to_string()), None);
}
