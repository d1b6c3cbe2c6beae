use std::collections::BTreeMap;

use headstart::graph::{
    Activation, Coordinates, Graph, Interpolation, Op, PadMode, Rounding, Window,
};
use rten_onnx::onnx::{
    AttributeProto, DataLocation, DataType, StringStringEntryProto, TensorProto,
};

use super::testing::{Builder, float, int, ints, string, tensor, value};
use super::*;
use crate::export::to_onnx;
use crate::inspect::{freeze_points, layers};
use crate::reference;
use crate::simplify::simplify;

/// The one node of a graph.
fn only(imported: &Imported) -> &Op {
    assert_eq!(imported.graph.nodes.len(), 1, "{:?}", imported.graph.nodes);
    &imported.graph.nodes[0].op
}

fn output_shape(graph: &Graph) -> &[usize] {
    &graph.values[graph.outputs[0]].shape
}

/// `x` of `input` through one node that reads it and `operands`.
fn one(
    opset: i64,
    input: &[i64],
    operator: &str,
    operands: &[&str],
    attributes: Vec<AttributeProto>,
) -> Builder {
    let inputs = [&["x"], operands].concat();
    Builder::new(opset, input).node(operator, &inputs, "y", attributes)
}

fn refusal(outcome: Result<Imported, ImportError>) -> String {
    outcome.expect_err("this model must be refused").to_string()
}

