//! Quantised models, from the file to the bits of the int8 backbone.

use headstart::backbone::Backbone;
use headstart::graph::{Activation, Op, Scale};
use headstart::pack::{Pack, Preprocessing, Resize};
use headstart::preprocess;
use rten_onnx::onnx::DataType;

use super::testing::{Builder, float, int, ints};
use super::{Imported, import_bytes};
use crate::error::{Error, LowerError, NoForm};
use crate::import::model::Model;
use crate::quantise::plan::Aim;
use crate::quantise::quantised::{Quantised, Settings, quantise};
use crate::reference;

/// Numbers that look like chance.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 40
    }

    fn weights(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| ((self.next() % 255) as i64 - 127) as u8).collect()
    }

    fn words(&mut self, count: usize, most: i64) -> Vec<u8> {
        let word = |_| ((self.next() % (2 * most as u64)) as i64 - most) as i32;
        (0..count).map(word).flat_map(i32::to_le_bytes).collect()
    }

    fn sample(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next() as f32 / (1_u64 << 22) as f32 - 2.0).collect()
    }
}

/// The type of activations of a model under construction, and its tensors' scales.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Uint8,
    Int8,
}

impl Form {
    fn kind(self) -> DataType {
        match self {
            Self::Uint8 => DataType::UINT8,
            Self::Int8 => DataType::INT8,
        }
    }

    /// The zero point that is `zero` as uint8.
    fn zero(self, zero: u8) -> u8 {
        match self {
            Self::Uint8 => zero,
            Self::Int8 => zero.wrapping_sub(128),
        }
    }
}

/// Initialisers for the scale of an activation: `{name}_s` and `{name}_z`.
fn scale(builder: Builder, form: Form, name: &str, scale: f32, zero: u8) -> Builder {
    builder.floats(&format!("{name}_s"), &[], &[scale]).raw(
        &format!("{name}_z"),
        &[],
        form.kind(),
        vec![form.zero(zero)],
    )
}

/// `{x}` through `QuantizeLinear` and `DequantizeLinear` to `{x}_d`.
fn rounded(builder: Builder, x: &str, parameters: &str) -> Builder {
    let (s, z) = (format!("{parameters}_s"), format!("{parameters}_z"));
    let (q, d) = (format!("{x}_q"), format!("{x}_d"));
    builder.node("QuantizeLinear", &[x, &s, &z], &q, vec![]).node(
        "DequantizeLinear",
        &[&q, &s, &z],
        &d,
        vec![],
    )
}

/// Weights `{name}`, `{name}_ws`, `{name}_wz` and bias `{name}_b` of `outputs` channels.
fn weights(builder: Builder, noise: &mut Noise, name: &str, dims: &[i64], x: f32) -> Builder {
    let (outputs, count) = (dims[0], dims.iter().product::<i64>() as usize);
    let scales: Vec<f32> = (0..outputs).map(|c| 0.002 + 0.0007 * c as f32).collect();
    let of_bias: Vec<f32> = scales.iter().map(|w| w * x).collect();
    builder
        .raw(name, dims, DataType::INT8, noise.weights(count))
        .floats(&format!("{name}_ws"), &[outputs], &scales)
        .raw(&format!("{name}_wz"), &[outputs], DataType::INT8, vec![0; outputs as usize])
        .raw(&format!("{name}_b"), &[outputs], DataType::INT32, noise.words(outputs as usize, 3000))
        .floats(&format!("{name}_bs"), &[outputs], &of_bias)
}

fn dequantised(builder: Builder, name: &str) -> Builder {
    let name = |end: &str| format!("{name}{end}");
    builder
        .node(
            "DequantizeLinear",
            &[&name(""), &name("_ws"), &name("_wz")],
            &name("_d"),
            vec![int("axis", 0)],
        )
        .node("DequantizeLinear", &[&name("_b"), &name("_bs")], &name("_bd"), vec![int("axis", 0)])
}

const SCALES: [(&str, f32, u8); 7] = [
    ("x", 0.0157, 131),
    ("a", 0.0235, 0),
    ("b", 0.031, 117),
    ("c", 0.0413, 120),
    ("g", 0.011, 126),
    ("y", 0.021, 140),
    ("z", 0.05, 128),
];

