//! What `pack --freeze auto` tried, and why it took what it took.

use headstart_tools::tasks::Tried;

use super::report;

/// Prints the best cuts and the cheapest good ones, or all of them.
pub(super) fn print(tried: &Tried, all: bool) {
    let header = [
        "", "tensor", "pool", "features", "accuracy", "error", "in int8", "samples", "MACs",
        "head", "RAM",
    ];
    let mut table = report::table(&header);
    let shown = if all { (0..tried.candidates.len()).collect() } else { tried.shown() };
    for &at in &shown {
        let candidate = &tried.candidates[at];
        table.add_row([
            if *candidate == tried.chosen { "*" } else { "" }.to_owned(),
            candidate.tensor.clone(),
            format!("{0} x {0}", candidate.grid),
            candidate.features.to_string(),
            format!("{:.1} ± {:.1} %", 100.0 * candidate.accuracy, 100.0 * candidate.spread),
            format!("{:.3}", candidate.error),
            candidate.int8.map_or_else(String::new, |int8| {
                format!("{:.1} %, {:.3}", 100.0 * int8.accuracy, int8.error)
            }),
            candidate.samples.to_string(),
            report::count(candidate.macs),
            report::bytes(candidate.head_bytes),
            report::bytes(candidate.ram_bytes),
        ]);
    }
    say!("{table}");
    say!("* {}", tried.rule());
    let left = tried.candidates.len() - shown.len();
    if left > 0 {
        say!(
            "{left} more cuts were tried: --all shows them too. Here are the best, and the cheapest that are \
             about as good"
        );
    }
    say!("");
}
