//! From a model file and samples to a pack.

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::graph::Graph;
use headstart::pack::Pack;
use serde_json::{Value, json};

use super::calibration::Seen;
use super::choose::choose;
use super::error::{Error, Usage};
use super::options::{PackOptions, Tail, Task};
use super::watch::Watch;
use super::{file, info, preprocessing, said};
use crate::cut::inspect::Linear;
use crate::error::{Error as Refused, HeadProblem, ModelProblem};
use crate::import::model::Model;
use crate::quantise::choice::Tried;
use crate::quantise::loss::Loss;
use crate::quantise::quantised::{Quantised, Settings, outlined, quantise};
use crate::ship::board::{Board, Certificate};
use crate::ship::heads::{self, StartingHead};
use crate::ship::keys;

/// Most classes that the device may learn where nothing is said of it.
const CLASSES: u32 = 32;

/// A pack that was made, and what is to be said of it.
#[derive(Debug)]
pub struct Packed {
    /// The pack.
    pub bytes: Vec<u8>,
    /// The report, a JSON object.
    pub summary: Value,
    /// How long it took.
    pub took: Duration,
    /// Whether the features are pooled, or those of a tail.
    pub is_pooled: bool,
    /// Whether the device trains a tail.
    pub has_tail: bool,
    /// Whether the model brought its own scales along.
    pub own_scales: bool,
    /// Differences between the pack and what a quantised model says, a line each.
    pub differences: Vec<String>,
    /// The rules of calibration that were tried, the best first.
    pub tried: Vec<Tried>,
    /// What int8 cost, where samples show it.
    pub loss: Option<Loss>,
    /// Whether the samples that show it had no part in the ranges.
    pub is_held_out: bool,
    /// What is wrong with calibration samples that were left out.
    pub bad_calibration: Vec<String>,
    /// What is wrong with labelled samples that were left out.
    pub bad_labelled: Vec<String>,
    /// What the pack takes of the board that was named.
    pub certificate: Option<Certificate>,
}

/// Freezes, calibrates and quantises a model, and writes the pack.
///
/// # Errors
/// [`Error::Refused`] for models and samples, [`Error::Freeze`] where no cut is chosen, [`Error::Usage`] for options that do not fit,
/// [`Error::Shortage`] for a board that is too small, [`Error::Unwritable`]. No file is written then.
pub fn pack(
    model: &Path,
    output: &Path,
    options: &PackOptions,
    watch: &dyn Watch,
) -> Result<Packed, Error> {
    let started = Instant::now();
    options.check()?;
    let board = options.board.as_deref().map(Board::named).transpose()?;
    // Before the work: a key that cannot be read is found at once.
    let secret = options.sign.as_deref().map(file::read_key).transpose()?;
    if let (Some(secret), Some(path)) = (&secret, &options.sign) {
        keys::check_secret(path, secret)?;
    }
    let wanted = preprocessing::wanted(&options.preprocess)?;
    let model = Model::load_sized(model, options.input_size)?;
    let start = start(options)?;
    let preprocessing = preprocessing::of_model(wanted, &model)?;
    preprocessing::check_scale(&model, &preprocessing, false)?;
    let chosen = choose(watch, options, &model, preprocessing)?;
    model.check_run(&chosen.graph)?;
    let settings = Settings {
        freeze_point: chosen.name,
        grid: chosen.grid,
        preprocessing,
        max_classes: max_classes(options, &start, &model, chosen.linear.as_ref())?,
        arena: options.arena,
        tail: chosen.tail.clone(),
        per_place: options.task == Task::Segmentation,
    };
    let outline = outlined(&model, &chosen.graph, settings.clone())?;
    let outline = match &start {
        // It belongs to the backbone's numbers, and fits if they do.
        StartingHead::Learned(_) => outline.bytes,
        _ => {
            let head = starting_head(options, &start, &model, chosen.linear.as_ref(), &outline)?;
            outline.with_head(&model.path, head)?
        }
    };
    let outline = signed(options, secret.as_deref(), outline)?;
    certified(board.as_ref(), &outline, output, &chosen.graph)?;
    drop(outline);
    let seen = Seen::read(watch, options, &model, &chosen.graph, preprocessing)?;
    watch.begun("calibrating", 2 * seen.samples.len());
    let stepped = || watch.stepped();
    let quantised = quantise(&model, &chosen.graph, seen.calibration(), settings, stepped)?;
    watch.ended();
    let (samples, labels) = seen.compared();
    let loss = Loss::measure(&model, &chosen.graph, &quantised, &samples, labels.as_deref())?;
    let is_pooled = quantised.is_pooled;
    let (rules, tried) = (quantised.rules, quantised.tried.clone());
    let head = starting_head(options, &start, &model, chosen.linear.as_ref(), &quantised)?;
    let (differences, own_scales) = (quantised.differences.clone(), quantised.own_scales);
    let bytes = match head {
        None => quantised.bytes,
        Some(head) => quantised.with_head(&model.path, Some(head))?,
    };
    let bytes = signed(options, secret.as_deref(), bytes)?;
    let refuse = Error::in_pack(output);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let certificate = certified(board.as_ref(), &bytes, output, &chosen.graph)?;
    let mut summary = info::summary(&pack, bytes.len()).map_err(refuse)?;
    let unwritable = |source| Error::Unwritable { path: output.to_owned(), source };
    file::write(output, &bytes).map_err(unwritable)?;
    let took = started.elapsed();
    summary["seconds"] = json!(took.as_secs_f64());
    summary["candidates"] = chosen.candidates;
    summary["pooled"] = json!(is_pooled);
    summary["own_scales"] = json!(own_scales);
    summary["bad_files"] = json!([&seen.bad_files[..], &chosen.bad_files].concat());
    summary["differences"] = json!(differences);
    summary["rules"] = if own_scales { json!(null) } else { said::rules(rules, &tried) };
    if let Some(loss) = &loss {
        said::add_loss(&mut summary, loss, seen.is_held_out());
    }
    if let Some(certificate) = &certificate {
        summary["certificate"] = json!(certificate);
    }
    Ok(Packed {
        is_held_out: seen.is_held_out(),
        bad_calibration: seen.bad_files,
        bad_labelled: chosen.bad_files,
        has_tail: chosen.tail.is_some(),
        bytes,
        summary,
        took,
        is_pooled,
        own_scales,
        differences,
        tried,
        loss,
        certificate,
    })
}