fn constants(form: Form) -> Builder {
    let mut noise = Noise(3);
    let builder = Builder::new(13, &[1, 3, 9, 8]);
    let builder =
        SCALES.iter().fold(builder, |builder, &(name, s, z)| scale(builder, form, name, s, z));
    let builder = weights(builder, &mut noise, "w1", &[8, 3, 3, 3], 0.0157);
    let builder = weights(builder, &mut noise, "w2", &[8, 1, 3, 3], 0.0235);
    weights(builder, &mut noise, "w3", &[5, 8], 0.011)
}

/// A small network of most operators, in float operators between pairs.
fn pairs(form: Form) -> Builder {
    let builder = ["w1", "w2", "w3"].iter().fold(constants(form), |b, name| dequantised(b, name));
    let builder = rounded(builder, "x", "x").node(
        "Conv",
        &["x_d", "w1_d", "w1_bd"],
        "a",
        vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])],
    );
    let depthwise = vec![int("group", 8), ints("pads", &[1, 1, 1, 1])];
    let builder =
        rounded(builder, "a", "a").node("Conv", &["a_d", "w2_d", "w2_bd"], "b", depthwise);
    let builder = rounded(builder, "b", "b").node("Add", &["a_d", "b_d"], "c", vec![]);
    let builder = rounded(builder, "c", "c").node("GlobalAveragePool", &["c_d"], "g", vec![]);
    let builder = rounded(builder, "g", "g").node("Flatten", &["g_d"], "f", vec![]);
    let gemm = vec![int("transB", 1)];
    let builder = rounded(builder, "f", "g").node("Gemm", &["f_d", "w3_d", "w3_bd"], "y", gemm);
    rounded(builder, "y", "y")
}

/// The same network in operators on quantised tensors.
fn operators(form: Form) -> Builder {
    let at = |name: &str| [name.to_owned(), format!("{name}_s"), format!("{name}_z")];
    let of = |name: &str| [name.to_owned(), format!("{name}_ws"), format!("{name}_wz")];
    let list = |parts: &[&[String]]| parts.concat();
    let node = |builder: Builder, operator: &str, inputs: Vec<String>, output: &str, attributes| {
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        builder.node(operator, &inputs, output, attributes)
    };
    let builder = constants(form).node("QuantizeLinear", &["x", "x_s", "x_z"], "xq", vec![]);
    let mut x = at("x");
    x[0] = "xq".into();
    let quantised = |name: &str| {
        let mut all = at(name);
        all[0] = format!("{name}q");
        all
    };
    let inputs = list(&[&x, &of("w1"), &at("a")[1..], &["w1_b".to_owned()]]);
    let attributes = vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])];
    let builder = node(builder, "QLinearConv", inputs, "aq", attributes);
    let inputs = list(&[&quantised("a"), &of("w2"), &at("b")[1..], &["w2_b".to_owned()]]);
    let attributes = vec![int("group", 8), ints("pads", &[1, 1, 1, 1])];
    let builder = node(builder, "QLinearConv", inputs, "bq", attributes);
    let inputs = list(&[&quantised("a"), &quantised("b"), &at("c")[1..]]);
    let builder = node(builder, "QLinearAdd", inputs, "cq", vec![]);
    let inputs = list(&[&quantised("c"), &at("g")[1..]]);
    let builder = node(builder, "QLinearGlobalAveragePool", inputs, "gq", vec![]);
    let builder = builder.node("Flatten", &["gq"], "fq", vec![]);
    let mut f = at("g");
    f[0] = "fq".into();
    let inputs = list(&[&f, &of("w3"), &["w3_b".to_owned()], &at("y")[1..]]);
    let builder = node(builder, "QGemm", inputs, "yq", vec![int("transB", 1), float("alpha", 1.0)]);
    builder.node("DequantizeLinear", &["yq", "y_s", "y_z"], "y_d", vec![])
}

fn settings(freeze_point: &str) -> Settings {
    Settings {
        freeze_point: freeze_point.to_owned(),
        grid: 1,
        preprocessing: Preprocessing { resize: Resize::Stretch, mean: [0.0; 3], std: [1.0; 3] },
        max_classes: 2,
        arena: Aim::Speed,
        tail: None,
        per_place: false,
    }
}

