//! What a person sees of long work: a bar on a terminal, nothing in a pipe, and warnings.

use std::sync::Mutex;
use std::time::Duration;

use headstart_device::{Event, Observer, Work};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// Shows work on stderr.
#[derive(Default)]
pub(crate) struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    fn with(&self, show: impl FnOnce(&mut Option<ProgressBar>)) {
        show(&mut self.bar.lock().unwrap_or_else(|e| e.into_inner()));
    }
}

impl Observer for Terminal {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Begun { work, steps } => {
                self.with(|shown| *shown = Some(bar(name(work), steps)))
            }
            Event::Stepped(_) => self.with(|shown| shown.iter().for_each(|bar| bar.inc(1))),
            Event::Epoch { done, loss } => self.with(|shown| {
                for bar in shown.iter() {
                    bar.set_message(format!("loss {loss:.3}"));
                    bar.set_position(done as u64);
                }
            }),
            Event::Ended(_) => self.with(|shown| {
                shown.take().iter().for_each(ProgressBar::finish_and_clear);
            }),
            Event::Skipped(files) => output::warn_skipped(files),
            Event::Declined { engine, reason } => output::warn(&format!(
                "the int8 kernels run the backbone instead of {engine}: {reason}"
            )),
            Event::Distrusted { engine, apart, instead } => output::warn(&format!(
                "{engine} gives gradients that are {:.0} % from the CPU's: {instead} trains instead",
                100.0 * apart
            )),
            _ => {}
        }
    }
}

fn name(work: Work) -> &'static str {
    match work {
        Work::Features => "learning",
        Work::FeaturesAgain => "learning again",
        Work::Reporting => "reading the report's samples",
        Work::Answering => "answering",
        Work::Training => "training",
        _ => "working",
    }
}

fn bar(work: &'static str, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let template = "{msg} [{bar:40}] {pos}/{len} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(work);
    // That takes a thread.
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}
