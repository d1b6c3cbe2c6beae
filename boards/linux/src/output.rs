//! What the commands print: JSON or tables on stdout, warnings and errors on stderr. All text of this program leaves it
//! here, so that no control character in a name reaches a terminal.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
pub(crate) use headstart_device::shown::{counted, counted_are, thousands};
use headstart_device::{samples, shown};
use serde::Serialize;

/// A command's result: its fields are the JSON object's keys.
pub(crate) trait Report: Serialize {
    /// The same for a reader.
    fn text(&self) -> String;
}

/// Prints a result.
pub(crate) fn print(report: &impl Report, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string(report)? } else { report.text() };
    let text = if json { shown::json(&text) } else { shown::lines(text.trim_end()) };
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // The reader has seen enough (`| head`).
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("stdout: writing failed"),
    }
}

/// A line below the header and no other.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table; every column but the first is aligned to the right.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in rows {
        table.add_row(row.iter().map(|cell| shown::text(cell)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// Names and values, one a line.
pub(crate) fn facts(facts: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Disabled);
    for (name, value) in facts {
        table.add_row([name, &shown::text(&value)]);
    }
    table.trim_fmt()
}

/// A candidate that was not made current.
pub(crate) fn rejection(reason: &str) -> String {
    format!("Rejected, and nothing is changed: {reason}.")
}

/// `91.7 %`, or a dash for what was not measured.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// `1,234`, or a dash for what was not measured.
pub(crate) fn bytes(bytes: Option<usize>) -> String {
    bytes.map_or_else(|| "–".to_owned(), thousands)
}

/// Says what is not as it was asked for.
pub(crate) fn warn(text: &str) {
    complain("warning", text);
}

/// Says which files were passed over because of their name.
pub(crate) fn warn_skipped(skipped: &[PathBuf]) {
    const SHOWN: usize = 3;
    if skipped.is_empty() {
        return;
    }
    let names: Vec<_> = skipped.iter().take(SHOWN).map(|path| shown::path(path)).collect();
    let more = if skipped.len() > SHOWN { ", …" } else { "" };
    warn(&format!(
        "{} passed over, no JPEG, PNG, WebP, BMP or .npy in a class folder: {}{more}",
        counted(skipped.len(), "file"),
        names.join(", ")
    ));
}

/// Says which classes look like one.
pub(crate) fn warn_alike(pairs: &[[String; 2]]) {
    for [a, b] in pairs {
        let spelled = match a.is_ascii() && b.is_ascii() {
            true => String::new(),
            false => format!(" ({})", samples::told_apart(a, b)),
        };
        warn(&format!(
            "the classes {a:?} and {b:?} look the same{spelled}, and are two: rename joins them, if they are meant to be one"
        ));
    }
}

/// Says why something was not done.
pub(crate) fn error(text: &str) {
    complain("error", text);
}

/// The one way to standard error. What is said may hold names from anywhere. Where it is closed or full, nobody reads it, and the
/// work goes on.
fn complain(what: &str, text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{what}: {}", shown::lines(text));
}

/// A command line that was refused, as its parser says it.
pub(crate) fn refuse_command_line(text: &str) {
    eprint!("{}", shown::lines(text));
}
