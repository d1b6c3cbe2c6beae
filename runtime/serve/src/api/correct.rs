//! Corrections, and the way back.

use headstart_device::Device;
use headstart_device::samples::{SampleId, id_from_hex};
use serde::Deserialize;

use super::Call;
use super::reply::{Reply, json};
use crate::refusal::Refusal;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Forget {
    classes: Vec<String>,
    samples: Vec<String>,
    everything: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    class: String,
    to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relabel {
    samples: Vec<String>,
    class: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rollback {
    to: Option<u32>,
}

pub(super) fn forget(call: Call<'_>) -> Reply {
    let (asked, app): (Forget, _) = (call.json()?, call.app);
    let is_all = asked.classes.is_empty() && asked.samples.is_empty();
    if is_all != asked.everything {
        return Err(Refusal::input("say which classes and samples, or \"everything\" alone"));
    }
    if is_all {
        return json(&app.changes.run(|| app.change(Device::forget_all))?);
    }
    let samples = ids(&asked.samples)?;
    json(&app.changes.run(|| app.change(|device| device.forget(&asked.classes, &samples)))?)
}

pub(super) fn rename(call: Call<'_>) -> Reply {
    let (asked, app): (Rename, _) = (call.json()?, call.app);
    json(&app.changes.run(|| app.change(|device| device.rename(&asked.class, &asked.to)))?)
}

pub(super) fn relabel(call: Call<'_>) -> Reply {
    let (asked, app): (Relabel, _) = (call.json()?, call.app);
    let samples = ids(&asked.samples)?;
    if samples.is_empty() {
        return Err(Refusal::input("say which samples"));
    }
    json(&app.changes.run(|| app.change(|device| device.relabel(&samples, &asked.class)))?)
}

pub(super) fn rollback(call: Call<'_>) -> Reply {
    let (asked, app): (Rollback, _) = (call.json()?, call.app);
    json(&app.changes.run(|| app.change(|device| device.rollback(asked.to, &())))?)
}

fn ids(texts: &[String]) -> Result<Vec<SampleId>, Refusal> {
    texts.iter().map(|text| id(text)).collect()
}

/// A sample's id.
pub(super) fn id(text: &str) -> Result<SampleId, Refusal> {
    let wrong =
        || Refusal::input("a sample's id is 32 hexadecimal digits: /api/samples lists them");
    id_from_hex(text).ok_or_else(wrong)
}
