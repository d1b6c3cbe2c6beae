//! States that were recorded, and today's program at work on copies of them.
#![allow(dead_code, reason = "every test uses its own part")]

#[path = "../../../../tests/golden/golden.rs"]
mod golden;

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use tempfile::TempDir;

pub(crate) use golden::{Golden, Part};

/// One state of one version.
pub(crate) struct Case {
    pub(crate) golden: Golden,
    pub(crate) recorded: Json,
    desk: TempDir,
}

impl Case {
    /// All states, of all versions, that need an engine or need none.
    pub(crate) fn all(engine: bool) -> Vec<Self> {
        let mut cases = vec![];
        for golden in Golden::all() {
            let recorded = golden.json("states.json");
            for recorded in recorded["states"].as_array().expect("states") {
                if recorded["engine"] == engine {
                    let golden = golden.clone();
                    let desk = tempfile::tempdir().unwrap();
                    for folder in ["packs", "pictures", "scenes", "scenes-more", "states"] {
                        copy(&golden.path(folder), &desk.path().join(folder));
                    }
                    cases.push(Self { golden, recorded: recorded.clone(), desk });
                }
            }
        }
        assert!(!cases.is_empty(), "there are golden states");
        cases
    }

    pub(crate) fn name(&self) -> &str {
        self.recorded["name"].as_str().expect("a name")
    }

    /// The state's folder, below the version's.
    pub(crate) fn folder(&self) -> String {
        format!("states/{}", self.name())
    }

    /// A copy of the state under another name, for commands to work on.
    pub(crate) fn copy(&self, name: &str) {
        copy(&self.golden.path(&self.folder()), &self.desk.path().join(name));
    }

    /// A file that a command left.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.desk.path().join(name)).unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.desk.path().join(name)
    }

    /// What today's program says to a command that the version before did, with a state of that name.
    pub(crate) fn run(&self, part: Part, pack: &Json, command: &Json, state: &str) -> Json {
        let words: Vec<_> = command
            .as_array()
            .expect("words")
            .iter()
            .map(|word| word.as_str().expect("a word"))
            .collect();
        let pack = format!("packs/{}.hspk", pack.as_str().expect("a pack"));
        let mut program = Command::new(env!("CARGO_BIN_EXE_headstart-edge"));
        program.current_dir(self.desk.path()).arg(words[0]).arg(pack).args(&words[1..]);
        let output = program.args(["--state", state, "--json"]).output().unwrap();
        if !output.status.success() {
            let [said, error] = [output.stdout, output.stderr]
                .map(|text| String::from_utf8_lossy(&text).into_owned());
            self.golden.broken(
                part,
                &self.folder(),
                &format!("'{}' is refused: {said}{error}", words.join(" ")),
            );
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Whether everything that was recorded is still said; more may be.
pub(crate) fn holds(recorded: &Json, said: &Json) -> bool {
    match (recorded, said) {
        (Json::Object(recorded), Json::Object(said)) => {
            recorded.iter().all(|(key, value)| said.get(key).is_some_and(|said| holds(value, said)))
        }
        (Json::Array(recorded), Json::Array(said)) => {
            recorded.len() == said.len() && recorded.iter().zip(said).all(|(a, b)| holds(a, b))
        }
        _ => recorded == said,
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
