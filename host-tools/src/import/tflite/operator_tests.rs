//! What operators of float models compute, element by element, and which forms of them are refused.

use super::import_bytes;
use super::layout::{TO_FILE, transposed};
use super::testing::{AxisOf, OperatorOf, SparsityOf, TensorOf, file, file_of};
use crate::import::imported::Imported;
use crate::import::model::Model;
use crate::reference;

pub(super) fn computed(name: &str, shape: &[i32]) -> TensorOf {
    TensorOf { name: name.into(), shape: shape.to_vec(), ..TensorOf::default() }
}

pub(super) fn reals(name: &str, shape: &[i32], list: &[f32]) -> TensorOf {
    let data = list.iter().flat_map(|x| x.to_le_bytes()).collect();
    TensorOf { data, ..computed(name, shape) }
}

fn halves(name: &str, shape: &[i32], list: &[f32]) -> TensorOf {
    let data = list.iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect();
    TensorOf { kind: 1, data, ..computed(name, shape) }
}

pub(super) fn whole(name: &str, shape: &[i32], list: &[i32]) -> TensorOf {
    let data = list.iter().flat_map(|x| x.to_le_bytes()).collect();
    TensorOf { kind: 2, data, ..computed(name, shape) }
}

pub(super) fn op(code: i32, inputs: &[i32], outputs: &[i32]) -> OperatorOf {
    OperatorOf { code, inputs: inputs.to_vec(), outputs: outputs.to_vec(), ..OperatorOf::default() }
}

fn import(tensors: &[TensorOf], operators: &[OperatorOf], output: i32) -> Imported {
    import_bytes(&file(tensors, operators, [0, output]), "test.tflite").unwrap()
}

/// The elements of the output for these of the input, both in the file's order of axes.
pub(super) fn run(
    tensors: &[TensorOf],
    operators: &[OperatorOf],
    output: i32,
    input: &[f32],
) -> Vec<f32> {
    let imported = import(tensors, operators, output);
    let whys: Vec<_> = imported.boundaries.iter().map(|boundary| boundary.why.clone()).collect();
    assert_eq!(whys, Vec::<String>::new());
    in_file(&imported, reference::run(&imported.graph, &[input.to_vec()]).remove(0))
}

fn in_file(imported: &Imported, found: Vec<f32>) -> Vec<f32> {
    let shape = &imported.graph.values[imported.graph.outputs[0]].shape;
    if shape.len() == 4 { transposed(&found, shape, &TO_FILE) } else { found }
}

/// Why the first operator that is not taken over is not, whether that refuses the model or not.
pub(super) fn why(tensors: &[TensorOf], operators: &[OperatorOf], output: i32) -> String {
    match import_bytes(&file(tensors, operators, [0, output]), "test.tflite") {
        Err(error) => error.to_string(),
        Ok(imported) => {
            imported.boundaries.iter().next().expect("a form that is refused").why.clone()
        }
    }
}

pub(super) fn count(n: i32) -> Vec<f32> {
    (0..n).map(|i| i as f32).collect()
}

pub(super) fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{found:?} {expected:?}");
    }
}

#[test]
fn weights_of_float16_are_what_they_stand_for() {
    let tensors = [
        computed("x", &[1, 1, 2, 2]),
        halves("w16", &[1, 1, 1, 2], &[0.5, -2.0]),
        computed("w", &[1, 1, 1, 2]),
        computed("y", &[1, 1, 2, 1]),
    ];
    let mut conv = op(3, &[0, 2], &[3]);
    conv.bytes = vec![(0, 1)];
    conv.words = vec![(1, 1), (2, 1)];
    let operators = [op(6, &[1], &[2]), conv];
    assert_eq!(run(&tensors, &operators, 3, &[1.0, 2.0, 3.0, 4.0]), [-3.5, -6.5]);
    let imported = import(&tensors, &operators, 3);
    assert!(!crate::import::scales::is_quantised(&imported.graph));
    assert_eq!(imported.weights, 2);
}

