//! The head that a pack ships: the pretrained classifier, or one that was learned on the host.

use std::path::Path;

use headstart::head::{HeadParts, HeadRecord, LinearHead, MAX_LABEL_BYTES, Storage};
use headstart::network::Value;
use headstart::pack::Pack;
use headstart_device::state::StateFolder;

use crate::cut::inspect::Linear;
use crate::error::Error;
use crate::import::model::Model;
use crate::quantise::quantised::Quantised;

/// The record for `--head new|keep|DIR`; `None` for a new head.
///
/// # Errors
///
/// [`Error::Option`] if the choice does not fit the backbone, [`Error::Unreadable`] and
/// [`Error::Pack`] for a state folder whose head cannot be read.
pub fn starting_head(
    choice: &str,
    labels: Option<&Path>,
    model: &Model,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    match choice {
        "new" => Ok(None),
        "keep" => pretrained(labels, model, quantised).map(Some),
        folder => learned(Path::new(folder), quantised).map(Some),
    }
}

/// The same for a pack with a tail, whose head reads what the tail gives.
///
/// # Errors
///
/// [`Error::Option`] for a state folder, which belongs to a device, or without a linear classifier.
pub fn starting_head_of_tail(
    choice: &str,
    labels: Option<&Path>,
    linear: Option<&Linear>,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    match choice {
        "new" => return Ok(None),
        "keep" => {}
        _ => {
            return Err(Error::Option(
                "--head DIR: a trained tail is not taken into a pack yet; copy the state folder to the device".into(),
            ));
        }
    }
    let linear = linear.ok_or_else(not_linear)?;
    let pack = open(quantised)?;
    if linear.weights.len() != linear.classes * pack.head_inputs() {
        return Err(not_linear());
    }
    record(&pack, labels, linear.classes, &linear.weights, &linear.bias).map(Some)
}

/// The head of a segmentation that nothing was learned of yet, if its classes have names.
///
/// # Errors
///
/// [`Error::Option`] for a file of other than one name a class.
pub fn named_head(labels: Option<&Path>, quantised: &Quantised) -> Result<Option<Vec<u8>>, Error> {
    if labels.is_none() {
        return Ok(None);
    }
    let pack = open(quantised)?;
    let classes = pack.plan().max_classes as usize;
    let weights = vec![0.0; classes * pack.head_inputs()];
    record(&pack, labels, classes, &weights, &vec![0.0; classes]).map(Some)
}

fn not_linear() -> Error {
    Error::Option(
        "--head keep: what follows the pretrained classifier is not linear; use --head new".into(),
    )
}

/// A linear head on real features as one on int8 features:
/// `Σ w · (q − z) · s + b = Σ (w · s) · q + (b − z · s · Σ w)`.
#[must_use]
pub fn onto_integers(features: &Value, weights: &[f32], bias: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let zero = f64::from(features.zero_point) * f64::from(features.scale);
    let scaled = weights.iter().map(|w| w * features.scale).collect();
    let rows = weights.chunks_exact(weights.len() / bias.len().max(1));
    let shifted = bias.iter().zip(rows).map(|(&b, row)| {
        let sum: f64 = row.iter().map(|&w| f64::from(w)).sum();
        (f64::from(b) - zero * sum) as f32
    });
    (scaled, shifted.collect())
}

fn pretrained(
    labels: Option<&Path>,
    model: &Model,
    quantised: &Quantised,
) -> Result<Vec<u8>, Error> {
    let (graph, classifier) = model.classifier()?;
    let pack = open(quantised)?;
    let name = &graph.values[classifier.features].name;
    if pack.provenance().freeze_point != name {
        return Err(Error::Option(format!(
            "--head keep: the pretrained classifier reads '{name}', so the backbone must end \
             there; use --freeze head"
        )));
    }
    let linear = classifier.linear.ok_or_else(not_linear)?;
    let classes = linear.classes;
    let features = pack.feature_value().map_err(Error::NewPack)?;
    if linear.weights.len() != classes * features.elements() as usize {
        return Err(Error::Option(format!(
            "--head keep: the pretrained classifier has {} weights, which are not one for each of \
             {} features and {classes} classes",
            linear.weights.len(),
            features.elements()
        )));
    }
    let (weights, bias) = onto_integers(&features, &linear.weights, &linear.bias);
    record(&pack, labels, classes, &weights, &bias)
}

/// The record of a classifier that learned from no sample here.
fn record(
    pack: &Pack<'_>,
    labels: Option<&Path>,
    classes: usize,
    weights: &[f32],
    bias: &[f32],
) -> Result<Vec<u8>, Error> {
    let labels = match labels {
        None => (0..classes).map(|class| format!("class {class}")).collect(),
        Some(path) => read_labels(path, classes)?,
    };
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let samples = vec![0; classes];
    let parts = HeadParts {
        storage: Storage::F16,
        ..HeadParts::new(
            LinearHead::new(weights, bias, pack.head_inputs()).map_err(Error::NewPack)?,
            pack.backbone_digest(),
            &labels,
            &samples,
        )
    };
    parts.to_vec().map_err(Error::NewPack)
}

fn read_labels(path: &Path, classes: usize) -> Result<Vec<String>, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let labels: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let refuse = |why: String| Err(Error::Option(format!("{}: {why}", path.display())));
    if labels.len() != classes {
        return refuse(format!("{} labels for {classes} classes; one a line", labels.len()));
    }
    if let Some(label) = labels.iter().find(|l| l.is_empty() || l.len() > MAX_LABEL_BYTES) {
        return refuse(format!("'{label}': a label is 1 to {MAX_LABEL_BYTES} bytes long"));
    }
    Ok(labels)
}

fn learned(folder: &Path, quantised: &Quantised) -> Result<Vec<u8>, Error> {
    let state = StateFolder::new(folder);
    let bytes = state.head()?.ok_or_else(|| {
        Error::Option(format!(
            "--head {}: neither `new` nor `keep` nor a folder where `headstart-edge learn` keeps \
             a head",
            folder.display()
        ))
    })?;
    HeadRecord::parse_for(&bytes, &open(quantised)?.backbone_digest())
        .map_err(|problem| Error::Pack { pack: state.head_path(), problem })?;
    Ok(bytes)
}

fn open(quantised: &Quantised) -> Result<Pack<'_>, Error> {
    Pack::open(&quantised.bytes).map_err(Error::NewPack)
}
