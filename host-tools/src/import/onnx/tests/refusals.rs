//! Models that are refused, by name and with advice, and how far they are read.

use super::*;

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
fn what_is_not_supported_is_refused_with_node_operator_and_advice() {
    let cases: &[(&str, Vec<AttributeProto>, &[&str])] = &[
        ("Sinh", vec![], &["\"Sinh_y\"", "operator Sinh", "cut the model before this node"]),
        ("DequantizeLinear", vec![], &["DequantizeLinear_y", "a QuantizeLinear is missing"]),
        ("QLinearConv", vec![], &["QLinearConv_y", "a QuantizeLinear is missing"]),
        ("MatMulInteger", vec![], &["MatMulInteger", "DynamicQuantizeLinear", "statically"]),
        ("If", vec![], &["operator If", "control flow"]),
        ("Slice", vec![], &["Slice_y", "starts are missing"]),
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
    let mut foreign = one(13, &[1, 2], "FusedMatMul", &[], vec![]);
    foreign.graph().node[0].domain = Some("com.microsoft".to_owned());
    assert!(refusal(foreign.import("y")).contains("com.microsoft.FusedMatMul"));
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
    assert_eq!(two.import("y").unwrap().graph.inputs.len(), 1, "nothing reads the other");

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
fn a_small_file_is_refused_by_the_node_that_would_cost_minutes_or_gigabytes() {
    let filled = |builder: Builder, name: &str, shape: &[i64]| {
        let one = tensor("", &[1], DataType::FLOAT, 1.0_f32.to_le_bytes().to_vec());
        let list = format!("{name}.shape");
        builder.ints(&list, shape).node(
            "ConstantOfShape",
            &[&list],
            name,
            vec![value("value", one)],
        )
    };
    let sum = |builder: Builder, name: &str| {
        builder.node("ReduceMean", &[name], "mean", vec![]).node("Add", &["x", "mean"], "y", vec![])
    };
    let huge = sum(filled(Builder::new(13, &[1, 2]), "k", &[1, 1 << 13, 1 << 13]), "k");
    assert!(refusal(huge.import("y")).contains("ConstantOfShape_k"));

    let pool = vec![ints("kernel_shape", &[501, 501]), ints("pads", &[250; 4])];
    let pooled = filled(Builder::new(13, &[1, 2]), "k", &[1, 1, 1024, 1024]).node(
        "MaxPool",
        &["k"],
        "p",
        pool,
    );
    let message = refusal(sum(pooled, "p").import("y"));
    assert!(
        message.contains("MaxPool_p") && message.contains("before the model runs"),
        "{message}"
    );

    let wide = one(13, &[1, 2], "Sum", &vec!["x"; 2000], vec![]);
    assert!(refusal(wide.import("y")).contains("Sum_y"));

    let ranks = Builder::new(13, &[1, 2]).ints("a", &[7]).ints("shape", &vec![1; 1000]);
    let ranks = ranks
        .node("Reshape", &["a", "shape"], "z", vec![])
        .node("Cast", &["z"], "f", vec![int("to", 1)])
        .node("Add", &["x", "f"], "y", vec![]);
    assert!(refusal(ranks.import("y")).contains("1000 dimensions"));

    let mut mask = one(13, &[1, 4096, 4096], "Dropout", &[], vec![]);
    mask.graph().node[0].output.push("mask".to_owned());
    let mask = mask.node("Cast", &["mask"], "z", vec![int("to", 1)]);
    assert!(refusal(mask.import("y")).contains("a mask of 16777216 elements"));

    let mut casts = filled(Builder::new(13, &[1, 2]), "k", &[1]).ints("n", &[1 << 16]);
    casts = casts.node(
        "ConstantOfShape",
        &["n"],
        "i",
        vec![value("value", tensor("", &[1], DataType::INT64, vec![0; 8]))],
    );
    for at in 0..200 {
        casts = casts.node("Cast", &["i"], &format!("f{at}"), vec![int("to", 1)]);
    }
    assert!(
        refusal(casts.node("Add", &["x", "f199"], "y", vec![]).import("y"))
            .contains("does not hold")
    );
}

/// Every refusal of a file that asks for too much says what to do.
#[test]
fn what_asks_for_too_much_is_told_what_to_do() {
    let many: Vec<String> = (0..1000).map(|_| "x".to_owned()).collect();
    let operands: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut nodes = Builder::new(13, &[1, 2]);
    for index in 0..9 {
        nodes = nodes.node("Sum", &operands, &format!("y{index}"), vec![]);
    }
    let wide = one(13, &[1, 2], "Sum", &vec!["x"; 2000], vec![]);
    let ranks = Builder::new(13, &[1, 2]).ints("a", &[7]).ints("shape", &vec![1; 1000]);
    let ranks = ranks
        .node("Reshape", &["a", "shape"], "z", vec![])
        .node("Cast", &["z"], "f", vec![int("to", 1)])
        .node("Add", &["x", "f"], "y", vec![]);
    for (refused, advice) in [
        (refusal(nodes.import("y8")), "run a simplifier"),
        (refusal(wide.import("y")), "in several steps"),
        (refusal(ranks.import("y")), "constants folded"),
    ] {
        assert!(refused.contains(advice), "{refused}");
    }
}

#[test]
fn a_constant_that_is_not_finite_is_refused_by_its_name() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let conv = one(13, &[1, 1, 2, 2], "Conv", &["weight"], vec![]);
        let message = refusal(conv.floats("weight", &[2, 1, 1, 1], &[1.0, bad]).import("y"));
        assert!(message.contains("tensor \"weight\""), "{message}");
        assert!(message.contains("element 1") && message.contains("Conv_y"), "{message}");
        assert!(
            message.contains(&bad.to_string()) && message.contains("finite weights"),
            "{message}"
        );
    }
    let slope = one(13, &[1, 2], "LeakyRelu", &[], vec![float("alpha", f32::NAN)]);
    assert!(refusal(slope.import("y")).contains("alpha is not a number"));
    // A bound of a clip may be infinite.
    let clip = one(13, &[1, 2], "Clip", &["low"], vec![]);
    clip.floats("low", &[], &[f32::NEG_INFINITY]).import("y").unwrap();
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
    assert!(refusal(import(folder.path())).contains("not a plain file"));

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
