//! Forms with pictures (RFC 7578): each field is named after a class, each file after a picture.

use std::ops::Range;

use axum::http::HeaderMap;

use crate::headers::sole;
use crate::refusal::Refusal;

/// A form has no more parts.
const MOST_PARTS: usize = 4096;
/// The head of a part is no longer.
const MOST_HEAD: usize = 4096;
/// A file's name is no longer.
const MOST_NAME: usize = 200;

/// One picture of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The field's name.
    pub(super) class: String,
    /// The file's name without folders; empty where it has none.
    pub(super) file: String,
    /// Where the content is.
    pub(super) content: Range<usize>,
}

/// What separates the parts, as the request's head says.
pub(super) fn boundary(headers: &HeaderMap) -> Result<Vec<u8>, Refusal> {
    let none = || {
        Refusal::kind(
            "the body is no form: send multipart/form-data, a field a picture, named after its class",
        )
    };
    let value = sole(headers, "content-type").ok_or_else(none)?;
    let (kind, parameters) = value.split_once(';').ok_or_else(none)?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(none());
    }
    let (_, boundary) =
        self::parameters(parameters).find(|(name, _)| name == "boundary").ok_or_else(none)?;
    let is_sound = (1..=70).contains(&boundary.len())
        && boundary.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_sound {
        return Err(Refusal::input("the form's boundary is none"));
    }
    Ok([b"\r\n--", boundary.as_bytes()].concat())
}

/// The parts of a form; `boundary` as [`boundary`] gives it.
pub(super) fn parts(body: &[u8], boundary: &[u8]) -> Result<Vec<Part>, Refusal> {
    let broken = |what: &str| Refusal::input(format!("the form {what}"));
    // The first boundary has no line before it.
    let first = boundary.get(2..).unwrap_or_default();
    if !body.starts_with(first) {
        return Err(broken("does not begin with its boundary"));
    }
    let (mut at, mut parts) = (first.len(), Vec::new());
    loop {
        match body.get(at..at + 2) {
            Some(b"--") => return Ok(parts),
            Some(b"\r\n") => at += 2,
            _ => return Err(broken("ends in the middle")),
        }
        if parts.len() == MOST_PARTS {
            return Err(Refusal::too_large(format!("the form has more than {MOST_PARTS} parts")));
        }
        let rest = body.get(at..).unwrap_or_default();
        let head = find(rest.get(..rest.len().min(MOST_HEAD)).unwrap_or_default(), b"\r\n\r\n");
        let head = head.ok_or_else(|| broken("has a part without a head"))?;
        let content = at + head + 4;
        let (class, file) = named(rest.get(..head).unwrap_or_default())
            .ok_or_else(|| broken("has a part whose head names no field"))?;
        // An empty part's boundary begins with the end of its head.
        let length = find(body.get(content - 2..).unwrap_or_default(), boundary);
        let end = content - 2 + length.ok_or_else(|| broken("ends in the middle"))?;
        parts.push(Part { class, file, content: content..end.max(content) });
        at = end + boundary.len();
    }
}

/// The field's name and the file's, as the head of a part says them.
fn named(head: &[u8]) -> Option<(String, String)> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, rest) = line.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut class, mut file) = (None, String::new());
    for (name, value) in parameters(rest) {
        match name.as_str() {
            "name" => class = Some(value),
            "filename" => file = plain(&value),
            _ => {}
        }
    }
    Some((class?, file))
}

/// `; a=b; c="d"`, names in small letters. In quotes, `%22`, `%0D` and `%0A` stand for what would end them, as browsers write it, and a
/// backslash before a quote, as older programs do.
fn parameters(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', ';', '\t']);
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let Some(quoted) = after.strip_prefix('"') else {
            let end = after.find(';').unwrap_or(after.len());
            let (value, after) = after.split_at(end);
            rest = after;
            return Some((name, value.trim().to_owned()));
        };
        let mut end = quoted.find('"')?;
        while quoted[..end].ends_with('\\') {
            end = end + 1 + quoted[end + 1..].find('"')?;
        }
        rest = &quoted[end + 1..];
        let value = quoted[..end].replace("\\\"", "\"");
        let value = value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
        Some((name, value))
    })
}

