//! `compare`: what quantisation cost.

use std::path::Path;

use headstart_tools::cut::inspect::Cut;
use headstart_tools::quantise::compare::{self, Cosines, Heads, Still};
use headstart_tools::tasks::Sampling;
use headstart_tools::tasks::compare::{SeenCut, compare as compared};

use super::bar::Bar;
use super::report::{self, Report};
use super::sensible;
use crate::error::Error;

pub(super) fn compare(
    report: Report,
    pack: &Path,
    model: &Path,
    data: &Path,
    sampling: Sampling,
) -> Result<(), Error> {
    let found = compared(pack, model, data, sampling, &Bar::new(report, false))?;
    let heads = found.heads.as_ref();
    let cosines = &found.comparison.cosines;
    let (float, int8) = (&found.comparison.float_features, &found.comparison.int8_features);
    let [plain, centred] = [Cosines::of(cosines), compare::centred(float, int8)];
    let still = Still::of(float, int8);
    report.show(&found.summary, || {
        let mut table = report::table(&["tensor", "signal to noise"]);
        for (name, decibels) in &found.layers {
            let decibels = decibels.map_or_else(|| "zero".into(), |db| format!("{db:.1} dB"));
            table.add_row([name.clone(), decibels]);
        }
        say!("{table}");
        if found.comparison.looked_into < cosines.len() {
            say!("of {} of the samples, spread evenly", found.comparison.looked_into);
        }
        let said = |cosines: Option<Cosines>, none: &str| match cosines {
            Some(Cosines { mean, least }) => format!("mean {mean:.4}, least {least:.4}"),
            None => format!("none ({none})"),
        };
        say!(
            "feature cosine: {}; less their mean over the {} samples: {}",
            said(plain, "all are zero"),
            cosines.len(),
            said(centred, "none ever changes")
        );
        report::print_still(still);
        if let Some(Heads { float, int8, agreement, .. }) = heads {
            say!(
                "cross-validated head: {:.1} ± {:.1} % on float features, {:.1} ± {:.1} % on int8; \
                 the same top answer for {:.1} %",
                100.0 * float.accuracy,
                100.0 * float.spread,
                100.0 * int8.accuracy,
                100.0 * int8.spread,
                100.0 * agreement
            );
        }
        print_cuts(&found.cuts);
        report::left_out("compared", &found.bad_files);
    });
    Ok(())
}

fn print_cuts(seen: &[SeenCut]) {
    let cosine = |cut: &SeenCut| cut.cosine.map_or("–".into(), |c| format!("{c:.4}"));
    let own = |cut: &SeenCut| if cut.own { "this pack" } else { "" }.to_owned();
    let cuts: Vec<Cut> = seen.iter().map(|seen| seen.cut.clone()).collect();
    let more = [
        ("int8 to float", seen.iter().map(cosine).collect()),
        ("", seen.iter().map(own).collect()),
    ];
    sensible::print(&cuts, &more);
}
