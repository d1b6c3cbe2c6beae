//! `pack`: from an ONNX file and samples to a pack.

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::graph::Graph;
use headstart::pack::Pack;
use headstart_tools::cut::inspect::Linear;
use headstart_tools::error::{Error as Refused, HeadProblem, ModelProblem};
use headstart_tools::import::model::Model;
use headstart_tools::quantise::loss::Loss;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Quantised, Settings, outlined, quantise};
use headstart_tools::ship::board::{Board, Certificate};
use headstart_tools::ship::heads::{self, StartingHead};
use headstart_tools::ship::keys;
use serde_json::json;

use super::calibration::Seen;
use super::choose::choose;
use super::cost;
use super::report::{self, Report};
use super::{info, preprocessing};
use crate::cli::{Arena, PackArgs, Tail, Task};
use crate::error::Error;

/// Most classes that the device may learn where nothing is said of it.
const CLASSES: u32 = 32;

pub(super) fn pack(report: Report, args: &PackArgs) -> Result<(), Error> {
    let started = Instant::now();
    let board = args.board.as_deref().map(Board::named).transpose()?;
    // Before the work: a key that cannot be read is found at once.
    let secret = args.sign.as_deref().map(super::read_key).transpose()?;
    if let (Some(secret), Some(path)) = (&secret, &args.sign) {
        keys::check_secret(path, secret)?;
    }
    let wanted = preprocessing::wanted(&args.preprocess)?;
    let model = Model::load_sized(&args.model, args.input_size)?;
    let start = start(args)?;
    let preprocessing = preprocessing::of_model(wanted, &model)?;
    preprocessing::check_scale(&model, &preprocessing, false)?;
    let chosen = choose(report, args, &model, preprocessing)?;
    model.check_run(&chosen.graph)?;
    let settings = Settings {
        freeze_point: chosen.name,
        grid: chosen.grid,
        preprocessing,
        max_classes: max_classes(args, &start, &model, chosen.linear.as_ref())?,
        arena: match args.arena {
            Arena::Speed => Aim::Speed,
            Arena::Size => Aim::Size,
        },
        tail: chosen.tail.clone(),
        per_place: args.task == Task::Segmentation,
    };
    let outline = outlined(&model, &chosen.graph, settings.clone())?;
    let outline = match &start {
        // It belongs to the backbone's numbers, and fits if they do.
        StartingHead::Learned(_) => outline.bytes,
        _ => {
            let head = starting_head(args, &start, &model, chosen.linear.as_ref(), &outline)?;
            outline.with_head(&model.path, head)?
        }
    };
    let outline = signed(args, secret.as_deref(), outline)?;
    certified(board.as_ref(), &outline, args, &chosen.graph)?;
    drop(outline);
    let seen = Seen::read(report, args, &model, &chosen.graph, preprocessing)?;
    let bar = report.progress(2 * seen.samples.len(), "calibrating");
    let quantised = quantise(&model, &chosen.graph, seen.calibration(), settings, || bar.inc(1))?;
    bar.finish_and_clear();
    let (samples, labels) = seen.compared();
    let loss = Loss::measure(&model, &chosen.graph, &quantised, &samples, labels.as_deref())?;
    let is_pooled = quantised.is_pooled;
    let (rules, tried) = (quantised.rules, quantised.tried.clone());
    let head = starting_head(args, &start, &model, chosen.linear.as_ref(), &quantised)?;
    let (differences, own_scales) = (quantised.differences.clone(), quantised.own_scales);
    let bytes = match head {
        None => quantised.bytes,
        Some(head) => quantised.with_head(&model.path, Some(head))?,
    };
    let bytes = signed(args, secret.as_deref(), bytes)?;
    let refuse = Error::in_pack(&args.output);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let certificate = certified(board.as_ref(), &bytes, args, &chosen.graph)?;
    super::write(&args.output, &bytes)?;
    let mut summary = info::summary(&pack, bytes.len()).map_err(refuse)?;
    summary["seconds"] = json!(started.elapsed().as_secs_f64());
    summary["candidates"] = chosen.candidates;
    summary["pooled"] = json!(is_pooled);
    summary["own_scales"] = json!(own_scales);
    summary["bad_files"] = json!([&seen.bad_files[..], &chosen.bad_files].concat());
    summary["differences"] = json!(differences);
    summary["rules"] = if own_scales { json!(null) } else { cost::rules_as_json(rules, &tried) };
    if let Some(loss) = &loss {
        cost::add_to(&mut summary, loss, seen.is_held_out());
    }
    if let Some(certificate) = &certificate {
        summary["certificate"] = json!(certificate);
    }
    report.show(&summary, || {
        print_pack(&args.output, &pack, bytes.len(), started.elapsed());
        report::left_out("calibrated", &seen.bad_files);
        report::left_out("cuts compared", &chosen.bad_files);
        if chosen.tail.is_none() && !is_pooled {
            say!("the features are all of that tensor: which of its axes are places is not known");
        }
        cost::print_rules(&tried);
        if let Some(loss) = &loss {
            cost::print(loss, seen.is_held_out());
        }
        if own_scales {
            print_differences(&differences);
        }
        if let Some(certificate) = certificate {
            print_certificate(&certificate);
        }
    });
    if let Some(loss) = &loss {
        cost::warn(loss);
    }
    Ok(())
}

