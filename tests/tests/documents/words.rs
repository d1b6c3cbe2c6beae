//! Spelling, by the list of misspellings that the program `typos` has.

use pulldown_cmark::{Event, Tag, TagEnd};
use unicase::UniCase;

use super::page::{files, pages, root};

/// Words that the list takes for other ones: NumPy's `arange`.
const MEANT: [&str; 1] = ["arange"];

/// The words of a text that are misspelled, with what they may have meant.
fn misspelled(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let plain = words.filter(|word| {
        let rest = word.chars().skip(1);
        word.len() > 3
            && word.chars().all(|c| c.is_ascii_alphabetic())
            && rest.clone().all(|c| c.is_lowercase())
    });
    plain
        .filter(|word| !MEANT.contains(word))
        .filter_map(|word| {
            let meant = typos_dict::WORD.find(&UniCase::new(word))?;
            Some(format!("{word}: {}", meant.join(" or ")))
        })
        .collect()
}

#[test]
fn words_are_spelled() {
    assert_eq!(misspelled("Recieve the kernels"), ["Recieve: receive"]);
    let mut wrong = Vec::new();
    for page in pages() {
        let mut in_code = false;
        for (event, at) in page.events() {
            match event {
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(text) if !in_code => {
                    let found = misspelled(&text).into_iter();
                    wrong.extend(found.map(|word| format!("{}: {word}", page.place(at.start))));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_of_comments_are_spelled() {
    let (mut wrong, mut lines) = (Vec::new(), 0);
    for path in files(root(), "rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            lines += 1;
            let found = misspelled(comment).into_iter();
            wrong.extend(found.map(|word| format!("{}:{}: {word}", path.display(), at + 1)));
        }
    }
    assert!(lines > 5_000, "only {lines} comments were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
