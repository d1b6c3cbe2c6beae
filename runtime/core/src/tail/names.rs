//! Layers by the names that their framework gave them.

use std::borrow::ToOwned;
use std::string::String;

/// Whether `pattern` names a layer or a tensor.
///
/// In a pattern `*` stands for any characters and `?` for one. A pattern names what it matches whole, and
/// all that is inside it: `features.18` names `features.18.0.weight`. Names as exporters write them
/// (`/features/features.18/features.18.0/Conv`) are matched as they are and as the path of their layer.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let inside = |name: &str| {
        let ends = name.char_indices().filter(|&(_, c)| c == '.' || c == '/').map(|(at, _)| at);
        ends.chain([name.len()]).filter(|&end| end > 0).any(|end| {
            name.get(..end).is_some_and(|head| is_like(pattern.as_bytes(), head.as_bytes()))
        })
    };
    inside(name) || inside(&layer_path(name))
}

/// The path of the layer that an exporter's node name stands for:
/// `/features/features.18/features.18.0/Conv` is `features.18.0.Conv`.
#[must_use]
pub fn layer_path(name: &str) -> String {
    let mut path = String::new();
    let mut last = "";
    for part in name.split('/').filter(|part| !part.is_empty()) {
        // A part of a sequence repeats the sequence's name.
        let repeats =
            !last.is_empty() && part.strip_prefix(last).is_some_and(|rest| rest.starts_with('.'));
        if repeats {
            path.truncate(path.len().saturating_sub(last.len()));
        } else if !path.is_empty() {
            path.push('.');
        }
        path.push_str(part);
        last = part;
    }
    if path.is_empty() { name.to_owned() } else { path }
}

/// `*` and `?` against a whole name, in time proportional to the product of both lengths.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    let (mut rest, mut at) = (pattern, name);
    // The last star, and what stood at its place.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (rest.split_first(), at.split_first()) {
            (Some((b'*', behind)), _) => {
                star = Some((behind, at));
                rest = behind;
                continue;
            }
            (Some((p, behind)), Some((c, next))) if *p == b'?' || p == c => {
                (rest, at) = (behind, next);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((behind, skipped)) = star else { return false };
        let Some((_, next)) = skipped.split_first() else { return false };
        star = Some((behind, next));
        (rest, at) = (behind, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_as_their_framework_named_them() {
        let conv = "/features/features.14/conv/conv.0/conv.0.0/Conv";
        assert_eq!(layer_path(conv), "features.14.conv.0.0.Conv");
        for pattern in
            ["features.14", "features.*", "features.14.conv.0", "*.conv.0.*", "features.1?", conv]
        {
            assert!(matches(pattern, conv), "{pattern}");
        }
        for pattern in ["features.1", "feature", "conv", "features.14.conv.1", "features.1?.fc", ""]
        {
            assert!(!matches(pattern, conv), "{pattern}");
        }
        assert!(matches("classifier", "classifier.1.weight"));
        assert!(matches("*weight", "classifier.1.weight"));
        assert!(matches("**a*b", "xxaxxab") && !matches("a*b", "abc"));
    }
}
