//! `pack`: from an ONNX file and samples to a pack.

use std::time::Instant;

use headstart::graph::Graph;
use headstart::pack::{Pack, Preprocessing, TailStorage};
use headstart_device::samples::Dataset;
use serde_json::{Value, json};

use super::report::{self, Report};
use super::{info, preprocessing};
use crate::cli::{Arena, PackArgs, Storage, Tail, Task};
use crate::error::Error;
use headstart_tools::cut::decoder::Decoder;
use headstart_tools::cut::freeze::{self, Budget, Candidate, FreezeError};
use headstart_tools::cut::inspect::Linear;
use headstart_tools::cut::tail::{self, Parts};
use headstart_tools::error::Error as Refused;
use headstart_tools::import::model::Model;
use headstart_tools::import::scales;
use headstart_tools::quantise::inputs;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Settings, quantise};
use headstart_tools::ship::board::{Board, Certificate};
use headstart_tools::ship::heads::{self, StartingHead};
use headstart_tools::ship::keys;

pub(super) fn pack(report: Report, args: &PackArgs) -> Result<(), Error> {
    let started = Instant::now();
    let board = args.board.as_deref().map(Board::named).transpose()?;
    // Before the work: a key that cannot be read is found at once.
    let secret = args.sign.as_deref().map(super::read).transpose()?;
    if let (Some(secret), Some(path)) = (&secret, &args.sign) {
        keys::check_secret(path, secret)?;
    }
    let preprocessing = preprocessing::preprocessing(&args.preprocess)?;
    let model = Model::load_sized(&args.model, args.input_size)?;
    let chosen = choose(report, args, &model, preprocessing)?;
    let input = inputs::describe(&model.path, &chosen.graph, preprocessing)?;
    let samples = match &args.calib {
        Some(folder) => {
            let mut calib = Dataset::unlabelled(folder)?;
            inputs::spread(&mut calib, args.calib_limit as usize);
            let bar = report.progress(calib.samples.len(), "reading");
            let samples = inputs::load(&input, &calib, || bar.inc(1))?;
            bar.finish_and_clear();
            samples
        }
        None if scales::is_quantised(&chosen.graph) => Vec::new(),
        None => {
            return Err(Error::Usage(format!(
                "{}: this model brings no scales along; show what the device will see with --calib DIR",
                args.model.display()
            )));
        }
    };
    let bar = report.progress(3 * samples.len(), "calibrating");
    let settings = Settings {
        freeze_point: chosen.name,
        grid: chosen.grid,
        preprocessing,
        max_classes: args.classes.unwrap_or(args.max_classes),
        arena: match args.arena {
            Arena::Speed => Aim::Speed,
            Arena::Size => Aim::Size,
        },
        tail: chosen.tail,
        per_place: args.task == Task::Segmentation,
    };
    let quantised = quantise(&model, &chosen.graph, &samples, settings, || bar.inc(1))?;
    bar.finish_and_clear();
    let start = match args.head.as_str() {
        "new" => StartingHead::New,
        "keep" => StartingHead::Pretrained,
        folder => StartingHead::Learned(folder.into()),
    };
    let head = if args.task == Task::Segmentation && start == StartingHead::New {
        heads::named_head(args.labels.as_deref(), &quantised)?
    } else if args.tail == Tail::Keep || args.task == Task::Segmentation {
        let linear = chosen.linear.as_ref();
        heads::starting_head_of_tail(&start, args.labels.as_deref(), linear, &quantised)?
    } else {
        heads::starting_head(&start, args.labels.as_deref(), &model, &quantised)?
    };
    let (differences, own_scales) = (quantised.differences.clone(), quantised.own_scales);
    let bytes = match head {
        None => quantised.bytes,
        Some(head) => quantised.with_head(&model.path, Some(head))?,
    };
    let bytes = match (&secret, &args.sign, &args.family) {
        (Some(secret), Some(path), Some(family)) => {
            keys::signed(&bytes, path, secret, family, args.counter)?
        }
        _ => bytes,
    };
    let refuse = Error::in_pack(&args.output);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let certificate = board.map(|board| {
        let certificate = Certificate::new(&board, &pack, bytes.len());
        certificate.check(&board, &pack, &chosen.graph).map(|()| certificate)
    });
    let certificate = certificate.transpose()?;
    super::write(&args.output, &bytes)?;
    let mut summary = info::summary(&pack, bytes.len()).map_err(refuse)?;
    summary["seconds"] = json!(started.elapsed().as_secs_f64());
    summary["candidates"] = chosen.candidates;
    summary["own_scales"] = json!(own_scales);
    summary["differences"] = json!(differences);
    if let Some(certificate) = &certificate {
        summary["certificate"] = json!(certificate);
    }
    report.show(&summary, || {
        say!(
            "{}: {} frozen at '{}', {} features, {} of the head a class",
            args.output.display(),
            pack.provenance().model,
            pack.provenance().freeze_point,
            pack.feature_len(),
            report::bytes(4 * (pack.head_inputs() as u64 + 1)),
        );
        say!(
            "{} in the file, {} of memory, {} multiply-accumulates a sample, {:.1} s",
            report::bytes(bytes.len() as u64),
            report::bytes(pack.plan().ram_bytes()),
            report::count(pack.provenance().multiply_accumulates),
            started.elapsed().as_secs_f64(),
        );
        if own_scales {
            say!(
                "the model's own scales, {}",
                match differences.len() {
                    0 => "and its weights to the bit".to_owned(),
                    1 => "with 1 difference:".to_owned(),
                    count => format!("with {count} differences:"),
                }
            );
        }
        differences.iter().for_each(|line| say!("  {line}"));
        if let Some(certificate) = certificate {
            print_certificate(&certificate);
        }
    });
    Ok(())
}

