//! What operators do that take, move, spread or sum elements, beside loops over the definitions.

use super::*;

fn axis(n: i64) -> Vec<AttributeProto> {
    vec![int("axis", n)]
}

#[test]
fn elements_are_taken_along_any_axis_of_any_tensor() {
    let shape = [1, 3, 4, 5, 2];
    for rank in 2..=5 {
        let shape = &shape[..rank];
        let dims: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        for along in 1..rank {
            let extent = shape[along];
            for places in [vec![extent - 1, 0], vec![1], (1..extent).collect()] {
                let list: Vec<i64> = places.iter().map(|&place| place as i64).collect();
                let model = Builder::new(13, &dims).ints("i", &list).node(
                    "Gather",
                    &["x", "i"],
                    "y",
                    axis(along as i64),
                );
                let (x, y) = of_noise(model, shape);
                let behind: usize = shape[along + 1..].iter().product();
                let before: usize = shape[..along].iter().product();
                let mut expected = Vec::new();
                for b in 0..before {
                    for place in &places {
                        let first = (b * extent + place) * behind;
                        expected.extend(&x[first..first + behind]);
                    }
                }
                assert_near(&y, &expected, &format!("{places:?} along {along} of {shape:?}"));
            }
        }
    }
    let one =
        Builder::new(13, &[1, 3, 4]).raw("i", &[], DataType::INT64, vec![2, 0, 0, 0, 0, 0, 0, 0]);
    let one = one.node("Gather", &["x", "i"], "y", axis(1));
    let (x, y) = of_noise(one, &[1, 3, 4]);
    assert_near(&y, &x[8..], "an axis that is gone");
}

#[test]
fn windows_cut_rows_and_columns_and_leave_some_out() {
    // Rows from 1 to before 7 by 2, columns from 3 on.
    let cases: [(usize, usize, usize); 7] =
        [(0, 9, 2), (1, 9, 2), (3, 9, 1), (0, 4, 1), (2, 7, 1), (1, 5, 3), (8, 9, 1)];
    for rows in cases {
        for columns in [(0, 6, 1), (1, 6, 2), (2, 4, 1)] {
            let model = Builder::new(13, &[1, 2, 9, 6])
                .ints("from", &[rows.0 as i64, columns.0 as i64])
                .ints("to", &[rows.1 as i64, columns.1 as i64])
                .ints("axes", &[2, 3])
                .ints("steps", &[rows.2 as i64, columns.2 as i64])
                .node("Slice", &["x", "from", "to", "axes", "steps"], "y", vec![]);
            let (x, y) = of_noise(model, &[1, 2, 9, 6]);
            let mut expected = Vec::new();
            for channel in 0..2 {
                for row in (rows.0..rows.1).step_by(rows.2) {
                    let columns = (columns.0..columns.1).step_by(columns.2);
                    expected.extend(columns.map(|column| x[(channel * 9 + row) * 6 + column]));
                }
            }
            assert_near(&y, &expected, &format!("rows {rows:?}, columns {columns:?}"));
        }
    }
    let back = Builder::new(13, &[1, 2, 9, 6])
        .ints("from", &[-1])
        .ints("to", &[i64::MIN])
        .ints("axes", &[2])
        .ints("steps", &[-4])
        .node("Slice", &["x", "from", "to", "axes", "steps"], "y", vec![]);
    let (x, y) = of_noise(back, &[1, 2, 9, 6]);
    let rows = [0, 1].iter().flat_map(|c| [8, 4, 0].map(|row| (c * 9 + row) * 6));
    let expected: Vec<f32> = rows.flat_map(|first| x[first..first + 6].to_vec()).collect();
    assert_near(&y, &expected, "rows from the last one on");
}

#[test]
fn places_are_gathered_by_several_indices() {
    let bytes = |list: &[i64]| list.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let places = bytes(&[0, 1, 1, 0, -1, -1]);
    let model = Builder::new(13, &[1, 3, 2, 5])
        .node("Transpose", &["x"], "t", vec![ints("perm", &[2, 3, 0, 1])])
        .raw("i", &[3, 2], DataType::INT64, places)
        .node("Reshape", &["t", "one"], "r", vec![])
        .ints("one", &[1, 10, 3])
        .raw("j", &[1, 2, 2], DataType::INT64, bytes(&[0, 4, 0, 9]))
        .node("GatherND", &["r", "j"], "y", vec![]);
    let (x, y) = of_noise(model, &[1, 3, 2, 5]);
    let expected: Vec<f32> =
        [4, 9].iter().flat_map(|at| [0, 1, 2].map(|c| x[c * 10 + at])).collect();
    assert_near(&y, &expected, "two of ten places");
    let model = Builder::new(13, &[1, 4, 3])
        .raw("i", &[1, 2, 1], DataType::INT64, bytes(&[3, 1]))
        .node("GatherND", &["x", "i"], "y", vec![int("batch_dims", 1)]);
    let (x, y) = of_noise(model, &[1, 4, 3]);
    assert_near(&y, &[&x[9..12], &x[3..6]].concat(), "with the batch");
}

