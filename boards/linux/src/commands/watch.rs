//! `watch`: answers to what a camera shows, one JSON line a frame.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use headstart_device::{Device, Sample, shown};
use headstart_serve::camera::{Feed, Next, Smoother, State};
use serde::Serialize;

use crate::advice;
use crate::cli::Watch;
use crate::output;

/// A frame comes, or a reason why none does, within this time; then it is waited for again.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The name by which errors call a camera's frame.
const FRAME: &str = "frame";

/// One line.
#[derive(Serialize)]
struct Line {
    /// Where the frame stands among those that came, from 1 on.
    frame: u64,
    /// How many frames gave way to this one.
    dropped: u64,
    /// Seconds that the answer took.
    seconds: f64,
    /// `null` for "unknown", and for a frame that was refused.
    label: Option<String>,
    best: Option<String>,
    probability: Option<f32>,
    unknown: bool,
    smoothed: Option<String>,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(args: &Watch) -> anyhow::Result<ExitCode> {
    let device = super::computing(&args.pack, args.state.as_deref(), &args.backend, &args.compute)?;
    if device.is_per_place() {
        anyhow::bail!(
            "{}: the pack answers a class for each place of a picture, and watch prints one answer a frame: use predict --masks",
            args.pack.display()
        );
    }
    // Without a head nothing is answered: said before a camera is opened.
    device.head()?;
    let name = args.camera.to_string();
    let feed = Feed::open(args.camera.clone(), false);
    let mut smoother = Smoother::new(args.smooth.into());
    let (mut frame, mut status) = (0, 0);
    loop {
        match feed.next_within(PATIENCE) {
            None => {}
            Some(Next::Over) => return Ok(ExitCode::from(status)),
            Some(Next::State(State::Open, _)) => status = 0,
            Some(Next::State(state, reason)) => status = tell(&name, state, reason.as_deref()),
            Some(Next::Frame { content, dropped }) => {
                frame += 1 + dropped;
                let line = answer(&device, &content, &mut smoother, frame, dropped);
                if (line.changed || !args.changes) && !print(&line)? {
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
    }
}

/// Says what became of the source; gives the exit status, if it is not tried again.
fn tell(name: &str, state: State, reason: Option<&str>) -> u8 {
    let name = shown::text(name).into_owned();
    match (state, reason) {
        (State::Broken, reason) => {
            output::warn(&format!("{name}: {}", reason.unwrap_or("cannot be read")));
            2
        }
        _ => {
            output::warn(&format!("{name}: has ended"));
            0
        }
    }
}

fn answer(
    device: &Device,
    content: &[u8],
    smoother: &mut Smoother,
    frame: u64,
    dropped: u64,
) -> Line {
    let start = Instant::now();
    let answer = device.predict(&Sample::encoded(Path::new(FRAME), content));
    let seconds = start.elapsed().as_secs_f64();
    match answer {
        Ok(answer) => {
            let label = answer.label().map(str::to_owned);
            let smoothed = smoother.next(label.as_deref());
            Line {
                frame,
                dropped,
                seconds,
                label,
                best: answer.best().map(str::to_owned),
                probability: answer.probability(),
                unknown: answer.is_unknown(),
                smoothed: smoothed.label,
                changed: smoothed.changed,
                error: None,
            }
        }
        // A frame that is broken says nothing, and changes nothing.
        Err(error) => Line {
            frame,
            dropped,
            seconds,
            label: None,
            best: None,
            probability: None,
            unknown: false,
            smoothed: smoother.present().map(str::to_owned),
            changed: false,
            error: Some(advice::said(&error)),
        },
    }
}

/// Prints a line; `false` where nobody reads it any more.
fn print(line: &Line) -> anyhow::Result<bool> {
    let text = serde_json::to_string(line)?;
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", shown::json(&text)).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("stdout: writing failed"),
    }
}
