//! `inspect`: layers, and where the model could be frozen.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use super::choose::no_freeze_point;
use super::report::{self, Report};
use super::sensible;
use crate::error::Error;
use headstart_tools::cut::inspect::{BATCH, FreezeKind, cuts, layers};
use headstart_tools::import::boundaries::Boundary;
use headstart_tools::import::model::Model;
use headstart_tools::quantise::lower::freeze_points_of;

pub(super) fn inspect(report: Report, path: &Path, size: Option<[usize; 2]>) -> Result<(), Error> {
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
        "cuts": cuts.iter().map(sensible::as_json).collect::<Vec<_>>(),
        "training_batch": BATCH,
        "obstacle": obstacle,
        "boundaries": boundaries,
    });
    report.show(&summary, || {
        let header = ["node", "operator", "tensor", "shape", "parameters", "MACs", "freeze"];
        let mut table = report::table(&header);
        for layer in &layers {
            table.add_row([
                layer.name.clone(),
                layer.operator.to_owned(),
                layer.output.clone(),
                format!("{:?}", layer.shape),
                report::count(layer.parameters),
                report::count(layer.macs),
                kind(&layer.output).map_or("", word).to_owned(),
            ]);
        }
        say!("{table}");
        say!(
            "{} parameters, {} multiply-accumulates{}",
            report::count(parameters),
            report::count(macs),
            if points.is_empty() { "" } else { "; freeze at any node or tensor that is marked" }
        );
        obstacle.iter().for_each(|why| say!("{why}"));
        print_boundaries(&model);
        sensible::print(&cuts, &[]);
    });
    Ok(())
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

fn print_boundaries(model: &Model) {
    let boundaries = &model.imported.boundaries;
    if boundaries.iter().len() == 0 {
        return;
    }
    say!("\nNot supported, so that a cut lies before it:");
    for boundary in boundaries.iter() {
        let dead = if boundary.is_needed { "" } else { " (no output needs it)" };
        say!("  {}{dead}", boundary.why);
    }
}

fn word(kind: FreezeKind) -> &'static str {
    match kind {
        FreezeKind::Trunk => "trunk",
        FreezeKind::Branch => "branch",
        FreezeKind::Classifier => "classifier",
    }
}
