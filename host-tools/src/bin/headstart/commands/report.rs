//! How results are shown: tables for people, one JSON object for programs.

use comfy_table::{ContentArrangement, Table, presets};
use headstart_device::shown::counted;
use headstart_tools::quantise::compare::Still;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    /// One JSON object instead of text.
    pub(super) json: bool,
}

impl Report {
    /// Prints the JSON object, or what `text` prints.
    pub(super) fn show(self, json: &Value, text: impl FnOnce()) {
        if self.json {
            super::say::json(json);
        } else {
            text();
        }
    }

    /// A progress bar on standard error; none where that is no terminal.
    pub(super) fn progress(self, steps: usize, what: &'static str) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:>12} [{bar:30}] {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(steps as u64).with_style(style).with_message(what)
    }
}

/// Says without which files something was done.
pub(super) fn left_out(done: &str, bad_files: &[String]) {
    if !bad_files.is_empty() {
        say!("{done} without {}:", counted(bad_files.len(), "bad file"));
        bad_files.iter().for_each(|line| say!("  {line}"));
    }
}

/// Says which features never change, if any.
pub(super) fn print_still(still: Option<Still>) {
    let Some(still) = still.filter(|still| still.float + still.int8 > 0) else { return };
    let Still { float, int8, of } = still;
    let advice = match still.is_dead() {
        true => ": no head learns anything from them, so freeze at another tensor",
        false => "",
    };
    say!(
        "features that never change over these samples: {float} of {of} in float, {int8} in int8{advice}"
    );
}

/// A plain table.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// `1234567` as `1.2 M`.
pub(super) fn count(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{:.1} k", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", n as f64 / 1e6),
        _ => format!("{:.2} G", n as f64 / 1e9),
    }
}

/// Bytes in binary units.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KiB", n as f64 / 1024.0),
        _ => format!("{:.2} MiB", n as f64 / 1_048_576.0),
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