#[test]
fn a_batch_of_one_may_be_moved_and_its_places_gathered() {
    let (rows, columns) = ([0_usize, 1, 1], [2_usize, 4]);
    let places = rows.iter().flat_map(|&row| columns.map(|column| [row as i64, column as i64]));
    let places: Vec<u8> = places.flatten().flat_map(i64::to_le_bytes).collect();
    let turn = || vec![ints("perm", &[2, 3, 0, 1])];
    let model = || {
        Builder::new(13, &[1, 3, 2, 5])
            .node("Transpose", &["x"], "t", turn())
            .raw("i", &[3, 2, 2], DataType::INT64, places.clone())
            .node("GatherND", &["t", "i"], "g", vec![])
            .node("Transpose", &["g"], "y", turn())
    };
    let (x, y) = of_noise(model(), &[1, 3, 2, 5]);
    let of_channel = |c: usize| {
        rows.iter().flat_map(move |row| columns.map(|column| (c * 2 + row) * 5 + column))
    };
    let expected: Vec<f32> = (0..3).flat_map(of_channel).map(|at| x[at]).collect();
    assert_near(&y, &expected, "rows and columns");
    let imported = model().import("y").unwrap();
    let simple = simplify(&imported.graph, &mut Aliases::default(), &mut |_, _| None);
    let found = obstacle(&simple).map(|error| error.to_string());
    assert_eq!(found, None);
}

#[test]
fn axes_are_repeated() {
    let expand = |shape: &[i64]| {
        Builder::new(13, &[1, 3, 1, 2]).ints("s", shape).node("Expand", &["x", "s"], "y", vec![])
    };
    let (x, y) = of_noise(expand(&[4, 1]), &[1, 3, 1, 2]);
    let rows: Vec<f32> = x.chunks_exact(2).flat_map(|row| row.repeat(4)).collect();
    assert_near(&y, &rows, "of one row four");
    let (x, y) = of_noise(expand(&[1, 1, 3, 2, 2]), &[1, 3, 1, 2]);
    let rows: Vec<f32> = x.chunks_exact(2).flat_map(|row| row.repeat(2)).collect();
    assert_near(&y, &rows, "with an axis more");
    assert!(refusal(expand(&[1, 2, 1, 2]).import("y")).contains("does not expand"));
    let tile = |times: &[i64]| {
        Builder::new(13, &[1, 3, 1, 2]).ints("t", times).node("Tile", &["x", "t"], "y", vec![])
    };
    let (x, y) = of_noise(tile(&[1, 2, 1, 1]), &[1, 3, 1, 2]);
    assert_near(&y, &x.repeat(2), "channels twice");
    let (x, y) = of_noise(tile(&[1, 1, 1, 3]), &[1, 3, 1, 2]);
    let columns: Vec<f32> = x.chunks_exact(2).flat_map(|row| row.repeat(3)).collect();
    assert_near(&y, &columns, "columns three times");
    assert!(refusal(tile(&[2, 1, 1, 1]).import("y")).contains("samples of a batch"));
    assert!(refusal(tile(&[2]).import("y")).contains("times"));
}

#[test]
fn blocks_of_places_become_channels_and_channels_become_blocks() {
    let block = || vec![int("blocksize", 2)];
    let model = Builder::new(13, &[1, 3, 4, 6]).node("SpaceToDepth", &["x"], "y", block());
    let (x, y) = of_noise(model, &[1, 3, 4, 6]);
    let mut expected = vec![0.0; y.len()];
    for c in 0..3 {
        for (row, column) in (0..4).flat_map(|row| (0..6).map(move |column| (row, column))) {
            let channel = ((row % 2) * 2 + column % 2) * 3 + c;
            expected[(channel * 2 + row / 2) * 3 + column / 2] = x[(c * 4 + row) * 6 + column];
        }
    }
    assert_near(&y, &expected, "SpaceToDepth");
    for mode in ["DCR", "CRD"] {
        let attributes = [block(), vec![string("mode", mode)]].concat();
        let model = Builder::new(13, &[1, 8, 2, 3]).node("DepthToSpace", &["x"], "y", attributes);
        let (x, y) = of_noise(model, &[1, 8, 2, 3]);
        let mut expected = vec![0.0; y.len()];
        for c in 0..2 {
            for (row, column) in (0..4).flat_map(|row| (0..6).map(move |column| (row, column))) {
                let cell = (row % 2) * 2 + column % 2;
                let channel = if mode == "DCR" { cell * 2 + c } else { c * 4 + cell };
                expected[(c * 4 + row) * 6 + column] = x[(channel * 2 + row / 2) * 3 + column / 2];
            }
        }
        assert_near(&y, &expected, mode);
    }
    let odd = Builder::new(13, &[1, 3, 5, 6]).node("SpaceToDepth", &["x"], "y", block());
    assert!(refusal(odd.import("y")).contains("5 × 6"));
}

