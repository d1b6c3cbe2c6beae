//! Learning what waits.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use headstart_device::state::Bits;
use headstart_device::{
    Augment, LearnOptions, Learner, Learning, Optimiser, TailSettings, TailWeights, Weight,
};
use serde::{Deserialize, Serialize};

use super::reply::{Reply, file, json};
use super::{Call, picture};
use crate::refusal::Refusal;

/// How to learn: the options of the command, by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    learner: Option<String>,
    views: Option<usize>,
    false_accepts: Option<f32>,
    half: Option<bool>,
    max_bytes: Option<u64>,
    kept_bits: Option<u8>,
    weight: Option<AskedWeight>,
    memory: Option<usize>,
    force: bool,
    tail: AskedTail,
    tail_anew: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AskedWeight {
    Number(u16),
    Text(String),
}

/// How a tail is trained.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AskedTail {
    epochs: Option<usize>,
    batch: Option<usize>,
    optimiser: Option<String>,
    rate: Option<f32>,
    warm_up: Option<f32>,
    momentum: Option<f32>,
    weight_decay: Option<f32>,
    clip: Option<f32>,
    label_smoothing: Option<f32>,
    held_out: Option<u8>,
    patience: Option<usize>,
    seed: Option<u64>,
    train: Vec<String>,
    freeze: Vec<String>,
    balanced: bool,
    augment: Vec<String>,
    storage: Option<String>,
}

#[derive(Serialize)]
struct Stopped {
    stopped: bool,
}

pub(super) fn learn(call: Call<'_>) -> Reply {
    let (asked, app): (Asked, _) = (call.json()?, call.app);
    let options = asked.options()?;
    app.device.check(&options)?;
    let answer = app.teacher.ask(options)?;
    let (status, learned) = answer.recv().map_err(|_| Refusal::busy("the server is ending"))?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((status, json(&*learned)?).into_response())
}

pub(super) fn stop(Call { app, .. }: Call<'_>) -> Reply {
    json(&Stopped { stopped: app.teacher.stop() })
}

pub(super) fn learned(Call { app, .. }: Call<'_>) -> Reply {
    let last = app.teacher.last();
    json(&*last.ok_or_else(|| Refusal::missing("nothing was learned since the server started"))?)
}

pub(super) fn waiting(Call { app, .. }: Call<'_>) -> Reply {
    json(&app.teacher.listing())
}

pub(super) fn waiting_picture(call: Call<'_>) -> Reply {
    let number = number(&call)?;
    let found = call.app.teacher.picture(number).ok_or_else(|| none(number))?;
    Ok(file(picture::kind(&found.content), found.content.to_vec()))
}

pub(super) fn discard(Call { app, .. }: Call<'_>) -> Reply {
    app.teacher.discard(|_| true, app.is_new(), &app.events);
    json(&app.teacher.listing())
}

pub(super) fn discard_one(call: Call<'_>) -> Reply {
    let (number, app) = (number(&call)?, call.app);
    match app.teacher.discard(|picture| picture.number == number, app.is_new(), &app.events) {
        0 => Err(none(number)),
        _ => json(&app.teacher.listing()),
    }
}

fn number(call: &Call<'_>) -> Result<u64, Refusal> {
    call.name.parse().map_err(|_| Refusal::missing("a picture that waits has a number"))
}

fn none(number: u64) -> Refusal {
    Refusal::missing(format!("no picture {number} waits"))
}

impl Asked {
    fn options(self) -> Result<LearnOptions<'static>, Refusal> {
        Ok(LearnOptions {
            learner: self.learner.map(|name| learning(&name)).transpose()?,
            views: self.views,
            false_accepts: self.false_accepts,
            half: self.half,
            max_bytes: self.max_bytes,
            kept_bits: match self.kept_bits {
                None => None,
                Some(4) => Some(Bits::Four),
                Some(8) => Some(Bits::Eight),
                Some(_) => return Err(Refusal::input("kept_bits is 4 or 8")),
            },
            weight: match self.weight {
                None => None,
                Some(AskedWeight::Number(weight)) => Some(Weight::Each(weight)),
                Some(AskedWeight::Text(text)) if text == "recent" => Some(Weight::AsAllOthers),
                Some(AskedWeight::Text(_)) => {
                    return Err(Refusal::input("weight is a number from 1 to 100, or \"recent\""));
                }
            },
            memory: self.memory,
            force: self.force,
            tail: self.tail.settings()?,
            tail_anew: self.tail_anew,
            ..LearnOptions::default()
        })
    }
}

impl AskedTail {
    fn settings(self) -> Result<TailSettings, Refusal> {
        let known = ["flip", "crop", "colour"];
        if let Some(other) = self.augment.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Refusal::input(format!(
                "augment is of flip, crop and colour, and not {other:?}"
            )));
        }
        let shows = |name: &str| self.augment.iter().any(|asked| asked == name);
        Ok(TailSettings {
            epochs: self.epochs,
            batch: self.batch,
            optimiser: match self.optimiser.as_deref() {
                None => None,
                Some("adamw") => Some(Optimiser::AdamW),
                Some("sgd") => Some(Optimiser::Sgd),
                Some(_) => return Err(Refusal::input("optimiser is adamw or sgd")),
            },
            rate: self.rate,
            warm_up: self.warm_up,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            clip: self.clip,
            label_smoothing: self.label_smoothing,
            balanced: self.balanced,
            held_out: self.held_out,
            patience: self.patience,
            seed: self.seed,
            augment: Augment { flip: shows("flip"), crop: shows("crop"), colour: shows("colour") },
            train: self.train,
            freeze: self.freeze,
            storage: match self.storage.as_deref() {
                None => None,
                Some("f16") => Some(TailWeights::F16),
                Some("f32") => Some(TailWeights::F32),
                Some(_) => return Err(Refusal::input("storage is f16 or f32")),
            },
        })
    }
}

fn learning(name: &str) -> Result<Learning, Refusal> {
    Ok(match name {
        "auto" => Learning::Auto,
        "sgd" => Learning::Named(Learner::Sgd),
        "ridge" => Learning::Named(Learner::Ridge),
        "imprint" => Learning::Named(Learner::Imprint),
        "lda" => Learning::Named(Learner::Lda),
        _ => return Err(Refusal::input("learner is auto, sgd, ridge, imprint or lda")),
    })
}
