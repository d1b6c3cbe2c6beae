//! What a pack says, and whether every byte of it is right.

use std::path::{Path, PathBuf};

use headstart::head::HeadRecord;
use headstart::pack::{Pack, Trust};
use headstart::tail::Tail;
use serde_json::{Value, json};

use super::error::{Error, Usage};
use super::{file, preprocessing};
use crate::ship::keys::{self, hex};

/// A pack whose every byte is right.
#[derive(Debug)]
pub struct Verified {
    /// The report, a JSON object.
    pub summary: Value,
    /// The backbone's digest, in hexadecimal.
    pub digest: String,
    /// Who signed it: key, family and counter.
    pub signature: Option<(String, String, u64)>,
    /// Whether that was one of the keys that were given.
    pub is_trusted: bool,
}

/// Reads what a pack says of itself, as a JSON object.
///
/// # Errors
/// [`Error::Refused`] for what is no pack.
pub fn info(path: &Path) -> Result<Value, Error> {
    let bytes = file::read_pack(path)?;
    let refuse = Error::in_pack(path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    summary(&pack, bytes.len()).map_err(refuse)
}

/// Checks every byte of a pack; with keys also that one of them has signed it, for boards of this family and with this security counter at
/// least.
///
/// # Errors
/// [`Error::Refused`].
pub fn verify(
    path: &Path,
    key_files: &[PathBuf],
    family: Option<&str>,
    least_counter: u64,
) -> Result<Verified, Error> {
    let bytes = file::read_pack(path)?;
    let refuse = Error::in_pack(path);
    let mut trusted = Vec::new();
    for file in key_files {
        trusted.push(keys::public_key(file, &file::read_key(file)?)?);
    }
    let pack = if trusted.is_empty() {
        Pack::open(&bytes).map_err(refuse)?
    } else {
        // Only read so far: what it says counts when it is verified.
        let said = Pack::open(&bytes).map_err(refuse)?.signature().map(|s| s.family.to_owned());
        let family = family.or(said.as_deref()).unwrap_or_default();
        let trust = Trust { keys: &trusted, family, least_counter };
        Pack::open_trusted(&bytes, &trust).map_err(refuse)?.0
    };
    let digest = hex(&pack.backbone_digest());
    let signature = pack.signature().map(|signature| {
        json!({
            "key": hex(&signature.key), "family": signature.family,
            "counter": signature.counter, "verified": !trusted.is_empty(),
        })
    });
    let summary = json!({
        "pack": path, "bytes": bytes.len(), "backbone_digest": digest, "signature": signature,
    });
    let said = pack.signature();
    let signature = said.map(|said| (hex(&said.key), said.family.to_owned(), said.counter));
    Ok(Verified { summary, digest, signature, is_trusted: !trusted.is_empty() })
}

/// Refuses a pack with a trainable tail.
pub(super) fn without_tail(pack: &Pack<'_>, path: &Path) -> Result<(), Usage> {
    match pack.tail() {
        None => Ok(()),
        Some(_) => Err(Usage::HasTail { pack: path.to_owned() }),
    }
}

/// What a pack's tail says of itself, if there is one.
fn tail(pack: &Pack<'_>) -> Result<Value, headstart::Error> {
    let (Some(section), Some(tail)) = (pack.tail(), Tail::parse(pack)?) else {
        return Ok(Value::Null);
    };
    let parameters = tail.parameters();
    let elements = |id: &usize| tail.graph.values[*id].constant.as_ref().map_or(0, |c| c.len());
    let nodes =
        tail.graph.nodes.iter().filter(|node| node.inputs.iter().any(|id| parameters.contains(id)));
    Ok(json!({
        "bytes": section.constants.len() + section.description.len(),
        "outputs": section.head_inputs,
        "map": tail.map(),
        "crossing": section.crossing().collect::<Vec<_>>(),
        "parameters": parameters.iter().map(elements).sum::<usize>(),
        "layers": nodes.map(|node| node.name.as_str()).collect::<Vec<_>>(),
    }))
}

/// Says what a pack says of itself, as a JSON object.
///
/// # Errors
/// The rule that the pack breaks.
pub fn summary(pack: &Pack<'_>, bytes: usize) -> Result<Value, headstart::Error> {
    let (provenance, input, plan) = (pack.provenance(), pack.input(), pack.plan());
    let resize = match input.preprocessing.resize.short_side() {
        None => "stretched to the input".to_owned(),
        Some(side) => format!("shorter side to {side}, middle cut out"),
    };
    let filter = input.preprocessing.resize.filter().map_or("own", preprocessing::name);
    let head = pack.head().map(HeadRecord::parse).transpose()?;
    Ok(json!({
        "model": provenance.model,
        "pack_bytes": bytes,
        "backbone_digest": hex(&pack.backbone_digest()),
        "source_sha256": hex(&provenance.source_sha256),
        "tool_version": provenance.tool_version,
        "freeze_point": provenance.freeze_point,
        "input": [input.height, input.width, input.channels],
        "mean": input.preprocessing.mean,
        "std": input.preprocessing.std,
        "resize": resize,
        "resize_filter": filter,
        "features": pack.feature_len(),
        "tail": tail(pack)?,
        "nodes": pack.node_count(),
        "multiply_accumulates": provenance.multiply_accumulates,
        "weight_bytes": pack.network().weights().len(),
        "calibration": provenance.calibration,
        "calibration_samples": provenance.calibration_samples,
        "arena_bytes": plan.arena_bytes,
        "max_classes": plan.max_classes,
        "head_bytes": plan.head_bytes,
        "learner_bytes": plan.learner_bytes,
        "ram_bytes": plan.ram_bytes(),
        "head_classes": head.map(|head| head.labels().collect::<Vec<_>>()),
    }))
}
