//! Samples: those that were learned, and new ones.

use std::path::PathBuf;

use axum::extract::Query;
use headstart_device::SampleEntry;
use headstart_device::samples::{SampleFile, id_from_hex};
use headstart_device::state::StateFolder;
use serde::{Deserialize, Serialize};

use super::reply::{Reply, file, json};
use super::{Call, correct, form, picture};
use crate::app::App;
use crate::refusal::Refusal;
use crate::teach::{Listing, Refused};

/// Small pictures are so wide and high at most.
const SIDE: u32 = 160;
/// A class's name is no longer.
const MOST_CLASS: usize = 64;

/// Which samples are listed.
#[derive(Deserialize)]
struct Listed {
    class: Option<String>,
    #[serde(default)]
    doubtful: bool,
}

/// How pictures are added.
#[derive(Deserialize)]
struct Adding {
    learn: Option<String>,
}

#[derive(Serialize)]
struct Samples {
    samples: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    sample: SampleEntry,
    /// Whether there is a copy of the picture.
    kept: bool,
}

#[derive(Serialize)]
struct Added {
    taken: usize,
    refused: Vec<Refused>,
    #[serde(flatten)]
    listing: Listing,
}

pub(super) fn list(Call { app, head, .. }: Call<'_>) -> Reply {
    let Query(Listed { class, doubtful }) = Query::try_from_uri(&head.uri)
        .map_err(|error| Refusal::input(format!("the query: {}", error.body_text())))?;
    let samples = app.looks.run(|| {
        let samples = app.device.samples(class.as_deref(), doubtful)?;
        let kept = StateFolder::new(&app.state).kept()?;
        let is_kept =
            |sample: &SampleEntry| id_from_hex(&sample.id).is_some_and(|id| kept.contains_key(&id));
        Ok(samples.into_iter().map(|sample| Entry { kept: is_kept(&sample), sample }).collect())
    });
    json(&Samples { samples: samples? })
}

pub(super) fn add(call: Call<'_>) -> Reply {
    let (app, whole) = (call.app, call.whole());
    let Query(Adding { learn }) = Query::try_from_uri(&call.head.uri)
        .map_err(|error| Refusal::input(format!("the query: {}", error.body_text())))?;
    let by_itself = match learn.as_deref() {
        None => true,
        Some("no") => false,
        Some(_) => return Err(Refusal::input("learn is no, or is left out")),
    };
    if app.device.is_per_place() {
        return Err(Refusal::cannot(
            "the pack answers a class for each place of a picture, and learns from masks, which the server does not take: use headstart-edge learn",
        ));
    }
    let boundary = form::boundary(&call.head.headers)?;
    let parts = form::parts(whole, &boundary)?;
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for part in &parts {
        let content = &whole[part.content.clone()];
        match sound(app, &part.class, content) {
            Ok(()) => good.push((part.class.as_str(), part.file.as_str(), content)),
            Err(refusal) => refused.push((refusal, part)),
        }
    }
    // Nothing of it can be taken: then it is refused, for the first reason.
    if let (true, Some((refusal, part))) = (good.is_empty(), refused.first()) {
        let error = format!("{}/{}: {}", part.class, part.file, refusal.error);
        return Err(Refusal { error, ..refusal.clone() });
    }
    let refused = refused.into_iter().map(|(refusal, part)| Refused {
        file: part.file.clone(),
        class: part.class.clone(),
        error: refusal.error,
    });
    let mut refused: Vec<Refused> = refused.collect();
    let (taken, no_room) = app.teacher.add(good, by_itself, app.is_new(), &app.events);
    if let (0, Some(first)) = (taken, no_room.first()) {
        return Err(Refusal::too_large(first.error.clone()));
    }
    refused.extend(no_room);
    let listing = app.teacher.listing();
    json(&Added { taken, refused, listing })
}

/// Whether a picture may wait for this class.
fn sound(app: &App, class: &str, content: &[u8]) -> Result<(), Refusal> {
    let is_name = (1..=MOST_CLASS).contains(&class.len()) && !class.chars().any(char::is_control);
    if !is_name {
        return Err(Refusal::input(format!(
            "cannot name a class {class:?}: use 1 to {MOST_CLASS} bytes of plain text"
        )));
    }
    picture::check(content, app.limits.pixels)
}

pub(super) fn picture(Call { app, name, .. }: Call<'_>) -> Reply {
    let content = app.looks.run(|| kept(app, name))?;
    Ok(file(picture::kind(&content), content))
}

pub(super) fn thumbnail(Call { app, name, .. }: Call<'_>) -> Reply {
    let small = app.looks.run(|| picture::thumbnail(&kept(app, name)?, SIDE));
    Ok(file("image/jpeg", small?))
}

/// The copy of a sample's file.
fn kept(app: &App, id: &str) -> Result<Vec<u8>, Refusal> {
    let id = correct::id(id)?;
    let path: Option<PathBuf> = StateFolder::new(&app.state).kept()?.remove(&id);
    let none = || Refusal::missing("no copy of that picture is kept");
    let file = SampleFile::read(&path.ok_or_else(none)?)?;
    Ok(file.into_content())
}
