//! Models that are written here, from the file to the bits of the int8 backbone.

use headstart::backbone::Backbone;
use headstart::graph::{Op, Scale};
use headstart::pack::{Pack, Preprocessing, Resize};
use headstart::preprocess;

use super::import_bytes;
use super::testing::{OperatorOf, TensorOf, file, network};
use crate::import::model::Model;
use crate::quantise::plan::Aim;
use crate::quantise::quantised::{Calibration, Settings, quantise};
use crate::reference;

fn refusal(bytes: &[u8]) -> String {
    import_bytes(bytes, "test.tflite").unwrap_err().to_string()
}

/// The elements of an image with channels last, channels first.
fn channels_first(data: &[f32], [height, width, channels]: [usize; 3]) -> Vec<f32> {
    let at = |c: usize, pixel: usize| data[pixel * channels + c];
    (0..channels).flat_map(|c| (0..height * width).map(move |pixel| at(c, pixel))).collect()
}

#[test]
fn a_network_is_what_its_scales_define() {
    let (tensors, operators, ends) = network();
    let model = Model {
        path: "test.tflite".into(),
        imported: import_bytes(&file(&tensors, &operators, ends), "test.tflite").unwrap(),
    };
    assert_eq!(model.imported.producer, "test");
    let (graph, classifier) = model.classifier().unwrap();
    let names: Vec<_> = graph.nodes.iter().map(|node| node.op.name()).collect();
    assert!(!names.contains(&"Pad"), "zeros go into the window: {names:?}");
    assert_eq!(graph.values[classifier.features].name, "flat");
    assert_eq!(classifier.linear.unwrap().weights.len(), 80);
    for (freeze, outputs) in [("flat", 16), ("logits", 5), ("probabilities", 5)] {
        let settings = Settings {
            freeze_point: freeze.to_owned(),
            grid: 1,
            preprocessing: Preprocessing { resize: Resize::Stretch, mean: [0.0; 3], std: [1.0; 3] },
            max_classes: 2,
            arena: Aim::Speed,
            tail: None,
            per_place: false,
        };
        let cut = model.cut_at(freeze).unwrap();
        let quantised = quantise(&model, &cut, Calibration::default(), settings, || ()).unwrap();
        assert_eq!(quantised.differences, Vec::<String>::new());
        let pack = Pack::open(&quantised.bytes).unwrap();
        assert_eq!(pack.feature_len(), outputs);
        let mut arena = vec![0; pack.plan().arena_bytes as usize];
        let value = model.value_named(freeze).unwrap();
        let whole = model.imported.graph.cut_at(&[value]).unwrap();
        for index in 0..20 {
            let sample: Vec<f32> =
                (0..7 * 6 * 3).map(|i| ((i * 37 + index * 91) % 251) as f32 / 50.0 - 2.5).collect();
            let mut input = vec![0; 7 * 6 * 3];
            preprocess::values(&pack, sample.iter().copied(), &mut input).unwrap();
            let found = Backbone::new(pack, &mut arena).unwrap().features(&input).unwrap().to_vec();
            let means = &model.imported.integer_means;
            let expected = reference::run_rounded(&whole, means, &[sample]).remove(0);
            let to = pack.feature_value().unwrap();
            let steps = |x: f32| (x / to.scale).round() as i32 + i32::from(to.zero_point);
            assert!(
                found.iter().map(|&q| i32::from(q)).eq(expected.into_iter().map(steps)),
                "{freeze}"
            );
        }
    }
}

/// As LiteRT's kernels do it, XNNPACK's and its own: half of the count is added to the sum of the integers, away from 0,
/// and the quotient cut.
#[test]
fn pools_with_even_windows_round_halves_as_litert_does() {
    for (kind, zero_point) in [(9, -3), (9, -128), (9, 5), (3, 125), (3, 0)] {
        let of = |name: &str, shape: &[i32]| TensorOf {
            name: name.into(),
            shape: shape.to_vec(),
            kind,
            scales: vec![0.5],
            zero_points: vec![zero_point],
            ..TensorOf::default()
        };
        let tensors = [of("in", &[1, 8, 6, 3]), of("pool", &[1, 4, 3, 3])];
        let pool = OperatorOf {
            code: 1,
            inputs: vec![0],
            outputs: vec![1],
            bytes: vec![(0, 1)],
            words: vec![(1, 2), (2, 2), (3, 2), (4, 2)],
        };
        let model = Model {
            path: "test.tflite".into(),
            imported: import_bytes(&file(&tensors, &[pool], [0, 1]), "test.tflite").unwrap(),
        };
        let settings = Settings {
            freeze_point: "pool".to_owned(),
            grid: 4,
            preprocessing: Preprocessing { resize: Resize::Stretch, mean: [0.0; 3], std: [1.0; 3] },
            max_classes: 2,
            arena: Aim::Speed,
            tail: None,
            per_place: false,
        };
        let cut = model.cut_at("pool").unwrap();
        let quantised = quantise(&model, &cut, Calibration::default(), settings, || ()).unwrap();
        let pack = Pack::open(&quantised.bytes).unwrap();
        let mut arena = vec![0; pack.plan().arena_bytes as usize];
        let stored: Vec<i32> = (0..8 * 6 * 3).map(|i| (i * 89 + i * i * 7 + i / 5) % 256).collect();
        let input: Vec<i8> = stored.iter().map(|q| (q - 128) as i8).collect();
        let found = Backbone::new(pack, &mut arena).unwrap().features(&input).unwrap().to_vec();
        // What stands in the file: from −128 on, or from 0 on.
        let offset = if kind == 9 { -128 } else { 0 };
        let mut halves = 0;
        for (index, &q) in found.iter().enumerate() {
            let (row, column, channel) = (index / 9, index / 3 % 3, index % 3);
            let cells = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let at = |(y, x)| stored[((2 * row + y) * 6 + 2 * column + x) * 3 + channel] + offset;
            let sum: i32 = cells.map(at).iter().sum();
            halves += usize::from(sum.rem_euclid(4) == 2);
            let mean = if sum > 0 { (sum + 2) / 4 } else { (sum - 2) / 4 };
            assert_eq!(i32::from(q), mean - offset - 128, "{kind} {zero_point} {index}: {sum}");
        }
        assert!(halves > 5, "{halves}");
    }
}

