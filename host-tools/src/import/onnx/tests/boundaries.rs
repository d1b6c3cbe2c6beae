//! Nodes that are not supported are no reason to refuse what stands before them.

use super::*;
use crate::error::{Error, ModelProblem};
use crate::import::model::Model;

/// `x → Conv → Relu → mean → flat → Gemm → logits`.
fn network() -> Builder {
    Builder::new(13, &[1, 2, 4, 4])
        .weight("w", &[3, 2, 1, 1])
        .weight("fc", &[3, 5])
        .node("Conv", &["x", "w"], "c", vec![])
        .node("Relu", &["c"], "map", vec![])
        .node("GlobalAveragePool", &["map"], "mean", vec![])
        .node("Flatten", &["mean"], "flat", vec![])
        .node("Gemm", &["flat", "fc"], "logits", vec![])
}

fn model(builder: Builder, output: &str) -> Model {
    Model { path: "test.onnx".into(), imported: builder.import(output).unwrap() }
}

fn of_domain(mut builder: Builder, domain: &str) -> Builder {
    builder.graph().node.last_mut().unwrap().domain = Some(domain.to_owned());
    builder
}

#[test]
fn the_last_steps_of_an_answer_hide_no_classifier() {
    let answers = [
        network().node("ArgMax", &["logits"], "y", vec![]),
        network().ints("k", &[2]).node("TopK", &["logits", "k"], "y", vec![]),
        network().node("LogSoftmax", &["logits"], "y", vec![]),
        network().node("ArgMax", &["logits"], "a", vec![]).node("Unheard", &["a"], "y", vec![]),
        of_domain(network().node("ZipMap", &["logits"], "y", vec![]), "ai.onnx.ml"),
    ];
    for builder in answers {
        let model = model(builder, "y");
        let (graph, classifier) = model.classifier().unwrap();
        assert_eq!(graph.values[classifier.features].name, "flat");
        assert_eq!(model.imported.boundaries.iter().len(), 1);
        assert_eq!(model.imported.boundaries.iter().next().unwrap().reads, ["logits"]);
    }
}