/// A file's name without its folders, and without what a name does not have.
fn plain(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    if matches!(name.as_str(), "." | "..") {
        return String::new();
    }
    let mut end = name.len().min(MOST_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// Where it begins.
fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        at += rest.iter().position(|&byte| byte == first)?;
        if text.get(at..)?.starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    const BOUNDARY: &[u8] = b"\r\n--xyz";

    fn part(head: &str, content: &[u8]) -> Vec<u8> {
        [b"--xyz\r\n", head.as_bytes(), b"\r\n\r\n", content, b"\r\n"].concat()
    }

    fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body: Vec<u8> =
            parts.iter().flat_map(|(head, content)| part(head, content)).collect();
        body.extend(b"--xyz--\r\n");
        body
    }

    #[test]
    fn fields_are_classes_and_files_are_pictures() {
        let body = form(&[
            (
                "Content-Disposition: form-data; name=\"mug\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg",
                b"one\r\n--xy",
            ),
            ("content-disposition: form-data; filename=\"C:\\x\\b.png\"; name=\"a %22b%22\"", b""),
            ("Content-Disposition: form-data; name=Tasse; filename=\"../../etc/passwd\"", b"\r\n"),
            ("Content-Disposition: form-data; name=\"a \\\"b\\\"\"; filename=\"..\"", b"x"),
        ]);
        let parts = parts(&body, BOUNDARY).unwrap();
        let said: Vec<(&str, &str, &[u8])> =
            parts.iter().map(|p| (&p.class[..], &p.file[..], &body[p.content.clone()])).collect();
        assert_eq!(
            said,
            [
                ("mug", "a.jpg", &b"one\r\n--xy"[..]),
                ("a \"b\"", "b.png", b""),
                ("Tasse", "passwd", b"\r\n"),
                ("a \"b\"", "", b"x"),
            ]
        );
    }

    #[test]
    fn a_form_that_is_cut_or_changed_anywhere_is_refused_or_read_within_itself() {
        let head = "Content-Disposition: form-data; name=\"mug\"; filename=\"a.jpg\"";
        let body = form(&[(head, b"one"), (head, b"two")]);
        for cut in 0..body.len() - 4 {
            assert!(parts(&body[..cut], BOUNDARY).is_err(), "cut to {cut}");
        }
        for at in 0..body.len() {
            for byte in [0, b'"', b'\r', b'-', 0xFF] {
                let mut changed = body.clone();
                changed[at] = byte;
                for part in parts(&changed, BOUNDARY).unwrap_or_default() {
                    assert!(changed.get(part.content).is_some());
                }
            }
        }
    }

    #[test]
    fn what_is_no_form_is_refused_by_its_head() {
        let of = |kind: &str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            boundary(&headers).map_err(|refusal| refusal.status)
        };
        assert_eq!(of("multipart/form-data; boundary=xyz").unwrap(), BOUNDARY);
        assert_eq!(of("Multipart/Form-Data; charset=utf-8; boundary=\"xyz\"").unwrap(), BOUNDARY);
        for (kind, status) in [
            ("image/jpeg", 415),
            ("multipart/form-data", 415),
            ("multipart/mixed; boundary=xyz", 415),
            ("multipart/form-data; boundary=", 400),
        ] {
            assert_eq!(of(kind).unwrap_err(), status, "{kind}");
        }
        assert_eq!(boundary(&HeaderMap::new()).unwrap_err().status, 415);
        let many: Vec<u8> =
            part("Content-Disposition: form-data; name=a", b"").repeat(MOST_PARTS + 1);
        assert_eq!(parts(&many, BOUNDARY).unwrap_err().status, 413);
        let long =
            part(&format!("Content-Disposition: form-data; name={}", "a".repeat(MOST_HEAD)), b"");
        assert_eq!(parts(&long, BOUNDARY).unwrap_err().status, 400);
    }
}
