//! Pools over windows of unlike sizes, as exporters write them out, and cubic resizing.

use super::*;

/// `AdaptiveAvgPool2d((rows, columns))` of a map of 2 channels, as PyTorch 2.15 writes it where windows of either axis are of unlike sizes.
fn adaptive(from: [usize; 2], to: [usize; 2]) -> Builder {
    let start = |axis: usize, at: usize| at * from[axis] / to[axis];
    let end = |axis: usize, at: usize| ((at + 1) * from[axis]).div_ceil(to[axis]);
    let size = |axis: usize, at: usize| end(axis, at) - start(axis, at);
    let longest = [0, 1].map(|axis| (0..to[axis]).map(|at| size(axis, at)).max().unwrap());
    let mut places = Vec::new();
    for row in 0..to[0] {
        for i in 0..longest[0] {
            for column in 0..to[1] {
                for j in 0..longest[1] {
                    let place = [(0, row, i), (1, column, j)];
                    let place =
                        place.map(|(axis, at, i)| (start(axis, at) + i).min(from[axis] - 1));
                    places.extend(place.map(|at| at as i64));
                }
            }
        }
    }
    let bytes = places.iter().flat_map(|n| n.to_le_bytes()).collect();
    let dims = [to[0], longest[0], to[1], longest[1], 2].map(|n| n as i64);
    let beyond = |axis: usize| {
        let mask = (0..to[axis]).flat_map(|at| (0..longest[axis]).map(move |i| (at, i)));
        mask.map(|(at, i)| u8::from(i >= size(axis, at))).collect::<Vec<u8>>()
    };
    let counts = (0..to[0]).flat_map(|row| (0..to[1]).map(move |column| (row, column)));
    let counts: Vec<f32> = counts.map(|(r, c)| (size(0, r) * size(1, c)) as f32).collect();
    let scalar = |n: usize| (n as i64).to_le_bytes().to_vec();
    let mut model = Builder::new(18, &[1, 2, from[0] as i64, from[1] as i64])
        .raw("places", &dims, DataType::INT64, bytes)
        .raw("rows", &[dims[0], dims[1], 1, 1], DataType::BOOL, beyond(0))
        .raw("columns", &[dims[2], dims[3]], DataType::BOOL, beyond(1))
        .floats("zero", &[], &[0.0])
        .floats("counts", &[dims[0], dims[2]], &counts)
        .node("Transpose", &["x"], "places_first", vec![ints("perm", &[2, 3, 0, 1])])
        .node("GatherND", &["places_first", "places"], "taken", vec![])
        .node("Transpose", &["taken"], "index", vec![ints("perm", &[4, 5, 0, 1, 2, 3])])
        .node("Where", &["rows", "zero", "index"], "masked", vec![])
        .node("Where", &["columns", "zero", "masked"], "masked_twice", vec![]);
    for at in 0..longest[0].max(longest[1]) {
        model = model.raw(&format!("at_{at}"), &[], DataType::INT64, scalar(at));
    }
    let mut sum = String::new();
    for i in 0..longest[0] {
        let row = format!("row_{i}");
        let axis = |axis| vec![int("axis", axis)];
        model = model.node("Gather", &["masked_twice", &format!("at_{i}")], &row, axis(3));
        for j in 0..longest[1] {
            let (part, next) = (format!("part_{i}_{j}"), format!("sum_{i}_{j}"));
            model = model.node("Gather", &[&row, &format!("at_{j}")], &part, axis(4));
            if sum.is_empty() {
                sum = part;
            } else {
                model = model.node("Add", &[&sum, &part], &next, vec![]);
                sum = next;
            }
        }
    }
    model.node("Div", &[&sum, "counts"], "y", vec![])
}

/// Means over the windows of an adaptive pool, by its definition.
fn means(x: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let window = |axis: usize, at: usize| {
        at * from[axis] / to[axis]..((at + 1) * from[axis]).div_ceil(to[axis])
    };
    let mut y = Vec::new();
    for map in x.chunks_exact(from[0] * from[1]) {
        for row in 0..to[0] {
            for column in 0..to[1] {
                let rows = window(0, row);
                let places = rows.flat_map(|r| window(1, column).map(move |c| r * from[1] + c));
                let seen: Vec<f32> = places.map(|at| map[at]).collect();
                y.push(seen.iter().sum::<f32>() / seen.len() as f32);
            }
        }
    }
    y
}

