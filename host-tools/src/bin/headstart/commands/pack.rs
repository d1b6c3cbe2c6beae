//! `pack`: from an ONNX file and samples to a pack.

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::graph::Graph;
use headstart::pack::{Pack, Preprocessing};
use headstart_device::samples::Dataset;
use headstart_tools::cut::inspect::Linear;
use headstart_tools::error::{Error as Refused, HeadProblem, ModelProblem};
use headstart_tools::float::FloatGraph;
use headstart_tools::import::model::Model;
use headstart_tools::import::scales;
use headstart_tools::quantise::compare::{self, FeatureCosines};
use headstart_tools::quantise::inputs;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Quantised, Settings, outlined, quantise};
use headstart_tools::quantise::sample::Sample;
use headstart_tools::ship::board::{Board, Certificate};
use headstart_tools::ship::heads::{self, StartingHead};
use headstart_tools::ship::keys;
use serde_json::json;

use super::choose::choose;
use super::report::{self, Report};
use super::{info, preprocessing};
use crate::cli::{Arena, PackArgs, Tail, Task};
use crate::error::Error;

/// Samples of the calibration on which int8 features are compared with float ones.
const COMPARED: usize = 32;

/// Below this mean cosine of centred features a head may lose a lot, and is worth a look.
const LEAST_COSINE: f64 = 0.9;

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
    let (samples, bad_files) = calibration(report, args, &model, &chosen.graph, preprocessing)?;
    let bar = report.progress(2 * samples.len(), "calibrating");
    let quantised = quantise(&model, &chosen.graph, &samples, settings, || bar.inc(1))?;
    bar.finish_and_clear();
    let is_pooled = quantised.is_pooled;
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
    let cosines = cosines(&pack, &model, &chosen.graph, &samples)?;
    super::write(&args.output, &bytes)?;
    let mut summary = info::summary(&pack, bytes.len()).map_err(refuse)?;
    summary["seconds"] = json!(started.elapsed().as_secs_f64());
    summary["candidates"] = chosen.candidates;
    summary["pooled"] = json!(is_pooled);
    summary["own_scales"] = json!(own_scales);
    summary["bad_files"] = json!([&bad_files[..], &chosen.bad_files].concat());
    summary["differences"] = json!(differences);
    if let Some(found) = cosines {
        summary["feature_cosine"] = report::cosines(found.plain);
        summary["centred_feature_cosine"] = report::cosines(found.centred);
        summary["unchanging_features"] = report::still(found.still);
    }
    if let Some(certificate) = &certificate {
        summary["certificate"] = json!(certificate);
    }
    report.show(&summary, || {
        print_pack(&args.output, &pack, bytes.len(), started.elapsed());
        report::left_out("calibrated", &bad_files);
        report::left_out("cuts compared", &chosen.bad_files);
        if chosen.tail.is_none() && !is_pooled {
            say!("the features are all of that tensor: which of its axes are places is not known");
        }
        if let Some(FeatureCosines { plain, centred, still }) = cosines {
            if let (Some(plain), Some(centred)) = (plain, centred) {
                say!(
                    "int8 to float features on samples of the calibration: cosine {:.4}, and {:.4} less what all samples share",
                    plain.mean,
                    centred.mean
                );
            }
            report::print_still(still);
        }
        if own_scales {
            print_differences(&differences);
        }
        if let Some(certificate) = certificate {
            print_certificate(&certificate);
        }
    });
    let still = cosines.and_then(|found| found.still).filter(|still| still.is_dead());
    if still.is_some() {
        eprintln!(
            "headstart: the features are the same for all samples of the calibration, and no head learns anything from \
             them: freeze at another tensor, or calibrate with samples that differ"
        );
    }
    let centred = cosines.and_then(|found| found.centred).filter(|_| still.is_none());
    if let Some(centred) = centred.filter(|centred| centred.mean < LEAST_COSINE) {
        eprintln!(
            "headstart: quantisation changed much of what tells samples apart (a cosine of {:.3} to float): see what heads \
             lose by it with `headstart compare`, or freeze at another tensor",
            centred.mean
        );
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

/// How int8 features differ from float ones on a few of the samples; `None` where there are none to compare, or a tail reads
/// the features.
fn cosines(
    pack: &Pack<'_>,
    model: &Model,
    graph: &Graph,
    samples: &[Sample],
) -> Result<Option<FeatureCosines>, Error> {
    if samples.len() < 2 || pack.tail().is_some() {
        return Ok(None);
    }
    let step = samples.len().div_ceil(COMPARED);
    let some: Vec<&Sample> = samples.iter().step_by(step).collect();
    let float = FloatGraph::new(&model.path, graph)?;
    Ok(Some(compare::feature_cosines(pack, graph, &float, &some)?))
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

/// The samples that show what the device will see, as the graph takes them, and what is wrong with those that are left out; none for a model with scales of its own.
fn calibration(
    report: Report,
    args: &PackArgs,
    model: &Model,
    graph: &Graph,
    preprocessing: Preprocessing,
) -> Result<(Vec<Sample>, Vec<String>), Error> {
    let input = inputs::describe(&model.path, graph, preprocessing)?;
    let Some(folder) = &args.calib else {
        if scales::is_quantised(graph) {
            return Ok(Default::default());
        }
        return Err(Error::Usage(format!(
            "{}: this model brings no scales along; show what the device will see with --calib DIR",
            args.model.display()
        )));
    };
    let mut calib = Dataset::unlabelled(folder)?;
    let is_picture =
        |path: &Path| path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("npy"));
    let of_pictures = calib.samples.iter().any(|sample| is_picture(&sample.path));
    preprocessing::check_scale(model, &preprocessing, of_pictures)?;
    inputs::spread(&mut calib, inputs::most_kept(&input).min(args.calib_limit as usize));
    let bar = report.progress(calib.samples.len(), "reading");
    let (samples, bad) = inputs::sound(&input, &calib, || bar.inc(1));
    bar.finish_and_clear();
    if !bad.is_empty() && (samples.is_empty() || !args.sampling.skip_bad) {
        return Err(Refused::Files(bad).into());
    }
    Ok((samples, bad.iter().map(ToString::to_string).collect()))
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
