//! Makes the head that a pack ships: the pretrained classifier, or one that was learned on the host.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use headstart::head::{HeadParts, HeadRecord, LinearHead, MAX_CLASSES, MAX_LABEL_BYTES, Storage};
use headstart::network::Value;
use headstart::pack::Pack;
use headstart_device::plain;
use headstart_device::state::StateFolder;

use crate::cut::inspect::Linear;
use crate::error::{Error, HeadProblem, LabelProblem};
use crate::import::model::Model;
use crate::quantise::quantised::Quantised;

/// The head that a device starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartingHead {
    /// No head: the device learns its own.
    New,
    /// The pretrained classifier.
    Pretrained,
    /// The head that was learned in this state folder, with the same backbone.
    Learned(PathBuf),
}

/// How many classes the head that a device starts from has, which it must have room for; `None` for a new one. `linear` is the pretrained
/// last layer, where it is one.
///
/// # Errors
///
/// [`Error::Head`] for more than a head holds, or a last layer that is not linear; [`Error::Unreadable`] and
/// [`Error::Pack`] for a state folder whose head cannot be read.
pub fn classes(choice: &StartingHead, linear: Option<&Linear>) -> Result<Option<u32>, Error> {
    let classes = match choice {
        StartingHead::New => return Ok(None),
        StartingHead::Pretrained => linear.ok_or(HeadProblem::NotLinear)?.classes,
        StartingHead::Learned(folder) => {
            let (path, bytes) = kept(folder)?;
            let refuse = |problem| Error::Pack { pack: path.clone(), problem };
            HeadRecord::parse(&bytes).map_err(refuse)?.classes()
        }
    };
    match u32::try_from(classes) {
        Ok(narrow) if classes <= MAX_CLASSES => Ok(Some(narrow)),
        _ => Err(HeadProblem::MoreThanAHeadHolds { classes }.into()),
    }
}

/// The record of the head that a device starts from; `None` for a new one.
///
/// # Errors
///
/// [`Error::Head`] and [`Error::Labels`] if the choice does not fit the backbone, [`Error::Unreadable`] and
/// [`Error::Pack`] for a state folder whose head cannot be read.
pub fn starting_head(
    choice: &StartingHead,
    labels: Option<&Path>,
    model: &Model,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    match choice {
        StartingHead::New => Ok(None),
        StartingHead::Pretrained => pretrained(labels, model, quantised).map(Some),
        StartingHead::Learned(folder) => learned(folder, quantised).map(Some),
    }
}

/// The record of the head that a device starts from, for a pack with a tail, whose outputs that head reads.
///
/// # Errors
///
/// [`Error::Head`] for a state folder, which belongs to a device, or without a linear classifier.
pub fn starting_head_of_tail(
    choice: &StartingHead,
    labels: Option<&Path>,
    linear: Option<&Linear>,
    quantised: &Quantised,
) -> Result<Option<Vec<u8>>, Error> {
    match choice {
        StartingHead::New => return Ok(None),
        StartingHead::Pretrained => {}
        StartingHead::Learned(_) => return Err(HeadProblem::OfTail.into()),
    }
    let linear = linear.ok_or(HeadProblem::NotLinear)?;
    let pack = open(quantised)?;
    if linear.weights.len() != linear.classes * pack.head_inputs() {
        return Err(HeadProblem::NotLinear.into());
    }
    record(&pack, labels, linear.classes, &linear.weights, &linear.bias).map(Some)
}

/// The head of a segmentation that nothing was learned of yet, if its classes have names.
///
/// # Errors
///
/// [`Error::Labels`] for a file of other than one name a class.
pub fn named_head(labels: Option<&Path>, quantised: &Quantised) -> Result<Option<Vec<u8>>, Error> {
    if labels.is_none() {
        return Ok(None);
    }
    let pack = open(quantised)?;
    let classes = pack.plan().max_classes as usize;
    let weights = vec![0.0; classes * pack.head_inputs()];
    record(&pack, labels, classes, &weights, &vec![0.0; classes]).map(Some)
}

/// Converts a linear head on real features to one on int8 features: `Σ w · (q − z) · s + b = Σ (w · s) · q + (b − z · s · Σ w)`.
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
        return Err(HeadProblem::OtherFeatures { reads: name.clone() }.into());
    }
    let linear = classifier.linear.ok_or(HeadProblem::NotLinear)?;
    let classes = linear.classes;
    let features = pack.feature_value().map_err(Error::NewPack)?;
    let weights = linear.weights.len();
    if weights != classes * features.elements() as usize {
        let features = features.elements();
        return Err(HeadProblem::Weights { weights, features, classes }.into());
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

/// Most bytes of a list of names: those of the most classes with the longest names, and ends of lines.
const MAX_LABELS_BYTES: u64 = 1 << 20;

fn read_labels(path: &Path, classes: usize) -> Result<Vec<String>, Error> {
    let unreadable = |problem| Error::Unreadable { path: path.to_owned(), problem };
    let text = plain::read(path, MAX_LABELS_BYTES).map_err(unreadable)?;
    let text = String::from_utf8(text).map_err(|_| {
        unreadable(std::io::Error::new(ErrorKind::InvalidData, "it is not UTF-8").into())
    })?;
    let labels: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let refuse = |problem| Err(Error::Labels { path: path.to_owned(), problem });
    if labels.len() != classes {
        return refuse(LabelProblem::Count { found: labels.len(), classes });
    }
    if let Some(label) = labels.iter().find(|l| l.is_empty() || l.len() > MAX_LABEL_BYTES) {
        return refuse(LabelProblem::Length(label.clone()));
    }
    Ok(labels)
}

fn learned(folder: &Path, quantised: &Quantised) -> Result<Vec<u8>, Error> {
    let (path, bytes) = kept(folder)?;
    HeadRecord::parse_for(&bytes, &open(quantised)?.backbone_digest())
        .map_err(|problem| Error::Pack { pack: path, problem })?;
    Ok(bytes)
}

/// The head's file in a state folder, and its bytes.
fn kept(folder: &Path) -> Result<(PathBuf, Vec<u8>), Error> {
    let state = StateFolder::new(folder);
    let bytes = state.head()?.ok_or_else(|| HeadProblem::None { folder: folder.to_owned() })?;
    Ok((state.head_path(), bytes))
}

fn open(quantised: &Quantised) -> Result<Pack<'_>, Error> {
    Pack::open(&quantised.bytes).map_err(Error::NewPack)
}
