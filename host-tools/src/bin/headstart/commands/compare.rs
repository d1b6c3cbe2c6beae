//! `compare`: what quantisation cost.

use std::path::Path;

use headstart::pack::Pack;
use headstart_device::samples::Dataset;
use serde_json::{Value, json};

use super::report::{self, Report};
use super::{cost, sensible};
use crate::cli::Sampling;
use crate::error::Error;
use headstart_tools::cut::inspect::{BATCH, Cut, cuts};
use headstart_tools::error::Error as Refused;
use headstart_tools::float::FloatGraph;
use headstart_tools::import::model::Model;
use headstart_tools::quantise::compare::{self, Comparison, Cosines, Heads, Noise, Pair, Still};
use headstart_tools::quantise::inputs;
use headstart_tools::quantise::loss;
use headstart_tools::quantise::lower::{freeze_points_of, outline};
use headstart_tools::quantise::lowered::{Lowered, View};

pub(super) fn compare(
    report: Report,
    pack_path: &Path,
    model_path: &Path,
    data: &Path,
    sampling: Sampling,
) -> Result<(), Error> {
    let bytes = super::read_pack(pack_path)?;
    let refuse = Error::in_pack(pack_path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    super::without_tail(&pack, pack_path)?;
    let model = Model::load_for(model_path, &pack)?;
    model.check_source(&pack)?;
    let graph = model.cut_at(pack.provenance().freeze_point)?;
    model.check_run(&graph)?;
    model.check_kept(&graph)?;
    let lowered = places(&model, &graph, &pack)?;
    let is_compared =
        |value: usize| lowered.views[value].is_some() || graph.outputs.contains(&value);
    let float = FloatGraph::new(&model.path, &graph)?.showing(is_compared);
    let mut dataset = Dataset::labelled(data)?;
    if let Some(limit) = sampling.limit {
        dataset.limit(limit as usize, sampling.seed);
    }
    let bar = report.progress(dataset.samples.len(), "comparing");
    let equalised = loss::equalised(&graph);
    let pair =
        Pair { pack, graph: &graph, float: &float, lowered: &lowered, equalised: &equalised };
    let load = |index: usize| inputs::read(pair.pack.input(), &dataset.samples[index].path);
    let (comparison, bad) =
        pair.compare(dataset.samples.len(), sampling.skip_bad, load, || bar.inc(1))?;
    bar.finish_and_clear();
    if !bad.is_empty() && (bad.len() == dataset.samples.len() || !sampling.skip_bad) {
        return Err(Refused::Files(bad.into_iter().map(|(_, error)| error).collect()).into());
    }
    let name = |value: usize| {
        let seen =
            |view: &Option<View>| view.as_ref().is_some_and(|view| view.value as usize == value);
        let id = lowered.views.iter().position(seen);
        id.map_or_else(String::new, |id| graph.values[id].name.clone())
    };
    let layers: Vec<(String, Option<f64>)> = comparison
        .noise
        .iter()
        .enumerate()
        .filter_map(|(value, noise)| Some((name(value), noise.as_ref()?.decibels())))
        .collect();
    let is_bad = |at: usize| bad.iter().any(|(index, _)| *index == at);
    let sound = dataset.samples.iter().enumerate().filter(|(at, _)| !is_bad(*at));
    let labels: Vec<usize> = sound.map(|(_, sample)| sample.label).collect();
    let found = Found {
        heads: Heads::of(&comparison.float_features, &comparison.int8_features, &labels),
        cuts: SeenCut::all(&model, &pair, &comparison),
        layers,
        comparison,
        bad_files: bad.iter().map(|(_, error)| error.to_string()).collect(),
    };
    found.show(report);
    Ok(())
}

/// Where the graph's tensors lie in the pack: lowering is the same whatever the ranges are.
fn places(
    model: &Model,
    graph: &headstart::graph::Graph,
    pack: &Pack<'_>,
) -> Result<Lowered, Error> {
    let features = pack.feature_value().map_err(Refused::NewPack)?;
    let grid = features.height.max(features.width) as usize;
    let lowered = outline(graph, grid).map_err(|problem| Refused::Lower {
        model: model.path.clone(),
        problem,
        instead: None,
    })?;
    if lowered.nodes.len() != pack.node_count() as usize {
        return Err(Error::Usage(format!(
            "the pack was made by version {} of this tool, which lowered the model differently; \
             pack it again",
            pack.provenance().tool_version
        )));
    }
    Ok(lowered)
}

/// A sensible cut of the model, and what the pack showed there.
struct SeenCut {
    cut: Cut,
    /// Cosine of the pack's integers to the float tensor, where the cut lies within its backbone and is not zero everywhere.
    cosine: Option<f64>,
    /// Whether the pack is frozen there.
    own: bool,
}

impl SeenCut {
    fn all(model: &Model, pair: &Pair<'_>, comparison: &Comparison) -> Vec<Self> {
        let graph = pair.graph;
        let seen = |cut: Cut| {
            let input = cut.tensor == "none";
            let value = if input { Some(graph.inputs[0]) } else { graph.value_named(&cut.tensor) };
            let view = value.and_then(|value| pair.lowered.views[value].as_ref());
            let noise = view.and_then(|view| comparison.noise.get(view.value as usize)?.as_ref());
            let own = !input && value.is_some_and(|value| graph.outputs.contains(&value));
            Self { cosine: noise.and_then(Noise::cosine), own, cut }
        };
        let whole = model.simplified();
        cuts(&whole, &freeze_points_of(model, &whole)).into_iter().map(seen).collect()
    }

    fn as_json(&self) -> Value {
        let mut json = sensible::as_json(&self.cut);
        json["cosine"] = json!(self.cosine);
        json["of_this_pack"] = json!(self.own);
        json
    }
}

/// All that is reported.
struct Found {
    comparison: Comparison,
    /// A name and a signal-to-noise ratio in decibels for each tensor; `None` for one that is zero everywhere.
    layers: Vec<(String, Option<f64>)>,
    cuts: Vec<SeenCut>,
    heads: Option<Heads>,
    /// What is wrong with files that were left out.
    bad_files: Vec<String>,
}

impl Found {
    fn show(&self, report: Report) {
        let heads = self.heads.as_ref();
        let cosines = &self.comparison.cosines;
        let (float, int8) = (&self.comparison.float_features, &self.comparison.int8_features);
        let [plain, centred] = [Cosines::of(cosines), compare::centred(float, int8)];
        let still = Still::of(float, int8);
        let rows: Vec<Value> = self
            .layers
            .iter()
            .map(|(name, decibels)| json!({ "tensor": name, "signal_to_noise_db": decibels }))
            .collect();
        let summary = json!({
            "samples": cosines.len(),
            "feature_cosine": report::cosines(plain),
            "centred_feature_cosine": report::cosines(centred),
            "unchanging_features": report::still(still),
            "head_accuracy": cost::heads_as_json(heads),
            "top_answer_agreement": heads.map(|heads| heads.agreement),
            "layers": rows,
            "layer_samples": self.comparison.looked_into,
            "cuts": self.cuts.iter().map(SeenCut::as_json).collect::<Vec<_>>(),
            "training_batch": BATCH,
            "bad_files": self.bad_files,
        });
        report.show(&summary, || {
            let mut table = report::table(&["tensor", "signal to noise"]);
            for (name, decibels) in &self.layers {
                let decibels = decibels.map_or_else(|| "zero".into(), |db| format!("{db:.1} dB"));
                table.add_row([name.clone(), decibels]);
            }
            say!("{table}");
            if self.comparison.looked_into < cosines.len() {
                say!("of {} of the samples, spread evenly", self.comparison.looked_into);
            }
            let said = |cosines: Option<Cosines>, none: &str| match cosines {
                Some(Cosines { mean, least }) => format!("mean {mean:.4}, least {least:.4}"),
                None => format!("none ({none})"),
            };
            say!(
                "feature cosine: {}; less their mean over the {} samples: {}",
                said(plain, "all are zero"),
                cosines.len(),
                said(centred, "none ever changes")
            );
            report::print_still(still);
            if let Some(Heads { float, int8, agreement, .. }) = heads {
                say!(
                    "cross-validated head: {:.1} ± {:.1} % on float features, {:.1} ± {:.1} % on int8; \
                     the same top answer for {:.1} %",
                    100.0 * float.accuracy,
                    100.0 * float.spread,
                    100.0 * int8.accuracy,
                    100.0 * int8.spread,
                    100.0 * agreement
                );
            }
            self.print_cuts();
            report::left_out("compared", &self.bad_files);
        });
    }

    fn print_cuts(&self) {
        let cosine = |cut: &SeenCut| cut.cosine.map_or("–".into(), |c| format!("{c:.4}"));
        let own = |cut: &SeenCut| if cut.own { "this pack" } else { "" }.to_owned();
        let cuts: Vec<Cut> = self.cuts.iter().map(|seen| seen.cut.clone()).collect();
        let more = [
            ("int8 to float", self.cuts.iter().map(cosine).collect()),
            ("", self.cuts.iter().map(own).collect()),
        ];
        sensible::print(&cuts, &more);
    }
}
