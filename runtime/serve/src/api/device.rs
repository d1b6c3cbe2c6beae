//! What this is.

use headstart_device::samples::hex;
use serde::Serialize;

use super::Call;
use super::reply::{Reply, file, json};
use crate::camera;
use crate::options::Limits;
use crate::refusal::Refusal;

#[derive(Serialize)]
struct Device<'a> {
    version: &'static str,
    pack: Pack<'a>,
    read_only: bool,
    keeps_samples: bool,
    lan: bool,
    camera: Option<Camera>,
    can: Vec<&'static str>,
    limits: Limits,
}

#[derive(Serialize)]
struct Pack<'a> {
    file: String,
    bytes: u64,
    model: &'a str,
    freeze_point: &'a str,
    backbone: String,
    kind: &'static str,
    features: usize,
    max_classes: u32,
    tail: bool,
    input: Input,
}

#[derive(Serialize)]
struct Input {
    height: usize,
    width: usize,
    channels: usize,
}

/// What the camera is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Camera {
    pub(crate) source: String,
    pub(crate) state: camera::State,
    pub(crate) reason: Option<String>,
}

pub(super) fn device(Call { app, .. }: Call<'_>) -> Reply {
    let (pack, input) = (app.device.pack(), app.device.input());
    let name = app.device.pack_file().path().file_name().unwrap_or_default();
    let camera = app.options.camera.as_ref().map(|source| {
        let camera = app.camera();
        Camera { source: source.to_string(), state: camera.state, reason: camera.reason.clone() }
    });
    json(&Device {
        version: env!("CARGO_PKG_VERSION"),
        pack: Pack {
            file: name.to_string_lossy().into_owned(),
            bytes: std::fs::metadata(app.device.pack_file().path()).map_or(0, |file| file.len()),
            model: pack.provenance().model,
            freeze_point: pack.provenance().freeze_point,
            backbone: hex(&pack.backbone_digest()[..8]),
            kind: if app.device.is_per_place() { "places" } else { "classes" },
            features: pack.feature_len(),
            max_classes: pack.plan().max_classes,
            tail: pack.tail().is_some(),
            input: Input { height: input.height, width: input.width, channels: input.channels },
        },
        read_only: app.options.read_only,
        keeps_samples: app.keeps_samples(),
        lan: app.options.lan,
        camera,
        can: app.can(),
        limits: app.limits,
    })
}

/// The frame that was answered last.
pub(super) fn camera(Call { app, .. }: Call<'_>) -> Reply {
    if app.options.camera.is_none() {
        return Err(Refusal::cannot("the server was started without a camera: start it with one"));
    }
    let frame = app.camera().frame.clone();
    if frame.is_empty() {
        return Err(Refusal::missing("no frame came yet"));
    }
    Ok(file("image/jpeg", frame.to_vec()))
}

pub(super) fn openapi(_: Call<'_>) -> Reply {
    Ok(file("application/json", include_bytes!("../../openapi.json").as_slice()))
}
