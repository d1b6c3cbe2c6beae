//! How `pack` says what int8 cost.

use headstart_tools::quantise::choice::Tried;
use headstart_tools::quantise::compare::{Cosines, FeatureCosines};
use headstart_tools::quantise::loss::Loss;
use headstart_tools::quantise::rules::Rules;

use super::report;

/// Says which rules were taken, where they were a choice.
pub(super) fn print_rules(tried: &[Tried]) {
    let Some((best, others)) = tried.split_first() else { return };
    let usual = Rules::default();
    if best.rules == usual || others.is_empty() {
        return;
    }
    let before = others.iter().find(|tried| tried.rules == usual).map_or(0.0, |tried| tried.error);
    say!(
        "{}: {:.4} of the features' squares are noise on held-out samples, {before:.4} by the usual rules",
        best.rules,
        best.error
    );
}

/// Says what int8 cost.
pub(super) fn print(loss: &Loss, is_held_out: bool) {
    let FeatureCosines { plain, centred, still } = loss.cosines;
    if let (Some(plain), Some(centred)) = (plain, centred) {
        let heads = loss.heads.as_ref().map_or_else(String::new, |heads| {
            format!(
                "; heads {:.1} % right on float features, {:.1} % on int8",
                percent(heads.float.accuracy),
                percent(heads.int8.accuracy)
            )
        });
        say!(
            "int8 to float features on {} samples {} the calibration: cosine {:.4}, and {:.4} less what all samples share{heads}",
            loss.samples,
            if is_held_out { "held out of" } else { "of" },
            plain.mean,
            centred.mean
        );
    }
    report::print_still(still);
}

fn percent(share: f64) -> f64 {
    100.0 * share
}

/// Warns of features that are the same for all samples, or of which int8 lost much, and says where and what to do.
pub(super) fn warn(loss: &Loss) {
    if loss.cosines.still.is_some_and(|still| still.float == still.of) {
        eprintln!(
            "headstart: the features are the same for all samples of the calibration, and no head learns anything from \
             them: freeze at another tensor, or calibrate with samples that differ"
        );
        return;
    }
    if !loss.is_much() {
        return;
    }
    let mut found = Vec::new();
    if let Some(Cosines { mean, .. }) = loss.cosines.plain {
        found.push(format!("a cosine of {mean:.3} to float features"));
    }
    if let Some(heads) = &loss.heads {
        found.push(format!(
            "heads {:.1} % right instead of {:.1} %",
            percent(heads.int8.accuracy),
            percent(heads.float.accuracy)
        ));
    }
    let place = loss.worst.as_ref().map_or_else(String::new, |worst| {
        let node =
            format!("; most is lost at node '{}', which makes '{}'", worst.node, worst.tensor);
        match &worst.instead {
            Some(tensor) => {
                format!("{node}: the nearest cut before that loss is --freeze '{tensor}'")
            }
            None => format!("{node}, and no cut before it is without that loss"),
        }
    });
    eprintln!(
        "headstart: int8 loses much of what these features say ({}){place}",
        found.join(", ")
    );
}
