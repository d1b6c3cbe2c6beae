//! What each operator becomes.

use super::*;

#[test]
fn automatic_padding_becomes_explicit() {
    let cases: &[(&str, i64, [usize; 2])] = &[
        ("SAME_UPPER", 2, [0, 1]),
        ("SAME_LOWER", 2, [1, 0]),
        ("SAME_UPPER", 1, [1, 1]),
        ("VALID", 2, [0, 0]),
    ];
    for &(auto_pad, stride, [begin, end]) in cases {
        let attributes = vec![string("auto_pad", auto_pad), ints("strides", &[stride, stride])];
        let imported = one(11, &[1, 2, 8, 8], "Conv", &["w"], attributes)
            .weight("w", &[4, 2, 3, 3])
            .import("y")
            .unwrap();
        let Op::Conv(conv) = only(&imported) else { unreachable!() };
        let expected = Window {
            kernel: vec![3; 2],
            strides: vec![stride as usize; 2],
            dilations: vec![1; 2],
            pads_begin: vec![begin; 2],
            pads_end: vec![end; 2],
        };
        assert_eq!(conv.window, expected, "{auto_pad} {stride}");
    }
}

#[test]
fn convolutions_have_one_to_three_spatial_dimensions() {
    let conv = |input: &[i64], weight: &[i64], attributes| {
        one(11, input, "Conv", &["w"], attributes).weight("w", weight).import("y")
    };
    let attributes = vec![ints("pads", &[1, 0]), ints("dilations", &[2]), int("group", 2)];
    let imported = conv(&[0, 4, 9], &[6, 2, 3], attributes).unwrap();
    assert_eq!(output_shape(&imported.graph), [1, 6, 6]);
    let imported = conv(&[0, 2, 4, 5, 6], &[3, 2, 1, 2, 3], vec![]).unwrap();
    assert_eq!(output_shape(&imported.graph), [1, 3, 4, 4, 4]);
    for (input, weight, attributes) in [
        (vec![1, 1, 2, 2, 2, 2], vec![1, 1, 1, 1, 1, 1], vec![]),
        (vec![1, 1, 4, 4], vec![1, 2, 3, 3], vec![]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![ints("pads", &[0, -1, 0, 0])]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![ints("pads", &[1, 1])]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![ints("strides", &[0, 1])]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![ints("pads", &[1 << 40; 4])]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![int("group", -1)]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![ints("kernel_shape", &[2, 2])]),
        (vec![1, 1, 4, 4], vec![1, 1, 3, 3], vec![string("auto_pad", "EVERYWHERE")]),
    ] {
        let message = refusal(conv(&input, &weight, attributes));
        assert!(message.contains("\"Conv_y\""), "{message}");
    }
}

