//! Answers to pictures.

use std::path::{Path, PathBuf};
use std::time::Instant;

use headstart_device::{Device, Labelled, Sample};
use serde::Serialize;

use super::reply::{Reply, file, json};
use super::{Call, form, picture};
use crate::headers::sole;
use crate::refusal::Refusal;

/// What errors call a picture that has no name.
const PICTURE: &str = "the picture";

/// An answer for the whole picture.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answer {
    /// `null` for "unknown".
    pub(crate) label: Option<String>,
    best: Option<String>,
    probability: Option<f32>,
    pub(crate) unknown: bool,
    /// Seconds that the answer took, without waiting for its turn.
    seconds: f64,
    unknown_threshold: f32,
    bars: Vec<Bar>,
}

#[derive(Clone, Debug, Serialize)]
struct Bar {
    name: String,
    probability: f32,
}

/// Classes of places.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Places {
    shares: Vec<Share>,
    classes: Vec<String>,
    height: usize,
    width: usize,
    seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Share {
    name: String,
    share: f64,
}

/// One answer, as a camera and a call have it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Said {
    Class(Answer),
    Places(Places),
    #[serde(skip)]
    Mask(Vec<u8>),
}

impl Said {
    /// The label of an answer for the whole picture.
    pub(crate) fn label(&self) -> Option<&str> {
        match self {
            Self::Class(answer) => answer.label.as_deref(),
            _ => None,
        }
    }
}

/// Answers a picture. `as_mask` gives the mask itself, where there is one.
pub(crate) fn answer(device: &Device, content: &[u8], as_mask: bool) -> Result<Said, Refusal> {
    let start = Instant::now();
    let sample = Sample::encoded(Path::new(PICTURE), content);
    let (prediction, bars) = device.predict_bars(&sample)?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some(mask) = prediction.mask() {
        if as_mask {
            return mask.encode().map(Said::Mask).map_err(Refusal::machine);
        }
        let [height, width] = mask.size();
        let share = |(name, share): (&str, f64)| Share { name: name.to_owned(), share };
        let shares = prediction.shares().into_iter().map(share).collect();
        let classes = prediction.classes().to_vec();
        return Ok(Said::Places(Places { shares, classes, height, width, seconds }));
    }
    let bar = |(name, probability): (&String, f32)| Bar { name: name.clone(), probability };
    Ok(Said::Class(Answer {
        label: prediction.label().map(str::to_owned),
        best: prediction.best().map(str::to_owned),
        probability: prediction.probability(),
        unknown: prediction.is_unknown(),
        seconds,
        unknown_threshold: device.head()?.unknown_threshold(),
        bars: prediction.classes().iter().zip(bars).map(bar).collect(),
    }))
}

pub(super) fn predict(call: Call<'_>) -> Reply {
    let (app, whole) = (call.app, call.whole());
    let as_mask = sole(&call.head.headers, "accept") == Some("image/png");
    let said = app.answers.run(|| {
        picture::check(whole, app.limits.pixels)?;
        answer(&app.device, whole, as_mask)
    });
    match said? {
        Said::Mask(mask) => Ok(file("image/png", mask)),
        said => json(&said),
    }
}

pub(super) fn eval(call: Call<'_>) -> Reply {
    let (app, whole) = (call.app, call.whole());
    let boundary = form::boundary(&call.head.headers)?;
    let parts = form::parts(whole, &boundary)?;
    let contents: Vec<&[u8]> = parts.iter().map(|part| &whole[part.content.clone()]).collect();
    for content in &contents {
        picture::check(content, app.limits.pixels)?;
    }
    let names: Vec<PathBuf> =
        parts.iter().map(|part| Path::new(&part.class).join(&part.file)).collect();
    let mut samples = Labelled::new();
    for ((part, name), content) in parts.iter().zip(&names).zip(&contents) {
        samples.add(Sample::encoded(name, *content), &part.class);
    }
    json(&app.looks.run(|| Ok(app.device.evaluate(&samples, &())?))?)
}