/// What a transposed convolution adds up: each element times the kernel, at its place.
fn spread(
    x: &[f32],
    [channels, height, width]: [usize; 3],
    weight: &[f32],
    [outputs, kernel]: [usize; 2],
    [stride, dilation, pad, groups]: [usize; 4],
    [rows, columns]: [usize; 2],
) -> Vec<f32> {
    let mut y = vec![0.0; outputs * groups * rows * columns];
    for c in 0..channels {
        let group = c / (channels / groups);
        for m in 0..outputs {
            for at in 0..height * width * kernel * kernel {
                let (place, tap) = (at / (kernel * kernel), at % (kernel * kernel));
                let row = place / width * stride + tap / kernel * dilation;
                let column = place % width * stride + tap % kernel * dilation;
                if row < pad || column < pad || row - pad >= rows || column - pad >= columns {
                    continue;
                }
                let at = ((group * outputs + m) * rows + row - pad) * columns + column - pad;
                y[at] += x[c * height * width + place]
                    * weight[(c * outputs + m) * kernel * kernel + tap];
            }
        }
    }
    y
}

#[test]
fn transposed_convolutions_spread_every_element() {
    // Kernel, stride, dilation, padding, padding of the result, groups.
    let cases = [
        (2, 2, 1, 0, 0, 1),
        (3, 2, 1, 1, 1, 1),
        (4, 2, 1, 1, 0, 2),
        (3, 1, 1, 1, 0, 1),
        (3, 3, 1, 0, 0, 1),
        (2, 3, 1, 0, 1, 1),
        (3, 2, 2, 2, 1, 2),
        (5, 2, 1, 2, 0, 1),
    ];
    for (kernel, stride, dilation, pad, more, groups) in cases {
        let [channels, height, width, outputs] = [4, 3, 5, 2];
        let result =
            |extent: usize| (extent - 1) * stride + (kernel - 1) * dilation + 1 + more - 2 * pad;
        let count = channels * outputs * kernel * kernel;
        let weight: Vec<f32> = (0..count).map(|i| ((i * 7 % 11) as f32 - 5.0) / 5.0).collect();
        let dims = [channels, outputs, kernel, kernel].map(|n| n as i64);
        let pair = |n: usize| [n as i64; 2];
        let attributes = vec![
            ints("strides", &pair(stride)),
            ints("dilations", &pair(dilation)),
            ints("pads", &[pad as i64; 4]),
            ints("output_padding", &pair(more)),
            int("group", groups as i64),
        ];
        let bias: Vec<f32> = (0..outputs * groups).map(|m| m as f32).collect();
        let model = Builder::new(13, &[1, channels as i64, height as i64, width as i64])
            .floats("w", &dims, &weight)
            .floats("b", &[bias.len() as i64], &bias)
            .node("ConvTranspose", &["x", "w", "b"], "y", attributes);
        let (x, y) = of_noise(model, &[1, channels, height, width]);
        let extents = [result(height), result(width)];
        let settings = [stride, dilation, pad, groups];
        let mut expected =
            spread(&x, [channels, height, width], &weight, [outputs, kernel], settings, extents);
        let places = extents[0] * extents[1];
        expected.iter_mut().enumerate().for_each(|(at, y)| *y += bias[at / places]);
        assert_near(
            &y,
            &expected,
            &format!("kernel {kernel}, stride {stride}, dilation {dilation}"),
        );
    }
    let line = Builder::new(13, &[1, 1, 3]).floats("w", &[1, 1, 3], &[1.0, 10.0, 100.0]).node(
        "ConvTranspose",
        &["x", "w"],
        "y",
        vec![ints("strides", &[2]), string("auto_pad", "SAME_UPPER")],
    );
    let (x, y) = of_noise(line, &[1, 1, 3]);
    let whole =
        [x[0], 10.0 * x[0], 100.0 * x[0] + x[1], 10.0 * x[1], 100.0 * x[1] + x[2], 10.0 * x[2]];
    assert_near(&y, &whole, "as long as the strides say");
    let apart = vec![ints("strides", &[3]), ints("output_padding", &[2])];
    let apart = Builder::new(13, &[1, 1, 3]).floats("w", &[1, 1, 2], &[1.0; 2]).node(
        "ConvTranspose",
        &["x", "w"],
        "y",
        apart,
    );
    assert!(refusal(apart.import("y")).contains("no element of 3 reaches"));
    let computed = Builder::new(13, &[1, 1, 3]).node("ConvTranspose", &["x", "x"], "y", vec![]);
    assert!(refusal(computed.import("y")).contains("not known before the model runs"));
}

