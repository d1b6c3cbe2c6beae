//! Parts of reports, as JSON.

use serde_json::{Value, json};

use crate::cut::inspect::Cut;
use crate::quantise::choice::Tried;
use crate::quantise::compare::{Cosines, Heads, Still};
use crate::quantise::loss::Loss;
use crate::quantise::rules::Rules;

/// The cosines of many samples; `null` where there is nothing to compare.
pub(super) fn cosines(cosines: Option<Cosines>) -> Value {
    json!(cosines.map(|cosines| json!({ "mean": cosines.mean, "min": cosines.least })))
}

/// Features that never change; `null` where too few samples say so.
pub(super) fn still(still: Option<Still>) -> Value {
    json!(still.map(|still| json!({ "float": still.float, "int8": still.int8, "of": still.of })))
}

/// The accuracy of heads on both kinds of features; `null` where none was learned.
pub(super) fn heads(heads: Option<&Heads>) -> Value {
    json!(heads.map(|heads| json!({
        "float": { "mean": heads.float.accuracy, "spread": heads.float.spread },
        "int8": { "mean": heads.int8.accuracy, "spread": heads.int8.spread },
    })))
}

/// The rules of the calibration and what was tried.
pub(super) fn rules(rules: Rules, tried: &[Tried]) -> Value {
    let one = |rules: Rules| {
        json!({
            "ranges": rules.ranges.to_string(),
            "channel_scales": rules.channel_scales,
            "bias_correction": rules.bias_correction,
        })
    };
    let mut said = one(rules);
    let row = |tried: &Tried| {
        let mut row = one(tried.rules);
        row["error"] = json!(tried.error);
        row
    };
    said["tried"] = tried.iter().map(row).collect();
    said
}

/// Adds what int8 cost to the summary of a pack.
pub(super) fn add_loss(summary: &mut Value, loss: &Loss, is_held_out: bool) {
    summary["feature_cosine"] = cosines(loss.cosines.plain);
    summary["centred_feature_cosine"] = cosines(loss.cosines.centred);
    summary["unchanging_features"] = still(loss.cosines.still);
    summary["head_accuracy"] = heads(loss.heads.as_ref());
    summary["compared"] = json!({ "samples": loss.samples, "held_out": is_held_out });
    summary["worst_node"] = json!(loss.worst.as_ref().map(|worst| json!({
        "node": worst.node,
        "tensor": worst.tensor,
        "added_noise": worst.added,
        "freeze_instead": worst.instead,
    })));
}

/// A sensible cut of a model.
pub(super) fn cut(cut: &Cut) -> Value {
    json!({
        "tensor": cut.tensor,
        "node": cut.node,
        "backbone_weight_bytes": cut.backbone_bytes,
        "backbone_multiply_accumulates": cut.backbone_macs,
        "tail_multiply_accumulates": cut.tail_macs,
        "trainable_parameters": cut.parameters,
        "feature_bytes": cut.feature_bytes,
        "training_bytes": cut.training_bytes,
    })
}
