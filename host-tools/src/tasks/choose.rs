//! Where `pack` cuts a model.

use headstart::graph::{Graph, Op};
use headstart::pack::{Preprocessing, TailStorage};
use headstart_device::samples::Dataset;
use serde_json::Value;

use super::error::{Error, Usage};
use super::judge::Judge;
use super::options::{PackOptions, Tail, Task};
use super::tried::Tried;
use super::watch::{Watch, go_on};
use crate::cut::decoder::Decoder;
use crate::cut::freeze::{self, Budget, Candidate, FreezeError};
use crate::cut::inspect::{FreezeKind, Linear};
use crate::cut::layout::{order_of, takes};
use crate::cut::tail::{self, Parts};
use crate::error::{Error as Refused, ModelProblem};
use crate::import::model::Model;
use crate::quantise::inputs;
use crate::quantise::lower::{freeze_points_of, obstacle};

/// Where the model is cut.
pub(super) struct Chosen {
    /// The tensors that cross the cut.
    pub(super) name: String,
    /// The backbone.
    pub(super) graph: Graph,
    /// The grid to which its result is pooled.
    pub(super) grid: usize,
    /// All cuts that were tried, for the report.
    pub(super) candidates: Value,
    /// What the device trains behind the cut.
    pub(super) tail: Option<(Graph, TailStorage)>,
    /// The pretrained last layer behind a tail, where it is linear.
    pub(super) linear: Option<Linear>,
    /// What is wrong with labelled samples that were left out.
    pub(super) bad_files: Vec<String>,
}

/// Cuts the model as the options say.
pub(super) fn choose(
    watch: &dyn Watch,
    options: &PackOptions,
    model: &Model,
    preprocessing: Preprocessing,
) -> Result<Chosen, Error> {
    let at = |name: &str, grid: usize, candidates: Value| {
        let graph = model.cut_at(name)?;
        if options.pool.is_some() && order_of(&graph, graph.outputs[0]).is_none() {
            return Err(Usage::PoolOfNoPlaces { tensor: name.to_owned() }.into());
        }
        let (tail, linear, bad_files) = Default::default();
        Ok(Chosen { name: name.to_owned(), graph, grid, candidates, tail, linear, bad_files })
    };
    let grid = usize::from(options.pool.unwrap_or(1));
    if options.task == Task::Segmentation || options.tail == Tail::Keep {
        return with_tail(options, model);
    }
    if !options.train.is_empty() {
        return Err(Usage::TrainWithoutTail.into());
    }
    if options.classes.is_some() {
        return Err(Usage::ClassesWithoutPlaces.into());
    }
    match options.freeze.as_str() {
        "none" => Err(Usage::NothingFrozen.into()),
        "head" => {
            let name = usual(model)?;
            at(&name, grid, Value::Null)
        }
        "auto" => {
            let found = search(watch, options, model, preprocessing)?;
            let chosen = at(&found.tensor, found.grid, found.candidates)?;
            Ok(Chosen { bad_files: found.bad_files, ..chosen })
        }
        name => at(name, grid, Value::Null),
    }
}

/// The tensor that the classifier reads; of a model without one, its output, or the last tensor before what has no int8 form, if no weights
/// stand behind that.
fn usual(model: &Model) -> Result<String, Error> {
    let graph = match model.classifier() {
        Ok((graph, classifier)) => return Ok(graph.values[classifier.features].name.clone()),
        Err(Refused::Model { problem: ModelProblem::NoClassifier, .. }) => model.simplified(),
        Err(error) => return Err(error.into()),
    };
    let points = freeze_points_of(model, &graph);
    if points.is_empty() {
        return Err(no_freeze_point(model, &graph));
    }
    if let Some(boundary) = model.imported.boundaries.weighty() {
        let why = boundary.why.clone();
        return Err(Refused::Model {
            model: model.path.clone(),
            problem: ModelProblem::Unfinished { why },
        }
        .into());
    }
    let last = points.into_iter().rfind(|point| point.kind == FreezeKind::Trunk);
    let problem = ModelProblem::NoClassifier;
    let refused = Refused::Model { model: model.path.clone(), problem };
    let is_all = |part: &Graph| learned(part) == learned(&graph);
    last.filter(|point| graph.cut_at(&[point.value]).is_ok_and(|part| is_all(&part)))
        .map(|point| point.tensor)
        .ok_or(refused.into())
}

/// Products with weights that were learned.
fn learned(graph: &Graph) -> u64 {
    let nodes =
        graph.nodes.iter().filter(|node| !matches!(node.op, Op::Conv(_)) || !takes(graph, node));
    nodes.map(|node| graph.multiply_accumulates(node)).sum()
}

