//! The calls. `CALLS` has all of them at a glance; each is one method of the device.

mod answer;
mod body;
mod correct;
mod device;
mod export;
mod form;
mod learn;
mod listen;
mod look;
mod picture;
mod reply;
mod samples;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::routing::{MethodFilter, on};

pub(crate) use self::answer::{Said, answer};
use self::body::{Given, Takes};
pub(crate) use self::device::Camera as CameraState;
pub(crate) use self::picture::check;
use self::reply::Reply;
use crate::app::App;
use crate::net::Client;
use crate::page;
use crate::refusal::Refusal;

/// A call that is made.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) head: &'a Parts,
    pub(crate) given: Given,
    /// What stands in the place of `{…}` in its path.
    pub(crate) name: &'a str,
}

/// A call that can be made.
struct Known {
    method: Method,
    path: &'static str,
    /// Whether it changes something.
    changes: bool,
    takes: Takes,
    make: fn(Call<'_>) -> Reply,
}

const fn read(path: &'static str, make: fn(Call<'_>) -> Reply) -> Known {
    Known { method: Method::GET, path, changes: false, takes: Takes::Nothing, make }
}

const fn ask(path: &'static str, make: fn(Call<'_>) -> Reply) -> Known {
    Known { method: Method::POST, path, changes: false, takes: Takes::Pictures, make }
}

const fn change(
    method: Method,
    path: &'static str,
    takes: Takes,
    make: fn(Call<'_>) -> Reply,
) -> Known {
    Known { method, path, changes: true, takes, make }
}

/// All calls.
const CALLS: &[Known] = &[
    read("/api/device", device::device),
    read("/api/status", look::status),
    read("/api/classes", look::classes),
    read("/api/samples", samples::list),
    change(Method::POST, "/api/samples", Takes::Pictures, samples::add),
    read("/api/samples/{id}/picture", samples::picture),
    read("/api/samples/{id}/thumbnail", samples::thumbnail),
    read("/api/waiting", learn::waiting),
    change(Method::DELETE, "/api/waiting", Takes::Nothing, learn::discard),
    change(Method::DELETE, "/api/waiting/{number}", Takes::Nothing, learn::discard_one),
    read("/api/waiting/{number}/picture", learn::waiting_picture),
    change(Method::POST, "/api/learn", Takes::Json, learn::learn),
    read("/api/learned", learn::learned),
    change(Method::POST, "/api/stop", Takes::Nothing, learn::stop),
    ask("/api/predict", answer::predict),
    ask("/api/eval", answer::eval),
    read("/api/confusion", look::confusion),
    read("/api/duplicates", look::duplicates),
    change(Method::POST, "/api/forget", Takes::Json, correct::forget),
    change(Method::POST, "/api/rename", Takes::Json, correct::rename),
    change(Method::POST, "/api/relabel", Takes::Json, correct::relabel),
    read("/api/history", look::history),
    change(Method::POST, "/api/rollback", Takes::Json, correct::rollback),
    read("/api/state", state::download),
    change(Method::PUT, "/api/state", Takes::State, state::restore),
    read("/api/export", export::export),
    read("/api/camera", device::camera),
    read("/api/events", listen::events),
    read("/api/openapi.json", device::openapi),
];

/// All calls, and the files of the page.
pub(crate) fn router(app: Arc<App>) -> Router {
    let router = CALLS.iter().fold(Router::new(), |router, call| {
        let app = app.clone();
        let made = move |name: RawPathParams, request: Request| make(app, call, name, request);
        router.route(call.path, on(filter(&call.method), made))
    });
    router.method_not_allowed_fallback(wrong_method).fallback(page)
}

/// Each call's method has one.
fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE)
}

async fn make(app: Arc<App>, call: &'static Known, name: RawPathParams, request: Request) -> Reply {
    if call.changes && app.options.read_only {
        let read_only = "the server is read-only: it answers, and changes nothing";
        return Err(Refusal::stranger(403, read_only));
    }
    let name = name.iter().next().map_or("", |(_, name)| name).to_owned();
    let (head, body) = request.into_parts();
    let given = call.takes.receive(&app, &head, body).await?;
    let busy = head.extensions.get::<Client>().map(|client| client.place.answers());
    // What a device does takes its time, and other connections go on.
    let made = tokio::task::spawn_blocking(move || {
        (call.make)(Call { app: &app, head: &head, given, name: &name })
    });
    let made = made.await;
    drop(busy);
    made.unwrap_or_else(|_| Err(Refusal::machine("the call ended early")))
}

async fn wrong_method() -> Refusal {
    Refusal::new(405, "caller", "this path has other methods: /api/openapi.json lists them")
}

async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Reply {
    if uri.path().starts_with("/api") {
        return Err(Refusal::missing("there is no such call: /api/openapi.json lists them"));
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return Err(wrong_method().await);
    }
    page::file(uri.path(), &headers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_file_for_programs_lists_every_call_and_no_other() {
        let file: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
        let paths = file["paths"].as_object().unwrap().iter();
        let listed: BTreeSet<(String, String)> = paths
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(|m| (path.clone(), m.clone()))
            })
            .collect();
        let calls =
            CALLS.iter().map(|call| (call.path.to_owned(), call.method.as_str().to_lowercase()));
        assert_eq!(listed, calls.collect());
    }
}