/// The head that the pack ships, if it can be kept at all.
fn start(options: &PackOptions) -> Result<StartingHead, Error> {
    match options.head.as_str() {
        "new" => Ok(StartingHead::New),
        "keep" if options.freeze == "auto" => Err(Usage::KeepWithAuto.into()),
        "keep" => Ok(StartingHead::Pretrained),
        folder => Ok(StartingHead::Learned(folder.into())),
    }
}

/// Most classes that the device may learn: as many as are asked for, or as the head has that it starts from.
fn max_classes(
    options: &PackOptions,
    start: &StartingHead,
    model: &Model,
    linear: Option<&Linear>,
) -> Result<u32, Error> {
    if let Some(asked) = options.classes.or(options.max_classes) {
        return Ok(asked);
    }
    let own;
    let linear = match start {
        StartingHead::Pretrained if options.tail == Tail::Drop => {
            own = match model.classifier() {
                Ok((_, classifier)) => classifier.linear,
                Err(Refused::Model { problem: ModelProblem::NoClassifier, .. }) => {
                    return Err(Refused::from(HeadProblem::NoClassifier).into());
                }
                Err(error) => return Err(error.into()),
            };
            own.as_ref()
        }
        _ => linear,
    };
    Ok(heads::classes(start, linear)?.unwrap_or(0).max(CLASSES))
}

/// The pack with a signature, if there is a key.
fn signed(options: &PackOptions, secret: Option<&[u8]>, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    match (secret, &options.sign, &options.family) {
        (Some(secret), Some(path), Some(family)) => {
            Ok(keys::signed(&bytes, path, secret, family, options.counter)?)
        }
        _ => Ok(bytes),
    }
}

/// What the pack takes of the board, if it fits.
fn certified(
    board: Option<&Board>,
    bytes: &[u8],
    output: &Path,
    graph: &Graph,
) -> Result<Option<Certificate>, Error> {
    let Some(board) = board else { return Ok(None) };
    let pack = Pack::open(bytes).map_err(Error::in_pack(output))?;
    let certificate = Certificate::new(board, &pack, bytes.len());
    certificate.check(board, &pack, graph)?;
    Ok(Some(certificate))
}

/// The record of the head that the pack ships.
fn starting_head(
    options: &PackOptions,
    start: &StartingHead,
    model: &Model,
    linear: Option<&Linear>,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    let (labels, segments) = (options.labels.as_deref(), options.task == Task::Segmentation);
    Ok(if segments && *start == StartingHead::New {
        heads::named_head(labels, quantised)?
    } else if segments || options.tail == Tail::Keep {
        heads::starting_head_of_tail(start, labels, linear, quantised)?
    } else {
        heads::starting_head(start, labels, model, quantised)?
    })
}