/// `[2, 4]`, of which four elements are stored.
fn sparse(kind: i8) -> TensorOf {
    let at = AxisOf::Listed { kind, ends: vec![0, 1, 4], at: vec![2, 0, 1, 3] };
    let sparsity =
        SparsityOf { order: vec![0, 1], blocks: vec![], axes: vec![AxisOf::Dense(2), at] };
    TensorOf { sparsity: Some(sparsity), ..reals("s", &[2, 4], &[5.0, 6.0, 7.0, 8.0]) }
}

fn dense_product(of: TensorOf) -> (Vec<TensorOf>, Vec<OperatorOf>) {
    let tensors = vec![computed("x", &[1, 4]), of, computed("w", &[2, 4]), computed("y", &[1, 2])];
    let mut product = op(9, &[0, 2], &[3]);
    product.bytes = vec![(0, 0)];
    (tensors, vec![op(124, &[1], &[2]), product])
}

#[test]
fn sparse_weights_stand_where_their_lists_say() {
    for kind in [1, 2, 3] {
        let (tensors, operators) = dense_product(sparse(kind));
        let rows = [[0.0, 0.0, 5.0, 0.0], [6.0, 7.0, 0.0, 8.0]];
        for column in 0..4 {
            let mut x = vec![0.0; 4];
            x[column] = 1.0;
            assert_eq!(run(&tensors, &operators, 3, &x), rows.map(|row| row[column]), "{kind}");
        }
    }
}

/// Two blocks of 2 × 2 in `[4, 4]`, walked by columns of blocks.
#[test]
fn sparse_blocks_stand_where_their_lists_say() {
    let at = AxisOf::Listed { kind: 3, ends: vec![0, 1, 2], at: vec![1, 0] };
    let sparsity = SparsityOf {
        order: vec![1, 0, 2, 3],
        blocks: vec![0, 1],
        axes: vec![AxisOf::Dense(2), at, AxisOf::Dense(2), AxisOf::Dense(2)],
    };
    let of = TensorOf { sparsity: Some(sparsity), ..reals("s", &[4, 4], &count(9)[1..]) };
    let tensors = [computed("x", &[1, 4]), of, computed("w", &[4, 4]), computed("y", &[1, 4])];
    let mut product = op(9, &[0, 2], &[3]);
    product.bytes = vec![(0, 0)];
    let found = run(&tensors, &[op(124, &[1], &[2]), product], 3, &[1.0, 10.0, 100.0, 1000.0]);
    assert_eq!(found, [6500.0, 8700.0, 21.0, 43.0]);
}

