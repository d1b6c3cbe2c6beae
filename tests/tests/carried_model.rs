//! The carried model computes here what it computes in ONNX Runtime (`golden.json` says what that is).

use std::path::{Path, PathBuf};

use headstart::burn::backend::Flex;
use headstart::burn::{Executor, Tensor};
use headstart::graph::Graph;
use headstart_tests::drawings::figure::ICONS;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};
use headstart_tools::onnx::{self, Imported};
use headstart_tools::simplify::simplify;
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
fn the_model_stays_small_enough_to_carry() {
    let bytes = std::fs::metadata(folder().join("shapes.onnx")).unwrap().len();
    assert!(bytes < 150_000, "{bytes} bytes");
}
