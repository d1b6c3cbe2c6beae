//! The folders of this crate stand in one order: each names only those before it.
#![cfg(feature = "std")]

use std::fs;
use std::path::Path;

/// From the ground up.
const ORDER: [&str; 16] = [
    "error",
    "checked",
    "random",
    "network",
    "kernels",
    "record",
    "pack",
    "front",
    "preprocess",
    "backbone",
    "head",
    "store",
    "session",
    "graph",
    "tail",
    "burn",
];

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|&known| known == name)
}

/// Calls `see` with the path and the text of every source file below `folder`.
fn files(folder: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_folder_names_only_those_before_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut named, mut wrong) = (0, vec![]);
    files(&source, &mut |path, text| {
        let inside = path.strip_prefix(&source).unwrap();
        let folder = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let folder = folder.strip_suffix(".rs").unwrap_or(folder);
        if folder == "lib" {
            return;
        }
        let own = place(folder).unwrap_or_else(|| panic!("{folder} has no place in the order"));
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for rest in line.split("crate::").skip(1) {
                assert!(!rest.starts_with('{'), "name one folder a line: {line}");
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                // What is no module here is an item of the root: its error.
                let Some(other) = place(&rest[..end.unwrap_or(rest.len())]) else { continue };
                named += 1;
                if other > own {
                    wrong.push(format!("{}: {}", inside.display(), line.trim()));
                }
            }
        }
    });
    assert!(named > 300, "{named} names were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
