//! What is evaluated while the model is read.

use super::*;

#[test]
fn constants_come_in_every_form() {
    let forms: Vec<(AttributeProto, usize)> = vec![
        (float("value_float", 2.0), 0),
        (
            AttributeProto {
                name: Some("value_floats".to_owned()),
                floats: vec![2.0, 3.0],
                ..AttributeProto::default()
            },
            1,
        ),
        (value("value", tensor("", &[1, 1], DataType::FLOAT, vec![0; 4])), 2),
    ];
    for (form, rank) in forms {
        let name = form.name.clone();
        let imported = Builder::new(13, &[1, 2])
            .node("Constant", &[], "c", vec![form])
            .node("Add", &["x", "c"], "y", vec![])
            .import("y")
            .unwrap();
        let constant = imported.graph.value_named("c").unwrap();
        assert_eq!(imported.graph.values[constant].shape.len(), rank, "{name:?}");
    }
    for form in [int("value_int", -1), ints("value_ints", &[-1])] {
        let imported = Builder::new(18, &[1, 3, 4])
            .node("Constant", &[], "c", vec![form])
            .node("ReduceMean", &["x", "c"], "y", vec![int("keepdims", 0)])
            .import("y")
            .unwrap();
        assert_eq!(*only(&imported), Op::ReduceMean { axes: vec![2], keep_dims: false });
    }
    let words = Builder::new(13, &[1])
        .node("Constant", &[], "c", vec![string("value_string", "no")])
        .node("Add", &["x", "c"], "y", vec![])
        .import("y");
    assert!(refusal(words).contains("Constant_c"));
}

#[test]
fn shape_arithmetic_before_a_reshape_is_folded_away() {
    // What PyTorch writes for `x.view(x.size(0), -1)`, and for a channel shuffle.
    let zero = tensor("", &[], DataType::INT64, 0_i64.to_le_bytes().to_vec());
    let imported = Builder::new(11, &[0, 4, 3, 3])
        .ints("rest", &[-1])
        .ints("two", &[2])
        .node("Shape", &["x"], "shape", vec![])
        .node("Constant", &[], "zero", vec![value("value", zero)])
        .node("Gather", &["shape", "zero"], "batch", vec![int("axis", 0)])
        .node("Unsqueeze", &["batch"], "batch_list", vec![ints("axes", &[0])])
        .node("Concat", &["batch_list", "rest"], "target", vec![int("axis", 0)])
        .node("Reshape", &["x", "target"], "flat", vec![])
        .node("Slice", &["shape", "one", "two"], "channels", vec![])
        .ints("one", &[1])
        .node("Div", &["channels", "two"], "half", vec![])
        .node("Cast", &["half"], "half_64", vec![int("to", 7)])
        .node("Concat", &["batch_list", "half_64", "rest"], "halves", vec![int("axis", 0)])
        .node("Reshape", &["flat", "halves"], "y", vec![])
        .import("y")
        .unwrap();
    let shapes: Vec<_> = imported.graph.nodes.iter().map(|node| node.op.clone()).collect();
    assert_eq!(shapes, [Op::Reshape { shape: vec![1, 36] }, Op::Reshape { shape: vec![1, 2, 18] }]);
}

#[test]
fn pads_that_pytorch_computes_are_folded_away() {
    // `F.pad(x, (1, 2, 3, 4))`: pairs from the last dimension on, turned to ONNX's order.
    let zeros = tensor("", &[1], DataType::INT64, 0_i64.to_le_bytes().to_vec());
    let imported = Builder::new(11, &[0, 4, 3, 3])
        .ints("given", &[1, 2, 3, 4])
        .ints("rest", &[4])
        .ints("pairs", &[-1, 2])
        .ints("start", &[-1])
        .ints("end", &[-i64::MAX])
        .ints("first_axis", &[0])
        .ints("list", &[-1])
        .node("ConstantOfShape", &["rest"], "zeros", vec![value("value", zeros)])
        .node("Concat", &["given", "zeros"], "all", vec![int("axis", 0)])
        .node("Reshape", &["all", "pairs"], "by_pair", vec![])
        .node("Slice", &["by_pair", "start", "end", "first_axis", "start"], "reversed", vec![])
        .node("Transpose", &["reversed"], "turned", vec![ints("perm", &[1, 0])])
        .node("Reshape", &["turned", "list"], "flat", vec![])
        .node("Cast", &["flat"], "pads", vec![int("to", 7)])
        .node("Pad", &["x", "pads"], "y", vec![string("mode", "constant")])
        .import("y")
        .unwrap();
    let Op::Pad(pad) = only(&imported) else { unreachable!() };
    assert_eq!((pad.begin.as_slice(), pad.end.as_slice()), (&[0, 0, 3, 1][..], &[0, 0, 4, 2][..]));
}

