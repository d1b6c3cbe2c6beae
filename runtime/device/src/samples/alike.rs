//! Names that look the same to a person, and are two classes to a program.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// Pairs of different names that look the same, one of which is among `new`: written with other Unicode characters (NFC and NFD), in
/// capitals, with other spaces, with characters that are not seen, or with letters of another script that look alike (Latin a and
/// Cyrillic а; Unicode Technical Standard 39). Each pair is in byte order, and so are the pairs.
///
/// Within ASCII only capitals and spaces count: 1 and l, or rn and m, are told apart by who reads with care, and are in many names.
#[must_use]
pub fn alike<'a>(
    new: impl IntoIterator<Item = &'a str>,
    known: impl IntoIterator<Item = &'a str>,
) -> Vec<[String; 2]> {
    let mut groups = BTreeMap::<String, BTreeMap<&str, bool>>::new();
    let known = known.into_iter().map(|name| (name, false));
    for (name, is_new) in known.chain(new.into_iter().map(|name| (name, true))) {
        // Some letters look alike in capitals only.
        for key in [visible(name), seen(name)] {
            let key = skeleton(&key).collect();
            *groups.entry(key).or_default().entry(name).or_default() |= is_new;
        }
    }
    let mut pairs = BTreeSet::new();
    for group in groups.values() {
        for (at, (a, a_is_new)) in group.iter().enumerate() {
            for (b, b_is_new) in group.iter().skip(at + 1) {
                let in_ascii = a.is_ascii() && b.is_ascii();
                if (*a_is_new || *b_is_new) && (!in_ascii || seen(a) == seen(b)) {
                    pairs.insert([(*a).to_owned(), (*b).to_owned()]);
                }
            }
        }
    }
    pairs.into_iter().collect()
}

/// The known name that looks the same as this other one.
#[must_use]
pub fn look_alike<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().find(|known| !alike([name], [*known]).is_empty())
}

/// Two names that look the same, as a person can tell them apart: `"Cup" and "cup"`, or spelled out where they are not in ASCII.
#[must_use]
pub fn told_apart(a: &str, b: &str) -> String {
    match a.is_ascii() && b.is_ascii() {
        true => format!("{a:?} and {b:?}"),
        false => format!("{} and {}", spelled(a), spelled(b)),
    }
}

/// The name with what is not in ASCII spelled out, where two names cannot be told apart otherwise.
#[must_use]
pub fn spelled(name: &str) -> String {
    let each = name.chars().map(|char| match char {
        ' '..='~' => char.to_string(),
        _ => char.escape_unicode().to_string(),
    });
    each.collect()
}

/// What a person sees of a name: compatibility forms, capitals and spaces do not count, nor what has no width.
fn seen(name: &str) -> String {
    visible(&visible(name).to_lowercase())
}

/// The same, but capitals count.
fn visible(name: &str) -> String {
    let visible = |char: &char| {
        !matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
    };
    let visible: String = name.nfkc().filter(visible).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_found() {
        let same = [
            ("caf\u{e9}", "cafe\u{301}"),
            ("Circle", "circle"),
            ("cup", "cup "),
            ("tea  cup", "tea\u{a0}cup"),
            ("\u{212b}", "\u{c5}"),
            ("mug", "m\u{200b}ug"),
            ("ＭＵＧ", "mug"),
            ("mate", "m\u{430}te"),
            ("MATE", "m\u{430}te"),
            // A Cyrillic letter that looks like a Latin one in capitals only.
            ("HAND", "\u{41d}AND"),
            ("o", "\u{3bf}"),
        ];
        for (a, b) in same {
            let mut pair = [a.to_owned(), b.to_owned()];
            pair.sort();
            assert_eq!(alike([a], [b, "other"]), [pair], "{a:?} {b:?}");
        }
        for (a, b) in [
            ("mug", "mugs"),
            ("cafe", "café"),
            ("a b", "ab"),
            ("cup", "cup"),
            ("burn", "bum"),
            ("1", "l"),
            ("0", "O"),
        ] {
            assert_eq!(alike([a], [b]), Vec::<[String; 2]>::new(), "{a:?} {b:?}");
        }
        // What was known before was told before.
        assert!(alike(["mug"], ["Cup", "cup"]).is_empty());
        assert_eq!(alike(["a", "A"], ["\u{ff21}"]).len(), 3);
        assert_eq!(look_alike("Mug", ["cup", "mug", "MUG"]), Some("mug"));
        assert_eq!((look_alike("mug", ["mug"]), look_alike("mug", ["jar"])), (None, None));
        assert_eq!(told_apart("Mug", "mug"), r#""Mug" and "mug""#);
        assert_eq!(spelled("caf\u{e9} 1"), r"caf\u{e9} 1");
    }
}
