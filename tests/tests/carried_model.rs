//! The carried model computes here what it computes in ONNX Runtime (`golden.json` says what that is), and its quantised
//! form what ONNX Runtime's integer kernels compute (`golden-int8.json`).

use std::path::{Path, PathBuf};

use headstart::backbone::Backbone;
use headstart::burn::backend::Flex;
use headstart::burn::{Executor, Tensor};
use headstart::graph::Graph;
use headstart::pack::{Pack, Preprocessing, Resize};
use headstart::preprocess;
use headstart_tests::drawings::figure::ICONS;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};
use headstart_tools::import::model::Model;
use headstart_tools::import::onnx::{self, Imported};
use headstart_tools::import::simplify::simplify;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Calibration, Settings, quantise};
use serde_json::Value;

/// `draw-figures icons 1 SEED` drew the golden pictures.
const GOLDEN_SEED: u64 = 7;
const FEATURES: &str = "/ReduceMean";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("carried-model")
}

fn model() -> Imported {
    onnx::import(&folder().join("shapes.onnx")).unwrap()
}

/// The first picture of icon `class` as the model's input, [1, 3, 32, 32].
fn input(class: usize) -> Tensor {
    let mut random = Random::keyed(GOLDEN_SEED, class as u64, 0);
    let pixels = picture(&icons()[class].1, &mut random);
    let plane = SIDE * SIDE;
    let value = |at: usize| (f32::from(pixels[at % plane * 3 + at / plane]) - 127.5) / 127.5;
    Tensor { shape: vec![1, 3, SIDE, SIDE], data: (0..3 * plane).map(value).collect() }
}

/// Features and logits of each icon agree with ONNX Runtime's to 1e-4 of the largest.
fn assert_golden(imported: &Imported) {
    let golden = std::fs::read_to_string(folder().join("golden.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let mut graph: Graph = imported.graph.clone();
    let features = imported.aliases.find(&graph, FEATURES).expect("the features have a name");
    graph.outputs.insert(0, features);
    let executor = Executor::<Flex>::new(&graph, &Default::default()).unwrap();
    for (class, name) in ICONS.iter().enumerate() {
        let found = executor.run(&[input(class)]).unwrap();
        for (tensor, part) in found.iter().zip(["features", "logits"]) {
            let expected = golden[name][part].as_array().unwrap().iter();
            let expected: Vec<f32> = expected.map(|v| v.as_f64().unwrap() as f32).collect();
            assert_eq!(tensor.data.len(), expected.len(), "{name}: {part}");
            let largest = expected.iter().fold(0.0_f32, |largest, v| largest.max(v.abs()));
            for (found, expected) in tensor.data.iter().zip(&expected) {
                let error = (found - expected).abs() / largest;
                assert!(error < 1e-4, "{name}: {part}: {found} for {expected}");
            }
        }
    }
}

#[test]
fn the_imported_model_computes_what_onnx_runtime_computes() {
    assert_golden(&model());
}

#[test]
fn the_simplified_model_computes_the_same_without_batch_normalisation() {
    let mut imported = model();
    let nodes = imported.graph.nodes.len();
    imported.graph = simplify(&imported.graph, &mut imported.aliases, &mut |_, _| None);
    assert!(imported.graph.nodes.len() + 20 <= nodes, "20 normalisations can be folded");
    assert_golden(&imported);
}

#[test]
fn the_quantised_model_computes_what_onnx_runtimes_integer_kernels_compute_to_the_bit() {
    let golden = std::fs::read_to_string(folder().join("golden-int8.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let path = folder().join("shapes-qdq.onnx");
    let model = Model { imported: onnx::import(&path).unwrap(), path };
    for (part, freeze_point) in [("features", "/ReduceMean_output_0"), ("logits", "logits")] {
        let settings = Settings {
            freeze_point: freeze_point.to_owned(),
            grid: 1,
            per_place: false,
            preprocessing: Preprocessing {
                resize: Resize::Stretch,
                mean: [127.5; 3],
                std: [127.5; 3],
            },
            max_classes: 2,
            arena: Aim::Speed,
            tail: None,
        };
        let cut = model.cut_at(freeze_point).unwrap();
        let quantised = quantise(&model, &cut, Calibration::default(), settings, || ()).unwrap();
        assert_eq!(quantised.differences, Vec::<String>::new());
        let pack = Pack::open(&quantised.bytes).unwrap();
        let mut arena = vec![0; pack.plan().arena_bytes as usize];
        for (class, name) in ICONS.iter().enumerate() {
            let image = input(class).data;
            let mut integers = vec![0; image.len()];
            preprocess::values(&pack, image.into_iter(), &mut integers).unwrap();
            let mut backbone = Backbone::new(pack, &mut arena).unwrap();
            let found = backbone.features(&integers).unwrap();
            let expected = golden[name][part].as_array().unwrap();
            let expected: Vec<i64> = expected.iter().map(|q| q.as_i64().unwrap()).collect();
            assert!(found.iter().map(|&q| i64::from(q)).eq(expected), "{name}: {part}");
        }
    }
}

#[test]
fn the_models_stay_small_enough_to_carry() {
    for (name, most) in [("shapes.onnx", 150_000), ("shapes-qdq.onnx", 100_000)] {
        let bytes = std::fs::metadata(folder().join(name)).unwrap().len();
        assert!(bytes < most, "{name}: {bytes} bytes");
    }
}
