//! `compare`: what quantisation cost.

use std::path::Path;

use headstart::pack::Pack;
use headstart_edge::samples::Dataset;
use serde_json::{Value, json};

use super::report::{self, Report};
use crate::cli::Sampling;
use crate::compare::{Comparison, Pair};
use crate::equalise::groups;
use crate::error::Error;
use crate::inputs;
use crate::lower::{Lowered, Ranges, lower};
use crate::model::{FloatGraph, Model};
use crate::quantise::Quantisation;

pub(super) fn compare(
    report: Report,
    pack_path: &Path,
    model_path: &Path,
    data: &Path,
    sampling: Sampling,
) -> Result<(), Error> {
    let bytes = super::read(pack_path)?;
    let refuse = |problem| Error::Pack { pack: pack_path.to_owned(), problem };
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let model = Model::load(model_path)?;
    model.check_source(&pack)?;
    let graph = model.cut_at(pack.provenance().freeze_point)?;
    let lowered = places(&model, &graph, &pack)?;
    let float = FloatGraph::new(&model.path, &graph)?;
    let mut dataset = Dataset::labelled(data)?;
    if let Some(limit) = sampling.limit {
        dataset.limit(limit, sampling.seed);
    }
    let bar = report.progress(dataset.samples.len(), "reading");
    let samples = inputs::load(pack.input(), &dataset, || bar.inc(1))?;
    bar.finish_and_clear();
    let bar = report.progress(samples.len(), "comparing");
    let equalised: Vec<_> = groups(&graph).into_iter().flat_map(|group| group.read).collect();
    let pair =
        Pair { pack, graph: &graph, float: &float, lowered: &lowered, equalised: &equalised };
    let comparison = pair.compare(&samples, || bar.inc(1))?;
    bar.finish_and_clear();
    let name = |value: usize| {
        let seen = |view: &Option<crate::lower::View>| {
            view.as_ref().is_some_and(|view| view.value as usize == value)
        };
        let id = lowered.views.iter().position(seen);
        id.map_or_else(String::new, |id| graph.values[id].name.clone())
    };
    let layers: Vec<(String, f64)> = comparison
        .noise
        .iter()
        .enumerate()
        .filter_map(|(value, noise)| Some((name(value), noise.as_ref()?.decibels())))
        .collect();
    show(report, &comparison, &layers);
    Ok(())
}

/// Where the graph's tensors lie in the pack: lowering is the same whatever the ranges are.
fn places(
    model: &Model,
    graph: &headstart::graph::Graph,
    pack: &Pack<'_>,
) -> Result<Lowered, Error> {
    let any = Quantisation { scale: 1.0, zero_point: 0 };
    let ranges = Ranges {
        quantisation: vec![any; graph.values.len()],
        channel_means: Vec::new(),
        features: any,
    };
    let features = pack.feature_value().map_err(Error::NewPack)?;
    let grid = features.height.max(features.width) as usize;
    let lowered = lower(graph, &ranges, grid)
        .map_err(|problem| Error::Lower { model: model.path.clone(), problem })?;
    if lowered.nodes.len() != pack.node_count() as usize {
        return Err(Error::Option(format!(
            "the pack was made by version {} of this tool, which lowered the model differently; \
             pack it again",
            pack.provenance().tool_version
        )));
    }
    Ok(lowered)
}

fn show(report: Report, comparison: &Comparison, layers: &[(String, f64)]) {
    let cosines = &comparison.cosines;
    let mean = cosines.iter().sum::<f64>() / cosines.len().max(1) as f64;
    let least = cosines.iter().copied().fold(1.0, f64::min);
    let rows: Vec<Value> = layers
        .iter()
        .map(|(name, decibels)| json!({ "tensor": name, "signal_to_noise_db": decibels }))
        .collect();
    let summary = json!({
        "samples": cosines.len(),
        "feature_cosine": { "mean": mean, "min": least },
        "layers": rows,
    });
    report.show(&summary, || {
        let mut table = report::table(&["tensor", "signal to noise"]);
        for (name, decibels) in layers {
            table.add_row([name.clone(), format!("{decibels:.1} dB")]);
        }
        println!("{table}");
        println!(
            "feature cosine: mean {mean:.4}, least {least:.4}, over {} samples",
            cosines.len()
        );
    });
}
