//! The page's files, which are part of the program.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::refusal::Refusal;

/// Names below `page/`, and contents.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file that a path names; only names of the list are looked up.
pub(crate) fn file(path: &str) -> Result<Response, Refusal> {
    let name = path.strip_prefix('/').unwrap_or(path);
    let name = if name.is_empty() { "index.html" } else { name };
    let found = FILES.iter().find(|(known, _)| *known == name);
    let (name, content) = found.ok_or_else(|| Refusal::missing("there is no such page"))?;
    Ok(([(CONTENT_TYPE, kind(name))], *content).into_response())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_and_no_path_is_followed() {
        assert!(file("/").is_ok());
        assert!(file("/index.html").is_ok());
        for path in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/page/index.html",
            "/index.html/",
            "/etc/passwd",
        ] {
            assert_eq!(file(path).unwrap_err().status, 404, "{path}");
        }
    }
}
