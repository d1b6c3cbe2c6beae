//! Where `pack` cuts a model.

use headstart::graph::{Graph, Op};
use headstart::pack::{Preprocessing, TailStorage};
use headstart_device::samples::Dataset;
use headstart_tools::cut::decoder::Decoder;
use headstart_tools::cut::freeze::{self, Budget, Candidate, FreezeError};
use headstart_tools::cut::inspect::{FreezeKind, Linear};
use headstart_tools::cut::layout::{order_of, takes};
use headstart_tools::cut::tail::{self, Parts};
use headstart_tools::error::{Error as Refused, ModelProblem};
use headstart_tools::import::model::Model;
use headstart_tools::quantise::inputs;
use headstart_tools::quantise::lower::{freeze_points_of, obstacle};
use serde_json::Value;

use super::candidates::Tried;
use super::judge::Judge;
use super::report::Report;
use crate::cli::{PackArgs, Storage, Tail, Task};
use crate::error::Error;

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
    report: Report,
    args: &PackArgs,
    model: &Model,
    preprocessing: Preprocessing,
) -> Result<Chosen, Error> {
    let at = |name: &str, grid: usize, candidates: Value| {
        let graph = model.cut_at(name)?;
        if args.pool.is_some() && order_of(&graph, graph.outputs[0]).is_none() {
            return Err(Error::Usage(format!(
                "--pool: which axes of '{name}' are places is not known, so all of it is kept; leave --pool out, or \
                 freeze at another tensor"
            )));
        }
        let (tail, linear, bad_files) = Default::default();
        Ok(Chosen { name: name.to_owned(), graph, grid, candidates, tail, linear, bad_files })
    };
    let grid = usize::from(args.pool.unwrap_or(1));
    if args.task == Task::Segmentation || args.tail == Tail::Keep {
        return with_tail(args, model);
    }
    if !args.train.is_empty() {
        return Err(Error::Usage("--train: belongs to --tail keep".into()));
    }
    if args.classes.is_some() {
        return Err(Error::Usage("--classes: belongs to --task segmentation".into()));
    }
    match args.freeze.as_str() {
        "none" => Err(Error::Usage(
            "--freeze none leaves nothing to freeze: add --tail keep, and the device trains the whole \
             network; or use --freeze head, --freeze auto or --freeze NAME"
                .into(),
        )),
        "head" => {
            let name = usual(model)?;
            at(&name, grid, Value::Null)
        }
        "auto" => {
            let found = search(report, args, model, preprocessing)?;
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
fn with_tail(args: &PackArgs, model: &Model) -> Result<Chosen, Error> {
    let segments = args.task == Task::Segmentation;
    if args.freeze == "auto" || (args.freeze == "head" && !segments) {
        return Err(Error::Usage(
            "--tail keep: say where the trainable part begins, with --freeze NAME, a pattern or none".into(),
        ));
    }
    if !args.train.is_empty() && matches!(args.freeze.as_str(), "head" | "none") {
        return Err(Error::Usage(
            "--train: says what of --freeze is trained after all; give --freeze names or a pattern"
                .into(),
        ));
    }
    if args.pool.is_some() || args.board.is_some() {
        return Err(Error::Usage(
            "--tail keep: features are kept as they are, for boards with an operating system; leave --pool and \
             --board out".into(),
        ));
    }
    let freeze = frozen(&args.freeze)?;
    let parts: Parts = if segments {
        let (width, stride) = (usize::from(args.decoder), usize::from(args.stride));
        let decoder = Decoder { width, stride, seed: args.decoder_seed };
        let encoder = args.freeze == "head";
        tail::segmentation(model, (!encoder).then_some(&freeze), &args.train, &decoder)?
    } else {
        tail::parts(model, &freeze, &args.train)?
    };
    let storage = match args.tail_storage {
        Storage::F16 => TailStorage::F16,
        Storage::F32 => TailStorage::F32,
    };
    Ok(Chosen {
        name: parts.name,
        graph: parts.backbone,
        grid: 1,
        candidates: Value::Null,
        tail: Some((parts.tail, storage)),
        linear: parts.linear,
        bad_files: Vec::new(),
    })
}

/// The names and patterns of `--freeze`, which have commas between; none of them for `none`.
fn frozen(freeze: &str) -> Result<Vec<String>, Error> {
    if freeze == "none" {
        return Ok(Vec::new());
    }
    let names = freeze.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Error::Usage("--freeze: name a node, a tensor or a pattern".into()));
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
    report: Report,
    args: &PackArgs,
    model: &Model,
    preprocessing: Preprocessing,
) -> Result<Found, Error> {
    let data = args.data.as_ref().ok_or_else(|| {
        Error::Usage("--freeze auto needs labelled samples: give them with --data DIR".into())
    })?;
    let graph = model.simplified();
    model.check_run(&graph)?;
    let input = inputs::describe(&model.path, &graph, preprocessing)?;
    let mut dataset = Dataset::labelled(data)?;
    if let Some(limit) = args.sampling.limit {
        dataset.limit(limit as usize, args.sampling.seed);
    }
    let bad = inputs::sift(&input, &mut dataset, freeze::asked_for);
    if !bad.is_empty() && (dataset.samples.is_empty() || !args.sampling.skip_bad) {
        return Err(Refused::Files(bad).into());
    }
    let labels: Vec<usize> = dataset.samples.iter().map(|sample| sample.label).collect();
    let budget = Budget { max_head_bytes: args.max_head, max_macs: args.max_macs };
    let load = |index: usize| inputs::read(&input, &dataset.samples[index].path);
    let bar = report.progress(1, "trying cuts");
    let points = freeze_points_of(model, &graph);
    let mut candidates = freeze::auto(&graph, &points, &labels, load, &budget, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })
    .map_err(|error| match error {
        FreezeError::Sample(error) => error.into(),
        FreezeError::NoPoint => no_freeze_point(model, &graph),
        FreezeError::Execute(problem) => {
            Refused::Execute { model: model.path.clone(), problem }.into()
        }
        other => Error::Freeze(other),
    })?;
    bar.finish_and_clear();
    let fits =
        |candidate: &&Candidate| args.pool.is_none_or(|pool| usize::from(pool) == candidate.grid);
    if !candidates.iter().any(|candidate| fits(&candidate)) {
        return Err(Error::Usage(
            "--pool: no cut was tried on a grid of that size; leave it out".into(),
        ));
    }
    Judge { args, model, input: &input, labelled: &dataset }
        .judge(&mut candidates, |candidate| fits(&candidate))?;
    let chosen = candidates.iter().find(fits).unwrap_or(&candidates[0]);
    let tried = Tried { candidates: &candidates, chosen, pool: args.pool };
    if !report.json {
        tried.print(args.all);
    }
    Ok(Found {
        tensor: chosen.tensor.clone(),
        grid: chosen.grid,
        candidates: tried.as_json(),
        bad_files: bad.iter().map(ToString::to_string).collect(),
    })
}
