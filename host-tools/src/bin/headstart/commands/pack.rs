//! `pack`: from an ONNX file and samples to a pack.

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::graph::Graph;
use headstart::pack::{Pack, Preprocessing};
use headstart_device::samples::Dataset;
use headstart_tools::cut::inspect::Linear;
use headstart_tools::error::Error as Refused;
use headstart_tools::import::model::Model;
use headstart_tools::import::scales;
use headstart_tools::quantise::inputs;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Quantised, Settings, quantise};
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
    let preprocessing = preprocessing::of_model(wanted, &model)?;
    let chosen = choose(report, args, &model, preprocessing)?;
    model.check_run(&chosen.graph)?;
    let (samples, bad_files) = calibration(report, args, &model, &chosen.graph, preprocessing)?;
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
    let head = starting_head(args, &model, chosen.linear.as_ref(), &quantised)?;
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
    summary["bad_files"] = json!(bad_files);
    summary["differences"] = json!(differences);
    if let Some(certificate) = &certificate {
        summary["certificate"] = json!(certificate);
    }
    report.show(&summary, || {
        print_pack(&args.output, &pack, bytes.len(), started.elapsed());
        if !bad_files.is_empty() {
            say!("calibrated without {} bad files:", bad_files.len());
            bad_files.iter().for_each(|line| say!("  {line}"));
        }
        if own_scales {
            print_differences(&differences);
        }
        if let Some(certificate) = certificate {
            print_certificate(&certificate);
        }
    });
    Ok(())
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
    inputs::spread(&mut calib, inputs::most_kept(&input).min(args.calib_limit as usize));
    let bar = report.progress(calib.samples.len(), "reading");
    let (samples, bad) = inputs::sound(&input, &calib, || bar.inc(1));
    bar.finish_and_clear();
    if !bad.is_empty() && (samples.is_empty() || !args.skip_bad) {
        return Err(Refused::Files(bad).into());
    }
    Ok((samples, bad.iter().map(ToString::to_string).collect()))
}

/// The record of the head that the pack ships.
fn starting_head(
    args: &PackArgs,
    model: &Model,
    linear: Option<&Linear>,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    let (labels, segments) = (args.labels.as_deref(), args.task == Task::Segmentation);
    let start = match args.head.as_str() {
        "new" => StartingHead::New,
        "keep" => StartingHead::Pretrained,
        folder => StartingHead::Learned(folder.into()),
    };
    Ok(if segments && start == StartingHead::New {
        heads::named_head(labels, quantised)?
    } else if segments || args.tail == Tail::Keep {
        heads::starting_head_of_tail(&start, labels, linear, quantised)?
    } else {
        heads::starting_head(&start, labels, model, quantised)?
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
