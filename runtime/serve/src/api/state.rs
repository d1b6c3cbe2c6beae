//! Everything that was learned as one file, out and in.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use super::reply::{Reply, json};
use super::{Call, body};
use crate::archive;
use crate::http::{Content, Response};
use crate::refusal::Refusal;

/// The next part of a state comes within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// All of it comes within this time.
const WHOLE: Duration = Duration::from_secs(600);

pub(super) fn download(Call { app, .. }: Call<'_>) -> Reply {
    let saved = app.states.run(|| {
        let _changing = app.teacher.changing.lock().unwrap_or_else(|e| e.into_inner());
        // Without a head there is nothing to save, and the error says so.
        app.device.status()?;
        archive::write(&app.state)
    });
    let (file, length) = saved?;
    Ok(Response::of("application/x-tar", Content::File(file, length))
        .with("Content-Disposition", "attachment; filename=\"state.tar\""))
}

pub(super) fn restore(mut call: Call<'_>) -> Reply {
    let app = call.app;
    let status = app.states.run(|| {
        let file = receive(&mut call, app.limits.state_bytes)?;
        let changing = app.teacher.changing.lock().unwrap_or_else(|e| e.into_inner());
        archive::restore(file, &app.state, &app.open)?;
        drop(changing);
        app.events.look();
        Ok(app.device.status()?)
    });
    json(&status?)
}

/// The body as a file without a name: a cut leaves nothing of it.
fn receive(call: &mut Call<'_>, most: u64) -> Result<File, Refusal> {
    if call.body.left() > most {
        return Err(body::too_large(most));
    }
    let machine = |error: std::io::Error| Refusal::machine(format!("receiving the state: {error}"));
    let mut file = tempfile::tempfile().map_err(machine)?;
    let (begun, mut part) = (Instant::now(), vec![0; 64 << 10]);
    while call.body.left() > 0 {
        call.body.within(PATIENCE.min(WHOLE.saturating_sub(begun.elapsed())));
        let read = call.body.read(&mut part).map_err(|error| body::broken(&error))?;
        file.write_all(&part[..read]).map_err(machine)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(machine)?;
    Ok(file)
}
