//! The trainable part of a model: where it begins, and what of the model it is.

use headstart::graph::{Graph, ValueId};
use headstart::tail::matches;

use crate::cut::decoder::{Decoded, Decoder};
use crate::cut::inspect::{self, Linear};
use crate::cut::sides::rounded;
use crate::error::Error;
use crate::import::model::Model;

/// A model cut in a frozen and a trainable part.
#[derive(Clone, Debug)]
pub struct Parts {
    /// From the input to the features; several outputs where several tensors cross.
    pub backbone: Graph,
    /// From the features to what the last layer reads.
    pub tail: Graph,
    /// The pretrained last layer, where it is linear.
    pub linear: Option<Linear>,
    /// The cut, for the record.
    pub name: String,
    /// Whether the last layer reads each place of a map by itself.
    pub per_place: bool,
}

/// Cuts behind all that `freeze` names, `none` or names and patterns with commas between, and `train` does not.
///
/// # Errors
///
/// [`Error::Option`] for a name that is not there, for something frozen behind something trained, or a cut that
/// leaves no classifier to replace.
pub fn parts(model: &Model, freeze: &str, train: &[String]) -> Result<Parts, Error> {
    let (backbone, behind) = model.split_behind(&frozen(model, freeze, train)?)?;
    let classifier = inspect::find_classifier(&behind).ok_or_else(|| {
        Error::Option(format!(
            "{}: behind this cut there is no fully-connected layer that a new one could replace; freeze \
             earlier, or use --tail drop",
            model.path.display()
        ))
    })?;
    let tail = behind
        .cut_at(&[classifier.features])
        .map_err(|e| Error::Option(format!("{}: {e}", model.path.display())))?;
    if tail.nodes.is_empty() {
        return Err(Error::Option(
            "--tail keep: nothing but the last layer is left to train; freeze earlier, or use --tail drop".into(),
        ));
    }
    let name = crossing(&backbone);
    Ok(Parts { name, backbone, tail, linear: classifier.linear, per_place: false })
}

/// The same for segmentation: behind the cut stand what is left of the model and `decoder`, or the model's own
/// decoder, if it ends in a layer that classifies places. `head` freezes all of a model that gets a decoder.
///
/// # Errors
///
/// As [`parts`], and [`Error::Option`] for a model without maps to decode.
pub fn segmentation(
    model: &Model,
    freeze: &str,
    train: &[String],
    decoder: &Decoder,
) -> Result<Parts, Error> {
    let refuse = |problem| Error::Option(format!("{}: {problem}", model.path.display()));
    let (model, maps, linear) = match inspect::find_pixel_classifier(&model.imported.graph) {
        Some(classifier) if freeze == "head" => {
            let features = &model.imported.graph.values[classifier.features].name;
            return Err(refuse(format!(
                "has a decoder of its own, whose last map is '{features}': say with --freeze NAME or a pattern \
                 where its encoder ends, or --freeze none"
            )));
        }
        Some(classifier) => {
            let mut own = model.clone();
            let graph = own.imported.graph.cut_at(&[classifier.features]);
            own.imported.graph = graph.map_err(|e| refuse(e.to_string()))?;
            (own, Vec::new(), classifier.linear)
        }
        None => {
            let Decoded { model, maps } = decoder.append(model)?;
            (model, maps, None)
        }
    };
    let frozen = if freeze == "head" { maps } else { frozen(&model, freeze, train)? };
    let (backbone, tail) = model.split_behind(&frozen)?;
    Ok(Parts { name: crossing(&backbone), backbone, tail, linear, per_place: true })
}

/// The results of all that `freeze` names and `train` does not.
fn frozen(model: &Model, freeze: &str, train: &[String]) -> Result<Vec<ValueId>, Error> {
    let mut frozen = Vec::new();
    if freeze != "none" {
        for name in freeze.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            frozen.extend(named(model, name)?);
        }
        if frozen.is_empty() {
            return Err(Error::Option("--freeze: name a node, a tensor or a pattern".into()));
        }
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
        Some(&late) => Err(Error::Option(format!(
            "{}: '{}' is frozen and stands behind what --train names: cut before both, and freeze it in the \
             trainable part with `headstart-edge learn --freeze`",
            model.path.display(),
            graph.values[late].name
        ))),
    }
}

/// The names of the tensors that cross the cut.
fn crossing(backbone: &Graph) -> String {
    let names = backbone.outputs.iter().map(|&id| backbone.values[id].name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// The results of the nodes that a name or pattern means.
fn named(model: &Model, name: &str) -> Result<Vec<ValueId>, Error> {
    if !name.contains(['*', '?'])
        && let Ok(value) = model.value_named(name)
    {
        return Ok(vec![value]);
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
        return Err(Error::Option(format!(
            "{}: no node or tensor is called '{name}', and no layer matches it; `headstart inspect` lists \
             them",
            model.path.display()
        )));
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

    #[test]
    fn a_decoder_of_the_models_own_is_used_as_it_is() {
        let parts = segmentation(&segmenter(), "quarter", &[], &DECODER).unwrap();
        assert_eq!((parts.name.as_str(), parts.per_place), ("half, quarter", true));
        let linear = parts.linear.unwrap();
        assert_eq!((linear.classes, linear.features), (5, 12));
        let tail = &parts.tail;
        assert_eq!(tail.values[tail.outputs[0]].shape, [1, 12, 8, 8]);
        assert!(tail.nodes.iter().any(|node| matches!(node.op, Op::Resize(_))));
        let whole = segmentation(&segmenter(), "none", &[], &DECODER).unwrap();
        assert_eq!(whole.name, "x");
        let refused = segmentation(&segmenter(), "head", &[], &DECODER).unwrap_err().to_string();
        assert!(refused.contains("'joined'") && refused.contains("--freeze NAME"), "{refused}");
    }
    #[test]
    fn what_is_trained_though_its_pattern_is_frozen_lies_behind_the_cut() {
        let model = segmenter();
        let cut = |train: &[&str]| {
            let train: Vec<String> = train.iter().map(|&name| name.to_owned()).collect();
            segmentation(&model, "half,quarter,wide", &train, &DECODER)
        };
        assert_eq!(cut(&[]).unwrap().name, "half, wide");
        assert_eq!(cut(&["wi?e"]).unwrap().name, "half, quarter");
        assert_eq!(cut(&["quarter", "wide"]).unwrap().name, "half");
        let refused = cut(&["quarter"]).unwrap_err().to_string();
        assert!(refused.contains("'wide'") && refused.contains("learn --freeze"), "{refused}");
    }
}
