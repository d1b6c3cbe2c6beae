//! The result as tables, Markdown and JSON.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use comfy_table::presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, Table, TableStyle};
use serde_json::{Value, json};

use crate::Task;
use crate::lesson::{Outcome, PackFigures};

/// A finished run.
pub(crate) struct Report<'a> {
    /// What was learned.
    pub(crate) task: &'a Task,
    /// What came of it.
    pub(crate) outcome: &'a Outcome,
    /// From the start of this program, without its own compilation.
    pub(crate) whole_seconds: Duration,
}

impl Report<'_> {
    /// Both tables, for a terminal.
    pub(crate) fn tables(&self) -> String {
        let [accuracy, figures] = self.both(UTF8_FULL_CONDENSED);
        format!("{}\n\n{accuracy}\n\n{figures}\n", self.about())
    }

    /// Writes `result.md` and `result.json` into `folder`.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let [accuracy, figures] = self.both(ASCII_MARKDOWN);
        let markdown = format!("{}\n\n{accuracy}\n\n{figures}\n", self.about());
        let json = serde_json::to_string_pretty(&self.json())? + "\n";
        for (name, text) in [("result.md", markdown), ("result.json", json)] {
            std::fs::write(folder.join(name), text)
                .with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }

    /// Sizes and times of the last pack.
    pub(crate) fn figures_line(&self) -> Option<String> {
        let pack = self.outcome.packs.last()?;
        Some(format!(
            "ONNX file {}  ·  pack {}  ·  head {}  ·  one prediction {}",
            bytes(self.outcome.model_bytes as f64),
            bytes(number(&pack.bench["pack_bytes"])),
            bytes(number(&pack.bench["head_bytes"])),
            milliseconds(&pack.bench["predict_ms"]["median"]),
        ))
    }

    /// What was learned on what, in two or three lines.
    fn about(&self) -> String {
        let (outcome, task) = (self.outcome, self.task);
        let mut text = format!(
            "Network: {}.\nNew task: {}, {} classes, {} test pictures that were not learned from.",
            task.network,
            task.pictures,
            outcome.classes.len(),
            outcome.test_samples
        );
        if let Some(reason) = &task.fallback {
            text += &format!("\nThis is the carried network, not a large one: {reason}.");
        }
        text
    }

    fn both(&self, style: TableStyle) -> [Table; 2] {
        [self.accuracy(style), self.figures(style)]
    }

    fn accuracy(&self, style: TableStyle) -> Table {
        let mut table = table(style, &["", "right answers", "learning took"]);
        for stage in &self.outcome.stages {
            let took = match stage.learn_time {
                Duration::ZERO => "–".to_owned(),
                time => seconds(time),
            };
            table.add_row([stage.what.clone(), percent(stage.accuracy), took]);
        }
        table
    }

    fn figures(&self, style: TableStyle) -> Table {
        let packs = &self.outcome.packs;
        let mut header = vec![""];
        header.extend(packs.iter().map(|pack| pack.what));
        let mut table = table(style, &header);
        let mut row = |name: &str, cell: &dyn Fn(&PackFigures) -> String| {
            table.add_row(std::iter::once(name.to_owned()).chain(packs.iter().map(cell)));
        };
        row("ONNX file", &|_| bytes(self.outcome.model_bytes as f64));
        row("pack (read-only)", &|pack| bytes(number(&pack.bench["pack_bytes"])));
        row("head (what was learned)", &|pack| bytes(number(&pack.bench["head_bytes"])));
        row("packing, on the host", &|pack| seconds(pack.pack_time));
        row("one prediction", &|pack| milliseconds(&pack.bench["predict_ms"]["median"]));
        row("of that the backbone", &|pack| milliseconds(&pack.bench["backbone_ms"]["median"]));
        row("memory to predict", &|pack| bytes(number(&pack.bench["peak_rss_bytes"])));
        table
    }

    fn json(&self) -> Value {
        let outcome = self.outcome;
        let stages = outcome.stages.iter().map(|stage| {
            json!({
                "what": stage.what,
                "accuracy": stage.accuracy,
                "learn_seconds": stage.learn_time.as_secs_f64(),
                "confusion": stage.confusion,
            })
        });
        let packs = outcome.packs.iter().map(|pack| {
            json!({
                "what": pack.what,
                "pack_seconds": pack.pack_time.as_secs_f64(),
                "bench": pack.bench,
            })
        });
        json!({
            "network": self.task.network,
            "pictures": self.task.pictures,
            "fallback": self.task.fallback,
            "classes": outcome.classes,
            "test_samples": outcome.test_samples,
            "model_bytes": outcome.model_bytes,
            "stages": stages.collect::<Vec<_>>(),
            "packs": packs.collect::<Vec<_>>(),
            "whole_seconds": self.whole_seconds.as_secs_f64(),
        })
    }
}

/// All columns but the first are aligned to the right.
fn table(style: TableStyle, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Right answers of all, with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn milliseconds(value: &Value) -> String {
    format!("{:.1} ms", number(value))
}

/// Not a number where the key is missing: a table that shows `NaN` rather than a made-up zero.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Decimal units: 1 kB is 1,000 bytes.
fn bytes(count: f64) -> String {
    if count < 999_500.0 {
        format!("{:.1} kB", count / 1e3)
    } else {
        format!("{:.2} MB", count / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_decimal_and_change_where_they_should() {
        assert_eq!(bytes(800.0), "0.8 kB");
        assert_eq!(bytes(999_400.0), "999.4 kB");
        assert_eq!(bytes(3_456_789.0), "3.46 MB");
        assert_eq!(percent(0.8725), "87.2 %");
    }
}
