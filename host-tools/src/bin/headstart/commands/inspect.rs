//! `inspect`: layers, and where the model could be frozen.

use std::collections::HashMap;
use std::path::Path;

use headstart_tools::cut::inspect::FreezeKind;
use headstart_tools::import::model::Model;
use headstart_tools::tasks::inspect::{Inspected, inspect as inspected, word};

use super::report::{self, Report};
use super::sensible;
use crate::error::Error;

pub(super) fn inspect(report: Report, path: &Path, size: Option<[usize; 2]>) -> Result<(), Error> {
    let Inspected { summary, model, layers, points, cuts, obstacle } = inspected(path, size)?;
    let kinds: HashMap<&str, FreezeKind> =
        points.iter().map(|point| (point.tensor.as_str(), point.kind)).collect();
    let kind = |tensor: &str| kinds.get(tensor).copied();
    let (parameters, macs) =
        layers.iter().fold((0, 0), |(p, m), layer| (p + layer.parameters, m + layer.macs));
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