fn print_certificate(of: &Certificate) {
    say!("\nMemory on {}, in bytes ('at most': what its firmware keeps for itself)", of.board);
    let mut table = report::table(&["", "", "bytes"]);
    for (memory, what, bytes) in [
        ("flash", "code and constants, at most", of.code_bytes),
        ("", "pack", of.pack_bytes),
        ("", "head slots", of.slots_bytes),
        ("", "features of samples", of.log_bytes),
        ("", "of all there is, free", of.flash_bytes - of.flash()),
        ("RAM", "activations", of.arena_bytes),
        ("", "head", of.head_bytes),
        ("", "learner", of.learner_bytes),
        ("", "session: the three, or a head record", of.session_bytes),
        ("", "static data, at most", of.static_bytes),
        ("", "stack, at most", of.stack_bytes),
        ("", "of all there is, free", of.ram_bytes - of.ram()),
    ] {
        table.add_row([memory.to_owned(), what.to_owned(), bytes.to_string()]);
    }
    say!("{table}");
}

/// Where the model is cut.
struct Chosen {
    name: String,
    graph: Graph,
    grid: usize,
    candidates: Value,
    tail: Option<(Graph, TailStorage)>,
    linear: Option<Linear>,
}

fn choose(
    report: Report,
    args: &PackArgs,
    model: &Model,
    preprocessing: Preprocessing,
) -> Result<Chosen, Error> {
    let at = |name: &str, grid: usize, candidates: Value| {
        let graph = model.cut_at(name)?;
        Ok(Chosen { name: name.to_owned(), graph, grid, candidates, tail: None, linear: None })
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
            let (graph, classifier) = model.classifier()?;
            at(&graph.values[classifier.features].name, grid, Value::Null)
        }
        "auto" => {
            let (name, grid, candidates) = search(report, args, model, preprocessing)?;
            at(&name, grid, candidates)
        }
        name => at(name, grid, Value::Null),
    }
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

/// Tries every sensible cut and grid on labelled samples: the best one, and the table of all.
fn search(
    report: Report,
    args: &PackArgs,
    model: &Model,
    preprocessing: Preprocessing,
) -> Result<(String, usize, Value), Error> {
    let data = args.data.as_ref().ok_or_else(|| {
        Error::Usage("--freeze auto needs labelled samples: give them with --data DIR".into())
    })?;
    let graph = model.simplified();
    let input = inputs::describe(&model.path, &graph, preprocessing)?;
    let mut dataset = Dataset::labelled(data)?;
    if let Some(limit) = args.sampling.limit {
        dataset.limit(limit as usize, args.sampling.seed);
    }
    let labels: Vec<usize> = dataset.samples.iter().map(|sample| sample.label).collect();
    let budget = Budget { max_head_bytes: args.max_head, max_macs: args.max_macs };
    let load = |index: usize| inputs::read(&input, &dataset.samples[index].path);
    let bar = report.progress(1, "trying cuts");
    let candidates = freeze::auto(&graph, &labels, load, &budget, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })
    .map_err(|error| match error {
        FreezeError::Sample(error) => error.into(),
        FreezeError::Execute(problem) => {
            Refused::Execute { model: model.path.clone(), problem }.into()
        }
        other => Error::Freeze(other),
    })?;
    bar.finish_and_clear();
    let fits =
        |candidate: &&Candidate| args.pool.is_none_or(|pool| usize::from(pool) == candidate.grid);
    let chosen = candidates.iter().find(fits).ok_or_else(|| {
        Error::Usage("--pool: no cut was tried on a grid of that size; leave it out".into())
    })?;
    if !report.json {
        print_candidates(&candidates, chosen);
    }
    Ok((chosen.tensor.clone(), chosen.grid, candidates.iter().map(as_json).collect()))
}

fn as_json(candidate: &Candidate) -> Value {
    json!({
        "tensor": candidate.tensor,
        "node": candidate.node,
        "pool": candidate.grid,
        "features": candidate.features,
        "accuracy": candidate.accuracy,
        "spread": candidate.spread,
        "samples": candidate.samples,
        "multiply_accumulates": candidate.macs,
        "head_bytes": candidate.head_bytes,
        "ram_bytes": candidate.ram_bytes,
    })
}

fn print_candidates(candidates: &[Candidate], chosen: &Candidate) {
    let header = ["", "tensor", "pool", "features", "accuracy", "samples", "MACs", "head", "RAM"];
    let mut table = report::table(&header);
    for candidate in candidates {
        table.add_row([
            if candidate == chosen { "*" } else { "" }.to_owned(),
            candidate.tensor.clone(),
            format!("{0} x {0}", candidate.grid),
            candidate.features.to_string(),
            format!("{:.1} ± {:.1} %", 100.0 * candidate.accuracy, 100.0 * candidate.spread),
            candidate.samples.to_string(),
            report::count(candidate.macs),
            report::bytes(candidate.head_bytes),
            report::bytes(candidate.ram_bytes),
        ]);
    }
    say!("{table}");
}
