//! The page's files, which are part of the program.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};

use crate::refusal::Refusal;

/// Names below `page/`, and contents, compressed as HTTP's `deflate` is.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The file that a path names, compressed where the client says that it takes that; only names of the list are looked up.
pub(crate) fn file(path: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let name = path.strip_prefix('/').unwrap_or(path);
    let name = if name.is_empty() { "index.html" } else { name };
    let found = FILES.iter().find(|(known, _)| *known == name);
    let (name, content) = found.ok_or_else(|| Refusal::missing("there is no such page"))?;
    let head = [(CONTENT_TYPE, kind(name)), (VARY, "accept-encoding")];
    if takes_deflate(headers) {
        return Ok((head, [(CONTENT_ENCODING, "deflate")], *content).into_response());
    }
    let whole = fdeflate::decompress_to_vec(content);
    let whole = whole.map_err(|_| Refusal::machine("the page's file is damaged"))?;
    Ok((head, whole).into_response())
}

/// Whether `deflate` is named, and not with the weight 0.
fn takes_deflate(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight == 0.0));
        name.trim().eq_ignore_ascii_case("deflate") && !refused
    })
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
        let none = HeaderMap::new();
        assert!(file("/", &none).is_ok());
        assert!(file("/index.html", &none).is_ok());
        for path in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/page/index.html",
            "/index.html/",
            "/etc/passwd",
        ] {
            assert_eq!(file(path, &none).unwrap_err().status, 404, "{path}");
        }
    }

    #[test]
    fn a_file_comes_compressed_to_whom_that_is_right_and_whole_to_others() {
        for (accepted, coding) in [
            (None, None),
            (Some("gzip"), None),
            (Some("gzip, deflate;q=0"), None),
            (Some("gzip, Deflate, br"), Some("deflate")),
            (Some("deflate;q=0.5"), Some("deflate")),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accepted) = accepted {
                headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            }
            let response = file("/style.css", &headers).unwrap();
            let found = response.headers().get(CONTENT_ENCODING);
            assert_eq!(found.map(|coding| coding.to_str().unwrap()), coding, "{accepted:?}");
        }
        let written = include_bytes!("../page/style.css");
        let (_, small) = FILES.iter().find(|(name, _)| *name == "style.css").unwrap();
        assert!(small.len() * 2 < written.len());
        assert_eq!(fdeflate::decompress_to_vec(small).unwrap(), written);
    }
}
