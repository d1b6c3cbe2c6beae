//! Where `headstart pack` cuts, and what it refuses before it works, on models that are written here.

use std::path::Path;
use std::process::{Command, Output};

use headstart::graph::{Activation, Binary, Conv, Gemm, Graph, Op, Resize, ValueId, Window};
use headstart_tools::ship::export::to_onnx;
use serde_json::Value;

const CLASSES: usize = 40;

fn headstart(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headstart")).args(args).output().unwrap()
}

struct Desk(tempfile::TempDir);

impl Desk {
    /// A model of [`CLASSES`] classes, and pictures in two folders: bright above, bright below.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("model.onnx"), to_onnx(&model(), &[]).unwrap()).unwrap();
        for (class, above) in [("above", true), ("below", false)] {
            let root = folder.path().join("pictures").join(class);
            std::fs::create_dir_all(&root).unwrap();
            for index in 0..6_u32 {
                let picture = image::RgbImage::from_fn(16, 16, |x, y| {
                    let level = if (y < 8) == above { 200 } else { 30 };
                    image::Rgb([level + (x % 5) as u8, level, (index * 7 + y) as u8])
                });
                picture.save(root.join(format!("{index}.png"))).unwrap();
            }
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn run(&self, json: bool, more: &[&str]) -> Output {
        let (model, calib, pack) =
            (self.path("model.onnx"), self.path("pictures"), self.path("x.hspk"));
        let mut args = vec!["pack", &model, "--preprocess", "tf", "-o", &pack];
        if json {
            args.insert(0, "--json");
        }
        if !more.contains(&"--calib") {
            args.extend(["--calib", &calib]);
        }
        headstart(&[&args[..], more].concat())
    }

    fn pack(&self, more: &[&str]) -> Value {
        let output = self.run(true, more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn text(&self, more: &[&str]) -> String {
        let output = self.run(false, more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refusal(&self, more: &[&str]) -> String {
        let output = self.run(false, more);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{more:?}: {message}");
        message
    }
}

/// `map` of 48 channels; `last`, the same with its channels last; `back`; `mixed`, channels beside places; `whole`; `odd`,
/// with a number added to each place, which has no int8 form; and a classifier.
fn model() -> Graph {
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 16, 16]);
    graph.inputs.push(x);
    let weight = |graph: &mut Graph, name: &str, shape: &[usize]| {
        let count = shape.iter().product::<usize>();
        let data = (0..count).map(|i| ((i * 37 + i * i % 11) % 23) as f32 / 40.0 - 0.27).collect();
        graph.add_constant(format!("{name}.weight"), shape.to_vec(), data).unwrap()
    };
    let node = |graph: &mut Graph, name: &str, op: Op, inputs: &[ValueId]| {
        graph.add_node(format!("{name}_node"), op, inputs.to_vec(), name).unwrap()
    };
    let relu = || Op::Activation(Activation::Relu);
    let transpose = |order: [usize; 4]| Op::Transpose { permutation: order.to_vec() };
    let w = weight(&mut graph, "a", &[48, 3, 2, 2]);
    let window = Window { strides: vec![2; 2], ..Window::new(&[2; 2]) };
    let y = node(&mut graph, "conv", Op::Conv(Conv { window, groups: 1 }), &[x, w]);
    let y = node(&mut graph, "map", relu(), &[y]);
    let y = node(&mut graph, "last", transpose([0, 2, 3, 1]), &[y]);
    let y = node(&mut graph, "back", transpose([0, 3, 1, 2]), &[y]);
    let y = node(&mut graph, "mixed", Op::Reshape { shape: vec![1, 96, 4, 8] }, &[y]);
    let y = node(&mut graph, "whole", Op::Reshape { shape: vec![1, 48, 8, 8] }, &[y]);
    let w = weight(&mut graph, "places", &[1, 1, 8, 8]);
    let y = node(&mut graph, "odd", Op::Binary(Binary::Add), &[y, w]);
    let w = weight(&mut graph, "b", &[40, 48, 1, 1]);
    let conv = Conv { window: Window::new(&[1; 2]), groups: 1 };
    let y = node(&mut graph, "late", Op::Conv(conv), &[y, w]);
    let y = node(&mut graph, "late_map", relu(), &[y]);
    let y = node(&mut graph, "mean", Op::GlobalAveragePool, &[y]);
    let y = node(&mut graph, "features", Op::Reshape { shape: vec![1, 40] }, &[y]);
    let w = weight(&mut graph, "c", &[40, CLASSES]);
    let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false };
    let y = node(&mut graph, "logits", Op::Gemm(gemm), &[y, w]);
    graph.outputs.push(y);
    graph
}

/// The same without the part that has no int8 form.
fn plain(desk: &Desk) {
    let mut graph = model();
    let map = graph.value_named("map").unwrap();
    let late = graph.nodes.iter().position(|node| node.name == "late_node").unwrap();
    graph.nodes[late].inputs[0] = map;
    let graph = graph.cut_at(&graph.outputs.clone()).unwrap();
    // The shapes behind follow the smaller map.
    let mut shorter = Graph { values: graph.values.clone(), ..Graph::default() };
    shorter.inputs.clone_from(&graph.inputs);
    for node in &graph.nodes {
        let shapes: Vec<&[usize]> =
            node.inputs.iter().map(|&id| shorter.values[id].shape.as_slice()).collect();
        let shape = node.op.output_shape(&shapes).unwrap();
        shorter.values[node.output].shape = shape;
        shorter.nodes.push(node.clone());
    }
    shorter.outputs.clone_from(&graph.outputs);
    std::fs::write(desk.path("model.onnx"), to_onnx(&shorter, &[]).unwrap()).unwrap();
}

#[test]
fn a_cut_behind_a_transposition_has_the_features_of_the_map() {
    let desk = Desk::new();
    let features = |name: &str, pool: &[&str]| {
        let summary = desk.pack(&[&["--freeze", name], pool].concat());
        assert_eq!(summary["pooled"], true, "{summary}");
        (summary["features"].as_u64().unwrap(), summary["nodes"].as_u64().unwrap())
    };
    for pool in [&[][..], &["--pool", "2"]] {
        let of_map = features("map", pool);
        assert_eq!(of_map.0, 48 * if pool.is_empty() { 1 } else { 4 });
        assert_eq!(features("last", pool), of_map);
    }
}

#[test]
fn a_tensor_of_unknown_axes_is_kept_whole_and_said_to_be() {
    let desk = Desk::new();
    let summary = desk.pack(&["--freeze", "mixed"]);
    assert_eq!((&summary["features"], &summary["pooled"]), (&(48 * 64).into(), &false.into()));
    let text = desk.text(&["--freeze", "mixed"]);
    assert!(text.contains("is not known"), "{text}");
    let refused = desk.refusal(&["--freeze", "mixed", "--pool", "2"]);
    assert!(refused.contains("leave --pool out"), "{refused}");
}

#[test]
fn only_cuts_that_can_be_packed_are_marked_and_chosen() {
    let desk = Desk::new();
    let output = headstart(&["--json", "inspect", &desk.path("model.onnx")]);
    let inspected: Value = serde_json::from_slice(&output.stdout).unwrap();
    let marked: Vec<&str> = inspected["layers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|layer| layer["freeze_point"].is_string())
        .map(|layer| layer["output"].as_str().unwrap())
        .collect();
    assert!(marked.contains(&"map"), "{marked:?}");
    assert!(
        !marked.iter().any(|name| ["odd", "late_map", "features"].contains(name)),
        "{marked:?}"
    );
    for name in marked {
        desk.pack(&["--freeze", name]);
    }
    let data = desk.path("pictures");
    let summary = desk.pack(&["--freeze", "auto", "--data", &data]);
    for candidate in summary["candidates"].as_array().unwrap() {
        assert!(candidate["multiply_accumulates"].as_u64().unwrap() > 0, "{candidate}");
        assert_ne!(candidate["tensor"], "late_map");
    }
}

#[test]
fn a_kept_classifier_has_room_and_what_does_not_fit_is_refused_before_the_work() {
    let desk = Desk::new();
    plain(&desk);
    let summary = desk.pack(&["--head", "keep"]);
    assert_eq!(summary["max_classes"], CLASSES);
    assert_eq!(summary["head_classes"].as_array().unwrap().len(), CLASSES);
    assert_eq!(desk.pack(&[])["max_classes"], 32);
    // No sample is looked at: there is none.
    let nowhere = ["--calib", "no-such-folder"];
    let refused = |more: &[&str]| desk.refusal(&[&nowhere[..], more].concat());
    assert!(refused(&[]).contains("no-such-folder"));
    let few = refused(&["--head", "keep", "--max-classes", "32"]);
    assert!(few.contains("raise --max-classes to 40"), "{few}");
    let labels = desk.path("labels");
    std::fs::write(&labels, "one\ntwo\n").unwrap();
    let named = refused(&["--head", "keep", "--labels", &labels]);
    assert!(named.contains("2 labels for 40 classes"), "{named}");
    let board = refused(&["--board", "mps2-an386", "--max-classes", "4096"]);
    assert!(board.contains("missing"), "{board}");
    let elsewhere = refused(&["--head", "keep", "--freeze", "map"]);
    assert!(elsewhere.contains("'features'"), "{elsewhere}");
    let auto = refused(&["--head", "keep", "--freeze", "auto"]);
    assert!(auto.contains("--freeze head"), "{auto}");
    assert!(!Path::new(&desk.path("none.hspk")).exists());
}

#[test]
fn the_table_of_cuts_is_short_and_says_its_rule() {
    let desk = Desk::new();
    plain(&desk);
    let data = desk.path("pictures");
    let auto = ["--freeze", "auto", "--data", &data];
    let candidates = desk.pack(&auto)["candidates"].as_array().unwrap().clone();
    let rule = candidates[0]["chosen_because"].as_str().unwrap();
    assert!(candidates[0]["error"].is_f64() && candidates[1]["chosen_because"].is_null());
    // The best cuts were judged on what a device computes.
    assert!(candidates[0]["int8_error"].is_f64() && rule.contains("on int8 features"), "{rule}");
    let rows =
        |text: &str| text.lines().filter(|line| line.contains(" x ") && line.contains('±')).count();
    let short = desk.text(&auto);
    assert!(short.contains(rule) && rows(&short) <= 16, "{short}");
    let all = desk.text(&[&auto[..], &["--all"]].concat());
    assert_eq!(rows(&all), candidates.len(), "{all}");
    // How close the integers are to the real features, also without what all samples share.
    let summary = desk.pack(&[]);
    for key in ["feature_cosine", "centred_feature_cosine"] {
        assert!(summary[key]["mean"].as_f64().unwrap() > 0.9, "{summary}");
    }
}

/// Writes `graph` as the desk's model.
fn write(desk: &Desk, graph: &Graph) {
    std::fs::write(desk.path("model.onnx"), to_onnx(graph, &[]).unwrap()).unwrap();
}

#[test]
fn a_name_that_several_nodes_have_is_refused_with_the_tensors_to_choose_from() {
    let desk = Desk::new();
    let mut graph = model();
    for node in &mut graph.nodes {
        if ["map_node", "whole_node"].contains(&node.name.as_str()) {
            node.name = "twin".to_owned();
        }
    }
    write(&desk, &graph);
    for more in [&["--freeze", "twin"][..], &["--freeze", "twin", "--tail", "keep"]] {
        let refused = desk.refusal(more);
        assert!(refused.contains("2 nodes are called 'twin'"), "{refused}");
        assert!(refused.contains("'map', 'whole'"), "{refused}");
    }
    assert_eq!(desk.pack(&["--freeze", "map"])["freeze_point"], "map");
    // A tensor's name is its own, whatever nodes are called.
    graph.nodes.iter_mut().filter(|node| node.name == "twin").for_each(|node| {
        node.name = "map".to_owned();
    });
    write(&desk, &graph);
    assert_eq!(desk.pack(&["--freeze", "map"])["freeze_point"], "map");
}

/// `x → odd → map → mean → features → classifier`: nothing has an int8 form.
fn odd_from_the_start() -> Graph {
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 8, 8]);
    graph.inputs.push(x);
    let places = (0..64).map(|i| i as f32 / 64.0).collect();
    let places = graph.add_constant("places", vec![1, 1, 8, 8], places).unwrap();
    let y = graph.add_node("shift", Op::Binary(Binary::Add), vec![x, places], "odd").unwrap();
    let w = graph.add_constant("w", vec![40, 3, 1, 1], vec![0.1; 120]).unwrap();
    let conv = Conv { window: Window::new(&[1; 2]), groups: 1 };
    let y = graph.add_node("conv", Op::Conv(conv), vec![y, w], "map").unwrap();
    let y = graph.add_node("mean", Op::GlobalAveragePool, vec![y], "mean").unwrap();
    let y = graph.add_node("flat", Op::Reshape { shape: vec![1, 40] }, vec![y], "flat").unwrap();
    let w = graph.add_constant("c", vec![40, 5], vec![0.1; 200]).unwrap();
    let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false };
    let y = graph.add_node("fc", Op::Gemm(gemm), vec![y, w], "logits").unwrap();
    graph.outputs.push(y);
    graph
}

