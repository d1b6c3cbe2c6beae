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

pub(crate) use self::answer::{Said, answer};
pub(crate) use self::device::Camera as CameraState;
pub(crate) use self::picture::check;
use self::reply::Reply;
use crate::app::App;
use crate::http::Method::{self, Delete, Get, Post, Put};
use crate::http::{Head, Upload};
use crate::page;
use crate::refusal::Refusal;

/// A call that is made.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) head: &'a Head,
    pub(crate) body: &'a mut dyn Upload,
    /// What stands in the place of `{…}` in its path.
    pub(crate) name: &'a str,
}

/// A call that can be made.
struct Known {
    method: Method,
    path: &'static str,
    /// Whether it changes something.
    changes: bool,
    make: fn(Call<'_>) -> Reply,
}

const fn read(method: Method, path: &'static str, make: fn(Call<'_>) -> Reply) -> Known {
    Known { method, path, changes: false, make }
}

const fn change(method: Method, path: &'static str, make: fn(Call<'_>) -> Reply) -> Known {
    Known { method, path, changes: true, make }
}

/// All calls.
const CALLS: &[Known] = &[
    read(Get, "/api/device", device::device),
    read(Get, "/api/status", look::status),
    read(Get, "/api/classes", look::classes),
    read(Get, "/api/samples", samples::list),
    change(Post, "/api/samples", samples::add),
    read(Get, "/api/samples/{id}/picture", samples::picture),
    read(Get, "/api/samples/{id}/thumbnail", samples::thumbnail),
    read(Get, "/api/waiting", learn::waiting),
    change(Delete, "/api/waiting", learn::discard),
    change(Delete, "/api/waiting/{number}", learn::discard_one),
    read(Get, "/api/waiting/{number}/picture", learn::waiting_picture),
    change(Post, "/api/learn", learn::learn),
    read(Get, "/api/learned", learn::learned),
    change(Post, "/api/stop", learn::stop),
    read(Post, "/api/predict", answer::predict),
    read(Post, "/api/eval", answer::eval),
    read(Get, "/api/confusion", look::confusion),
    read(Get, "/api/duplicates", look::duplicates),
    change(Post, "/api/forget", correct::forget),
    change(Post, "/api/rename", correct::rename),
    change(Post, "/api/relabel", correct::relabel),
    read(Get, "/api/history", look::history),
    change(Post, "/api/rollback", correct::rollback),
    read(Get, "/api/state", state::download),
    change(Put, "/api/state", state::restore),
    read(Get, "/api/export", export::export),
    read(Get, "/api/camera", device::camera),
    read(Get, "/api/events", listen::events),
    read(Get, "/api/openapi.json", device::openapi),
];

/// Answers a request that was let in: a call, or a file of the page.
pub(crate) fn answer_to<'a>(app: &'a App, head: &'a Head, body: &'a mut dyn Upload) -> Reply {
    let method = if head.method == Method::Head { Get } else { head.method };
    let mut found =
        CALLS.iter().filter_map(|call| Some((call, named(call.path, &head.path)?))).peekable();
    let wrong_method =
        || Refusal::new(405, "caller", "this path has other methods: /api/openapi.json lists them");
    if found.peek().is_some() {
        let (call, name) =
            found.find(|(call, _)| call.method == method).ok_or_else(wrong_method)?;
        if call.changes && app.options.read_only {
            return Err(Refusal::stranger(
                403,
                "the server is read-only: it answers, and changes nothing",
            ));
        }
        return (call.make)(Call { app, head, body, name });
    }
    if head.path.starts_with("/api") {
        return Err(Refusal::missing("there is no such call: /api/openapi.json lists them"));
    }
    if method != Get {
        return Err(wrong_method());
    }
    page::file(&head.path)
}

/// What stands in the place of `{…}`, which is one part of the path; nothing for a pattern without. `None` for another path.
fn named<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (pattern == path).then_some("");
    };
    let (_, behind) = rest.split_once('}')?;
    let name = path.strip_prefix(before)?.strip_suffix(behind)?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn a_path_names_one_thing() {
        assert_eq!(named("/api/status", "/api/status"), Some(""));
        assert_eq!(named("/api/samples/{id}/picture", "/api/samples/12/picture"), Some("12"));
        for path in [
            "/api/samples//picture",
            "/api/samples/1/2/picture",
            "/api/samples/1/picture/",
            "/api/samples/1",
        ] {
            assert_eq!(named("/api/samples/{id}/picture", path), None, "{path}");
        }
    }

    #[test]
    fn the_file_for_programs_lists_every_call_and_no_other() {
        let file: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
        let paths = file["paths"].as_object().unwrap().iter();
        let listed: BTreeSet<(String, String)> = paths
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(|m| (path.clone(), m.clone()))
            })
            .collect();
        let calls = CALLS
            .iter()
            .map(|call| (call.path.to_owned(), format!("{:?}", call.method).to_lowercase()));
        assert_eq!(listed, calls.collect());
    }
}
