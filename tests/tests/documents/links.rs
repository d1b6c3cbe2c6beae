//! Links and paths. Addresses on the web are not asked: a test must not fail because a server does.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Tag};

use super::page::{Page, pages, root};

/// Folders of the repository: a path that is named begins with one of them.
const FOLDERS: [&str; 6] = ["runtime/", "host-tools/", "boards/", "tests/", "docs/", ".ci/"];

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The local target of a link, and its anchor.
fn target(page: &Page, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) =
        link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let folder = page.path.parent().expect("a page is in a folder");
    let path = if path.is_empty() { page.path.clone() } else { plain(&folder.join(path)) };
    Some((path, anchor.map(str::to_owned)))
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages();
    let (mut wrong, mut followed) = (Vec::new(), 0);
    for page in &pages {
        for (event, at) in page.events() {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event
            else {
                continue;
            };
            let Some((path, anchor)) = target(page, &dest_url) else { continue };
            followed += 1;
            if !root().join(&path).exists() {
                wrong.push(format!("{}: no file {}", page.place(at.start), path.display()));
            } else if let Some(anchor) = anchor {
                let there = pages.iter().find(|page| page.path == path);
                if !there.is_some_and(|page| page.anchors().contains(&anchor)) {
                    let place = page.place(at.start);
                    wrong.push(format!("{place}: {} has no heading #{anchor}", path.display()));
                }
            }
        }
    }
    assert!(followed > 200, "only {followed} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a pattern like `a/{b,c}.rs` stands for.
fn alternatives(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let Some((inside, behind)) = rest.split_once('}') else { return vec![path.to_owned()] };
    let inside = inside.split(',').map(str::trim);
    inside.flat_map(|choice| alternatives(&format!("{before}{choice}{behind}"))).collect()
}

/// Whether a file, a folder, or a file without its `.rs` is there.
fn exists(page: &Page, path: &str) -> bool {
    let folder = page.path.parent().expect("a page is in a folder");
    [root().to_owned(), root().join(folder)]
        .iter()
        .any(|from| from.join(path).exists() || from.join(format!("{path}.rs")).exists())
}

#[test]
fn paths_that_are_named_are_there() {
    let (mut wrong, mut named) = (Vec::new(), 0);
    // Releases of before name what was there.
    for page in pages().iter().filter(|page| page.path != Path::new("CHANGELOG.md")) {
        for (event, at) in page.events() {
            let Event::Code(code) = event else { continue };
            let first = code.split_whitespace().next().unwrap_or_default();
            let word = if code.contains('{') { &*code } else { first };
            // Capital letters stand for names.
            let stands_for = |c: char| c.is_ascii_uppercase() || "*<…|=".contains(c);
            let is_path = FOLDERS.iter().any(|folder| word.starts_with(folder));
            let is_file = word.ends_with(".md") || word.ends_with("Cargo.toml");
            if !is_path || word.contains("/target/") || (word.contains(stands_for) && !is_file) {
                continue;
            }
            named += 1;
            if let Some(missing) = alternatives(word).iter().find(|path| !exists(page, path)) {
                wrong.push(format!("{}: no {missing}", page.place(at.start)));
            }
        }
    }
    assert!(named > 100, "only {named} paths were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_book_has_every_page_of_docs_once() {
    let pages = pages();
    let summary = pages.iter().find(|page| page.path == Path::new("docs/SUMMARY.md")).unwrap();
    let mut listed = BTreeSet::new();
    for (event, at) in summary.events() {
        if let Event::Start(Tag::Link { dest_url, .. }) = event {
            let (path, _) = target(summary, &dest_url).expect("the book has its own pages only");
            assert!(listed.insert(path), "{} is there already", summary.place(at.start));
        }
    }
    let of_docs =
        pages.iter().map(|page| page.path.clone()).filter(|path| path.starts_with("docs"));
    let there: BTreeSet<_> = of_docs.filter(|path| !path.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, there);
}

#[test]
fn the_readme_is_short_and_has_two_pictures() {
    let pages = pages();
    let readme = pages.iter().find(|page| page.path == Path::new("README.md")).unwrap();
    assert!(readme.text.len() <= 7 * 1024, "{} bytes", readme.text.len());
    let is_picture = |event: &Event<'_>| matches!(event, Event::Start(Tag::Image { .. }));
    assert_eq!(readme.events().filter(|(event, _)| is_picture(event)).count(), 2);
}