#[test]
fn no_cut_is_advised_that_does_not_exist() {
    let desk = Desk::new();
    let behind = desk.refusal(&["--freeze", "late_map"]);
    assert!(behind.contains("'odd_node' (Add)"), "{behind}");
    assert!(behind.contains("freeze at 'map', or before it"), "{behind}");
    assert_eq!(desk.pack(&["--freeze", "map"])["freeze_point"], "map");

    write(&desk, &odd_from_the_start());
    let data = desk.path("pictures");
    for more in [&["--freeze", "auto", "--data", &data][..], &[], &["--freeze", "map"]] {
        let refused = desk.refusal(more);
        assert!(refused.contains("'shift' (Add)"), "{refused}");
        assert!(!refused.contains("--max") && !refused.contains("freeze before"), "{refused}");
        assert!(refused.contains("no tensor of"), "{refused}");
    }
    let path = desk.path("model.onnx");
    let said = String::from_utf8(headstart(&["inspect", &path]).stdout).unwrap();
    assert!(said.contains("'shift' (Add)") && !said.contains("marked"), "{said}");
    let said: Value =
        serde_json::from_slice(&headstart(&["--json", "inspect", &path]).stdout).unwrap();
    assert!(said["obstacle"].as_str().unwrap().contains("shift"), "{said}");
}