fn model(imported: Imported) -> Model {
    Model { path: "test.onnx".into(), imported }
}

fn packed(model: &Model, freeze: &str, samples: &[Vec<f32>]) -> Result<Quantised, Error> {
    let samples: Vec<_> = samples.iter().cloned().map(Into::into).collect();
    quantise(model, &model.cut_at(freeze)?, samples[..].into(), settings(freeze), || ())
}

/// Features of some samples, as a device computes them.
fn features(quantised: &Quantised, samples: &[Vec<f32>]) -> Vec<Vec<i8>> {
    let pack = Pack::open(&quantised.bytes).unwrap();
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let mut input = vec![0; pack.value(0).unwrap().elements() as usize];
    let mut of = |sample: &Vec<f32>| {
        preprocess::values(&pack, sample.iter().copied(), &mut input).unwrap();
        Backbone::new(pack, &mut arena).unwrap().features(&input).unwrap().to_vec()
    };
    samples.iter().map(&mut of).collect()
}

fn samples(elements: usize) -> Vec<Vec<f32>> {
    let mut noise = Noise(11);
    (0..12).map(|_| noise.sample(elements)).collect()
}

/// What the model defines, in double precision: the integers of its output.
fn defined(model: &Model, samples: &[Vec<f32>], scale: f32, zero: i32) -> Vec<Vec<i8>> {
    let integer = |x: f32| ((x / scale).round() as i32 + zero) as i8;
    let of = |sample: &Vec<f32>| {
        let outputs = reference::run_rounded(
            &model.imported.graph,
            &model.imported.integer_means,
            std::slice::from_ref(sample),
        );
        outputs[0].iter().map(|&x| integer(x)).collect()
    };
    samples.iter().map(of).collect()
}

#[test]
fn a_quantised_network_is_what_its_definition_says_to_the_bit() {
    let samples = samples(3 * 9 * 8);
    for form in [Form::Uint8, Form::Int8] {
        let model = model(pairs(form).import("y_d").unwrap());
        let quantised = packed(&model, "y_d", &[]).unwrap();
        assert!(quantised.own_scales && quantised.differences.is_empty());
        let found = features(&quantised, &samples);
        assert_eq!(found, defined(&model, &samples, 0.021, 12));
        let distinct: std::collections::BTreeSet<i8> = found.concat().into_iter().collect();
        assert!(distinct.len() > 20, "{distinct:?} would be easy");
    }
}

#[test]
fn operators_on_quantised_tensors_are_pairs_around_float_ones() {
    let samples = samples(3 * 9 * 8);
    let bits = |builder: Builder| {
        let model = model(builder.import("y_d").unwrap());
        features(&packed(&model, "y_d", &[]).unwrap(), &samples)
    };
    for form in [Form::Uint8, Form::Int8] {
        assert_eq!(bits(operators(form)), bits(pairs(form)));
    }
}

#[test]
fn saturation_stays_in_the_float_graph_and_names_mean_what_was_rounded() {
    let model = model(pairs(Form::Uint8).import("y_d").unwrap());
    let graph = model.simplified();
    let a = graph.value_named("a").unwrap();
    assert_eq!(graph.values[a].scale, Some(Scale::Tensor { scale: 0.0235, zero_point: -128 }));
    let node = &graph.nodes[graph.producer(a).unwrap()];
    let Op::Activation(Activation::Clip { min, max }) = node.op else { panic!("{:?}", node.op) };
    assert_eq!((min, max), (0.0, 255.0 * 0.0235));
    for name in ["a", "a_q", "a_d", "Conv_a"] {
        let cut = model.cut_at(name).unwrap();
        assert_eq!(cut.values[cut.outputs[0]].name, "a", "{name}");
    }
    let (_, classifier) = model.classifier().unwrap();
    assert_eq!(classifier.linear.unwrap().classes, 5);
}

