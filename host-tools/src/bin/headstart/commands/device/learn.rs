//! `device learn`: a folder of samples, learned whole or not at all.

use headstart::pack::Pack;
use headstart_cable::client::{Board, Error as CableError, Lesson};
use headstart_cable::{Learner, Refusal};
use headstart_device::shown::counted;
use serde_json::json;

use super::super::report::{Report, left_out};
use super::inputs;
use crate::cli::{DeviceLearn, DeviceLearner};
use crate::error::Error;

pub(super) fn learn(
    report: Report,
    connect: impl Fn() -> Result<Board, Error>,
    args: &DeviceLearn,
) -> Result<(), Error> {
    let bytes = super::super::read_pack(&args.pack)?;
    let refuse = Error::in_pack(&args.pack);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    let (mut samples, bad_files) = inputs::samples(&pack, &args.data, args.sampling)?;
    // Class after class, a head that takes one step a sample would forget the first one.
    interleave(&mut samples);
    let mut board = connect()?;
    inputs::check(&board, &pack, &args.pack)?;
    let learner = match args.learner {
        DeviceLearner::Sgd => Some(Learner::Sgd),
        DeviceLearner::Ridge => Some(Learner::Ridge),
        DeviceLearner::Imprint => Some(Learner::Imprint),
        DeviceLearner::Step => None,
    };
    let lesson = Lesson { samples: &samples, learner, commit: !args.hold };
    let bar = report.progress(samples.len(), "learning");
    let outcome = board
        .check_room(learner)
        .and_then(|()| board.learn(lesson, |learned| bar.set_position(learned as u64)));
    let outcome = outcome.map_err(|error| match error {
        // A flash or a firmware that fails in a commit may have made it.
        CableError::Refused(Refusal::Flash | Refusal::Internal) => Error::Cable(error),
        CableError::Refused(_) => Error::Lesson(error),
        _ => Error::Cable(error),
    })?;
    bar.finish_and_clear();
    let (standing, classes) = board.status()?;
    let result = json!({
        "samples": samples.len(),
        "known": outcome.known,
        "kept_samples": outcome.kept,
        "trained_samples": outcome.trained,
        "loss": outcome.loss,
        "commit": outcome.commit,
        "restarts": outcome.restarts,
        "head_bytes": standing.head_bytes,
        "classes": super::standing::classes_json(&classes),
        "bad_files": bad_files,
    });
    report.show(&result, || {
        if outcome.known {
            say!("the board has learned these samples before; nothing is changed");
        } else {
            say!("{} learned, loss {:.3}", counted(samples.len(), "sample"), outcome.loss);
        }
        if let Some(number) = outcome.commit {
            say!("commit {number}, {} bytes", standing.head_bytes);
        } else if !outcome.known {
            say!("not committed: `device commit` makes it durable");
        }
        if !outcome.known && learner.is_some() && (outcome.trained as usize) < samples.len() {
            say!(
                "the board's flash keeps features of {}: the others were learned by one step each",
                counted(outcome.trained as usize, "sample")
            );
        }
        say!("{}", super::standing::classes_table(&classes));
        left_out("learned", &bad_files);
    });
    Ok(())
}

/// The first sample of each class, then the second one of each, and so on.
fn interleave(samples: &mut [headstart_cable::client::Sample]) {
    let mut ranks = Vec::with_capacity(samples.len());
    for class in samples.chunk_by(|a, b| a.label == b.label) {
        ranks.extend(0..class.len());
    }
    // Stable, so that classes keep their order.
    let mut ranked: Vec<_> =
        ranks.into_iter().zip(samples.iter_mut().map(std::mem::take)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    samples.iter_mut().zip(ranked).for_each(|(place, (_, sample))| *place = sample);
}