#[test]
fn a_model_without_a_classifier_is_frozen_at_its_output() {
    let desk = Desk::new();
    plain(&desk);
    let path = desk.path("model.onnx");
    let whole = headstart_tools::import::onnx::import(Path::new(&path)).unwrap().graph;
    let features = whole.value_named("features").unwrap();
    write(&desk, &whole.cut_at(&[features]).unwrap());
    assert_eq!(desk.pack(&[])["freeze_point"], "features");
    let kept = desk.refusal(&["--head", "keep"]);
    assert!(kept.contains("does not end in a classifier; use --head new"), "{kept}");

    // Divided by its length, as exporters write it: no weights stand behind the embedding.
    let mut graph = whole.cut_at(&[features]).unwrap();
    let features = graph.outputs.pop().unwrap();
    let mut node = |op: Op, inputs: &[ValueId]| {
        let name = format!("length_{}", graph.nodes.len());
        graph.add_node(name.clone(), op, inputs.to_vec(), name).unwrap()
    };
    let power = |exponent| Op::Activation(Activation::Power { exponent });
    let squares = node(power(2.0), &[features]);
    let mean = node(Op::ReduceMean { axes: vec![1], keep_dims: true }, &[squares]);
    let length = node(power(0.5), &[mean]);
    let length = node(Op::Reshape { shape: vec![1, 1, 1] }, &[length]);
    let ones = graph.add_constant("ones", vec![40, 1, 1], vec![1.0; 40]).unwrap();
    let mut node = |op: Op, inputs: &[ValueId]| {
        let name = format!("length_{}", graph.nodes.len());
        graph.add_node(name.clone(), op, inputs.to_vec(), name).unwrap()
    };
    let all = node(Op::Conv(Conv { window: Window::new(&[1]), groups: 1 }), &[length, ones]);
    let all = node(Op::Reshape { shape: vec![1, 40] }, &[all]);
    let quotient = node(Op::Binary(Binary::Div), &[features, all]);
    graph.outputs.push(quotient);
    write(&desk, &graph);
    assert_eq!(desk.pack(&[])["freeze_point"], "features");
}