#[test]
fn a_part_of_the_network_has_its_bits_too() {
    let samples = samples(3 * 9 * 8);
    let model = model(pairs(Form::Int8).import("g_d").unwrap());
    let whole = features(&packed(&model, "g_d", &[]).unwrap(), &samples);
    assert_eq!(whole, defined(&model, &samples, 0.011, -2));
    // Pooled features of a map that are not the model's own keep the map's scale, or get one from samples.
    let map = packed(&model, "c", &[]).unwrap();
    let pooled = Pack::open(&map.bytes).unwrap().feature_value().unwrap();
    assert_eq!(pooled.scale, 0.0413);
    let measured = packed(&model, "c", &samples).unwrap();
    assert!(Pack::open(&measured.bytes).unwrap().feature_value().unwrap().scale < 0.0413);
}

#[test]
fn what_has_no_scale_is_measured_and_said() {
    let form = Form::Uint8;
    let builder = rounded(dequantised(constants(form), "w1"), "x", "x")
        .node("Conv", &["x_d", "w1_d", "w1_bd"], "a", vec![])
        .node("Sigmoid", &["a"], "s", vec![])
        .node("Mul", &["a", "s"], "m", vec![])
        .node("HardSigmoid", &["a"], "h", vec![])
        .node("Mul", &["m", "h"], "b", vec![]);
    let model = model(rounded(builder, "b", "b").import("b_d").unwrap());
    let refused = packed(&model, "b_d", &[]).unwrap_err();
    assert!(
        matches!(&refused, Error::Lower { problem: LowerError { why: NoForm::NoRange { tensor }, .. }, .. } if tensor == "a"),
        "{refused}"
    );
    let quantised = packed(&model, "b_d", &samples(3 * 9 * 8)).unwrap();
    let pack = Pack::open(&quantised.bytes).unwrap();
    assert_eq!(pack.value(0).unwrap().scale, 0.0157);
    // Each value of the pack but the input, the result, and what only moves their elements.
    let said = &quantised.differences;
    for name in ["a", "h"] {
        let named =
            said.iter().filter(|line| line.starts_with(&format!("tensor '{name}' has no scale")));
        assert_eq!(named.count(), 1, "{name}: {said:?}");
    }
    assert!(said.iter().all(|line| !line.contains("'x'") && !line.contains("'b'")), "{said:?}");
}

#[test]
fn weights_that_packs_do_not_hold_are_named() {
    let network = |weights: Vec<u8>, kind: DataType, zero: u8| {
        let builder = scale(Builder::new(13, &[1, 2]), Form::Int8, "x", 0.02, 128);
        let builder = scale(builder, Form::Int8, "y", 0.02, 128)
            .raw("w", &[2, 2], kind, weights)
            .floats("ws", &[], &[0.5])
            .raw("wz", &[], kind, vec![zero])
            .node("DequantizeLinear", &["w", "ws", "wz"], "w_d", vec![]);
        let builder = rounded(builder, "x", "x").node("MatMul", &["x_d", "w_d"], "y", vec![]);
        let model = model(rounded(builder, "y", "y").import("y_d").unwrap());
        packed(&model, "y_d", &[]).unwrap()
    };
    let exact = network(vec![1, 2, 129, 127], DataType::INT8, 0);
    assert!(exact.differences.is_empty());
    let shifted = network(vec![129, 130, 1, 255], DataType::UINT8, 128);
    assert!(shifted.differences.is_empty());
    let samples = [vec![1.0, -1.0], vec![-0.3, 2.0]];
    assert_eq!(features(&exact, &samples), features(&shifted, &samples));
    let least = network(vec![1, 2, 128, 127], DataType::INT8, 0);
    assert!(least.differences[0].contains("1 of 4 weights are −128"), "{:?}", least.differences);
    let wide = network(vec![0, 2, 255, 127], DataType::UINT8, 10);
    assert!(wide.differences[0].contains("more than 127 steps"), "{:?}", wide.differences);
}

