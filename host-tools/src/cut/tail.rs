//! Finds the trainable part of a model: where it begins, and what of the model it is.

use headstart::graph::{Graph, ValueId};
use headstart::tail::matches;

use crate::cut::decoder::{Decoded, Decoder};
use crate::cut::inspect::{self, Linear};
use crate::cut::sides::rounded;
use crate::error::{Error, ModelProblem};
use crate::import::model::Model;

/// A model cut in a frozen and a trainable part.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The frozen graph, from the input to the features; it has several outputs where several tensors cross.
    pub backbone: Graph,
    /// The trained graph, from the features to what the last layer reads.
    pub tail: Graph,
    /// The pretrained last layer, where it is linear.
    pub linear: Option<Linear>,
    /// The name of the cut, for the record.
    pub name: String,
    /// Whether the last layer reads each place of a map by itself.
    pub per_place: bool,
}

/// Cuts a model behind all that the names and patterns of `freeze` mean, and those of `train` do not; without any, nothing is frozen.
///
/// # Errors
///
/// [`Error::Model`] for a name that is not there, for something frozen behind something trained, a cut that
/// leaves no classifier to replace, or a trained part that takes minutes or gigabytes a sample.
pub fn parts(model: &Model, freeze: &[String], train: &[String]) -> Result<Parts, Error> {
    let inner = model.imported.boundaries.inner().filter(|_| !model.ends_whole());
    if let Some(boundary) = inner {
        return Err(model.lacks(ModelProblem::TrainedBehind { why: boundary.why.clone() }));
    }
    let (backbone, behind) = model.split_behind(&frozen(model, freeze, train)?)?;
    let classifier = inspect::find_classifier(&behind)
        .ok_or_else(|| model.lacks(ModelProblem::NoClassifierBehind))?;
    let tail = behind.cut_at(&[classifier.features]);
    let tail = tail.map_err(|problem| model.lacks(ModelProblem::Cut(problem)))?;
    if tail.nodes.is_empty() {
        return Err(model.lacks(ModelProblem::OnlyTheLastLayer));
    }
    check_tail(model, &tail)?;
    let name = crossing(&backbone);
    Ok(Parts { name, backbone, tail, linear: classifier.linear, per_place: false })
}

/// Cuts a model for segmentation: behind the cut stand what is left of the model and `decoder`, or the model's own decoder, if it ends in a
/// layer that classifies places. `None` freezes all of a model that gets a decoder.
///
/// # Errors
///
/// As [`parts`], and [`Error::Model`] for a model without maps to decode, or whose own decoder must be told apart.
pub fn segmentation(
    model: &Model,
    freeze: Option<&[String]>,
    train: &[String],
    decoder: &Decoder,
) -> Result<Parts, Error> {
    let own = inspect::find_pixel_classifier(&model.imported.graph);
    let (model, maps, linear) = match own.filter(|_| model.ends_whole()) {
        Some(classifier) if freeze.is_none() => {
            let features = model.imported.graph.values[classifier.features].name.clone();
            return Err(model.lacks(ModelProblem::OwnDecoder { features }));
        }
        Some(classifier) => {
            let mut own = model.clone();
            let graph = own.imported.graph.cut_at(&[classifier.features]);
            own.imported.graph =
                graph.map_err(|problem| model.lacks(ModelProblem::Cut(problem)))?;
            (own, Vec::new(), classifier.linear)
        }
        None => {
            let Decoded { model, maps } = decoder.append(model)?;
            (model, maps, None)
        }
    };
    let frozen = match freeze {
        None => maps,
        Some(freeze) => frozen(&model, freeze, train)?,
    };
    let (backbone, tail) = model.split_behind(&frozen)?;
    check_tail(&model, &tail)?;
    Ok(Parts { name: crossing(&backbone), backbone, tail, linear, per_place: true })
}

/// Refuses a trained part that would take minutes or gigabytes a sample.
fn check_tail(model: &Model, tail: &Graph) -> Result<(), Error> {
    model.check_run(tail).map_err(|error| match error {
        Error::Model { model, problem: ModelProblem::TooCostly(cost) } => {
            Error::Model { model, problem: ModelProblem::TailTooCostly(cost) }
        }
        other => other,
    })
}

/// The results of all that `freeze` names and `train` does not.
fn frozen(model: &Model, freeze: &[String], train: &[String]) -> Result<Vec<ValueId>, Error> {
    let mut frozen = Vec::new();
    for name in freeze {
        frozen.extend(named(model, name)?);
    }
    let mut trained = Vec::new();
    for name in train {
        trained.extend(named(model, name)?);
    }
    frozen.retain(|value| !trained.contains(value));
    // What needs a trained result would pull it before the cut, where nothing is trained.
    let graph = &model.imported.graph;
    let mut behind = vec![false; graph.values.len()];
    trained.iter().for_each(|&value| behind[value] = true);
    for node in &graph.nodes {
        behind[node.output] |= node.inputs.iter().any(|&input| behind[input]);
    }
    match frozen.iter().find(|&&value| behind[value]) {
        None => Ok(frozen),
        Some(&late) => {
            let frozen = graph.values[late].name.clone();
            Err(model.lacks(ModelProblem::FrozenBehindTrained { frozen }))
        }
    }
}