#[test]
fn what_a_device_trains_has_a_budget_too() {
    let desk = Desk::new();
    let mut graph = model();
    let odd = graph.nodes.iter_mut().find(|node| node.name == "odd_node").unwrap();
    odd.op = Op::Resize(Resize::linear(&[8, 8], &[2048, 2048]));
    odd.inputs.truncate(1);
    // The shapes behind follow when the file is read.
    write(&desk, &graph);
    let nowhere = ["--calib", "no-such-folder", "--freeze", "map", "--tail", "keep"];
    let refused = desk.refusal(&nowhere);
    assert!(refused.contains("behind the cut it takes too many"), "{refused}");
    assert!(refused.contains("--tail drop"), "{refused}");
}

/// The desk's pictures, and more of them: 30 of each class.
fn more_pictures(desk: &Desk) {
    for (class, above) in [("above", true), ("below", false)] {
        for index in 6..30_u32 {
            let picture = image::RgbImage::from_fn(16, 16, |x, y| {
                let level = if (y < 8) == above { 200 } else { 30 };
                image::Rgb([level + (x % 7) as u8, level - (y % 3) as u8, (index * 7 + y) as u8])
            });
            picture.save(format!("{}/{class}/{index}.png", desk.path("pictures"))).unwrap();
        }
    }
}

