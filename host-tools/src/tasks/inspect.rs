//! A model's layers, and where it could be frozen.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use super::choose::no_freeze_point;
use super::error::Error;
use super::said;
use crate::cut::inspect::{BATCH, Cut, FreezeKind, FreezePoint, Layer, cuts, layers};
use crate::import::boundaries::Boundary;
use crate::import::model::Model;
use crate::quantise::lower::freeze_points_of;

/// What a model is made of.
#[derive(Debug)]
pub struct Inspected {
    /// The report, a JSON object.
    pub summary: Value,
    /// The model.
    pub model: Model,
    /// Its layers, in the order in which they run.
    pub layers: Vec<Layer>,
    /// The tensors where it could be frozen.
    pub points: Vec<FreezePoint>,
    /// The cuts that are sensible with a trainable tail.
    pub cuts: Vec<Cut>,
    /// Why it cannot be frozen anywhere, if that is so.
    pub obstacle: Option<String>,
}

/// Lists the layers of a model and where it could be frozen. `size` are rows and columns of the input, for a model that takes pictures of any
/// size.
///
/// # Errors
/// Those of [`Model::load_sized`].
pub fn inspect(path: &Path, size: Option<[usize; 2]>) -> Result<Inspected, Error> {
    let model = Model::load_sized(path, size)?;
    let graph = model.simplified();
    let (layers, points) = (layers(&graph), freeze_points_of(&model, &graph));
    let kinds: HashMap<&str, FreezeKind> =
        points.iter().map(|point| (point.tensor.as_str(), point.kind)).collect();
    let kind = |tensor: &str| kinds.get(tensor).copied();
    let rows: Vec<Value> = layers
        .iter()
        .map(|layer| {
            json!({
                "name": layer.name,
                "operator": layer.operator,
                "output": layer.output,
                "shape": layer.shape,
                "parameters": layer.parameters,
                "multiply_accumulates": layer.macs,
                "freeze_point": kind(&layer.output).map(word),
            })
        })
        .collect();
    let cuts = cuts(&graph, &points);
    let boundaries: Vec<Value> = model.imported.boundaries.iter().map(as_json).collect();
    let obstacle = points.is_empty().then(|| no_freeze_point(&model, &graph).to_string());
    let (parameters, macs) =
        layers.iter().fold((0, 0), |(p, m), layer| (p + layer.parameters, m + layer.macs));
    let summary = json!({
        "model": path,
        "producer": model.imported.producer,
        "opset": model.imported.opset,
        "input": graph.values[graph.inputs[0]].shape,
        "parameters": parameters,
        "multiply_accumulates": macs,
        "layers": rows,
        "cuts": cuts.iter().map(said::cut).collect::<Vec<_>>(),
        "training_batch": BATCH,
        "obstacle": obstacle,
        "boundaries": boundaries,
    });
    Ok(Inspected { summary, model, layers, points, cuts, obstacle })
}

fn as_json(boundary: &Boundary) -> Value {
    json!({
        "node": boundary.node,
        "operator": boundary.operator,
        "reads": boundary.reads,
        "why": boundary.why,
        "needed": boundary.is_needed,
    })
}

/// The word for a kind of freeze point.
#[must_use]
pub fn word(kind: FreezeKind) -> &'static str {
    match kind {
        FreezeKind::Trunk => "trunk",
        FreezeKind::Branch => "branch",
        FreezeKind::Classifier => "classifier",
    }
}
