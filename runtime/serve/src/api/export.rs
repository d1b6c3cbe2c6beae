//! The personalised model, which the host's program writes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use axum::http::header::CONTENT_DISPOSITION;
use axum::response::IntoResponse;

use super::Call;
use super::reply::{Reply, file};
use crate::refusal::Refusal;

pub(super) fn export(Call { app, .. }: Call<'_>) -> Reply {
    let none =
        "the server was started without the model that the pack was made from: start it with that";
    let model = app.options.model.as_ref().ok_or_else(|| Refusal::cannot(none))?;
    // What was not learned yet is not exported.
    app.device.head()?;
    let pack = app.device.pack_file().path();
    let onnx = app.states.run(|| run(pack, model, &app.state))?;
    let named = [(CONTENT_DISPOSITION, "attachment; filename=\"personalised.onnx\"")];
    Ok((named, file("application/octet-stream", onnx)).into_response())
}

/// Runs `headstart export`.
fn run(pack: &Path, model: &Path, state: &Path) -> Result<Vec<u8>, Refusal> {
    let machine = |error: std::io::Error| Refusal::machine(format!("headstart export: {error}"));
    let folder = tempfile::tempdir().map_err(machine)?;
    let output = folder.path().join("personalised.onnx");
    let mut command = Command::new(program());
    command.arg("export").arg(pack).arg(model).arg("--state").arg(state).arg("-o").arg(&output);
    let done = command.stdin(Stdio::null()).output().map_err(machine)?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(Refusal::cannot(said.trim().trim_start_matches("error: ").to_owned()));
    }
    std::fs::read(&output).map_err(machine)
}

/// `headstart` beside this program, or where programs are.
fn program() -> PathBuf {
    let beside =
        std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("headstart")));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| "headstart".into())
}
