//! Makes text from elsewhere safe for a terminal: names of files and classes, and what packs, states, models and boards say.
//!
//! A terminal obeys control characters: they move the cursor, colour or hide text, and set its title. Others turn the order of what
//! stands around them, or are not seen at all. Each is written as an escape, so that it is seen and does nothing.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

/// Makes text safe for a line or a cell of a terminal: no control character is left, line breaks included. `\x1b`, `\u{202e}`.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe)
}

/// Makes text of several lines safe for a terminal: line breaks stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |char| char != '\n' && is_unsafe(char))
}

/// Makes a path safe for a terminal, as [`text`] does for text; bytes that are not UTF-8 are replaced.
#[must_use]
pub fn path(path: &Path) -> String {
    text(&path.to_string_lossy()).into_owned()
}

/// Makes JSON safe for a terminal: each unsafe character becomes its JSON escape. Outside of strings there are none.
#[must_use]
pub fn json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_unsafe) {
        return json.into();
    }
    let mut safe = String::with_capacity(json.len());
    for char in json.chars() {
        if is_unsafe(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // A String takes all.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(char);
        }
    }
    safe.into()
}

/// `1,234`.
#[must_use]
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 sample`, `1,234 samples`, `2 classes`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    let end = match number {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{} {noun}{end}", thousands(number))
}

/// `1 sample is`, `2 samples are`.
#[must_use]
pub fn counted_are(number: usize, noun: &str) -> String {
    format!("{} {}", counted(number, noun), if number == 1 { "is" } else { "are" })
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' if is_escaped(char) => safe.push_str("\\n"),
            _ if !is_escaped(char) => safe.push(char),
            '\0'..='\x7f' => {
                let _ = write!(safe, "\\x{:02x}", char as u32);
            }
            _ => safe.extend(char.escape_unicode()),
        }
    }
    safe.into()
}

/// Control characters (C0, DEL, C1), those that break lines, turn directions (Unicode TR 9, TR 36) or show nothing. Joiners
/// are not among them: scripts and emoji need them.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_what_they_count_agrees() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")]
        {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(
            [0, 1, 1234].map(|n| counted(n, "bad file")),
            ["0 bad files", "1 bad file", "1,234 bad files"]
        );
        assert_eq!([1, 2].map(|n| counted(n, "class")), ["1 class", "2 classes"]);
        assert_eq!([1, 2].map(|n| counted_are(n, "sample")), ["1 sample is", "2 samples are"]);
    }

    const HOSTILE: &str = "a\x1b[31m\u{9b}2J\u{7f}\u{202e}b\r\u{e0041}\ncafé 👩‍🔬";

    #[test]
    fn what_a_terminal_obeys_is_seen_and_does_nothing() {
        let seen = r"a\x1b[31m\u{9b}2J\x7f\u{202e}b\x0d\u{e0041}\ncafé 👩‍🔬";
        assert_eq!(text(HOSTILE), seen);
        assert_eq!(lines(HOSTILE), seen.replace(r"\n", "\n"));
        assert_eq!(path(Path::new("photos/café.jpg")), "photos/café.jpg");
        for plain in ["", "photos/mug/7.jpg", "Tässchen", "茶碗", "فنجان"] {
            assert!(matches!(text(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn json_says_the_same() {
        let written = serde_json::to_string(&serde_json::json!({ HOSTILE: [HOSTILE] })).unwrap();
        let safe = json(&written);
        assert!(!safe.chars().any(is_unsafe), "{safe}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(&written));
    }
}
