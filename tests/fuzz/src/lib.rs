//! Fuzz targets for every parser of bytes that come from outside, one function each.
//!
//! Each takes any bytes and must neither panic nor take memory past the limits that it states. Where a digest covers
//! the bytes, `sealed` makes it right first: someone who attacks can compute digests, and random
//! changes would otherwise never pass them.

#[cfg(feature = "importers")]
pub mod bombs;
mod flash;
mod heads;
mod packs;
mod pictures;

pub use flash::{slots, two_commits};
pub use heads::{head, hidden, tail_record};
pub use packs::{pack, pack_sealed, pack_with_tail, small_pack, trusted};
pub use pictures::{image, mask};

use std::path::Path;

use headstart_cable::{Frame, Receiver, Reply, Request};
use headstart_device::samples::{InputShape, SampleFile};
use headstart_device::state::{Commit, FeatureCache};
use sha2::{Digest, Sha256};

/// A function that is given bytes of any kind, and must not panic.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("pack", pack),
    ("pack_sealed", pack_sealed),
    ("trusted", trusted),
    ("head", head),
    ("hidden", hidden),
    ("tail_record", tail_record),
    ("slots", slots),
    ("cable", cable),
    ("cache", cache),
    ("commit", commit),
    ("npy", npy),
    ("image", image),
    ("mask", mask),
    #[cfg(feature = "importers")]
    ("firmware", firmware),
    #[cfg(feature = "importers")]
    ("tflite", tflite),
    #[cfg(feature = "importers")]
    ("onnx", onnx),
];

/// The digest of the backbone that the seeds belong to.
pub const BACKBONE: [u8; 32] = [7; 32];
/// The secret key that the seeds are signed with.
pub const SECRET: [u8; 32] = [1; 32];

/// The bytes with the SHA-256 of all others at their end.
pub(crate) fn sealed(data: &[u8]) -> Vec<u8> {
    let body = &data[..data.len().saturating_sub(32)];
    [body, &Sha256::digest(body)].concat()
}

/// Parses what a line carries: as it comes, and each part of it as a message in a frame.
pub fn cable(data: &[u8]) {
    let mut receiver = Receiver::new();
    let mut push = |bytes: &[u8]| {
        for &byte in bytes {
            let Some(payload) = receiver.push(byte) else { continue };
            // What was read is what is written, but for integers that were longer than they need be.
            if let Some(frame) = headstart_cable::parse::<Request<'_>>(payload) {
                again(&frame);
            }
            if let Some(frame) = headstart_cable::parse::<Reply<'_>>(payload) {
                again(&frame);
            }
        }
    };
    push(data);
    for message in data.split(|&byte| byte == 0xFF) {
        let checked = [message, &crc32(message).to_le_bytes()].concat();
        push(&[&[0][..], &cobs::encode_vec(&checked), &[0]].concat());
    }
}

fn again<T: serde::Serialize + std::fmt::Debug>(frame: &Frame<T>) {
    let mut buffer = [0; headstart_cable::FRAME];
    let Some(bytes) = headstart_cable::encode(frame, &mut buffer) else { return };
    let (last, rest) = bytes.split_last().unwrap();
    let mut receiver = Receiver::new();
    assert!(rest.iter().all(|&byte| receiver.push(byte).is_none() || byte == 0));
    assert!(receiver.push(*last).is_some(), "{frame:?}");
}

/// CRC-32/ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !crc
}

/// Parses a feature cache with the right digest.
pub fn cache(data: &[u8]) {
    let bytes = sealed(data);
    if let Ok(mut cache) = FeatureCache::parse(&bytes, &BACKBONE, 3) {
        assert_eq!(cache.emit(&BACKBONE), bytes);
        cache.sort();
        let emitted = cache.emit(&BACKBONE);
        assert_eq!(FeatureCache::parse(&emitted, &BACKBONE, 3).unwrap(), cache);
    }
    // As `adopt` reads it, whatever the backbone.
    if let Ok((backbone, mut cache)) = FeatureCache::parse_any(&bytes) {
        assert_eq!(cache.emit(&backbone), bytes);
        cache.sort();
        let emitted = cache.emit(&backbone);
        assert!(FeatureCache::parse_any(&emitted).is_ok_and(|again| again == (backbone, cache)));
    }
}

/// Parses a commit with the right digest.
pub fn commit(data: &[u8]) {
    let bytes = sealed(data);
    if let Ok(commit) = Commit::parse(&bytes, &BACKBONE) {
        let again = Commit::parse(&commit.emit(&BACKBONE), &BACKBONE);
        assert!(again.is_ok_and(|again| again == commit));
        let _ = commit.cache(&FeatureCache::new(3));
    }
    if let Ok((backbone, commit)) = Commit::parse_any(&bytes) {
        assert!(
            Commit::parse_any(&commit.emit(&backbone)).is_ok_and(|(again, _)| again == backbone)
        );
    }
}

/// Reads a NumPy array.
pub fn npy(data: &[u8]) {
    decode("sample.npy", data);
}

/// Imports an ONNX file without external data, and what the importer made of it rewritten.
#[cfg(feature = "importers")]
pub fn onnx(data: &[u8]) {
    if let Ok(imported) = headstart_tools::import::onnx::import_bytes(data, "model.onnx", None) {
        let (graph, mut aliases) = (&imported.graph, imported.aliases.clone());
        let simpler =
            headstart_tools::import::simplify::simplify(graph, &mut aliases, &mut |_, _| None);
        for graph in [graph, &simpler] {
            let in_order = |node: &headstart::graph::Node| node.output < graph.values.len();
            assert!(graph.nodes.iter().all(in_order));
        }
    }
}

pub(crate) fn decode(name: &str, data: &[u8]) {
    let file = SampleFile::new(Path::new(name), data.to_vec()).unwrap();
    let (height, width, channels_first) = (4, 4, true);
    for (channels, to_the_level) in [(1, false), (3, true)] {
        let input = InputShape { height, width, channels, channels_first, to_the_level };
        let _ = file.decode(&input);
    }
}

/// Imports a TensorFlow Lite model, and takes the steps that follow.
#[cfg(feature = "importers")]
pub fn tflite(data: &[u8]) {
    let Ok(imported) = headstart_tools::import::tflite::import_bytes(data, "model.tflite") else {
        return;
    };
    let graph = &imported.graph;
    let known = headstart_tools::quantise::own_scales::known(graph);
    assert_eq!(known.quantisation.len(), graph.values.len());
    let mut aliases = imported.aliases.clone();
    let simple = headstart_tools::import::simplify::simplify(graph, &mut aliases, &mut |_, _| None);
    let _ = headstart_tools::cut::inspect::find_classifier(&simple);
}

/// Reads an ELF file of a firmware, and what is flashed of it.
#[cfg(feature = "importers")]
pub fn firmware(data: &[u8]) {
    use headstart_tools::ship::board::Board;
    use headstart_tools::ship::image::{Format, Image};
    static BOARD: std::sync::LazyLock<Board> =
        std::sync::LazyLock::new(|| Board::named("pico2").unwrap());
    if let Ok(image) = Image::new(&BOARD, &[1; 8], Some(data)) {
        let bytes: usize = image.segments().iter().map(|segment| segment.bytes.len()).sum();
        assert!(bytes <= data.len() + 8);
        for format in [Format::Elf, Format::Hex, Format::Uf2] {
            image.emit(format, BOARD.flashing().unwrap()).unwrap();
        }
    }
}
