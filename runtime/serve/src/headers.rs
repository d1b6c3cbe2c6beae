//! Headers, read so that nobody else reads them otherwise.

use axum::http::HeaderMap;

/// The value of a header that is there once and is text; of several none counts.
pub(crate) fn sole<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = all(headers, name);
    let first = all.next();
    if all.next().is_some() { None } else { first }
}

/// The values of a header; one that is no text is the empty one, which nobody may have.
pub(crate) fn all<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter();
    values.map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_header_counts_that_is_there_once() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("host", &b"x"[..]), ("a", b"1"), ("a", b"2"), ("origin", b"\xff")] {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(sole(&headers, "host"), Some("x"));
        assert_eq!(sole(&headers, "a"), None);
        assert_eq!(sole(&headers, "b"), None);
        assert_eq!(all(&headers, "origin").collect::<Vec<_>>(), [""]);
    }
}