#[test]
fn a_pool_over_windows_of_unlike_sizes_is_one_product_over_places() {
    for (from, to) in [([4, 4], [7, 7]), ([5, 5], [3, 3]), ([7, 4], [3, 7]), ([10, 10], [7, 7])] {
        let shape = [1, 2, from[0], from[1]];
        let (x, y) = of_noise(adaptive(from, to), &shape);
        assert_near(&y, &means(&x, from, to), &format!("{from:?} to {to:?}, as written"));
        let imported = adaptive(from, to).import("y").unwrap();
        let simple = simplify(&imported.graph, &mut Aliases::default(), &mut reference::fold);
        let names: Vec<&str> = simple.nodes.iter().map(|node| node.op.name()).collect();
        assert_eq!(names, ["Reshape", "MatMul", "Reshape"], "{from:?} to {to:?}");
        let merged = reference::run(&simple, std::slice::from_ref(&x)).remove(0);
        assert_near(&merged, &means(&x, from, to), &format!("{from:?} to {to:?}, merged"));
        assert_eq!(obstacle(&simple).map(|error| error.to_string()), None);
        let order = crate::cut::layout::order_of(&simple, simple.outputs[0]);
        assert_eq!(order, Some(vec![1, 2, 0]), "channels and places are known");
    }
}

#[test]
fn a_pool_of_which_a_part_is_wanted_stays_as_it_is_written() {
    let mut model = adaptive([4, 4], [7, 7]);
    model.graph().output.push(testing::value_info("masked", &[]));
    let imported = model.import("y").unwrap();
    let simple = simplify(&imported.graph, &mut Aliases::default(), &mut reference::fold);
    reference::assert_same(&imported.graph, &simple, 1e-5);
    assert!(simple.nodes.iter().all(|node| node.op != Op::MatMul));
}

fn cubic(input: &[i64], scales: &[f32], attributes: Vec<AttributeProto>) -> Builder {
    let attributes = [vec![string("mode", "cubic")], attributes].concat();
    Builder::new(18, input).floats("scales", &[scales.len() as i64], scales).node(
        "Resize",
        &["x", "", "scales"],
        "y",
        attributes,
    )
}

/// Cubic resizing of one row by its definition, `a` being the slope.
fn resized(row: &[f32], to: usize, scale: f32, a: f32, leaves_out: bool) -> Vec<f32> {
    let weight = |distance: f32| {
        let x = distance.abs();
        if x <= 1.0 {
            (a + 2.0) * x.powi(3) - (a + 3.0) * x.powi(2) + 1.0
        } else if x < 2.0 {
            a * x.powi(3) - 5.0 * a * x.powi(2) + 8.0 * a * x - 4.0 * a
        } else {
            0.0
        }
    };
    let each = |index: usize| {
        let place = (index as f32 + 0.5) / scale - 0.5;
        let (mut sum, mut whole) = (0.0, 0.0);
        for tap in -1..=2 {
            let at = place.floor() + tap as f32;
            if leaves_out && (at < 0.0 || at >= row.len() as f32) {
                continue;
            }
            let share = weight(place - at);
            sum += share * row[at.clamp(0.0, row.len() as f32 - 1.0) as usize];
            whole += share;
        }
        sum / whole
    };
    (0..to).map(each).collect()
}

#[test]
fn cubic_resizing_is_a_product_along_each_axis() {
    for (a, leaves_out) in [(-0.75, false), (-0.5, true)] {
        let attributes =
            || vec![float("cubic_coeff_a", a), int("exclude_outside", i64::from(leaves_out))];
        let (x, y) = of_noise(cubic(&[1, 2, 5], &[1.0, 1.0, 1.6], attributes()), &[1, 2, 5]);
        let expected: Vec<f32> =
            x.chunks_exact(5).flat_map(|row| resized(row, 8, 1.6, a, leaves_out)).collect();
        assert_near(&y, &expected, "rows");
        let scales = [1.0, 1.0, 2.0, 0.5];
        let (x, y) = of_noise(cubic(&[1, 2, 3, 6], &scales, attributes()), &[1, 2, 3, 6]);
        let mut expected = Vec::new();
        for map in x.chunks_exact(18) {
            let rows: Vec<Vec<f32>> =
                map.chunks_exact(6).map(|row| resized(row, 3, 0.5, a, leaves_out)).collect();
            let columns: Vec<Vec<f32>> = (0..3)
                .map(|at| rows.iter().map(|row| row[at]).collect::<Vec<f32>>())
                .map(|column| resized(&column, 6, 2.0, a, leaves_out))
                .collect();
            expected.extend((0..6).flat_map(|r| columns.iter().map(move |column| column[r])));
        }
        assert_near(&y, &expected, "maps");
        let imported = cubic(&[1, 2, 3, 6], &scales, attributes()).import("y").unwrap();
        let simple = simplify(&imported.graph, &mut Aliases::default(), &mut reference::fold);
        assert_eq!(obstacle(&simple).map(|error| error.to_string()), None);
        let order = crate::cut::layout::order_of(&simple, simple.outputs[0]);
        assert_eq!(order, Some(vec![1, 2, 0]));
    }
    let same = cubic(&[1, 2, 5], &[1.0; 3], vec![]).node("Relu", &["y"], "z", vec![]);
    assert!(matches!(only(&same.import("z").unwrap()), Op::Activation(Activation::Relu)));
}