#[test]
fn what_int8_costs_is_measured_on_samples_that_had_no_part_in_the_ranges() {
    let desk = Desk::new();
    plain(&desk);
    let few = desk.pack(&[]);
    assert_eq!(few["compared"], serde_json::json!({ "samples": 12, "held_out": false }));
    assert_eq!(
        (&few["calibration_samples"], few["rules"]["tried"].as_array().unwrap().len()),
        (&12.into(), 0)
    );
    more_pictures(&desk);
    let summary = desk.pack(&[]);
    assert_eq!(summary["compared"], serde_json::json!({ "samples": 12, "held_out": true }));
    assert_eq!(summary["calibration_samples"], 48);
    let rules = &summary["rules"];
    let tried = rules["tried"].as_array().unwrap();
    assert_eq!(tried.len(), 5, "{rules}");
    let error = |at: usize| tried[at]["error"].as_f64().unwrap();
    assert!((1..tried.len()).all(|at| error(0) < 1.03 * error(at)), "{rules}");
    for key in ["ranges", "channel_scales", "bias_correction"] {
        assert_eq!(rules[key], tried[0][key]);
    }
    let calibration = summary["calibration"].as_str().unwrap();
    assert!(calibration.contains(rules["ranges"].as_str().unwrap()), "{calibration}");
    let right = ["float", "int8"].map(|kind| {
        let mean = summary["head_accuracy"][kind]["mean"].as_f64().unwrap();
        assert!(mean > 0.6, "{summary}");
        format!("{:.1} %", 100.0 * mean)
    });
    let text = desk.text(&[]);
    assert!(text.contains("on 12 samples held out of the calibration"), "{text}");
    let heads = format!("heads {} right on float features, {} on int8", right[0], right[1]);
    assert!(text.contains(&heads), "{text}");
    // Without classes there are no heads.
    let flat = desk.path("flat");
    std::fs::create_dir(&flat).unwrap();
    for index in 0..30 {
        let from = format!("{}/above/{index}.png", desk.path("pictures"));
        std::fs::copy(from, format!("{flat}/{index}.png")).unwrap();
    }
    let summary = desk.pack(&["--calib", &flat]);
    assert!(summary["head_accuracy"].is_null() && summary["compared"]["held_out"] == true);
}

