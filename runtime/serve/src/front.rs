//! What every request meets first, and every answer last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Router};

use crate::api;
use crate::app::App;
use crate::net::Client;
use crate::refusal::Refusal;
use crate::who::Pass;

/// A wrong token is answered so late.
const WRONG: Duration = Duration::from_millis(500);

/// What every answer says to a browser: nothing from elsewhere, nothing inline, no frames, nothing guessed, nothing kept.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(self), microphone=(), geolocation=()"),
    ("cache-control", "no-store"),
];

/// What opens a session, and then the page. A redirect would come from another site still, and have no cookie.
const ENTERED: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=\"0;url=/\"><title>Headstart</title><p><a href=\"/\">Go on</a>\n";

/// Guard first, then the calls and the page.
pub(crate) fn router(app: Arc<App>) -> Router {
    let guarded = middleware::from_fn_with_state(app.clone(), guard);
    api::router(app).layer(guarded).layer(middleware::map_response(finish))
}

/// What a plain request to the port of TLS gets: why and where. What was asked is not looked at, and nothing of it is said again.
pub(crate) fn plain() -> Router {
    Router::new().fallback(explain).layer(middleware::map_response(finish))
}

async fn explain(Extension(client): Extension<Client>) -> Response {
    let here = SocketAddr::new(client.local.ip().to_canonical(), client.local.port());
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Headstart</title><p>This device talks https alone: browsers give the camera to \
         secure pages only.<p>Go to <a href=\"https://{here}/\">https://{here}/</a>, by the link that the device's terminal shows. The key is the \
         device's own, so the browser asks once whether you trust it.\n"
    );
    let mut response = (StatusCode::BAD_REQUEST, Html(page)).into_response();
    leaves(response.headers_mut());
    response
}

async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Some(client) = parts.extensions.get::<Client>().cloned() else {
        return Refusal::machine("the connection has no client").into_response();
    };
    let pass = app.guard.pass(&parts, client.peer, client.local);
    match pass.and_then(|pass| plainly(&parts).map(|()| pass)) {
        Ok(Pass::In) => {
            client.place.is_let_in();
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(Pass::Session(cookie)) => {
            let mut response = Html(ENTERED).into_response();
            leaves(response.headers_mut());
            match HeaderValue::try_from(cookie) {
                Ok(cookie) => response.headers_mut().insert(header::SET_COOKIE, cookie),
                Err(_) => return Refusal::machine("the session has no cookie").into_response(),
            };
            response
        }
        Err(refusal) => {
            if refusal.is_guess {
                tokio::time::sleep(WRONG).await;
            }
            let mut response = refusal.into_response();
            leaves(response.headers_mut());
            response
        }
    }
}

/// Refuses what is for others, and what could be read in two ways.
fn plainly(asked: &Parts) -> Result<(), Refusal> {
    if asked.uri.authority().is_some() {
        let proxy = "the request is for a proxy: call this device by its address";
        return Err(Refusal::stranger(403, proxy));
    }
    if asked.headers.contains_key(header::TRANSFER_ENCODING) {
        let chunks = "a body in chunks is not read: say its length";
        return Err(Refusal::new(411, "caller", chunks));
    }
    Ok(())
}

/// Whoever is not let in does not stay.
fn leaves(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

async fn finish(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
