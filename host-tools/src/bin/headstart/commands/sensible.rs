//! The sensible cuts of a model, as `inspect` and `compare` show them.

use super::report;
use headstart_tools::cut::inspect::{BATCH, Cut};

/// Prints a row a cut; `more` are further columns, each with its header and a text a cut.
pub(super) fn print(cuts: &[Cut], more: &[(&str, Vec<String>)]) {
    if cuts.is_empty() {
        return;
    }
    say!("\nWith --tail keep, by --freeze (training: AdamW, {BATCH} samples a step, at most)");
    let mut header =
        vec!["--freeze", "backbone", "its MACs", "trained", "its MACs", "features", "training"];
    header.extend(more.iter().map(|(name, _)| *name));
    let mut table = report::table(&header);
    for (at, cut) in cuts.iter().enumerate() {
        let mut row = vec![
            cut.tensor.clone(),
            report::bytes(cut.backbone_bytes),
            report::count(cut.backbone_macs),
            report::count(cut.parameters),
            report::count(cut.tail_macs),
            report::bytes(cut.feature_bytes),
            report::bytes(cut.training_bytes),
        ];
        row.extend(more.iter().map(|(_, texts)| texts[at].clone()));
        table.add_row(row);
    }
    say!("{table}");
}
