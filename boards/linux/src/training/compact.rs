//! The smallest form of a head: float16 weights and no prototypes.

use headstart::head::{HeadParts, HeadRecord, LinearHead, Storage};

use crate::hidden::HiddenLayer;
use crate::state::Problem;

/// The record in 2 bytes a weight; a hidden layer before it stays as it is. Prototypes are for a device that gets the
/// head without its samples: there, without them, a class is stood for by what its weights say.
///
/// # Errors
/// [`Problem::Training`] for bytes that are no record.
pub fn compact(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let (_, last) = HiddenLayer::split(bytes)?;
    let record = HeadRecord::parse(last)?;
    let (classes, features) = (record.classes(), record.feature_len());
    let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
    record.read(&mut weights, &mut bias)?;
    let (labels, samples): (Vec<&str>, Vec<u32>) = record.labels().zip(record.samples()).unzip();
    let parts = HeadParts {
        head: LinearHead::new(&weights, &bias, features)?,
        backbone_digest: *record.backbone_digest(),
        labels: &labels,
        samples: &samples,
        learner: record.learner(),
        storage: Storage::F16,
        temperature: record.temperature(),
        unknown_threshold: record.unknown_threshold(),
        held_out: record.held_out(),
        prototypes: None,
    };
    let mut compact = vec![0; parts.encoded_len()?];
    parts.emit(&mut compact)?;
    let hidden = &bytes[..bytes.len() - last.len()];
    Ok([hidden, &compact].concat())
}