#[test]
fn a_symbolic_batch_is_one_and_other_symbols_are_refused() {
    let imported = one(13, &[0, 3], "Relu", &[], vec![]).import("y").unwrap();
    assert_eq!(imported.graph.values[imported.graph.inputs[0]].shape, [1, 3]);
    assert_eq!(imported.producer, "test");
    assert_eq!(imported.opset, Some(13));
    assert_eq!(imported.graph.nodes[0].name, "Relu_y");
    let message = refusal(one(13, &[0, 3, 0, 4], "Relu", &[], vec![]).import("y"));
    assert!(message.contains("test.onnx") && message.contains("dimension 2"), "{message}");
}

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
        .import("x");
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
fn what_is_not_supported_is_refused_with_node_operator_and_advice() {
    let cases: &[(&str, Vec<AttributeProto>, &[&str])] = &[
        ("Tanh", vec![], &["\"Tanh_y\"", "operator Tanh", "HardSwish"]),
        ("DequantizeLinear", vec![], &["DequantizeLinear_y", "a QuantizeLinear is missing"]),
        ("QLinearConv", vec![], &["QLinearConv_y", "a QuantizeLinear is missing"]),
        ("MatMulInteger", vec![], &["MatMulInteger", "statically", "float model"]),
        ("If", vec![], &["operator If", "control flow"]),
        ("Slice", vec![], &["Slice_y", "shape arithmetic"]),
        ("Softmax", vec![float("axis", 1.0)], &["attribute axis", "wrong type"]),
        ("Cast", vec![int("to", 7)], &["Cast_y", "INT64"]),
    ];
    for (operator, attributes, parts) in cases {
        let message = refusal(one(13, &[1, 2], operator, &[], attributes.clone()).import("y"));
        assert!(message.starts_with("test.onnx: "), "{message}");
        for part in *parts {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }
    let mut foreign = one(13, &[1, 2], "FusedConv", &[], vec![]);
    foreign.graph().node[0].domain = Some("com.microsoft".to_owned());
    assert!(refusal(foreign.import("y")).contains("com.microsoft.FusedConv"));
}

#[test]
fn inputs_and_names_must_make_sense() {
    let relu = || one(13, &[1, 2], "Relu", &[], vec![]);
    for (kind, refused) in
        [(DataType::INT32, "INT32"), (DataType::UINT8, "a DequantizeLinear is missing")]
    {
        let mut integer = relu();
        let info = integer.graph().input[0].r#type.as_mut().unwrap();
        info.tensor_type.as_mut().unwrap().elem_type = Some(kind);
        let message = refusal(integer.import("y"));
        assert!(message.contains(refused), "{message}");
    }

    let mut two = relu();
    two.graph().input.push(testing::value_info("z", &[1]));
    assert!(refusal(two.import("y")).contains("2 inputs (x, z)"));

    let mut weight_is_input = one(8, &[1, 2], "Add", &["w"], vec![]).weight("w", &[2]);
    weight_is_input.graph().input.push(testing::value_info("w", &[2]));
    weight_is_input.import("y").expect("old files list their weights as inputs");

    let unknown = one(13, &[1, 2], "Add", &["nowhere"], vec![]).import("y");
    assert!(refusal(unknown).contains("\"nowhere\""));
    let twice = relu().node("Relu", &["x"], "y", vec![]).import("y");
    assert!(refusal(twice).contains("already defined"));
    assert!(refusal(relu().import("z")).contains("no node defines"));
    assert!(refusal(one(5, &[1, 2], "Relu", &[], vec![]).import("y")).contains("operator set 5"));
    let int8 = one(13, &[1, 2], "Add", &["q"], vec![]);
    let mut int8 = int8;
    int8.graph().initializer.push(tensor("q", &[2], DataType::INT8, vec![0; 2]));
    assert!(refusal(int8.import("y")).contains("INT8"));
    assert!(refusal(one(13, &[8, 2], "Relu", &[], vec![]).import("y")).contains("batches of 8"));
    assert!(refusal(one(13, &[1, 0], "Relu", &[], vec![]).import("y")).contains("open"));
}

#[test]
fn what_would_take_long_or_much_memory_later_is_refused_first() {
    let long = "n".repeat(MAX_NAME_BYTES + 1);
    let mut named = one(13, &[1, 2], "Relu", &[], vec![]);
    named.graph().node[0].name = Some(long);
    assert!(refusal(named.import("y")).contains("names of too many bytes"));

    let many = vec!["x"; MAX_OPERANDS];
    let sum = one(13, &[1, 2], "Sum", &many, vec![]);
    assert!(refusal(sum.import("y")).contains("operands"));

    let mut nodes = Builder::new(13, &[1, 2]);
    for i in 0..=MAX_NODES {
        nodes = nodes.node("Relu", &["x"], &format!("y{i}"), vec![]);
    }
    assert!(refusal(nodes.import("y0")).contains("nodes"));

    // Each result is allowed, all of them are not.
    let mut wide = Builder::new(13, &[1, 1 << 14, 1]).weight("w", &[1, 1 << 14]).node(
        "Add",
        &["x", "w"],
        "y0",
        vec![],
    );
    for i in 0..4 {
        wide = wide.node("Relu", &[&format!("y{i}")], &format!("y{}", i + 1), vec![]);
    }
    assert!(refusal(wide.import("y4")).contains("elements in all"));
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

/// `model` with output `y`, of inputs that are all bound.
fn known_output(model: Builder, bindings: Vec<(&str, Known)>) -> Known {
    let bindings = bindings.into_iter().map(|(name, known)| (name.to_owned(), known)).collect();
    let imported = import_bytes_with(&model.bytes("y"), "test.onnx", None, bindings).unwrap();
    match &imported.outputs[0].source {
        Source::Known(known) => known.clone(),
        other => panic!("{other:?}"),
    }
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
    let message = refusal(pool().import("indices"));
    assert!(message.contains("\"indices\"") && message.contains("not float32"), "{message}");
    let read = pool().node("Relu", &["indices"], "z", vec![]).import("z");
    assert!(refusal(read).contains("INT64"));
    let bytes = pool().bytes("indices");
    let imported = import_bytes_with(&bytes, "test.onnx", None, BTreeMap::new()).unwrap();
    assert!(matches!(imported.outputs[0].source, Source::Indices(0)));
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
fn files_that_are_no_models_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let good = one(13, &[1, 2], "Relu", &[], vec![]).bytes("y");
    let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1];
    let cases: &[(&str, &[u8], &str)] = &[
        ("empty.onnx", &[], "empty"),
        ("photo.onnx", &jpeg, "not an ONNX model"),
        ("text.onnx", b"Not Found", "not an ONNX model"),
        ("cut.onnx", &good[..good.len() - 9], "not an ONNX model"),
    ];
    for (name, bytes, part) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let message = refusal(import(&path));
        assert!(message.contains(name) && message.contains(part), "{message}");
    }
    assert!(refusal(import(&folder.path().join("missing.onnx"))).contains("missing.onnx"));
    assert!(refusal(import(folder.path())).contains("cannot be read"));

    let path = folder.path().join("good.onnx");
    std::fs::write(&path, &good).unwrap();
    let imported = import(&path).unwrap();
    assert_eq!(imported.source_sha256, import_bytes(&good, "", None).unwrap().source_sha256);
}

