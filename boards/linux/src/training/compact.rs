//! A head's record written again: in its smallest form, or with another threshold.

use headstart::head::{HeadParts, HeadRecord, LinearHead, Storage};

use crate::hidden::HiddenLayer;
use crate::state::Problem;

/// The record in 2 bytes a weight; a hidden layer before it stays as it is. Prototypes are for a device that gets the
/// head without its samples: there, without them, a class is stood for by what its weights say.
///
/// # Errors
/// [`Problem::Training`] for bytes that are no record.
pub fn compact(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    rewrite(bytes, |parts| (parts.storage, parts.prototypes) = (Storage::F16, None))
}

/// The record with another threshold below which answers are "unknown", 0 to 1.
///
/// # Errors
/// [`Problem::Training`] for bytes that are no record.
pub fn with_threshold(bytes: &[u8], threshold: f32) -> Result<Vec<u8>, Problem> {
    rewrite(bytes, |parts| parts.unknown_threshold = threshold)
}

fn rewrite(bytes: &[u8], change: impl FnOnce(&mut HeadParts<'_>)) -> Result<Vec<u8>, Problem> {
    let (_, last) = HiddenLayer::split(bytes)?;
    let record = HeadRecord::parse(last)?;
    let (classes, features) = (record.classes(), record.feature_len());
    let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
    record.read(&mut weights, &mut bias)?;
    let (labels, samples): (Vec<&str>, Vec<u32>) = record.labels().zip(record.samples()).unzip();
    let mut parts = HeadParts {
        head: LinearHead::new(&weights, &bias, features)?,
        backbone_digest: *record.backbone_digest(),
        labels: &labels,
        samples: &samples,
        learner: record.learner(),
        storage: record.storage(),
        temperature: record.temperature(),
        unknown_threshold: record.unknown_threshold(),
        held_out: record.held_out(),
        prototypes: record.prototypes(),
    };
    change(&mut parts);
    let mut written = vec![0; parts.encoded_len()?];
    parts.emit(&mut written)?;
    let hidden = &bytes[..bytes.len() - last.len()];
    Ok([hidden, &written].concat())
}