#[test]
fn images_turn_and_their_windows_with_them() {
    let (tensors, operators, _) = network();
    let imported = import_bytes(&file(&tensors, &operators, [0, 3]), "test.tflite").unwrap();
    let conv = imported.graph.nodes.iter().find_map(|node| match &node.op {
        Op::Conv(conv) => Some((conv.clone(), node.inputs[1])),
        _ => None,
    });
    let (conv, weight) = conv.unwrap();
    // 7 rows and 6 columns by a stride of 2: 4 and 3 windows, 2 and 1 of padding.
    assert_eq!(
        (&conv.window.pads_begin[..], &conv.window.pads_end[..]),
        (&[1, 0][..], &[1, 1][..])
    );
    let stored = tensors[1].data.iter().enumerate();
    let real: Vec<f32> =
        stored.map(|(i, &q)| f32::from(q as i8) * tensors[1].scales[i / 27]).collect();
    let expected: Vec<f32> =
        real.chunks(27).flat_map(|one| channels_first(one, [3, 3, 3])).collect();
    assert_eq!(imported.graph.values[weight].constant.as_deref(), Some(&expected[..]));
    let out = imported.graph.outputs[0];
    assert_eq!(
        (imported.graph.values[out].name.as_str(), &imported.graph.values[out].shape[..]),
        ("conv", &[1, 4, 4, 3][..])
    );
}

#[test]
fn a_fused_result_is_called_by_the_first_of_its_names_and_found_by_all_of_them() {
    let fused = |name: &str| {
        let (mut tensors, operators, ends) = network();
        tensors[3].name = name.into();
        let imported = import_bytes(&file(&tensors, &operators, ends), "test.tflite").unwrap();
        let value = imported.aliases.find(&imported.graph, name).expect("its name in the file");
        imported.graph.values[value].name.clone()
    };
    assert_eq!(fused("conv;norm/FusedBatchNormV3;relu1"), "conv");
    // Another tensor is called so, or there is nothing in front.
    assert_eq!(fused("deep;conv"), "deep;conv");
    assert_eq!(fused(";conv"), ";conv");
}

#[test]
fn another_scale_of_the_input_is_another_name_of_it() {
    let of = |name: &str| TensorOf { name: name.into(), shape: vec![1, 4], ..TensorOf::default() };
    let quantised =
        TensorOf { kind: 9, scales: vec![0.5], zero_points: vec![3], ..of("q;quantize") };
    let y = TensorOf { name: "y".into(), ..quantised.clone() };
    let operators = [
        OperatorOf { code: 114, inputs: vec![0], outputs: vec![1], ..OperatorOf::default() },
        OperatorOf { code: 19, inputs: vec![1], outputs: vec![2], ..OperatorOf::default() },
    ];
    let bytes = file(&[of("x"), quantised, y], &operators, [0, 2]);
    let imported = import_bytes(&bytes, "test.tflite").unwrap();
    let x = imported.graph.inputs[0];
    assert_eq!(imported.graph.values[x].scale, Some(Scale::Tensor { scale: 0.5, zero_point: 3 }));
    for name in ["x", "q", "q;quantize"] {
        assert_eq!(imported.aliases.find(&imported.graph, name), Some(x), "{name}");
    }
}