#[test]
fn constants_of_a_shape_are_weights_or_shapes() {
    let imported = Builder::new(9, &[1, 2])
        .ints("s", &[3, 2])
        .node(
            "ConstantOfShape",
            &["s"],
            "w",
            vec![value("value", tensor("", &[1], DataType::FLOAT, 0.5_f32.to_le_bytes().into()))],
        )
        .node("Gemm", &["x", "w"], "y", vec![int("transB", 1)])
        .import("y")
        .unwrap();
    let weight = imported.graph.value_named("w").unwrap();
    assert_eq!(imported.graph.values[weight].constant.as_deref(), Some(&[0.5; 6][..]));
    let huge = Builder::new(9, &[1, 2])
        .ints("s", &[1 << 20, 1 << 20])
        .node("ConstantOfShape", &["s"], "w", vec![])
        .node("Add", &["x", "w"], "y", vec![]);
    assert!(refusal(huge.import("y")).contains("elements"));
}

#[test]
fn inputs_can_be_bound_to_constants() {
    let mut model = Builder::new(13, &[1, 6]).node("Reshape", &["x", "s"], "y", vec![]);
    model.graph().input.push(testing::value_info("s", &[2]));
    let bytes = model.bytes("y");
    let bind = |name: &str, data| {
        let known = Known::Tensor(Tensor { shape: vec![2], data });
        import_bytes_with(&bytes, "test.onnx", None, BTreeMap::from([(name.to_owned(), known)]))
    };
    let shape = || Data::Integers(vec![3, 2], IntegerType::Int64);
    let imported = bind("s", shape()).unwrap();
    assert_eq!(output_shape(&imported.graph), [3, 2]);
    assert!(refusal(bind("t", shape())).contains("no input \"t\""));
}

#[test]
fn integers_of_every_type_are_evaluated_while_the_model_is_read() {
    let list = |data: &[i64], kind| {
        let data = Data::Integers(data.to_vec(), kind);
        Known::Tensor(Tensor { shape: vec![1, 1, 3], data })
    };
    let kind = IntegerType::Uint8;
    let x = || ("x", list(&[200, 7, 100], kind));
    let doubled = known_output(one(14, &[1, 1, 3], "Add", &["x"], vec![]), vec![x()]);
    assert_eq!(doubled, list(&[144, 14, 200], kind));
    let attributes = vec![ints("kernel_shape", &[2]), ints("pads", &[0, 1])];
    let pooled = known_output(one(12, &[1, 1, 3], "MaxPool", &[], attributes), vec![x()]);
    assert_eq!(pooled, list(&[200, 100, 100], kind));
    let padding = one(19, &[1, 1, 3], "Pad", &["p"], vec![string("mode", "wrap")]);
    let padded = known_output(padding.ints("p", &[0, 0, 1, 0, 0, -0]), vec![x()]);
    let Known::Tensor(Tensor { shape, data: Data::Integers(data, _) }) = padded else {
        unreachable!()
    };
    assert_eq!((shape, data), (vec![1, 1, 4], vec![100, 200, 7, 100]));
    let mut clip = one(12, &[1, 1, 3], "Clip", &["", "max"], vec![]);
    clip.graph().initializer.push(tensor("max", &[], DataType::UINT8, vec![150]));
    assert_eq!(known_output(clip, vec![x()]), list(&[150, 7, 100], kind));

    let bytes = one(14, &[1, 1, 3], "Relu", &[], vec![]).bytes("y");
    let refused = import_bytes_with(&bytes, "test.onnx", None, [("x".to_owned(), x().1)].into());
    assert!(refused.is_ok(), "an integer output is refused of models for a device only");
}
