//! `inspect`: layers, and where the model could be frozen.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use super::report::{self, Report};
use super::sensible;
use crate::error::Error;
use headstart_tools::cut::inspect::{BATCH, FreezeKind, cuts, layers};
use headstart_tools::import::model::Model;
use headstart_tools::quantise::lower::freeze_points;

pub(super) fn inspect(report: Report, path: &Path, size: Option<[usize; 2]>) -> Result<(), Error> {
    let model = Model::load_sized(path, size)?;
    let graph = model.simplified();
    let (layers, points) = (layers(&graph), freeze_points(&graph));
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
            "{} parameters, {} multiply-accumulates; freeze at any node or tensor that is marked",
            report::count(parameters),
            report::count(macs)
        );
        sensible::print(&cuts, &[]);
    });
    Ok(())
}

fn word(kind: FreezeKind) -> &'static str {
    match kind {
        FreezeKind::Trunk => "trunk",
        FreezeKind::Branch => "branch",
        FreezeKind::Classifier => "classifier",
    }
}