/// The names of the tensors that cross the cut.
fn crossing(backbone: &Graph) -> String {
    let names = backbone.outputs.iter().map(|&id| backbone.values[id].name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// The results of the nodes that a name or pattern means.
fn named(model: &Model, name: &str) -> Result<Vec<ValueId>, Error> {
    if !name.contains(['*', '?']) {
        match model.value_named(name) {
            Ok(value) => return Ok(vec![value]),
            Err(Error::Model { problem: ModelProblem::Name(_), .. }) => {}
            Err(shared) => return Err(shared),
        }
    }
    let graph = &model.imported.graph;
    let is_named = |node: &headstart::graph::Node| {
        let constants = node.inputs.iter().filter(|&&id| graph.values[id].constant.is_some());
        let mut names = constants.map(|&id| graph.values[id].name.as_str());
        matches(name, &node.name)
            || matches(name, &graph.values[node.output].name)
            || names.any(|constant| matches(name, constant))
    };
    let found: Vec<ValueId> = graph
        .nodes
        .iter()
        .filter(|node| is_named(node))
        .map(|node| rounded(graph, node.output))
        .collect();
    if found.is_empty() {
        return Err(model.lacks(ModelProblem::Pattern(name.to_owned())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use headstart::graph::Op;

    use super::*;
    use crate::import::onnx::testing::{Builder, ints, string};

    const DECODER: Decoder = Decoder { width: 4, stride: 2, seed: 1 };

    /// An encoder of two halvings, and a decoder that doubles twice around a classifier of five classes.
    fn segmenter() -> Model {
        let halve = || vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])];
        let double = || vec![string("mode", "linear")];
        let imported = Builder::new(13, &[0, 3, 16, 16])
            .weight("a", &[4, 3, 3, 3])
            .weight("b", &[6, 4, 3, 3])
            .weight("c", &[8, 6, 1, 1])
            .weight("d", &[5, 12, 1, 1])
            .floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0])
            .node("Conv", &["x", "a"], "half", halve())
            .node("Conv", &["half", "b"], "quarter", halve())
            .node("Conv", &["quarter", "c"], "wide", vec![])
            .node("Resize", &["wide", "", "twice"], "wide_half", double())
            .node("Concat", &["wide_half", "half"], "joined", vec![])
            .node("Conv", &["joined", "d"], "classes", vec![])
            .node("Resize", &["classes", "", "twice"], "y", double())
            .import("y")
            .unwrap();
        Model { path: PathBuf::from("test.onnx"), imported }
    }

    fn names(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_decoder_of_the_models_own_is_used_as_it_is() {
        let parts = segmentation(&segmenter(), names(&["quarter"]).as_deref(), &[], &DECODER);
        let parts = parts.unwrap();
        assert_eq!((parts.name.as_str(), parts.per_place), ("half, quarter", true));
        let linear = parts.linear.unwrap();
        assert_eq!((linear.classes, linear.features), (5, 12));
        let tail = &parts.tail;
        assert_eq!(tail.values[tail.outputs[0]].shape, [1, 12, 8, 8]);
        assert!(tail.nodes.iter().any(|node| matches!(node.op, Op::Resize(_))));
        let whole = segmentation(&segmenter(), Some(&[]), &[], &DECODER).unwrap();
        assert_eq!(whole.name, "x");
        let refused = segmentation(&segmenter(), None, &[], &DECODER).unwrap_err().to_string();
        assert!(refused.contains("test.onnx") && refused.contains("'joined'"), "{refused}");
    }

    #[test]
    fn what_is_trained_though_its_pattern_is_frozen_lies_behind_the_cut() {
        let model = segmenter();
        let cut = |train: &[&str]| {
            let (freeze, train) = (names(&["half", "quarter", "wide"]), names(train).unwrap());
            segmentation(&model, freeze.as_deref(), &train, &DECODER)
        };
        assert_eq!(cut(&[]).unwrap().name, "half, wide");
        assert_eq!(cut(&["wi?e"]).unwrap().name, "half, quarter");
        assert_eq!(cut(&["quarter", "wide"]).unwrap().name, "half");
        let refused = cut(&["quarter"]).unwrap_err().to_string();
        assert!(refused.contains("'wide'") && refused.contains("cut before both"), "{refused}");
    }
}
