//! A pack small enough to be written in a test, samples that it can tell apart, and the program.
#![allow(dead_code, reason = "every test file uses its own part")]

#[cfg(feature = "serve")]
pub(crate) mod served;
pub(crate) mod tails;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use headstart::network::{GridPool, Node, Value};
use headstart::pack::{Contents, Input, Pack, Preprocessing, Provenance, Resize, emit};
use image::{Rgb, RgbImage};
use serde_json::Value as Json;
use tempfile::TempDir;

/// 8×8 RGB, averaged to a grid of `grid`×`grid`: `3 grid²` features.
pub(crate) fn tiny_pack(grid: u32, head: Option<Vec<u8>>) -> Vec<u8> {
    let value = |offset, extent| Value {
        offset,
        height: extent,
        width: extent,
        channels: 3,
        scale: 1.0 / 128.0,
        zero_point: 0,
        kept_rows: 0,
    };
    emit(&Contents {
        provenance: Provenance {
            model: "tiny",
            source_sha256: [0; 32],
            tool_version: "0",
            freeze_point: "grid",
            calibration: "none",
            calibration_samples: 0,
            multiply_accumulates: 192,
        },
        input: Input {
            height: 8,
            width: 8,
            channels: 3,
            channels_first: true,
            preprocessing: Preprocessing {
                resize: Resize::Stretch,
                mean: [127.5; 3],
                std: [127.5; 3],
            },
        },
        max_classes: 10,
        values: vec![value(0, 8), value(192, grid)],
        nodes: vec![Node::GridPool(GridPool { input: 0, multiplier: 1.0 })],
        weights: Vec::new(),
        channels: Vec::new(),
        tables: Vec::new(),
        tail: None,
        head,
    })
    .unwrap()
}

/// A folder with a pack and, on demand, samples and states.
pub(crate) struct Bench {
    pub(crate) root: TempDir,
    pub(crate) pack: PathBuf,
}

/// Arguments that learn a tail of a few weights.
pub(crate) const LEARN_TAIL: [&str; 8] =
    ["--data", "data", "--state", "state", "--rate", "0.05", "--epochs", "40"];

/// A tiny pack with that section for its tail.
pub(crate) fn with_tail(
    pack: &[u8],
    max_classes: u32,
    section: Vec<u8>,
) -> Result<Vec<u8>, headstart::Error> {
    let pack = Pack::open(pack).unwrap();
    emit(&Contents {
        provenance: *pack.provenance(),
        input: *pack.input(),
        max_classes,
        values: (0..2).map(|at| pack.value(at).unwrap()).collect(),
        nodes: pack.nodes().map(Result::unwrap).collect(),
        weights: Vec::new(),
        channels: Vec::new(),
        tables: Vec::new(),
        tail: Some(section),
        head: None,
    })
}

/// So many weights.
pub(crate) fn weights(count: usize) -> Vec<f32> {
    (0..count).map(|at| (at * 37 % 11) as f32 / 11.0 - 0.45).collect()
}

pub(crate) const RED: [u8; 3] = [200, 40, 40];
pub(crate) const GREEN: [u8; 3] = [40, 200, 40];
pub(crate) const BLUE: [u8; 3] = [40, 40, 200];

impl Bench {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let pack = root.path().join("tiny.hspk");
        std::fs::write(&pack, tiny_pack(2, None)).unwrap();
        Self { root, pack }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// `count` noisy pictures of a colour in `data/class`, the first with number `first`.
    pub(crate) fn pictures(
        &self,
        data: &str,
        class: &str,
        colour: [u8; 3],
        first: u32,
        count: u32,
    ) {
        let folder = self.path(data).join(class);
        std::fs::create_dir_all(&folder).unwrap();
        for number in first..first + count {
            picture(colour, number).save(folder.join(format!("{number}.png"))).unwrap();
        }
    }

    /// Red, green and blue, `count` of each.
    pub(crate) fn colours(&self, data: &str, first: u32, count: u32) {
        for (class, colour) in [("red", RED), ("green", GREEN), ("blue", BLUE)] {
            self.pictures(data, class, colour, first, count);
        }
    }

    /// `count` pictures of each of two classes in `data`, which differ by the half that is lighter. To a backbone that
    /// averages the whole picture they are the same.
    pub(crate) fn halves(&self, data: &str, count: u32) {
        for (class, turned) in [("left", false), ("right", true)] {
            let folder = self.path(data).join(class);
            std::fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let mut picture = picture([90; 3], number + if turned { 50 } else { 0 });
                for (x, _, pixel) in picture.enumerate_pixels_mut() {
                    if (x < 6) == turned {
                        pixel.0 = pixel.0.map(|level| level.saturating_add(100));
                    }
                }
                picture.save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }

    /// `headstart-edge COMMAND PACK ARGUMENTS`, in the bench's folder.
    pub(crate) fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = program();
        program.current_dir(self.root.path()).arg(command).arg(&self.pack).args(arguments);
        program
    }

    /// The JSON object of a run that succeeds and says nothing else.
    pub(crate) fn json(&self, command: &str, arguments: &[&str]) -> Json {
        let output = self.command(command, arguments).arg("--json").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && stderr.is_empty(), "{:?}: {stderr}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a run that is refused with this exit status says on stderr; stdout must stay empty.
    pub(crate) fn refusal(&self, status: i32, command: &str, arguments: &[&str]) -> String {
        let output = self.command(command, arguments).arg("--json").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{stderr}");
        assert!(output.stdout.is_empty());
        stderr
    }
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_headstart-edge"))
}

/// A picture of one colour with noise that differs from number to number.
pub(crate) fn picture(colour: [u8; 3], number: u32) -> RgbImage {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    RgbImage::from_fn(12, 9, |_, _| {
        Rgb(colour.map(|level| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            level.wrapping_add((state >> 24) as u8 % 50)
        }))
    })
}

/// Names and contents of a folder's files, those in folders inside it too.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let inside = contents(&entry.path()).into_iter();
            files.extend(inside.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            files.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}