#[test]
fn scales_that_contradict_or_are_half_there_are_refused() {
    let x = || {
        scale(
            scale(Builder::new(21, &[1, 3, 9, 8]), Form::Uint8, "x", 0.1, 7),
            Form::Uint8,
            "o",
            0.2,
            7,
        )
    };
    let quantised =
        |builder: Builder| builder.node("QuantizeLinear", &["x", "x_s", "x_z"], "q", vec![]);
    let cases: Vec<(&str, Builder)> = vec![
        (
            "contradicts itself",
            quantised(x()).node("DequantizeLinear", &["q", "o_s", "x_z"], "y", vec![]),
        ),
        ("a DequantizeLinear is missing", quantised(x()).node("Relu", &["q"], "y", vec![])),
        (
            "a QuantizeLinear is missing",
            x().node("DequantizeLinear", &["x", "x_s", "x_z"], "y", vec![]),
        ),
        (
            "a scale of 0",
            x().floats("zero", &[], &[0.0])
                .node("QuantizeLinear", &["x", "zero", "x_z"], "q", vec![])
                .node("DequantizeLinear", &["q", "zero", "x_z"], "y", vec![]),
        ),
        (
            "one scale for all of it",
            x().floats("many", &[3], &[0.1, 0.2, 0.3])
                .raw("zeros", &[3], DataType::UINT8, vec![0; 3])
                .node("QuantizeLinear", &["x", "many", "zeros"], "q", vec![])
                .node("DequantizeLinear", &["q", "many", "zeros"], "y", vec![]),
        ),
        (
            "type INT32",
            x().raw("wide", &[], DataType::INT32, vec![0; 4])
                .node("QuantizeLinear", &["x", "x_s", "wide"], "q", vec![])
                .node("DequantizeLinear", &["q", "x_s", "wide"], "y", vec![]),
        ),
        (
            "2 scales and 1 zero points",
            x().floats("two", &[2], &[0.1, 0.2])
                .node("QuantizeLinear", &["x", "two", "x_z"], "q", vec![])
                .node("DequantizeLinear", &["q", "two", "x_z"], "y", vec![]),
        ),
        (
            "a scale a block",
            x().node("QuantizeLinear", &["x", "x_s", "x_z"], "y", vec![int("block_size", 2)]),
        ),
        ("an output of UINT8", x().node("DynamicQuantizeLinear", &["x"], "y", vec![])),
    ];
    for (expected, builder) in cases {
        let refused = builder.import("y").unwrap_err().to_string();
        assert!(refused.starts_with("test.onnx: ") && refused.contains(expected), "{refused}");
    }
}

#[test]
fn two_scales_of_one_tensor_are_two_roundings() {
    let form = Form::Uint8;
    let builder = rounded(dequantised(constants(form), "w1"), "x", "x")
        .node("Conv", &["x_d", "w1_d", "w1_bd"], "a", vec![])
        .node("QuantizeLinear", &["a", "b_s", "b_z"], "a_q", vec![])
        .node("DequantizeLinear", &["a_q", "b_s", "b_z"], "a_d", vec![])
        // Rounded again, to a coarser scale: exactly what a table says.
        .node("QuantizeLinear", &["a_d", "z_s", "z_z"], "t_q", vec![])
        .node("DequantizeLinear", &["t_q", "z_s", "z_z"], "t_d", vec![])
        .node("GlobalMaxPool", &["t_d"], "g", vec![])
        .node("Flatten", &["g"], "y", vec![]);
    let model = model(builder.import("y").unwrap());
    let samples = samples(3 * 9 * 8);
    let quantised = packed(&model, "y", &[]).unwrap();
    assert!(quantised.differences.is_empty());
    assert_eq!(features(&quantised, &samples), defined(&model, &samples, 0.05, 0));
}

#[test]
fn a_quantised_input_takes_the_scale_of_its_reader() {
    let mut builder = scale(Builder::new(13, &[1, 4]), Form::Uint8, "x", 0.1, 28);
    let tensor = &mut builder.graph().input[0].r#type.as_mut().unwrap().tensor_type;
    tensor.as_mut().unwrap().elem_type = Some(DataType::UINT8);
    let bytes = builder
        .node("DequantizeLinear", &["x", "x_s", "x_z"], "d", vec![])
        .node("Relu", &["d"], "r", vec![])
        .bytes("r");
    let model = model(import_bytes(&bytes, "test.onnx", None).unwrap());
    let quantised = packed(&model, "r", &[]).unwrap();
    let expected = [[-100, 27, -100, -80]];
    assert_eq!(features(&quantised, &[vec![-1.0, 12.7, 0.0, 2.0]]), expected);
}
