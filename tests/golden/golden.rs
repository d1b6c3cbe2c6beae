//! Golden files: where they lie, what must hold of them, and what a test says where it does not.
#![allow(dead_code, reason = "every test uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// What was recorded by one version.
#[derive(Clone)]
pub(crate) struct Golden {
    pub(crate) version: String,
    pub(crate) folder: PathBuf,
    promises: Json,
}

/// What may change from version to version, each with a promise in `promises.json`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Packs.
    Pack,
    /// State folders, and the head records in them.
    State,
    /// What is learned of the same samples.
    Learning,
    /// What a host and a board say.
    Cable,
    /// What a board has in its flash.
    Flash,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::State => "state",
            Self::Learning => "learning",
            Self::Cable => "cable",
            Self::Flash => "flash",
        }
    }

    /// What a person loses where it breaks, and what to do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Pack => {
                "Packs in the field would no longer run. Read the old version beside the new one: a new variant of Manifest, a new kind of section."
            }
            Self::State => {
                "What devices in the field have learned would be lost, or would answer otherwise. Read the old version beside the new one: the first bytes of every file name it."
            }
            Self::Learning => {
                "The same samples no longer make the same head. If a learner was changed on purpose, set this version's 'learning' in tests/golden/promises.json to 'goes on', record the new heads in a folder of their own, and say so in CHANGELOG.md."
            }
            Self::Cable => {
                "A host and a board of two releases would no longer understand each other. Only add variants behind the last one; anything else is a new VERSION, which each side must refuse by name."
            }
            Self::Flash => {
                "A board in the field would lose its pack, its head or its journal with an update of its firmware. Read the old layout beside the new one."
            }
        }
    }
}

impl Golden {
    /// All that were recorded.
    ///
    /// # Panics
    ///
    /// If there is none, or `promises.json` does not name each.
    pub(crate) fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = root.ancestors().map(|folder| folder.join("tests/golden"));
        let root = root.into_iter().find(|folder| folder.is_dir()).expect("tests/golden");
        let promises: Json = read_json(&root.join("promises.json"));
        let folders = fs::read_dir(&root).expect("readable").map(|entry| entry.expect("readable"));
        let mut found: Vec<Self> = folders
            .filter(|entry| entry.path().is_dir())
            .map(|entry| {
                let version = entry.file_name().into_string().expect("a name in UTF-8");
                let promises = promises[&version].clone();
                assert!(promises.is_object(), "promises.json: names no {version}");
                Self { version, folder: entry.path(), promises }
            })
            .collect();
        assert!(!found.is_empty(), "{}: holds no golden files", root.display());
        found.sort_by(|a, b| a.version.cmp(&b.version));
        found
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        let path = self.path(file);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json(&self, file: &str) -> Json {
        read_json(&self.path(file))
    }

    /// Whether the same samples must still make the same head.
    ///
    /// # Panics
    ///
    /// On any other promise: only learning may be changed without refusing what was recorded.
    pub(crate) fn learns_the_same(&self) -> bool {
        for part in [Part::Pack, Part::State, Part::Cable, Part::Flash] {
            let promise = &self.promises[part.name()];
            assert_eq!(promise, "works", "promises.json: {} of {}", part.name(), self.version);
        }
        match self.promises[Part::Learning.name()].as_str() {
            Some("the same bytes") => true,
            Some("goes on") => false,
            other => panic!("promises.json: learning of {}: {other:?}", self.version),
        }
    }

    /// Ends the test: this file breaks a promise.
    pub(crate) fn broken(&self, part: Part, file: &str, what: &str) -> ! {
        panic!(
            "\ntests/golden/{}/{file} is broken ({} of {} with this runtime): {what}\n{}\nThe golden files are never rewritten: tests/golden/README.md says what to do.\n",
            self.version,
            part.name(),
            self.version,
            part.advice()
        )
    }

    /// Ends the test unless both are the same.
    pub(crate) fn expect_same<T: PartialEq + std::fmt::Debug>(
        &self,
        part: Part,
        file: &str,
        what: &str,
        [found, recorded]: [&T; 2],
    ) {
        if found != recorded {
            self.broken(part, file, &format!("{what}: {found:?}, and it was {recorded:?}"));
        }
    }

    /// Ends the test unless these bytes are those of a golden file.
    pub(crate) fn expect_file(&self, part: Part, file: &str, what: &str, found: &[u8]) {
        let recorded = self.read(file);
        let at = found.iter().zip(&recorded).position(|(a, b)| a != b);
        if found.len() != recorded.len() || at.is_some() {
            let at = at.unwrap_or(found.len().min(recorded.len()));
            let (found, recorded) = (found.len(), recorded.len());
            let lengths = format!(
                "{found} bytes, and it has {recorded}; byte {at} is the first that differs"
            );
            self.broken(part, file, &format!("{what}: {lengths}"));
        }
    }
}

fn read_json(path: &Path) -> Json {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