#[test]
fn sparse_weights_that_do_not_fit_are_refused_before_anything_is_allocated() {
    type Change = fn(&mut TensorOf);
    fn of(tensor: &mut TensorOf) -> &mut SparsityOf {
        tensor.sparsity.as_mut().unwrap()
    }
    fn listed(ends: &[i32], at: &[i32]) -> AxisOf {
        AxisOf::Listed { kind: 1, ends: ends.to_vec(), at: at.to_vec() }
    }
    let cases: [(&str, Change); 11] = [
        ("lists of places do not fit", |t| of(t).axes[1] = listed(&[0, 1, 4], &[2, 0, 1, 4])),
        ("lists of places do not fit", |t| of(t).axes[1] = listed(&[0, 4], &[2, 0, 1, 3])),
        ("lists of places do not fit", |t| of(t).axes[1] = listed(&[0, 5, 4], &[2, 0, 1, 3])),
        ("lists of places do not fit", |t| of(t).axes[1] = listed(&[1, 1, 4], &[2, 0, 1, 3])),
        ("4 elements of data for 3 places", |t| of(t).axes[1] = listed(&[0, 1, 3], &[2, 0, 1])),
        ("a negative place", |t| of(t).axes[1] = listed(&[0, 1, 4], &[2, 0, -1, 3])),
        ("axis 0 of its shape", |t| of(t).axes[0] = AxisOf::Dense(1 << 30)),
        ("axes [0, 0]", |t| of(t).order = vec![0, 0]),
        ("blocks along [7]", |t| of(t).blocks = vec![7]),
        ("in blocks that are sparse or empty", |t| {
            let of = of(t);
            (of.order, of.blocks) = (vec![0, 1, 2], vec![0]);
            of.axes.push(AxisOf::Dense(0));
        }),
        // A few bytes that stand for gigabytes.
        ("too many elements", |t| {
            t.shape = vec![1 << 14, 1 << 14];
            of(t).axes = vec![AxisOf::Dense(1 << 14), listed(&[0], &[])];
        }),
    ];
    for (expected, change) in cases {
        let mut tensor = sparse(1);
        change(&mut tensor);
        let (mut tensors, operators) = dense_product(tensor);
        tensors[2].shape = tensors[1].shape.clone();
        let refused = why(&tensors, &operators, 3);
        assert!(refused.contains("'s'") || refused.contains("too many"), "{refused}");
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

#[test]
fn slopes_are_one_for_all_or_one_a_channel() {
    let x = [-1.0, -2.0, 3.0, -4.0];
    let with = |slope| vec![computed("x", &[1, 2, 1, 2]), slope, computed("y", &[1, 2, 1, 2])];
    let prelu = [op(54, &[0, 1], &[2])];
    let a_channel = with(reals("slope", &[1, 1, 2], &[0.5, 0.25]));
    assert_eq!(run(&a_channel, &prelu, 2, &x), [-0.5, -0.5, 3.0, -1.0]);
    let for_all = with(reals("slope", &[1, 1, 1], &[0.5]));
    assert_eq!(run(&for_all, &prelu, 2, &x), [-0.5, -1.0, 3.0, -2.0]);
    let a_place = why(&with(reals("slope", &[2, 1, 1], &[0.5, 0.25])), &prelu, 2);
    assert!(a_place.contains("'slope' of shape [2, 1, 1]"), "{a_place}");
}

/// One row of three elements, by the formulas of LiteRT's reference kernels.
#[test]
fn images_are_resized_as_litert_does_it() {
    let row = [0.0, 10.0, 40.0];
    let resized = |code: i32, corners: i8, centres: i8, to: i32| {
        let tensors = [
            computed("x", &[1, 1, 3, 1]),
            whole("size", &[2], &[1, to]),
            computed("y", &[1, 1, to, 1]),
        ];
        let mut resize = op(code, &[0, 1], &[2]);
        let first = if code == 23 { 2 } else { 0 };
        resize.bytes = vec![(first, corners), (first + 1, centres)];
        run(&tensors, &[resize], 2, &row)
    };
    assert_close(&resized(23, 0, 0, 6), &[0.0, 5.0, 10.0, 25.0, 40.0, 40.0]);
    assert_close(&resized(23, 1, 0, 5), &[0.0, 5.0, 10.0, 25.0, 40.0]);
    assert_close(&resized(23, 0, 1, 6), &[0.0, 2.5, 7.5, 17.5, 32.5, 40.0]);
    assert_eq!(resized(97, 0, 0, 6), [0.0, 0.0, 10.0, 10.0, 40.0, 40.0]);
    assert_eq!(resized(97, 1, 0, 5), [0.0, 10.0, 10.0, 40.0, 40.0]);
    assert_eq!(resized(97, 0, 1, 2), [0.0, 40.0]);
    let tensors =
        [computed("x", &[1, 1, 3, 1]), whole("size", &[2], &[1, 6]), computed("y", &[1, 1, 6, 1])];
    let mut both = op(97, &[0, 1], &[2]);
    both.bytes = vec![(0, 1), (1, 1)];
    assert!(why(&tensors, &[both], 2).contains("aligned corners and half-pixel centres"));
}

#[test]
fn a_maximum_or_minimum_with_a_number_is_a_bound() {
    let tensors = [
        computed("x", &[1, 3]),
        reals("low", &[], &[-0.5]),
        computed("a", &[1, 3]),
        reals("high", &[1], &[2.0]),
        computed("y", &[1, 3]),
    ];
    let operators = [op(55, &[0, 1], &[2]), op(57, &[3, 2], &[4])];
    assert_eq!(run(&tensors, &operators, 4, &[-3.0, 1.0, 5.0]), [-0.5, 1.0, 2.0]);
    let two = why(&tensors, &[op(55, &[0, 0], &[2])], 2);
    assert!(two.contains("MAXIMUM") && two.contains("two computed tensors"), "{two}");
    let mut several = tensors.clone();
    several[1] = reals("low", &[3], &[0.0; 3]);
    let several = why(&several, &operators, 4);
    assert!(several.contains("'low'") && several.contains("one number"), "{several}");
}

#[test]
fn maps_and_rows_are_reduced_to_their_channels() {
    let reduced = |code: i32, shape: &[i32], axes: &[i32], to: &[i32], keeps: i8| {
        let tensors =
            [computed("x", shape), whole("axes", &[axes.len() as i32], axes), computed("y", to)];
        let mut reduce = op(code, &[0, 1], &[2]);
        reduce.bytes = vec![(0, keeps)];
        let x: Vec<f32> = count(shape.iter().product()).iter().map(|x| 10.0 - x).collect();
        run(&tensors, &[reduce], 2, &x)
    };
    assert_eq!(reduced(82, &[1, 2, 3, 2], &[1, 2], &[1, 2], 0), [10.0, 9.0]);
    assert_eq!(reduced(82, &[1, 2, 3, 2], &[1, -2], &[1, 1, 1, 2], 1), [10.0, 9.0]);
    assert_eq!(reduced(82, &[1, 5, 2], &[1], &[1, 2], 0), [10.0, 9.0]);
    assert_eq!(reduced(82, &[1, 5, 2], &[1], &[1, 1, 2], 1), [10.0, 9.0]);
    assert_close(&reduced(74, &[1, 2, 3, 2], &[1, 2], &[1, 2], 0), &[30.0, 24.0]);
    assert_close(&reduced(40, &[1, 2, 3, 2], &[2, 1], &[1, 2], 0), &[5.0, 4.0]);
    let tensors =
        [computed("x", &[1, 2, 3, 2]), whole("axes", &[1], &[3]), computed("y", &[1, 2, 3, 1])];
    let mut reduce = op(82, &[0, 1], &[2]);
    reduce.bytes = vec![(0, 1)];
    assert!(why(&tensors, &[reduce], 2).contains("REDUCE_MAX"));
}

#[test]
fn depth_becomes_space_and_space_becomes_depth() {
    let moved = |code: i32, from: &[i32], to: &[i32]| {
        let mut depth = op(code, &[0], &[1]);
        depth.words = vec![(0, 2)];
        run(&[computed("x", from), computed("y", to)], &[depth], 1, &count(8))
    };
    // One place of eight channels: a block of 2 × 2 with two channels each, row by row.
    assert_eq!(moved(5, &[1, 1, 1, 8], &[1, 2, 2, 2]), count(8));
    assert_eq!(moved(26, &[1, 2, 2, 2], &[1, 1, 1, 8]), count(8));
    // Two places: the second one's first row follows the first one's.
    assert_eq!(moved(5, &[1, 1, 2, 4], &[1, 2, 4, 1]), [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0]);
    let mut depth = op(26, &[0], &[1]);
    depth.words = vec![(0, 0)];
    assert!(
        why(&[computed("x", &[1, 2, 2, 2]), computed("y", &[1, 1, 1, 8])], &[depth], 1)
            .contains("blocks of 0")
    );
}

#[test]
fn parts_of_images_are_taken_where_they_stand() {
    let part = |to: &[i32], begin: &[i32], end: &[i32], strides: &[i32], masks: [i32; 3]| {
        let rank = [begin.len() as i32];
        let tensors = [
            computed("x", &[1, 3, 4, 2]),
            whole("begin", &rank, begin),
            whole("end", &rank, end),
            whole("strides", &rank, strides),
            computed("y", to),
        ];
        let mut slice = op(45, &[0, 1, 2, 3], &[4]);
        slice.words = vec![(0, masks[0]), (1, masks[1]), (4, masks[2])];
        run(&tensors, &[slice], 4, &count(24))
    };
    let all = [0, 0, 0, 0];
    let ones = [1, 1, 1, 1];
    let channel = part(&[1, 3, 4, 1], &[0, 0, 0, 1], &[1, 3, 4, 2], &ones, [0; 3]);
    assert_eq!(channel, (0..12).map(|i| 2.0 * i as f32 + 1.0).collect::<Vec<_>>());
    // Every other column from the second on, of the last two rows.
    let places = part(&[1, 2, 2, 2], &[0, -2, 1, 0], &all, &[1, 1, 2, 1], [0, 15, 0]);
    assert_eq!(places, [10.0, 11.0, 14.0, 15.0, 18.0, 19.0, 22.0, 23.0]);
    // The last channel of one row, without its axis.
    let row = part(&[1, 4, 1], &[0, 1, 0, 1], &[1, 2, 4, 2], &ones, [0, 0, 2]);
    assert_eq!(row, [9.0, 11.0, 13.0, 15.0]);
    // Ranges of the first axes only.
    assert_eq!(part(&[1, 3, 4, 2], &[0], &[1], &[1], [0; 3]), count(24));

    let tensors = [
        computed("x", &[1, 3, 4, 2]),
        whole("begin", &[4], &[0, 1, 0, 0]),
        whole("size", &[4], &[1, -1, 4, 1]),
        computed("y", &[1, 2, 4, 1]),
    ];
    let slice = [op(65, &[0, 1, 2], &[3])];
    assert_eq!(
        run(&tensors, &slice, 3, &count(24)),
        [8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0]
    );
    let mut far = tensors.clone();
    far[2] = whole("size", &[4], &[1, 3, 4, 1]);
    assert!(why(&far, &slice, 3).contains("SLICE"));
}

#[test]
fn a_split_gives_its_parts_in_order() {
    let tensors = [
        computed("x", &[1, 1, 2, 3]),
        whole("axis", &[], &[3]),
        whole("sizes", &[2], &[1, 2]),
        computed("a", &[1, 1, 2, 1]),
        computed("b", &[1, 1, 2, 2]),
    ];
    let split = [op(102, &[0, 2, 1], &[3, 4])];
    assert_eq!(run(&tensors, &split, 3, &count(6)), [0.0, 3.0]);
    assert_eq!(run(&tensors, &split, 4, &count(6)), [1.0, 2.0, 4.0, 5.0]);
    let mut wrong = tensors.clone();
    wrong[4].shape[3] = 3;
    assert!(why(&wrong, &split, 4).contains("SPLIT_V"));
    let tensors = [
        whole("axis", &[], &[-2]),
        computed("x", &[1, 1, 2, 3]),
        computed("a", &[1, 1, 1, 3]),
        computed("b", &[1, 1, 1, 3]),
    ];
    let bytes = file(&tensors, &[op(49, &[0, 1], &[2, 3])], [1, 3]);
    let imported = import_bytes(&bytes, "test.tflite").unwrap();
    let found = reference::run(&imported.graph, &[count(6)]).remove(0);
    assert_eq!(in_file(&imported, found), [3.0, 4.0, 5.0]);
}

/// As converters write a flattening where the batch is open.
#[test]
fn shapes_that_are_computed_are_known() {
    let tensors = [
        TensorOf { signature: vec![-1, 2, 3, 1], ..computed("x", &[1, 2, 3, 1]) },
        TensorOf { kind: 2, ..computed("shape", &[4]) },
        whole("begin", &[1], &[0]),
        whole("end", &[1], &[1]),
        whole("strides", &[1], &[1]),
        TensorOf { kind: 2, ..computed("batch", &[]) },
        whole("rest", &[], &[6]),
        TensorOf { kind: 2, ..computed("to", &[2]) },
        computed("y", &[1, 6]),
    ];
    let mut slice = op(45, &[1, 2, 3, 4], &[5]);
    slice.words = vec![(0, 0), (1, 0), (4, 1)];
    let mut pack = op(83, &[5, 6], &[7]);
    pack.words = vec![(0, 2), (1, 0)];
    let operators = [op(77, &[0], &[1]), slice, pack, op(22, &[0, 7], &[8])];
    assert_eq!(run(&tensors, &operators, 8, &count(6)), count(6));
    // Sizes of a resize from the operand's own, doubled.
    let tensors = [
        computed("x", &[1, 1, 2, 1]),
        TensorOf { kind: 2, ..computed("shape", &[4]) },
        whole("begin", &[1], &[1]),
        whole("end", &[1], &[3]),
        whole("strides", &[1], &[1]),
        TensorOf { kind: 2, ..computed("places", &[2]) },
        whole("two", &[], &[2]),
        TensorOf { kind: 2, ..computed("size", &[2]) },
        computed("y", &[1, 2, 4, 1]),
    ];
    let mut slice = op(45, &[1, 2, 3, 4], &[5]);
    slice.words = vec![(0, 0), (1, 0), (4, 0)];
    let mut resize = op(97, &[0, 7], &[8]);
    resize.bytes = vec![(0, 0), (1, 0)];
    let operators = [op(77, &[0], &[1]), slice, op(18, &[5, 6], &[7]), resize];
    assert_eq!(run(&tensors, &operators, 8, &[3.0, 5.0]), [3.0, 3.0, 5.0, 5.0, 3.0, 3.0, 5.0, 5.0]);
}

#[test]
fn an_open_size_is_refused_and_an_open_batch_is_one() {
    let x = TensorOf { signature: vec![-1, -1, -1, 3], ..computed("x", &[1, 1, 1, 3]) };
    let refused = why(&[x, computed("y", &[1, 1, 1, 3])], &[op(19, &[0], &[1])], 1);
    assert!(refused.contains("'x'") || refused.contains("\"x\""), "{refused}");
    assert!(refused.contains("dimension 1 is open"), "{refused}");
}

#[test]
fn operands_of_fewer_dimensions_broadcast_from_the_right() {
    let tensors = [
        computed("x", &[1, 2, 1, 2]),
        whole("axes", &[2], &[1, 2]),
        computed("mean", &[1, 2]),
        computed("y", &[1, 2, 1, 2]),
    ];
    let mut mean = op(40, &[0, 1], &[2]);
    mean.bytes = vec![(0, 0)];
    let mut product = op(18, &[2, 0], &[3]);
    product.bytes = vec![(0, 0)];
    let found = run(&tensors, &[mean, product], 3, &[1.0, 2.0, 3.0, 6.0]);
    assert_close(&found, &[2.0, 8.0, 6.0, 24.0]);
}

#[test]
fn bytes_that_are_cast_are_pixels() {
    let tensors = [
        TensorOf { kind: 3, ..computed("x", &[1, 3]) },
        computed("real", &[1, 3]),
        computed("y", &[1, 3]),
    ];
    let operators = [op(53, &[0], &[1]), op(19, &[1], &[2])];
    assert_eq!(run(&tensors, &operators, 2, &[0.0, 7.0, 255.0]), [0.0, 7.0, 255.0]);
    let to_whole = [TensorOf { kind: 2, ..tensors[1].clone() }, tensors[2].clone()];
    let tensors = [computed("x", &[1, 3]), to_whole[0].clone(), to_whole[1].clone()];
    let refused = why(&tensors, &operators, 2);
    assert!(refused.contains("CAST") && refused.contains("from float32 to int32"), "{refused}");
}

#[test]
fn a_model_of_two_inputs_is_frozen_before_they_meet() {
    let tensors = [
        computed("a", &[1, 2]),
        computed("b", &[1, 2]),
        computed("left", &[1, 2]),
        computed("right", &[1, 2]),
        computed("further", &[1, 2]),
        computed("sum", &[1, 2]),
    ];
    let mut add = op(0, &[2, 4], &[5]);
    add.bytes = vec![(0, 0)];
    let operators = [op(19, &[0], &[2]), op(19, &[1], &[3]), op(14, &[3], &[4]), add];
    let bytes = file_of(&tensors, &operators, &[0, 1], &[5]);
    let imported = import_bytes(&bytes, "test.tflite").unwrap();
    let model = Model { path: "test.tflite".into(), imported };
    // The input that most operators need alone.
    model.cut_at("further").unwrap();
    for name in ["left", "sum"] {
        let refused = model.cut_at(name).unwrap_err().to_string();
        assert!(refused.contains("(a, b)") && refused.contains("needs 'b' only"), "{refused}");
    }
    // Nothing needs one alone.
    let mut add = op(0, &[0, 1], &[5]);
    add.bytes = vec![(0, 0)];
    let bytes = file_of(&tensors, &[add], &[0, 1], &[5]);
    let refused = import_bytes(&bytes, "test.tflite").unwrap_err().to_string();
    assert!(refused.contains("several inputs (a, b)"), "{refused}");
}

#[test]
fn signs_are_turned_and_taken_off() {
    let tensors = [computed("x", &[1, 3]), computed("y", &[1, 3])];
    let of = |code| run(&tensors, &[op(code, &[0], &[1])], 1, &[-1.5, 0.0, 2.0]);
    assert_eq!(of(101), [1.5, 0.0, 2.0]);
    assert_eq!(of(59), [1.5, 0.0, -2.0]);
}

#[test]
fn functions_of_one_element_are_what_they_are_called() {
    let of = |code: i32, bytes: &[(u16, i8)]| {
        let mut function = op(code, &[0], &[1]);
        function.bytes = bytes.to_vec();
        run(&[computed("x", &[1, 3]), computed("y", &[1, 3])], &[function], 1, &[0.25, 1.0, 4.0])
    };
    let each = |function: fn(f64) -> f64| [0.25, 1.0, 4.0].map(|x| function(x) as f32);
    assert_close(&of(28, &[]), &each(f64::tanh));
    assert_close(&of(75, &[]), &each(f64::sqrt));
    assert_close(&of(76, &[]), &each(|x| 1.0 / x.sqrt()));
    assert_close(&of(92, &[]), &each(|x| x * x));
    // Hendrycks and Gimpel 2016: the function at 1, and its approximation.
    assert_close(&of(150, &[(0, 0)])[1..2], &[0.841_344_7]);
    assert_close(&of(150, &[(0, 1)])[1..2], &[0.841_192]);
    let tensors = [computed("x", &[1, 2]), computed("y", &[1, 2])];
    let below = |code| run(&tensors, &[op(code, &[0], &[1])], 1, &[-1.0, 2.0]);
    assert_close(&below(111), &[(-1.0_f32).exp() - 1.0, 2.0]);
    let tensors = [computed("x", &[1, 2]), reals("exponent", &[], &[3.0]), computed("y", &[1, 2])];
    assert_close(&run(&tensors, &[op(78, &[0, 1], &[2])], 2, &[2.0, -1.0]), &[8.0, -1.0]);
    assert!(why(&tensors, &[op(78, &[0, 0], &[2])], 2).contains("POW"));
}