#[test]
fn rounding_up_extends_the_end_padding_only_where_a_window_sees_data() {
    // 6 = two windows of 3, a third would start at the data's end; 7 has one element for it.
    let cases: &[(i64, i64, &str, usize, usize)] = &[
        (6, 3, "MaxPool", 2, 0),
        (7, 3, "MaxPool", 3, 2),
        (5, 2, "AveragePool", 2, 0),
        (6, 2, "AveragePool", 3, 1),
    ];
    for &(extent, stride, operator, windows, extra) in cases {
        let attributes = vec![
            ints("kernel_shape", &[3]),
            ints("strides", &[stride]),
            int("ceil_mode", 1),
            int("count_include_pad", 1),
        ];
        let imported = one(11, &[1, 1, extent], operator, &[], attributes).import("y").unwrap();
        assert_eq!(output_shape(&imported.graph), [1, 1, windows], "{operator} of {extent}");
        let window = match only(&imported) {
            Op::MaxPool(pool) => &pool.window,
            Op::AveragePool(pool) => {
                assert_eq!(pool.ceil_extra, [extra]);
                assert!(pool.count_include_pad);
                &pool.window
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(window.pads_end, [extra]);
    }
}

#[test]
fn clip_finds_its_bounds_wherever_they_are() {
    let infinity = f32::INFINITY;
    let clip = |opset, operands: &[&str], attributes| {
        let bound = tensor("", &[], DataType::FLOAT, 6.0_f32.to_le_bytes().to_vec());
        let builder = Builder::new(opset, &[1, 2])
            .floats("zero", &[], &[0.0])
            .node("Constant", &[], "six", vec![value("value", bound)])
            .node("Clip", &[&["x"], operands].concat(), "y", attributes);
        *only(&builder.import("y").unwrap())
            == Op::Activation(Activation::Clip {
                min: if operands.contains(&"zero") || opset < 11 { 0.0 } else { -infinity },
                max: if operands.contains(&"six") || opset < 11 { 6.0 } else { infinity },
            })
    };
    assert!(clip(6, &[], vec![float("min", 0.0), float("max", 6.0)]));
    assert!(clip(11, &["zero", "six"], vec![]));
    assert!(clip(13, &["", "six"], vec![]));
    assert!(clip(13, &["zero"], vec![]));
    assert!(clip(13, &[], vec![]));
    let computed = Builder::new(13, &[1]).node("Clip", &["x", "x"], "y", vec![]).import("y");
    assert!(refusal(computed).contains("must be known"));
}

#[test]
fn reshape_knows_zero_and_minus_one() {
    let reshape = |target: &[i64], attributes| {
        one(14, &[1, 2, 6], "Reshape", &["s"], attributes).ints("s", target).import("y")
    };
    let shape = |target: &[i64]| output_shape(&reshape(target, vec![]).unwrap().graph).to_vec();
    assert_eq!(shape(&[0, -1]), [1, 12]);
    assert_eq!(shape(&[0, 0, 3, -1]), [1, 2, 3, 2]);
    assert_eq!(shape(&[-1]), [12]);
    for target in [&[5, -1][..], &[-1, -1], &[-2, 6], &[1, 2, 6, 0], &[i64::MAX, i64::MAX]] {
        refusal(reshape(target, vec![]));
    }
    refusal(reshape(&[0, 12], vec![int("allowzero", 1)]));
    let computed = one(14, &[1, 2], "Reshape", &["x"], vec![]).import("y");
    assert!(refusal(computed).contains("known before the model runs"));
}

#[test]
fn shapes_of_other_operators_follow_the_operator_set() {
    let cases: Vec<(Builder, &[usize])> = vec![
        (one(13, &[1, 2, 3, 4], "Flatten", &[], vec![int("axis", -1)]), &[6, 4]),
        (one(13, &[1, 2, 3], "Flatten", &[], vec![int("axis", 3)]), &[6, 1]),
        (one(11, &[1, 2, 1], "Squeeze", &[], vec![ints("axes", &[-1])]), &[1, 2]),
        (one(13, &[1, 2, 1], "Squeeze", &["a"], vec![]).ints("a", &[0]), &[2, 1]),
        (one(13, &[1, 2, 1], "Squeeze", &[], vec![]), &[2]),
        (one(11, &[1, 3], "Unsqueeze", &[], vec![ints("axes", &[0, -1])]), &[1, 1, 3, 1]),
        (one(13, &[1, 3], "Unsqueeze", &["a"], vec![]).ints("a", &[2]), &[1, 3, 1]),
        (one(13, &[1, 3, 4], "Transpose", &[], vec![]), &[4, 3, 1]),
        (one(18, &[1, 3, 4], "ReduceMean", &["a"], vec![]).ints("a", &[-1]), &[1, 3, 1]),
        (one(18, &[1, 3], "ReduceMean", &[], vec![int("keepdims", 0)]), &[]),
        (one(18, &[1, 3], "ReduceMean", &[], vec![int("noop_with_empty_axes", 1)]), &[1, 3]),
        (one(10, &[1, 3], "Pad", &[], vec![ints("pads", &[0, 1, 0, 2])]), &[1, 6]),
        (
            one(18, &[1, 3], "Pad", &["p", "", "a"], vec![]).ints("p", &[1, 1]).ints("a", &[-1]),
            &[1, 5],
        ),
        (one(13, &[1, 2, 4, 5], "GlobalMaxPool", &[], vec![]), &[1, 2, 1, 1]),
        (one(13, &[1, 2], "Sum", &["x", "x"], vec![]), &[1, 2]),
    ];
    for (number, (builder, expected)) in cases.into_iter().enumerate() {
        let imported = builder.import("y");
        let imported = imported.unwrap_or_else(|error| panic!("case {number}: {error}"));
        assert_eq!(output_shape(&imported.graph), expected, "case {number}");
    }
}

#[test]
fn padding_has_its_value_and_mode() {
    let pad = |mode, attributes: Vec<AttributeProto>, opset| {
        let attributes = [vec![string("mode", mode)], attributes].concat();
        one(opset, &[1, 3], "Pad", if opset < 11 { &[] } else { &["p", "v"] }, attributes)
            .ints("p", &[0, 2, 0, 0])
            .floats("v", &[], &[1.5])
            .import("y")
    };
    let mode = |imported: Imported| match only(&imported) {
        Op::Pad(pad) => pad.mode,
        other => panic!("{other:?}"),
    };
    let amounts = || ints("pads", &[0, 2, 0, 0]);
    assert_eq!(mode(pad("constant", vec![], 13).unwrap()), PadMode::Constant(1.5));
    let old = vec![amounts(), float("value", 2.5)];
    assert_eq!(mode(pad("constant", old, 9).unwrap()), PadMode::Constant(2.5));
    assert_eq!(mode(pad("reflect", vec![amounts()], 9).unwrap()), PadMode::Reflect);
    assert_eq!(mode(pad("edge", vec![amounts()], 9).unwrap()), PadMode::Edge);
    assert_eq!(mode(pad("wrap", vec![], 19).unwrap()), PadMode::Wrap);
    refusal(pad("around", vec![], 19));
    refusal(pad("reflect", vec![ints("pads", &[0, 3, 0, 0])], 9));
    assert!(refusal(pad("constant", vec![ints("pads", &[0, -1, 0, 0])], 9)).contains("negative"));
}

#[test]
fn old_broadcasts_and_slopes_are_aligned_to_their_axis() {
    let add = one(6, &[1, 2, 3, 3], "Add", &["w"], vec![int("broadcast", 1), int("axis", 1)])
        .weight("w", &[2])
        .import("y")
        .unwrap();
    assert_eq!(add.graph.values[add.graph.nodes[0].inputs[1]].shape, [2, 1, 1]);
    let prelu = one(6, &[1, 2, 3, 3], "PRelu", &["w"], vec![]).weight("w", &[2]).import("y");
    let prelu = prelu.unwrap();
    assert_eq!(prelu.graph.values[prelu.graph.nodes[0].inputs[1]].shape, [2, 1, 1]);
    let newer = one(9, &[1, 2, 3, 2], "PRelu", &["w"], vec![]).weight("w", &[2]).import("y");
    let newer = newer.unwrap();
    assert_eq!(newer.graph.values[newer.graph.nodes[0].inputs[1]].shape, [2]);
}

#[test]
fn softmax_changed_its_meaning_with_operator_set_13() {
    let softmax = |opset, input: &[i64], attributes| {
        only(&one(opset, input, "Softmax", &[], attributes).import("y").unwrap()).clone()
    };
    let expect = |axis, flatten| Op::Softmax { axis, flatten };
    assert_eq!(softmax(11, &[1, 2, 3], vec![]), expect(1, true));
    assert_eq!(softmax(11, &[1, 2, 1, 1], vec![]), expect(1, false));
    assert_eq!(softmax(13, &[1, 2, 3], vec![]), expect(2, false));
    assert_eq!(softmax(13, &[1, 2, 3], vec![int("axis", 1)]), expect(1, false));
}

#[test]
fn nodes_that_pass_on_their_operand_leave_their_names() {
    let imported = Builder::new(9, &[1, 2])
        .node("Relu", &["x"], "r", vec![])
        .node("Dropout", &["r"], "d", vec![])
        .node("Identity", &["d"], "y", vec![])
        .import("y")
        .unwrap();
    only(&imported);
    let r = imported.graph.value_named("r");
    for name in ["r", "d", "y", "Relu_r", "Dropout_d", "Identity_y"] {
        assert_eq!(imported.aliases.find(&imported.graph, name), r, "{name}");
    }
    assert_eq!(imported.aliases.find(&imported.graph, "z"), None);
    assert_eq!(imported.graph.outputs, [r.unwrap()]);
}

#[test]
fn identity_passes_on_what_no_other_operator_takes() {
    let tensor = Tensor { shape: vec![2], data: Data::Floats(vec![1.0, 2.0]) };
    let list = Known::Sequence(vec![tensor.clone(), tensor]);
    for known in [list.clone(), Known::Optional(Some(Box::new(list))), Known::Optional(None)] {
        let passed =
            known_output(one(16, &[2], "Identity", &[], vec![]), vec![("x", known.clone())]);
        assert_eq!(passed, known);
        let bytes = one(16, &[2], "Relu", &[], vec![]).bytes("y");
        let bindings = [("x".to_owned(), known)].into();
        let message = refusal(import_bytes_with(&bytes, "test.onnx", None, bindings));
        assert!(message.contains("\"Relu_y\"") && message.contains("sequence"), "{message}");
    }
}

#[test]
fn second_results_are_nodes_only_if_something_reads_them() {
    let pool = || {
        let attributes = vec![ints("kernel_shape", &[2, 2])];
        let mut model = one(12, &[1, 1, 4, 4], "MaxPool", &[], attributes);
        model.graph().node[0].output.push("indices".to_owned());
        model
    };
    only(&pool().import("y").unwrap());
    let read = pool().node("Relu", &["indices"], "z", vec![]).import("z").unwrap();
    let boundary = read.boundaries.iter().next().unwrap();
    assert!(boundary.reads == ["indices"] && boundary.why.contains("INT64"), "{boundary:?}");
    let bytes = pool().bytes("indices");
    let imported = import_bytes_with(&bytes, "test.onnx", None, BTreeMap::new()).unwrap();
    assert!(matches!(imported.outputs[0].source, Source::Indices(0, IntegerType::Int64)));
    assert_eq!(output_shape(&imported.graph), [1, 1, 3, 3]);
}

#[test]
fn training_mode_runs_but_is_no_model_for_a_device() {
    let normalisation = || {
        let parameters = ["scale", "bias", "mean", "variance"];
        let attributes = vec![int("training_mode", 1), float("momentum", 0.5)];
        let mut model = one(15, &[2, 1, 2], "BatchNormalization", &parameters, attributes)
            .floats("scale", &[1], &[2.0])
            .floats("bias", &[1], &[1.0])
            .floats("mean", &[1], &[3.0])
            .floats("variance", &[1], &[4.0]);
        model.graph().node[0].output.extend(["m".to_owned(), "v".to_owned()]);
        for name in ["m", "v"] {
            model.graph().output.push(testing::value_info(name, &[1]));
        }
        model
    };
    let bytes = normalisation().bytes("y");
    let imported = import_bytes_with(&bytes, "test.onnx", None, BTreeMap::new()).unwrap();
    let [m, v, y] = &reference::run(&imported.graph, &[vec![-1.0, 1.0, 1.0, 3.0]])[..] else {
        unreachable!()
    };
    // The batch has mean 1 and variance 2.
    assert_eq!((m.as_slice(), v.as_slice()), (&[2.0][..], &[3.0][..]));
    let expected = [-2.0, 0.0, 0.0, 2.0].map(|x: f32| x / 2.0_f32.sqrt() * 2.0 + 1.0);
    assert!(y.iter().zip(expected).all(|(y, expected)| (y - expected).abs() < 1e-4), "{y:?}");

    let dropout = |attributes| {
        let mut model =
            one(13, &[1, 4], "Dropout", &["r", "t"], attributes).floats("r", &[], &[0.6]);
        model.graph().initializer.push(tensor("t", &[], DataType::BOOL, vec![1]));
        model
    };
    let import =
        |model: Builder| import_bytes_with(&model.bytes("y"), "test.onnx", None, BTreeMap::new());
    // NumPy's numbers of seed 0 begin with 0.549, 0.715, 0.603 and 0.545.
    let imported = import(dropout(vec![int("seed", 0)])).unwrap();
    let kept = reference::run(&imported.graph, &[vec![1.0; 4]]);
    assert_eq!(kept[0].iter().map(|&y| y > 0.0).collect::<Vec<_>>(), [false, true, true, false]);
    assert!(refusal(import(dropout(vec![]))).contains("without a seed"));
    for model in [normalisation(), dropout(vec![int("seed", 0)])] {
        assert!(refusal(model.import("y")).contains("evaluation mode"));
    }
}

#[test]
fn resizing_states_extents_by_scales_or_sizes() {
    let modes = || {
        vec![string("mode", "linear"), string("coordinate_transformation_mode", "align_corners")]
    };
    let by_sizes = one(13, &[0, 2, 3, 4], "Resize", &["", "", "sizes"], modes())
        .ints("sizes", &[1, 2, 6, 5])
        .import("y")
        .unwrap();
    let Op::Resize(resize) = only(&by_sizes) else { unreachable!() };
    assert_eq!((&resize.extents[..], &resize.scales[..]), (&[6, 5][..], &[2.0, 1.25][..]));
    assert_eq!(resize.coordinates, Coordinates::AlignCorners);
    assert_eq!(resize.interpolation, Interpolation::Linear);

    let by_scales = one(18, &[0, 2, 3, 4], "Resize", &["", "scales"], vec![ints("axes", &[3, 2])])
        .floats("scales", &[2], &[2.0, 0.5])
        .import("y")
        .unwrap();
    let Op::Resize(resize) = only(&by_scales) else { unreachable!() };
    assert_eq!((&resize.extents[..], &resize.scales[..]), (&[1, 8][..], &[0.5, 2.0][..]));
    assert_eq!(resize.interpolation, Interpolation::Nearest(Rounding::PreferFloor));

    let old = one(9, &[0, 2, 3, 4], "Upsample", &["scales"], vec![])
        .floats("scales", &[4], &[1.0, 1.0, 2.0, 2.0])
        .import("y")
        .unwrap();
    let Op::Resize(resize) = only(&old) else { unreachable!() };
    assert_eq!((&resize.extents[..], resize.coordinates), (&[6, 8][..], Coordinates::Asymmetric));

    for (attributes, scales, named) in [
        (vec![string("mode", "sinc")], [1.0, 1.0, 2.0, 2.0], "sinc"),
        (vec![], [1.0, 2.0, 2.0, 2.0], "channels"),
        (vec![], [1.0, 1.0, 0.0, 2.0], "scale of 0"),
        (vec![], [1.0, 1.0, 1e9, 2.0], "resized"),
        (vec![], [1.0, 1.0, f32::NAN, 2.0], "NaN"),
    ] {
        let model = one(13, &[0, 2, 3, 4], "Resize", &["", "scales"], attributes);
        let message = refusal(model.floats("scales", &[4], &scales).import("y"));
        assert!(message.contains(named), "{named}: {message}");
    }
}

/// `model` of input `[1, 4, 2, 2]`, run on 0, 1, 2 ….
fn of_map(model: Builder) -> Vec<f32> {
    let imported = model.import("y").unwrap();
    reference::run(&imported.graph, &[(0..16).map(|x| x as f32).collect()]).remove(0)
}

/// The four elements of each channel.
fn channels(list: &[usize]) -> Vec<f32> {
    list.iter().flat_map(|c| (0..4).map(move |at| (4 * c + at) as f32)).collect()
}

#[test]
fn channels_are_gathered_sliced_and_split() {
    let map = |opset| Builder::new(opset, &[1, 4, 2, 2]);
    let axis = |n| vec![int("axis", n)];
    let gathered = map(13).ints("i", &[2, 0, -1]).node("Gather", &["x", "i"], "y", axis(1));
    assert_eq!(of_map(gathered), channels(&[2, 0, 3]));
    let sliced = map(13)
        .ints("from", &[0, 3])
        .ints("to", &[9, -9])
        .ints("axes", &[3, 1])
        .ints("steps", &[1, -2])
        .node("Slice", &["x", "from", "to", "axes", "steps"], "y", vec![]);
    assert_eq!(of_map(sliced), channels(&[3, 1]));
    let split = |builder: Builder, operands: &[&str], attributes, parts: usize| {
        let mut builder = builder.node("Split", operands, "p0", attributes);
        let outputs = &mut builder.graph().node[0].output;
        outputs.extend((1..parts).map(|part| format!("p{part}")));
        let last = format!("p{}", parts - 1);
        of_map(builder.node("Concat", &[&last, "p0"], "y", vec![int("axis", 1)]))
    };
    let attribute = vec![int("axis", 1), ints("split", &[1, 3])];
    assert_eq!(split(map(11), &["x"], attribute, 2), channels(&[1, 2, 3, 0]));
    assert_eq!(split(map(11), &["x"], axis(1), 2), channels(&[2, 3, 0, 1]));
    let operand = map(13).ints("parts", &[3, 1]);
    assert_eq!(split(operand, &["x", "parts"], axis(-3), 2), channels(&[3, 0, 1, 2]));
    let counted = vec![int("axis", 1), int("num_outputs", 3)];
    let builder = Builder::new(18, &[1, 4, 2, 2]).node("Split", &["x"], "p0", counted);
    let mut builder = builder;
    builder.graph().node[0].output.extend(["p1".to_owned(), "p2".to_owned()]);
    let message = refusal(builder.node("Relu", &["p2"], "y", vec![]).import("y"));
    assert!(message.contains("parts"), "{message}");
    let samples = map(13).ints("i", &[0, 0]).node("Gather", &["x", "i"], "y", axis(0));
    assert!(refusal(samples.import("y")).contains("samples of a batch"));
}

#[test]
fn a_gather_of_everything_in_its_order_is_a_reshape() {
    let builder = Builder::new(20, &[1, 4, 1, 1])
        .ints("flat", &[-1])
        .raw("all", &[1, 4, 1, 1], DataType::INT64, (0..4_i64).flat_map(i64::to_le_bytes).collect())
        .node("Reshape", &["x", "flat"], "r", vec![])
        .node("Gather", &["r", "all"], "y", vec![int("axis", 0)]);
    let imported = builder.import("y").unwrap();
    assert_eq!(output_shape(&imported.graph), [1, 4, 1, 1]);
    assert!(imported.graph.nodes.iter().all(|node| matches!(node.op, Op::Reshape { .. })));
}

#[test]
fn greatest_elements_are_pools_and_bounds_are_clips() {
    for (keep, expected) in [(1, vec![1, 4, 1, 1]), (0, vec![1, 4])] {
        let attributes = vec![ints("axes", &[-1, 2]), int("keepdims", keep)];
        let builder = Builder::new(13, &[1, 4, 2, 2]).node("ReduceMax", &["x"], "y", attributes);
        assert_eq!(output_shape(&builder.import("y").unwrap().graph), expected);
    }
    let attributes = vec![ints("axes", &[2, 3])];
    let builder = Builder::new(13, &[1, 4, 2, 2]).node("ReduceMax", &["x"], "y", attributes);
    assert_eq!(of_map(builder), [3.0, 7.0, 11.0, 15.0]);
    let of_batch = vec![ints("axes", &[0])];
    let builder = Builder::new(13, &[2, 4, 2, 2]).node("ReduceMax", &["x"], "y", of_batch);
    assert!(refusal(builder.import("y")).contains("of a batch's elements"));

    let clip = |operator: &str| {
        let builder = one(13, &[1, 3], operator, &["b", "c"], vec![]);
        let builder = builder.floats("b", &[], &[2.0]).floats("c", &[1], &[5.0]);
        only(&builder.import("y").unwrap()).clone()
    };
    let expect = |min, max| Op::Activation(Activation::Clip { min, max });
    assert_eq!(clip("Max"), expect(5.0, f32::INFINITY));
    assert_eq!(clip("Min"), expect(f32::NEG_INFINITY, 2.0));
}

#[test]
fn an_input_of_bytes_that_is_cast_at_once_is_one_of_real_numbers() {
    let mut builder = Builder::new(13, &[1, 3]).node("Cast", &["x"], "f", vec![int("to", 1)]).node(
        "Relu",
        &["f"],
        "y",
        vec![],
    );
    let info = builder.graph().input[0].r#type.as_mut().unwrap();
    info.tensor_type.as_mut().unwrap().elem_type = Some(DataType::UINT8);
    let imported = builder.import("y").unwrap();
    only(&imported);
    assert_eq!(imported.graph.values[imported.graph.inputs[0]].scale, None);
}