/// What is made of the elements that are reduced.
type Of<'a> = &'a dyn Fn(&[f32]) -> f32;

#[test]
fn sums_norms_and_extremes_go_along_any_axes() {
    let shape = [1, 3, 4, 5];
    let sum = |list: &[f32]| list.iter().sum::<f32>();
    let root = |list: &[f32]| list.iter().map(|x| x * x).sum::<f32>().sqrt();
    let most = |list: &[f32]| list.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let least = |list: &[f32]| list.iter().copied().fold(f32::INFINITY, f32::min);
    let squares = |list: &[f32]| list.iter().map(|x| x * x).sum::<f32>();
    let distances = |list: &[f32]| list.iter().map(|x| x.abs()).sum::<f32>();
    let cases: [(&str, Of<'_>); 6] = [
        ("ReduceSum", &sum),
        ("ReduceL1", &distances),
        ("ReduceL2", &root),
        ("ReduceSumSquare", &squares),
        ("ReduceMax", &most),
        ("ReduceMin", &least),
    ];
    for (operator, of) in cases {
        for (axes, keep) in [(vec![1], 1), (vec![2, 3], 0), (vec![1, 3], 1), (vec![-1], 0)] {
            let model = Builder::new(18, &[1, 3, 4, 5]).ints("a", &axes).node(
                operator,
                &["x", "a"],
                "y",
                vec![int("keepdims", keep)],
            );
            let (x, y) = of_noise(model, &shape);
            let axes: Vec<usize> =
                axes.iter().map(|&a| if a < 0 { 3 } else { a as usize }).collect();
            let mut groups: BTreeMap<Vec<usize>, Vec<f32>> = BTreeMap::new();
            for (at, &x) in x.iter().enumerate() {
                let place = [at / 20, at / 5 % 4, at % 5];
                let kept =
                    (0..3).filter(|axis| !axes.contains(&(axis + 1))).map(|axis| place[axis]);
                groups.entry(kept.collect()).or_default().push(x);
            }
            let expected: Vec<f32> = groups.values().map(|list| of(list)).collect();
            assert_near(&y, &expected, &format!("{operator} along {axes:?}"));
        }
    }
}

#[test]
fn samples_are_normalised_by_their_own_statistics() {
    let normal = |list: &[f32], epsilon: f32| {
        let mean = list.iter().sum::<f32>() / list.len() as f32;
        let variance = list.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / list.len() as f32;
        list.iter().map(|x| (x - mean) / (variance + epsilon).sqrt()).collect::<Vec<f32>>()
    };
    let (scale, bias) = ([0.5, 2.0, -1.0, 3.0], [0.0, 1.0, 2.0, -1.0]);
    let model = |opset, operator, factors: usize, attributes| {
        Builder::new(opset, &[1, 4, 3, 2])
            .floats("s", &[factors as i64], &scale[..factors])
            .floats("b", &[factors as i64], &bias[..factors])
            .node(operator, &["x", "s", "b"], "y", attributes)
    };
    let cases = [
        (model(13, "InstanceNormalization", 4, vec![float("epsilon", 1e-3)]), 1e-3, 4, 4),
        (model(21, "GroupNormalization", 4, vec![int("num_groups", 2)]), 1e-5, 2, 4),
        (model(18, "GroupNormalization", 2, vec![int("num_groups", 2)]), 1e-5, 2, 2),
    ];
    for (model, epsilon, groups, factors) in cases {
        let (x, y) = of_noise(model, &[1, 4, 3, 2]);
        let rows = x.chunks_exact(24 / groups).flat_map(|group| normal(group, epsilon));
        let factor = |at: usize| at / 6 / (4 / factors);
        let expected: Vec<f32> =
            rows.enumerate().map(|(at, n)| n * scale[factor(at)] + bias[factor(at)]).collect();
        assert_near(&y, &expected, &format!("{groups} groups, {factors} factors"));
    }

    let attributes =
        vec![int("size", 3), float("alpha", 0.9), float("beta", 0.5), float("bias", 2.0)];
    let model = Builder::new(13, &[1, 4, 1, 2]).node("LRN", &["x"], "y", attributes);
    let (x, y) = of_noise(model, &[1, 4, 1, 2]);
    let expected = (0..8_usize).map(|at| {
        let (channel, place) = (at / 2, at % 2);
        let near = channel.saturating_sub(1)..=(channel + 1).min(3);
        let squares: f32 = near.map(|c: usize| x[2 * c + place].powi(2)).sum();
        x[at] / (2.0_f32 + 0.3 * squares).sqrt()
    });
    assert_near(&y, &expected.collect::<Vec<f32>>(), "LRN");
}