#[test]
fn float_models_import_without_scales() {
    let of = |name: &str| TensorOf { name: name.into(), shape: vec![1, 4], ..TensorOf::default() };
    let relu = OperatorOf { code: 19, inputs: vec![0], outputs: vec![1], ..OperatorOf::default() };
    let imported =
        import_bytes(&file(&[of("x"), of("y")], &[relu], [0, 1]), "test.tflite").unwrap();
    assert!(!crate::import::scales::is_quantised(&imported.graph));
    assert_eq!(imported.graph.values[imported.graph.outputs[0]].name, "y");
}

#[test]
fn what_is_wrong_is_named_with_its_operator_and_byte() {
    type Change = fn(&mut Vec<TensorOf>, &mut Vec<OperatorOf>);
    let cases: [(&str, Change); 12] = [
        ("\"conv\" (CONV_2D): a fused activation of kind 4", |_, o| o[0].bytes[1].1 = 4),
        ("\"sum\" (LOG): this operator is not supported", |_, o| o[3].code = 73),
        ("a scale of NaN", |t, _| t[3].scales[0] = f32::NAN),
        ("has a zero point of 300", |t, _| t[3].zero_points[0] = 300),
        ("tensor 'w1' has 4 scales along axis 1", |t, _| t[1].axis = 1),
        ("tensor 'w1' has 107 elements of data", |t, _| {
            t[1].data.pop();
        }),
        ("has shape [1, 9, 3, 4] in the file", |t, _| t[3].shape[1] = 9),
        ("reads 'deep', which no input or earlier operator defines", |_, o| {
            o.swap(2, 3);
        }),
        ("a result that is defined twice", |_, o| o[3].outputs[0] = 3),
        ("operand 1 is missing", |_, o| o[0].inputs[1] = -1),
        ("is computed as int16", |t, _| t[3].kind = 7),
        ("a tensor that does not exist at byte", |_, o| o[0].inputs[1] = 99),
    ];
    for (expected, change) in cases {
        let (mut tensors, mut operators, ends) = network();
        change(&mut tensors, &mut operators);
        // Refused, or behind a boundary.
        let refused = match import_bytes(&file(&tensors, &operators, ends), "test.tflite") {
            Err(error) => error.to_string(),
            Ok(imported) => {
                let mut whys = imported.boundaries.iter().map(|boundary| boundary.why.as_str());
                format!("test.tflite: {}", whys.next().expect("something is wrong"))
            }
        };
        assert!(refused.starts_with("test.tflite: ") && refused.contains(expected), "{refused}");
        let at = refused.contains("(byte ") || refused.contains("at byte ");
        assert!(at || refused.contains("tensor"), "{refused}");
    }
}

#[test]
fn an_operator_that_is_not_supported_stops_only_the_cuts_behind_it() {
    let (tensors, mut operators, ends) = network();
    operators[3].code = 95;
    let imported = import_bytes(&file(&tensors, &operators, ends), "test.tflite").unwrap();
    let model = Model { path: "test.tflite".into(), imported };
    let boundary = model.imported.boundaries.iter().next().unwrap();
    assert_eq!(
        (boundary.operator.as_str(), &boundary.reads[..]),
        ("FLOOR_MOD", &["conv".to_owned(), "deep".to_owned()][..])
    );
    model.cut_at("deep").unwrap();
    for behind in ["sum", "flat", "probabilities"] {
        let refused = model.cut_at(behind).unwrap_err().to_string();
        assert!(refused.contains(behind) && refused.contains("FLOOR_MOD"), "{refused}");
    }
    assert!(model.classifier().is_err());
}

#[test]
fn damaged_files_are_refused_and_nothing_panics() {
    let (tensors, operators, ends) = network();
    let good = file(&tensors, &operators, ends);
    assert!(refusal(b"").contains("at byte 4"));
    assert!(refusal(&good[1..]).contains("TFL3"));
    for length in 0..good.len() {
        // Padding may be missing at the end; nothing else.
        let _ = import_bytes(&good[..length], "test.tflite");
    }
    let mut state = 1_u64;
    let mut chance = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    for _ in 0..6_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + chance() % 4 {
            let at = chance() % bytes.len();
            bytes[at] = match chance() % 4 {
                0 => 0xff,
                1 => 0,
                2 => bytes[at].wrapping_add(1),
                _ => chance() as u8,
            };
        }
        let _ = import_bytes(&bytes, "test.tflite");
    }
}

#[test]
fn a_constant_that_is_not_finite_is_refused_by_its_name() {
    let of = |name: &str| TensorOf { name: name.into(), shape: vec![1, 2], ..TensorOf::default() };
    let data = [f32::NAN, 1.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let weight = TensorOf { data, ..of("weight") };
    let add = OperatorOf { code: 0, inputs: vec![0, 1], outputs: vec![2], ..OperatorOf::default() };
    let add = OperatorOf { bytes: vec![(0, 0)], ..add };
    let message = refusal(&file(&[of("x"), weight, of("y")], &[add], [0, 2]));
    assert!(message.contains("'weight'") || message.contains("\"weight\""), "{message}");
    assert!(message.contains("NaN"), "{message}");
}
