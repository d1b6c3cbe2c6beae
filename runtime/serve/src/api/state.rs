//! Everything that was learned as one file, out and in.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH};
use tokio_util::io::ReaderStream;

use super::Call;
use super::body::Given;
use super::reply::{Reply, file, json};
use crate::archive;
use crate::refusal::Refusal;

pub(super) fn download(Call { app, .. }: Call<'_>) -> Reply {
    let saved = app.states.run(|| {
        let _changing = app.teacher.changing.lock().unwrap_or_else(|e| e.into_inner());
        // Without a head there is nothing to save, and the error says so.
        app.device.status()?;
        archive::write(&app.state)
    });
    let (saved, length) = saved?;
    let content = ReaderStream::new(tokio::fs::File::from_std(saved));
    let mut response = file("application/x-tar", Body::from_stream(content));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let named = HeaderValue::from_static("attachment; filename=\"state.tar\"");
    headers.insert(CONTENT_DISPOSITION, named);
    Ok(response)
}

pub(super) fn restore(Call { app, given, .. }: Call<'_>) -> Reply {
    let Given::File { file: state, _place } = given else {
        return Err(Refusal::input("the body is no state"));
    };
    let status = app.states.run(|| {
        let changing = app.teacher.changing.lock().unwrap_or_else(|e| e.into_inner());
        archive::restore(state, &app.state, &app.open)?;
        drop(changing);
        app.events.look();
        Ok(app.device.status()?)
    });
    json(&status?)
}