#[test]
fn weights_beside_the_model_are_read_and_others_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(folder.path().join("w.bin"), 2.5_f32.to_le_bytes().repeat(3)).unwrap();
    let model = |location: &str| {
        let mut builder = one(13, &[1, 2], "Mul", &["w"], vec![]);
        let entry = |key: &str, value: &str| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        builder.graph().initializer.push(TensorProto {
            raw_data: None,
            data_location: Some(DataLocation::EXTERNAL),
            external_data: vec![entry("location", location), entry("offset", "4")],
            ..tensor("w", &[2], DataType::FLOAT, vec![])
        });
        builder.bytes("y")
    };
    std::fs::write(&path, model("w.bin")).unwrap();
    let graph = import(&path).unwrap().graph;
    let weight = graph.value_named("w").unwrap();
    assert_eq!(graph.values[weight].constant.as_deref(), Some(&[2.5; 2][..]));
    let outside = model("../w.bin");
    assert!(refusal(import_bytes(&outside, "m", Some(folder.path()))).contains("outside"));
    assert!(refusal(import_bytes(&model("w.bin"), "m", None)).contains("no folder"));
}

/// A small network of many operators.
fn small_model() -> Vec<u8> {
    Builder::new(11, &[0, 2, 6, 6])
        .weight("w", &[4, 2, 3, 3])
        .weight("b", &[4])
        .weight("v", &[3, 4])
        .floats("lo", &[], &[0.0])
        .ints("rest", &[0, -1])
        .node("Conv", &["x", "w", "b"], "c", vec![ints("pads", &[1, 1, 1, 1]), int("group", 1)])
        .node("BatchNormalization", &["c", "b", "b", "b", "b"], "n", vec![float("epsilon", 0.1)])
        .node("Clip", &["n", "lo"], "r", vec![])
        .node("MaxPool", &["r"], "m", vec![ints("kernel_shape", &[2, 2]), int("ceil_mode", 1)])
        .node("Sigmoid", &["m"], "s", vec![])
        .node("Mul", &["m", "s"], "g", vec![])
        .node("GlobalAveragePool", &["g"], "p", vec![])
        .node("Reshape", &["p", "rest"], "f", vec![])
        .node("Gemm", &["f", "v"], "l", vec![int("transB", 1)])
        .node("Softmax", &["l"], "y", vec![int("axis", -1)])
        .bytes("y")
}

#[test]
fn no_damage_to_a_model_makes_the_importer_or_what_follows_panic() {
    let good = small_model();
    let intact = import_bytes(&good, "test.onnx", None).unwrap();
    assert_eq!(intact.graph.nodes.len(), 10);
    let mut refused = 0;
    let mut offer = |bytes: &[u8]| match import_bytes(bytes, "test.onnx", None) {
        Ok(imported) => {
            let mut aliases = imported.aliases;
            let simple = simplify(&imported.graph, &mut aliases, &mut |_, _| None);
            let _ = (layers(&simple), freeze_points(&simple), to_onnx(&simple, &[]));
        }
        Err(error) => {
            assert!(error.to_string().starts_with("test.onnx: "), "{error}");
            refused += 1;
        }
    };
    for length in 0..good.len() {
        offer(&good[..length]);
    }
    for at in 0..good.len() {
        for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
            let mut damaged = good.clone();
            damaged[at] ^= change;
            offer(&damaged);
        }
    }
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for _ in 0..2_000 {
        let mut damaged = good.clone();
        for _ in 0..1 + random() % 8 {
            let at = random() % damaged.len();
            match random() % 3 {
                0 => damaged[at] = random() as u8,
                1 => drop(damaged.remove(at)),
                _ => damaged.insert(at, random() as u8),
            }
        }
        offer(&damaged);
        offer(&(0..200).map(|_| random() as u8).collect::<Vec<_>>());
    }
    assert!(refused > 1_000, "only {refused} were refused");
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
        (vec![string("mode", "cubic")], [1.0, 1.0, 2.0, 2.0], "cubic"),
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
