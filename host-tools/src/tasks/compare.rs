//! What quantisation cost.

use std::path::Path;

use headstart::graph::Graph;
use headstart::pack::Pack;
use headstart_device::samples::Dataset;
use serde_json::{Value, json};

use super::error::{Error, Usage};
use super::info::without_tail;
use super::options::Sampling;
use super::watch::{Watch, go_on};
use super::{file, said};
use crate::cut::inspect::{BATCH, Cut, cuts};
use crate::error::Error as Refused;
use crate::float::FloatGraph;
use crate::import::model::Model;
use crate::quantise::compare::{self, Comparison, Cosines, Heads, Noise, Pair, Still};
use crate::quantise::inputs;
use crate::quantise::loss;
use crate::quantise::lower::{freeze_points_of, outline};
use crate::quantise::lowered::{Lowered, View};

/// Compares a pack with the model that it was made from, on labelled samples: one folder a class.
///
/// # Errors
/// [`Usage::HasTail`], [`Usage::OtherTool`]; [`Error::Refused`] for files that do not belong together, and for samples.
pub fn compare(
    pack_path: &Path,
    model_path: &Path,
    data: &Path,
    sampling: Sampling,
    watch: &dyn Watch,
) -> Result<Compared, Error> {
    let bytes = file::read_pack(pack_path)?;
    let refuse = Error::in_pack(pack_path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    without_tail(&pack, pack_path)?;
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
    watch.begun("comparing", dataset.samples.len());
    let equalised = loss::equalised(&graph);
    let pair =
        Pair { pack, graph: &graph, float: &float, lowered: &lowered, equalised: &equalised };
    let load = |index: usize| {
        go_on(watch)?;
        inputs::read(pair.pack.input(), &dataset.samples[index].path)
    };
    let (comparison, bad) =
        pair.compare(dataset.samples.len(), sampling.skip_bad, load, || watch.stepped())?;
    watch.ended();
    go_on(watch)?;
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
    let mut found = Compared {
        summary: Value::Null,
        heads: Heads::of(&comparison.float_features, &comparison.int8_features, &labels),
        cuts: SeenCut::all(&model, &pair, &comparison),
        layers,
        comparison,
        bad_files: bad.iter().map(|(_, error)| error.to_string()).collect(),
    };
    found.summary = found.said();
    Ok(found)
}

/// Where the graph's tensors lie in the pack: lowering is the same whatever the ranges are.
fn places(model: &Model, graph: &Graph, pack: &Pack<'_>) -> Result<Lowered, Error> {
    let features = pack.feature_value().map_err(Refused::NewPack)?;
    let grid = features.height.max(features.width) as usize;
    let lowered = outline(graph, grid).map_err(|problem| Refused::Lower {
        model: model.path.clone(),
        problem,
        instead: None,
    })?;
    if lowered.nodes.len() != pack.node_count() as usize {
        let version = pack.provenance().tool_version.to_owned();
        return Err(Usage::OtherTool { version }.into());
    }
    Ok(lowered)
}

/// A sensible cut of the model, and what the pack showed there.
#[derive(Clone, Debug)]
pub struct SeenCut {
    /// The cut.
    pub cut: Cut,
    /// Cosine of the pack's integers to the float tensor, where the cut lies within its backbone and is not zero everywhere.
    pub cosine: Option<f64>,
    /// Whether the pack is frozen there.
    pub own: bool,
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
        let mut json = said::cut(&self.cut);
        json["cosine"] = json!(self.cosine);
        json["of_this_pack"] = json!(self.own);
        json
    }
}

/// What quantisation cost.
#[derive(Debug)]
pub struct Compared {
    /// The report, a JSON object.
    pub summary: Value,
    /// The features and the noise of each tensor.
    pub comparison: Comparison,
    /// A name and a signal-to-noise ratio in decibels for each tensor; `None` for one that is zero everywhere.
    pub layers: Vec<(String, Option<f64>)>,
    /// The sensible cuts.
    pub cuts: Vec<SeenCut>,
    /// What heads reach on both kinds of features.
    pub heads: Option<Heads>,
    /// What is wrong with files that were left out.
    pub bad_files: Vec<String>,
}

impl Compared {
    fn said(&self) -> Value {
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
        json!({
            "samples": cosines.len(),
            "feature_cosine": said::cosines(plain),
            "centred_feature_cosine": said::cosines(centred),
            "unchanging_features": said::still(still),
            "head_accuracy": said::heads(heads),
            "top_answer_agreement": heads.map(|heads| heads.agreement),
            "layers": rows,
            "layer_samples": self.comparison.looked_into,
            "cuts": self.cuts.iter().map(SeenCut::as_json).collect::<Vec<_>>(),
            "training_batch": BATCH,
            "bad_files": self.bad_files,
        })
    }
}