/// A model that adds large values to small ones and takes them off again: a scale holds both, and little is left of the small ones.
fn cancelling() -> Graph {
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 16, 16]);
    graph.inputs.push(x);
    let conv =
        |graph: &mut Graph, name: &str, x, shape: [usize; 4], weight: &dyn Fn(usize) -> f32| {
            let data = (0..shape.iter().product()).map(weight).collect();
            let weight =
                graph.add_constant(format!("{name}.weight"), shape.to_vec(), data).unwrap();
            let conv = Conv { window: Window::new(&[shape[2], shape[3]]), groups: 1 };
            graph.add_node(format!("{name}_node"), Op::Conv(conv), vec![x, weight], name).unwrap()
        };
    let usual = |i: usize| ((i * 37 + i * i % 11) % 23) as f32 / 40.0 - 0.27;
    let map = conv(&mut graph, "map", x, [8, 3, 3, 3], &usual);
    let large = conv(&mut graph, "large", map, [8, 8, 1, 1], &|i| 1000.0 * usual(i + 3));
    let small = conv(&mut graph, "small", map, [8, 8, 1, 1], &|i| usual(i + 5));
    let sum = Op::Binary(Binary::Add);
    let sum = graph.add_node("sum_node", sum, vec![large, small], "sum").unwrap();
    let apart = Op::Binary(Binary::Sub);
    let apart = graph.add_node("apart_node", apart, vec![sum, large], "apart").unwrap();
    let y = conv(&mut graph, "read", apart, [32, 8, 1, 1], &usual);
    let y = graph.add_node("mean_node", Op::GlobalAveragePool, vec![y], "mean").unwrap();
    let flat = Op::Reshape { shape: vec![1, 32] };
    let y = graph.add_node("features_node", flat, vec![y], "features").unwrap();
    let weight = graph.add_constant("c", vec![32, 4], (0..128).map(usual).collect()).unwrap();
    let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: false };
    let y = graph.add_node("logits_node", Op::Gemm(gemm), vec![y, weight], "logits").unwrap();
    graph.outputs.push(y);
    graph
}

#[test]
fn where_int8_loses_much_the_node_and_a_better_cut_are_named() {
    let desk = Desk::new();
    more_pictures(&desk);
    write(&desk, &cancelling());
    let warning = |more: &[&str]| {
        let output = desk.run(true, more);
        assert!(output.status.success());
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        (summary, String::from_utf8(output.stderr).unwrap())
    };
    let (summary, warned) = warning(&[]);
    let worst = &summary["worst_node"];
    assert!(summary["feature_cosine"]["mean"].as_f64().unwrap() < 0.95, "{summary}");
    assert!(warned.contains("int8 loses much"), "{warned}");
    assert!(warned.contains(&format!("node '{}'", worst["node"].as_str().unwrap())), "{warned}");
    assert_eq!(worst["freeze_instead"], "map", "{worst}");
    assert!(warned.contains("--freeze 'map'"), "{warned}");
    let (summary, warned) = warning(&["--freeze", "map"]);
    assert!(summary["feature_cosine"]["mean"].as_f64().unwrap() > 0.99, "{summary}");
    assert!(!warned.contains("loses"), "{warned}");
}
