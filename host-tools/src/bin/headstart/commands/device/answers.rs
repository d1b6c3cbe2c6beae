//! `device predict` and `device eval`: what the board answers.

use std::path::{Path, PathBuf};

use headstart::pack::Pack;
use headstart_cable::client::{Answer, Board};
use headstart_device::shown::counted;
use serde_json::json;

use super::super::report::{Report, left_out, table};
use super::inputs;
use crate::cli::Sampling;
use crate::error::Error;

pub(super) fn predict(
    report: Report,
    connect: impl Fn() -> Result<Board, Error>,
    pack_path: &Path,
    files: &[PathBuf],
) -> Result<(), Error> {
    let bytes = super::super::read_pack(pack_path)?;
    let refuse = Error::in_pack(pack_path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let mut board = connect()?;
    inputs::check(&board, &pack, pack_path)?;
    let mut failed = None;
    let mut rows = Vec::new();
    for file in files {
        // A file that is refused leaves the others answered; a board that is gone ends it.
        match inputs::input(&pack, file) {
            Ok(input) => rows.push((file, Ok(board.predict(&input)?))),
            Err(error) => {
                rows.push((file, Err(error.to_string())));
                failed = failed.or(Some(error.into()));
            }
        }
    }
    let entries: Vec<_> = rows
        .iter()
        .map(|(file, answer)| match answer {
            Ok(answer) => json!({
                "file": file,
                "label": (!answer.unknown).then_some(&answer.label),
                "best": answer.label,
                "probability": answer.probability,
                "unknown": answer.unknown,
            }),
            Err(error) => json!({
                "file": file,
                "label": null,
                "best": null,
                "probability": null,
                "unknown": false,
                "error": error,
            }),
        })
        .collect();
    report.show(&json!({ "files": entries }), || {
        let mut table = table(&["file", "answer", "probability"]);
        for (file, answer) in &rows {
            let file = file.display().to_string();
            match answer {
                Ok(answer) => table.add_row([
                    file,
                    if answer.unknown {
                        format!("unknown (nearest: {})", answer.label)
                    } else {
                        answer.label.clone()
                    },
                    format!("{:.1} %", answer.probability * 100.0),
                ]),
                Err(_) => table.add_row([file, "refused".to_owned(), "–".to_owned()]),
            };
        }
        say!("{table}");
    });
    failed.map_or(Ok(()), Err)
}

pub(super) fn evaluate(
    report: Report,
    connect: impl Fn() -> Result<Board, Error>,
    pack_path: &Path,
    folder: &Path,
    sampling: Sampling,
) -> Result<(), Error> {
    let bytes = super::super::read_pack(pack_path)?;
    let refuse = Error::in_pack(pack_path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let (samples, bad_files) = inputs::samples(&pack, folder, sampling)?;
    let mut board = connect()?;
    inputs::check(&board, &pack, pack_path)?;
    let (_, classes) = board.status()?;
    // The table has a cell for each pair of them, and what a board says of itself may be anything.
    inputs::check_classes(classes.len(), &pack, pack_path)?;
    let mut unknown: Vec<&str> = samples.iter().map(|sample| sample.label.as_str()).collect();
    unknown.dedup();
    unknown.retain(|label| classes.iter().all(|class| class.name != *label));
    if !unknown.is_empty() {
        return Err(Error::Usage(format!(
            "{}: the board knows no class {}: learn them first, or leave the folders out",
            folder.display(),
            unknown.join(", ")
        )));
    }
    let mut confusion = vec![vec![0_u32; classes.len()]; classes.len()];
    let (mut right, mut unsure) = (0_usize, 0_usize);
    let bar = report.progress(samples.len(), "evaluating");
    for sample in &samples {
        let Answer { class, truth, unknown, .. } = board.evaluate(&sample.input, &sample.label)?;
        let truth = truth.map(usize::from);
        if let Some(cell) =
            truth.and_then(|truth| confusion.get_mut(truth)?.get_mut(usize::from(class)))
        {
            *cell += 1;
        }
        right += usize::from(truth == Some(class.into()));
        unsure += usize::from(unknown);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let share = |part: usize| part as f64 / samples.len() as f64;
    let total = |class: usize| confusion[class].iter().sum::<u32>();
    let ratio = |part: u32, whole: u32| (whole > 0).then(|| f64::from(part) / f64::from(whole));
    let recall = |class: usize| ratio(confusion[class][class], total(class));
    let precision =
        |class: usize| ratio(confusion[class][class], confusion.iter().map(|row| row[class]).sum());
    let entries: Vec<_> = (0..classes.len())
        .map(|at| {
            json!({
                "name": classes[at].name,
                "samples": total(at),
                "precision": precision(at),
                "recall": recall(at),
            })
        })
        .collect();
    let result = json!({
        "accuracy": share(right),
        "samples": samples.len(),
        "unknown": share(unsure),
        "classes": entries,
        "confusion": confusion,
        "bad_files": bad_files,
    });
    report.show(&result, || {
        say!(
            "accuracy {:.1} % on {}; {:.1} % called unknown\n",
            100.0 * share(right),
            counted(samples.len(), "sample"),
            100.0 * share(unsure)
        );
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
        };
        let mut table = table(&["class", "samples", "precision", "recall"]);
        for (at, class) in classes.iter().enumerate() {
            table.add_row([
                class.name.clone(),
                total(at).to_string(),
                percent(precision(at)),
                percent(recall(at)),
            ]);
        }
        say!("{table}");
        left_out("evaluated", &bad_files);
    });
    Ok(())
}