/// The head that the pack ships, if it can be kept at all.
fn start(args: &PackArgs) -> Result<StartingHead, Error> {
    match args.head.as_str() {
        "new" => Ok(StartingHead::New),
        "keep" if args.freeze == "auto" => Err(Error::Usage(
            "--head keep: the pretrained classifier reads one tensor only, which --freeze auto may not choose; use \
             --freeze head"
                .into(),
        )),
        "keep" => Ok(StartingHead::Pretrained),
        folder => Ok(StartingHead::Learned(folder.into())),
    }
}

/// Most classes that the device may learn: as many as are asked for, or as the head has that it starts from.
fn max_classes(
    args: &PackArgs,
    start: &StartingHead,
    model: &Model,
    linear: Option<&Linear>,
) -> Result<u32, Error> {
    if let Some(asked) = args.classes.or(args.max_classes) {
        return Ok(asked);
    }
    let own;
    let linear = match start {
        StartingHead::Pretrained if args.tail == Tail::Drop => {
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
fn signed(args: &PackArgs, secret: Option<&[u8]>, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    match (secret, &args.sign, &args.family) {
        (Some(secret), Some(path), Some(family)) => {
            Ok(keys::signed(&bytes, path, secret, family, args.counter)?)
        }
        _ => Ok(bytes),
    }
}

/// What the pack takes of the board, if it fits.
fn certified(
    board: Option<&Board>,
    bytes: &[u8],
    args: &PackArgs,
    graph: &Graph,
) -> Result<Option<Certificate>, Error> {
    let Some(board) = board else { return Ok(None) };
    let pack = Pack::open(bytes).map_err(Error::in_pack(&args.output))?;
    let certificate = Certificate::new(board, &pack, bytes.len());
    certificate.check(board, &pack, graph)?;
    Ok(Some(certificate))
}

/// The record of the head that the pack ships.
fn starting_head(
    args: &PackArgs,
    start: &StartingHead,
    model: &Model,
    linear: Option<&Linear>,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    let (labels, segments) = (args.labels.as_deref(), args.task == Task::Segmentation);
    Ok(if segments && *start == StartingHead::New {
        heads::named_head(labels, quantised)?
    } else if segments || args.tail == Tail::Keep {
        heads::starting_head_of_tail(start, labels, linear, quantised)?
    } else {
        heads::starting_head(start, labels, model, quantised)?
    })
}

fn print_pack(path: &Path, pack: &Pack<'_>, bytes: usize, took: Duration) {
    say!(
        "{}: {} frozen at '{}', {} features, {} of the head a class",
        path.display(),
        pack.provenance().model,
        pack.provenance().freeze_point,
        pack.feature_len(),
        report::bytes(4 * (pack.head_inputs() as u64 + 1)),
    );
    say!(
        "{} in the file, {} of memory, {} multiply-accumulates a sample, {:.1} s",
        report::bytes(bytes as u64),
        report::bytes(pack.plan().ram_bytes()),
        report::count(pack.provenance().multiply_accumulates),
        took.as_secs_f64(),
    );
}

fn print_differences(differences: &[String]) {
    say!(
        "the model's own scales, {}",
        match differences.len() {
            0 => "and its weights to the bit".to_owned(),
            1 => "with 1 difference:".to_owned(),
            count => format!("with {count} differences:"),
        }
    );
    differences.iter().for_each(|line| say!("  {line}"));
}

fn print_certificate(of: &Certificate) {
    say!("\nMemory on {}, in bytes ('at most': what its firmware keeps for itself)", of.board);
    let mut table = report::table(&["", "", "bytes"]);
    for (memory, what, bytes) in [
        ("flash", "code and constants, at most", of.code_bytes),
        ("", "pack", of.pack_bytes),
        ("", "second place for a pack", of.second_pack_bytes),
        ("", "head slots", of.slots_bytes),
        ("", "journal and features of samples", of.log_bytes),
        ("", "of all there is, free", of.flash_bytes - of.flash()),
        ("RAM", "activations", of.arena_bytes),
        ("", "head", of.head_bytes),
        ("", "learner", of.learner_bytes),
        (
            "",
            "session: head, learner, and the larger of activations and a head record",
            of.session_bytes,
        ),
        ("", "static data, at most", of.static_bytes),
        ("", "stack, at most", of.stack_bytes),
        ("", "of all there is, free", of.ram_bytes - of.ram()),
    ] {
        table.add_row([memory.to_owned(), what.to_owned(), bytes.to_string()]);
    }
    say!("{table}");
}