/// Why a model cannot be frozen anywhere.
pub(super) fn no_freeze_point(model: &Model, graph: &Graph) -> Error {
    let boundary = model.imported.boundaries.iter().find(|boundary| boundary.is_needed);
    let why = match (obstacle(graph), boundary) {
        (Some(problem), _) => problem.to_string(),
        (None, Some(boundary)) => boundary.why.clone(),
        (None, None) => "it has no weights".to_owned(),
    };
    let problem = ModelProblem::NoFreezePoint { why };
    Refused::Model { model: model.path.clone(), problem }.into()
}

/// The cut behind which all that the model has is trained.
fn with_tail(options: &PackOptions, model: &Model) -> Result<Chosen, Error> {
    let segments = options.task == Task::Segmentation;
    if options.freeze == "auto" || (options.freeze == "head" && !segments) {
        return Err(Usage::TailWithoutCut.into());
    }
    if !options.train.is_empty() && matches!(options.freeze.as_str(), "head" | "none") {
        return Err(Usage::TrainOfNothing.into());
    }
    if options.pool.is_some() || options.board.is_some() {
        return Err(Usage::TailOnBoard.into());
    }
    let freeze = frozen(&options.freeze)?;
    let parts: Parts = if segments {
        let (width, stride) = (usize::from(options.decoder), usize::from(options.stride));
        let decoder = Decoder { width, stride, seed: options.decoder_seed };
        let encoder = options.freeze == "head";
        tail::segmentation(model, (!encoder).then_some(&freeze), &options.train, &decoder)?
    } else {
        tail::parts(model, &freeze, &options.train)?
    };
    Ok(Chosen {
        name: parts.name,
        graph: parts.backbone,
        grid: 1,
        candidates: Value::Null,
        tail: Some((parts.tail, options.tail_storage)),
        linear: parts.linear,
        bad_files: Vec::new(),
    })
}

/// The names and patterns to freeze, which have commas between; none of them for `none`.
fn frozen(freeze: &str) -> Result<Vec<String>, Usage> {
    if freeze == "none" {
        return Ok(Vec::new());
    }
    let names = freeze.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Usage::NoFreezeName);
    }
    Ok(names)
}

/// The best cut.
struct Found {
    tensor: String,
    grid: usize,
    candidates: Value,
    bad_files: Vec<String>,
}

/// Tries every sensible cut and grid on labelled samples.
fn search(
    watch: &dyn Watch,
    options: &PackOptions,
    model: &Model,
    preprocessing: Preprocessing,
) -> Result<Found, Error> {
    let data = options.data.as_ref().ok_or(Usage::AutoNeedsData)?;
    let graph = model.simplified();
    model.check_run(&graph)?;
    let input = inputs::describe(&model.path, &graph, preprocessing)?;
    let mut dataset = Dataset::labelled(data)?;
    if let Some(limit) = options.sampling.limit {
        dataset.limit(limit as usize, options.sampling.seed);
    }
    let bad = inputs::sift(&input, &mut dataset, freeze::asked_for);
    if !bad.is_empty() && (dataset.samples.is_empty() || !options.sampling.skip_bad) {
        return Err(Refused::Files(bad).into());
    }
    let labels: Vec<usize> = dataset.samples.iter().map(|sample| sample.label).collect();
    let budget = Budget { max_head_bytes: options.max_head, max_macs: options.max_macs };
    let load = |index: usize| {
        go_on(watch)?;
        inputs::read(&input, &dataset.samples[index].path)
    };
    watch.begun("trying cuts", 1);
    let points = freeze_points_of(model, &graph);
    let mut candidates = freeze::auto(&graph, &points, &labels, load, &budget, |done, total| {
        watch.done(done, total);
    })
    .map_err(|error| match error {
        FreezeError::Sample(error) => error.into(),
        FreezeError::NoPoint => no_freeze_point(model, &graph),
        FreezeError::Execute(problem) => {
            Refused::Execute { model: model.path.clone(), problem }.into()
        }
        other => Error::Freeze(other),
    })?;
    watch.ended();
    let fits = |candidate: &&Candidate| {
        options.pool.is_none_or(|pool| usize::from(pool) == candidate.grid)
    };
    if !candidates.iter().any(|candidate| fits(&candidate)) {
        return Err(Usage::NoSuchPool.into());
    }
    Judge { options, watch, model, input: &input, labelled: &dataset }
        .judge(&mut candidates, |candidate| fits(&candidate))?;
    let chosen = candidates.iter().find(fits).unwrap_or(&candidates[0]);
    let (tensor, grid) = (chosen.tensor.clone(), chosen.grid);
    let tried = Tried::new(candidates.clone(), chosen.clone(), options.pool);
    watch.tried(&tried);
    Ok(Found {
        tensor,
        grid,
        candidates: tried.as_json(),
        bad_files: bad.iter().map(ToString::to_string).collect(),
    })
}
