//! Serves a device over HTTP: a page that teaches it with a camera, and the API that the page uses.
//!
//! It stands on [`headstart_device`] and adds no rule of its own: each call is a method of [`Device`](headstart_device::Device), and leaves
//! the same bytes. `docs/guide/api.md` describes the API, `openapi.json` beside this crate's manifest says it to programs, and `SECURITY.md`
//! tells who may do what.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`server`](Server) | opening, listening, running, ending |
//! | `api` | the calls, one file a thing |
//! | `teach` | pictures that wait, and the thread that learns them |
//! | `who` | who may: hosts, origins, tokens, sessions, rates |
//! | `front` | what each request meets first, and each answer last |
//! | `net` | connections: accepting, TLS, stalls, limits |
//! | [`camera`] | frames from a camera of the device |
#![forbid(unsafe_code)]

mod api;
mod app;
mod archive;
pub mod camera;
mod events;
mod front;
mod headers;
mod lane;
mod live;
mod net;
mod options;
mod page;
mod problem;
mod refusal;
mod server;
mod teach;
mod who;

pub use options::{LIMITS, Limits, Options};
pub use problem::ServeError;
pub use server::{Server, Stop};
