//! The result as a picture: accuracy lesson by lesson, example pictures, and what is taken for what.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use image::imageops::FilterType;
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::lesson::Stage;
use crate::report::{Report, percent};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 660;
const MARGIN: i32 = 48;
/// Everything is drawn this much larger and then shrunk, which smooths the letters.
const SCALE: u32 = 3;
const TEXT: RGBColor = RGBColor(32, 38, 46);
const QUIET: RGBColor = RGBColor(110, 118, 129);
const TRACK: RGBColor = RGBColor(236, 239, 243);
const GUESS: RGBColor = RGBColor(170, 178, 189);
const LEARNED: RGBColor = RGBColor(28, 110, 140);
const BEST: RGBColor = RGBColor(226, 112, 45);

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

/// Draws the report into a PNG file.
///
/// # Errors
/// An example picture that cannot be read, or a file that cannot be written.
pub(crate) fn draw(report: &Report<'_>, path: &Path) -> Result<()> {
    for (style, bytes) in
        [(FontStyle::Normal, ttf_noto_sans::REGULAR), (FontStyle::Bold, ttf_noto_sans::BOLD)]
    {
        register_font("sans-serif", style, bytes).map_err(|_| anyhow!("the font is broken"))?;
    }
    let (width, height) = (WIDTH * SCALE, HEIGHT * SCALE);
    let mut pixels = vec![255; (width * height * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        title(&area, report)?;
        bars(&area, &report.outcome.stages)?;
        matrix(&area, report)?;
        figures(&area, report)?;
        area.present()?;
    }
    let large = image::RgbImage::from_raw(width, height, pixels).context("wrong canvas size")?;
    let mut canvas = image::imageops::resize(&large, WIDTH, HEIGHT, FilterType::Triangle);
    examples(&mut canvas, report)?;
    canvas.save(path).with_context(|| path.display().to_string())
}

fn title(area: &Area<'_>, report: &Report<'_>) -> Result<()> {
    let (task, outcome) = (report.task, report.outcome);
    let line = format!("A frozen network learns {} new classes", outcome.classes.len());
    text(area, &line, (MARGIN, 34), 30, FontStyle::Bold, TEXT, HPos::Left)?;
    let line = format!("{}   →   {}", task.network, task.pictures);
    text(area, &line, (MARGIN, 78), 19, FontStyle::Normal, QUIET, HPos::Left)
}

/// One bar a stage, on a track that ends at 100 %.
fn bars(area: &Area<'_>, stages: &[Stage]) -> Result<()> {
    let (left, right, first, step) = (MARGIN, 610, 136, 84);
    let best = stages.iter().map(|stage| stage.accuracy).fold(0.0, f64::max);
    for (stage, row) in stages.iter().zip(0..) {
        let top = first + row * step;
        text(area, &stage.what, (left, top), 19, FontStyle::Normal, TEXT, HPos::Left)?;
        let value = percent(stage.accuracy);
        text(area, &value, (right, top - 4), 23, FontStyle::Bold, TEXT, HPos::Right)?;
        let colour = match stage.confusion.is_empty() {
            true => GUESS,
            false if stage.accuracy >= best => BEST,
            false => LEARNED,
        };
        let (bar_top, bar_bottom) = (top + 29, top + 51);
        let end = left + ((right - left) as f64 * stage.accuracy) as i32;
        block(area, (left, bar_top), (right, bar_bottom), TRACK)?;
        block(area, (left, bar_top), (end, bar_bottom), colour)?;
    }
    Ok(())
}

/// The confusion matrix of the last stage: a row is what a picture shows, a column what was answered.
fn matrix(area: &Area<'_>, report: &Report<'_>) -> Result<()> {
    let (outcome, left, top, side) = (report.outcome, 790, 168, 420);
    let Some(stage) = outcome.stages.last() else { return Ok(()) };
    let columns = stage.confusion.iter().map(Vec::len).max().unwrap_or(0);
    let cells = outcome.classes.len().max(columns).max(1) as i32;
    let cell = side / cells;
    let heading = format!("What it answers, {}", stage.what);
    text(area, &heading, (left, 128), 19, FontStyle::Normal, TEXT, HPos::Left)?;
    for (row, counts) in (0..).zip(&stage.confusion) {
        let y = top + row * cell;
        let all = counts.iter().sum::<u64>().max(1) as f64;
        let name = outcome.classes.get(row as usize).map_or("", String::as_str);
        text(
            area,
            name,
            (left - 10, y + cell / 2 - 11),
            16,
            FontStyle::Normal,
            QUIET,
            HPos::Right,
        )?;
        for (column, &count) in (0..).zip(counts) {
            let x = left + column * cell;
            let share = count as f64 / all;
            let base = if row == column { LEARNED } else { BEST };
            let strength = if count == 0 { 0.0 } else { 0.15 + 0.85 * share };
            let colour = blend(TRACK, base, strength);
            block(area, (x, y), (x + cell - 3, y + cell - 3), colour)?;
            if count > 0 {
                let ink = if strength > 0.5 { WHITE } else { TEXT };
                let at = (x + cell / 2 - 2, y + cell / 2 - 9);
                text(area, &count.to_string(), at, 15, FontStyle::Normal, ink, HPos::Center)?;
            }
        }
    }
    let legend = "rows: what the picture shows · columns: the answer, in the same order";
    let at = (left, top + cells * cell + 8);
    let unknown = if columns > outcome.classes.len() { "; last: “unknown”" } else { "" };
    text(area, &format!("{legend}{unknown}"), at, 15, FontStyle::Normal, QUIET, HPos::Left)
}

/// Sizes and times of the last pack, in one line.
fn figures(area: &Area<'_>, report: &Report<'_>) -> Result<()> {
    let Some(line) = report.figures_line() else { return Ok(()) };
    text(area, &line, (MARGIN, 586), 16, FontStyle::Normal, QUIET, HPos::Left)
}

/// One training picture of each class in a row, enlarged without smoothing.
fn examples(canvas: &mut image::RgbImage, report: &Report<'_>) -> Result<()> {
    let (top, side, gap) = (498_i64, 50_u32, 7_i64);
    for (class, column) in report.outcome.classes.iter().take(10).zip(0..) {
        let folder = report.task.data.join("train").join(class);
        let path = first_file(&folder)?;
        let picture = image::open(&path).with_context(|| path.display().to_string())?;
        let enlarged = picture.resize_exact(side, side, FilterType::Nearest).to_rgb8();
        let left = i64::from(MARGIN) + column * (i64::from(side) + gap);
        image::imageops::overlay(canvas, &enlarged, left, top);
    }
    Ok(())
}

fn first_file(folder: &Path) -> Result<PathBuf> {
    let files = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    paths.into_iter().min().with_context(|| format!("{} is empty", folder.display()))
}

fn blend(from: RGBColor, to: RGBColor, part: f64) -> RGBColor {
    let mix = |from: u8, to: u8| (f64::from(from) * (1.0 - part) + f64::from(to) * part) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// A filled rectangle between two corners.
fn block(area: &Area<'_>, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Result<()> {
    area.draw(&Rectangle::new([scaled(from), scaled(to)], colour.filled()))?;
    Ok(())
}

fn scaled((x, y): (i32, i32)) -> (i32, i32) {
    (x * SCALE as i32, y * SCALE as i32)
}

/// Writes `line` with its top at `at.1`.
fn text(
    area: &Area<'_>,
    line: &str,
    at: (i32, i32),
    size: i32,
    style: FontStyle,
    colour: RGBColor,
    horizontal: HPos,
) -> Result<()> {
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(size) * f64::from(SCALE), style);
    let style = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Top));
    area.draw_text(line, &style, scaled(at))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::Task;
    use crate::lesson::{Outcome, PackFigures};

    /// With `KEEP_PICTURE=FILE` the picture stays for a look.
    #[test]
    fn a_report_becomes_a_picture() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let icons = headstart_tests::drawings::icons();
        headstart_tests::drawings::write_folder(&data.join("train"), &icons, 1, 1).unwrap();
        let classes: Vec<String> = icons.into_iter().map(|(name, _)| name).collect();
        let stage = |what: &str, accuracy: f64, wrong: u64| Stage {
            what: what.into(),
            accuracy,
            confusion: (0..10)
                .map(|row| {
                    let count = |column| match column {
                        _ if column == row => 30 - wrong,
                        _ if column == (row * 3 + 4) % 10 => wrong,
                        _ => 0,
                    };
                    (0..10).map(count).collect()
                })
                .collect(),
            learn_time: Duration::from_secs(1),
        };
        let mut guess = stage("before: a blind guess", 0.1, 0);
        guess.confusion.clear();
        let outcome = Outcome {
            classes,
            stages: vec![
                guess,
                stage("after 5 pictures a class", 0.72, 9),
                stage("after 20 pictures a class", 0.86, 4),
                stage("after 20 a class, with --freeze auto", 0.95, 2),
            ],
            packs: vec![PackFigures {
                what: "frozen at the classifier",
                pack_time: Duration::from_secs(3),
                bench: json!({
                    "pack_bytes": 3_400_000, "head_bytes": 51_234,
                    "predict_ms": {"median": 12.3}, "backbone_ms": {"median": 12.1},
                    "peak_rss_bytes": 9_000_000,
                }),
            }],
            model_bytes: 1,
            test_samples: 300,
        };
        let task = Task {
            network: "the carried network, trained on random line figures".into(),
            pictures: "icons drawn by the project's own generator".into(),
            fallback: None,
            model: PathBuf::new(),
            preprocess: "tf",
            first_lesson: 5,
            data,
        };
        let report =
            Report { task: &task, outcome: &outcome, whole_seconds: Duration::from_secs(9) };
        let kept = std::env::var_os("KEEP_PICTURE").map(PathBuf::from);
        let path = kept.unwrap_or_else(|| folder.path().join("result.png"));
        draw(&report, &path).unwrap();
        let picture = image::open(&path).unwrap().to_rgb8();
        for (what, colour) in [("bar", BEST), ("guess", GUESS), ("matrix", LEARNED)] {
            let colour = image::Rgb([colour.0, colour.1, colour.2]);
            assert!(picture.pixels().any(|&pixel| pixel == colour), "no {what} was drawn");
        }
    }
}
