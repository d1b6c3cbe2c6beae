//! The trainable part of a model: where it begins, and what of the model it is.

use headstart::graph::{Graph, ValueId};
use headstart::tail::matches;

use crate::error::Error;
use crate::inspect::{self, Linear};
use crate::model::{Model, rounded};

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
}

/// Cuts behind all that `freeze` names: `none`, `head`, or names and patterns with commas between.
///
/// # Errors
///
/// [`Error::Option`] for a name that is not there, or a cut that leaves no classifier to replace.
pub fn parts(model: &Model, freeze: &str) -> Result<Parts, Error> {
    let mut frozen = Vec::new();
    if freeze != "none" {
        for name in freeze.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            frozen.extend(named(model, name)?);
        }
        if frozen.is_empty() {
            return Err(Error::Option("--freeze: name a node, a tensor or a pattern".into()));
        }
    }
    let (backbone, behind) = model.split_behind(&frozen)?;
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
    let names: Vec<&str> =
        backbone.outputs.iter().map(|&id| backbone.values[id].name.as_str()).collect();
    let name = names.join(", ");
    Ok(Parts { name, backbone, tail, linear: classifier.linear })
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