#[test]
fn of_several_inputs_the_one_that_most_nodes_need_is_taken() {
    let mut builder = network().weight("last", &[8, 2]);
    // In front of the other, as some exporters sort them.
    builder.graph().input.insert(0, testing::value_info("age", &[1, 5]));
    let builder = builder
        .node("Relu", &["age"], "years", vec![])
        .node("Concat", &["flat", "years"], "both", vec![int("axis", 1)])
        .node("Gemm", &["both", "last"], "y", vec![]);
    let model = model(builder, "y");
    assert_eq!(model.imported.graph.values[model.imported.graph.inputs[0]].name, "x");
    model.cut_at("flat").unwrap();
    for name in ["years", "both", "y"] {
        let refused = model.cut_at(name).unwrap_err().to_string();
        assert!(refused.contains(r#""age""#) && refused.contains(r#"needs "x" only"#), "{refused}");
    }
    assert!(model.imported.boundaries.iter().next().unwrap().is_needed);
    let sum = one(13, &[1, 2], "Add", &["z"], vec![]);
    let mut sum = sum;
    sum.graph().input.push(testing::value_info("z", &[1, 2]));
    assert!(refusal(sum.import("y")).contains("several inputs (x, z)"));
}

#[test]
fn a_cut_before_a_boundary_is_made_and_one_behind_it_is_refused_by_name() {
    let behind = || {
        network()
            .weight("gamma", &[3])
            .node("LayerNormalization", &["flat", "gamma"], "norm", vec![])
            .node("Relu", &["norm"], "late", vec![])
            .node("Gemm", &["late", "fc"], "y", vec![])
    };
    let control = network().ints("yes", &[1]).node("If", &["yes"], "branch", vec![]).node(
        "Add",
        &["flat", "branch"],
        "y",
        vec![],
    );
    let private = of_domain(network().node("Own", &["flat"], "own", vec![]), "my.company")
        .node("Relu", &["own"], "late", vec![])
        .node("Gemm", &["late", "fc"], "y", vec![]);
    for (builder, operator) in
        [(behind(), "LayerNormalization"), (private, "my.company.Own"), (control, "If")]
    {
        let model = model(builder, "y");
        let boundary = model.imported.boundaries.iter().next().unwrap();
        assert_eq!(boundary.operator, operator);
        for name in ["map", "flat", "Relu_map"] {
            model.cut_at(name).unwrap();
        }
        for name in ["y", boundary.node.as_str()] {
            let refused = model.cut_at(name).unwrap_err();
            assert!(
                matches!(&refused, Error::Model { problem: ModelProblem::Behind { .. }, .. }),
                "{refused}"
            );
            assert!(refused.to_string().contains(operator), "{refused}");
        }
    }
    // What stands before weights is no classifier, and not nearly all of the model.
    let model = model(behind(), "y");
    assert!(model.classifier().is_err() && !model.ends_whole());
    assert_eq!(model.imported.boundaries.weighty().unwrap().operator, "LayerNormalization");
    let points = crate::quantise::lower::freeze_points_of(&model, &model.simplified());
    let names: Vec<&str> = points.iter().map(|point| point.tensor.as_str()).collect();
    assert_eq!(names, ["map", "flat"]);
}

#[test]
fn a_normalised_embedding_ends_before_its_normalisation() {
    let builder = network().node("LpNormalization", &["logits"], "y", vec![]);
    let model = model(builder, "y");
    assert!(model.classifier().is_err());
    assert_eq!(model.imported.boundaries.weighty(), None);
    let graph = model.simplified();
    assert_eq!(
        graph.outputs.iter().map(|&id| &graph.values[id].name[..]).collect::<Vec<_>>(),
        ["logits"]
    );
}

#[test]
fn nodes_that_nothing_needs_are_no_reason_to_refuse() {
    let model = model(network().node("Unheard", &["map"], "dead", vec![]), "logits");
    assert_eq!(model.imported.graph.outputs.len(), 1);
    model.classifier().unwrap();
    let boundary = model.imported.boundaries.iter().next().unwrap();
    assert!(!boundary.is_needed && boundary.why.contains("Unheard"));
}

#[test]
fn a_node_that_fails_leaves_nothing_behind() {
    // The second result is made before the window is refused.
    let window = vec![ints("kernel_shape", &[9, 9])];
    let mut builder = network().node("MaxPool", &["map"], "p", window);
    builder.graph().node.last_mut().unwrap().output.push("places".to_owned());
    let builder = builder.node("Add", &["p", "places"], "y", vec![]);
    let model = model(builder, "y");
    assert_eq!(model.imported.graph.nodes.len(), 5);
    assert!(model.cut_at("places").unwrap_err().to_string().contains("MaxPool_p"));
}

#[test]
fn nodes_stand_in_any_order() {
    let mut builder = network();
    builder.graph().node.reverse();
    let shuffled = builder.import("logits").unwrap();
    assert_eq!(shuffled.graph, network().import("logits").unwrap().graph);
    let circle =
        network().node("Add", &["logits", "b"], "a", vec![]).node("Relu", &["a"], "b", vec![]);
    assert!(refusal(circle.import("logits")).contains("needs its own result"));
}

#[test]
fn a_weight_that_is_not_finite_refuses_only_what_needs_it() {
    let builder = network().floats("bad", &[5], &[1.0, f32::NAN, 1.0, 1.0, 1.0]).node(
        "Mul",
        &["logits", "bad"],
        "y",
        vec![],
    );
    let model = model(builder, "y");
    model.cut_at("flat").unwrap();
    assert!(model.cut_at("y").unwrap_err().to_string().contains("\"bad\""));
}
