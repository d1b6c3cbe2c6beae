//! What is fuzzed: every parser of bytes that come from outside, one function each.
//!
//! Each takes any bytes and must neither panic nor take memory past the limits that it states. Where a digest covers
//! the bytes, `sealed` makes it right first: someone who attacks can compute digests, and random
//! changes would otherwise never pass them.

use std::path::Path;

use headstart::backbone::Backbone;
use headstart::head::HeadRecord;
use headstart::pack::{Pack, Trust};
use headstart::session::Store;
use headstart::store::{Flash, FlashStore, Geometry, Region};
use headstart_cable::{Frame, Receiver, Reply, Request};
use headstart_edge::samples::{InputShape, SampleFile};
use headstart_edge::state::{Commit, FeatureCache};
use sha2::{Digest, Sha256};

/// Every target with its name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("pack", pack),
    ("pack_sealed", pack_sealed),
    ("trusted", trusted),
    ("head", head),
    ("slots", slots),
    ("cable", cable),
    ("cache", cache),
    ("commit", commit),
    ("npy", npy),
    ("image", image),
    #[cfg(feature = "importers")]
    ("tflite", tflite),
    #[cfg(feature = "importers")]
    ("onnx", onnx),
];

/// The backbone of the seeds.
pub const BACKBONE: [u8; 32] = [7; 32];
/// The secret key of the seeds.
pub const SECRET: [u8; 32] = [1; 32];

/// A pack as it is.
pub fn pack(data: &[u8]) {
    if let Ok(pack) = Pack::open(data) {
        let _ = headstart::tail::Tail::parse(&pack);
        run(&pack);
    }
}

/// A pack whose digests are right.
pub fn pack_sealed(data: &[u8]) {
    pack(&sealed_pack(data));
}

/// A pack for a runtime that trusts one key.
pub fn trusted(data: &[u8]) {
    let key = ed25519_dalek::SigningKey::from_bytes(&SECRET).verifying_key().to_bytes();
    let trust = Trust { keys: &[key], family: "board", least_counter: 3 };
    let sealed = sealed_pack(data);
    if let Ok((_, counter)) = Pack::open_trusted(&sealed, &trust) {
        assert!(counter >= 3);
    }
}

/// Runs small backbones: verification has promised that nothing can go wrong any more.
fn run(pack: &Pack<'_>) {
    let plan = pack.plan();
    let Ok(input) = pack.value(0) else { panic!("an opened pack has an input") };
    if plan.arena_bytes > 1 << 12 || pack.node_count() > 8 || pack.weights().len() > 1 << 12 {
        return;
    }
    let mut arena = vec![0; plan.arena_bytes as usize];
    let elements = input.height as usize * input.width as usize * input.channels as usize;
    let mut backbone = Backbone::new(*pack, &mut arena).unwrap();
    backbone.features(&vec![1; elements]).unwrap();
}

fn sealed_pack(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    let Some(count) = bytes.get(10..12).map(|n| usize::from(u16::from_le_bytes([n[0], n[1]])))
    else {
        return bytes;
    };
    let table_end = 64 + 64 * count.min(16);
    if bytes.len() < table_end {
        return bytes;
    }
    let length = (bytes.len() as u64).to_le_bytes();
    bytes[16..24].copy_from_slice(&length);
    for entry in (64..table_end).step_by(64) {
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let (start, length) = (number(entry + 8), number(entry + 16));
        let end = start.checked_add(length).filter(|&end| end <= bytes.len() as u64);
        if let Some(end) = end {
            let digest = Sha256::digest(&bytes[start as usize..end as usize]);
            bytes[entry + 32..entry + 64].copy_from_slice(&digest);
        }
    }
    let digest =
        Sha256::new_with_prefix(&bytes[..32]).chain_update(&bytes[64..table_end]).finalize();
    bytes[32..64].copy_from_slice(&digest);
    bytes
}

/// The bytes with the SHA-256 of all others at their end.
fn sealed(data: &[u8]) -> Vec<u8> {
    let body = &data[..data.len().saturating_sub(32)];
    [body, &Sha256::digest(body)].concat()
}

/// A head record, as it is and with the right digest of either version.
pub fn head(data: &[u8]) {
    let body = &data[..data.len().saturating_sub(8)];
    let compact = [body, &Sha256::digest(body)[..8]].concat();
    for bytes in [data.to_vec(), sealed(data), compact] {
        let Ok(record) = HeadRecord::parse(&bytes) else { continue };
        let (classes, features) = (record.classes(), record.feature_len());
        let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
        record.read(&mut weights, &mut bias).unwrap();
        assert!(weights.iter().chain(&bias).all(|number| number.is_finite()));
        assert_eq!(record.labels().count(), classes);
        assert_eq!(record.samples().count(), classes);
    }
}

struct Memory(Vec<u8>);

impl Flash for Memory {
    type Error = ();

    fn geometry(&self) -> Geometry {
        let capacity = self.0.len() as u32;
        Geometry { capacity, read: 1, write: 4, erase: 512, erased: 0xFF }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ()> {
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ()> {
        let cells = self.0[offset as usize..].iter_mut();
        cells.zip(bytes).for_each(|(cell, byte)| *cell &= byte);
        Ok(())
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ()> {
        self.0[from as usize..to as usize].fill(0xFF);
        Ok(())
    }
}

/// Three slots of flash that hold anything; header checks are made right, so that fields are reached.
pub fn slots(data: &[u8]) {
    let mut bytes = data.to_vec();
    bytes.resize(3 * 512, 0xFF);
    for header in bytes.chunks_exact_mut(512) {
        let digest = Sha256::digest(&header[..96]);
        header[96..104].copy_from_slice(&digest[..8]);
    }
    let region = Region { start: 0, slot_bytes: 512, slots: 3 };
    let mut flash = Memory(bytes);
    if let Ok(mut store) = FlashStore::open(&mut flash, region, &BACKBONE) {
        let mut buffer = [0; 512];
        let _ = store.load(&mut buffer);
        // Only a sequence that cannot rise any more is in the way.
        if store.commit(b"next").is_ok() {
            assert_eq!(store.load(&mut buffer), Ok(Some(4)));
        }
    }
    let mut store = FlashStore::format(&mut flash, region, &BACKBONE).unwrap();
    store.commit(b"first").unwrap();
}

/// What a line carries: as it comes, and each part of it as a message in a frame.
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

/// A feature cache with the right digest.
pub fn cache(data: &[u8]) {
    let bytes = sealed(data);
    if let Ok(mut cache) = FeatureCache::parse(&bytes, &BACKBONE, 3) {
        assert_eq!(cache.emit(&BACKBONE), bytes);
        cache.sort();
        let emitted = cache.emit(&BACKBONE);
        assert_eq!(FeatureCache::parse(&emitted, &BACKBONE, 3).unwrap(), cache);
    }
}

/// A commit with the right digest.
pub fn commit(data: &[u8]) {
    let bytes = sealed(data);
    if let Ok(commit) = Commit::parse(&bytes, &BACKBONE) {
        let again = Commit::parse(&commit.emit(&BACKBONE), &BACKBONE);
        assert!(again.is_ok_and(|again| again == commit));
        let _ = commit.cache(&FeatureCache::new(3));
    }
}

/// A NumPy array.
pub fn npy(data: &[u8]) {
    decode("sample.npy", data);
}

/// A picture, by its content: JPEG or PNG.
pub fn image(data: &[u8]) {
    decode("sample.png", data);
    decode("sample.jpg", data);
}

/// An ONNX file without external data, and what the importer made of it rewritten.
#[cfg(feature = "importers")]
pub fn onnx(data: &[u8]) {
    if let Ok(imported) = headstart_tools::onnx::import_bytes(data, "model.onnx", None) {
        let (graph, mut aliases) = (&imported.graph, imported.aliases.clone());
        let simpler = headstart_tools::simplify::simplify(graph, &mut aliases, &mut |_, _| None);
        for graph in [graph, &simpler] {
            let in_order = |node: &headstart::graph::Node| node.output < graph.values.len();
            assert!(graph.nodes.iter().all(in_order));
        }
    }
}

fn decode(name: &str, data: &[u8]) {
    let file = SampleFile::new(Path::new(name), data.to_vec()).unwrap();
    for channels in [1, 3] {
        let _ = file.decode(&InputShape { height: 4, width: 4, channels, channels_first: true });
    }
}

/// A TensorFlow Lite model, and the steps that follow import.
#[cfg(feature = "importers")]
pub fn tflite(data: &[u8]) {
    let Ok(imported) = headstart_tools::tflite::import_bytes(data, "model.tflite") else { return };
    let graph = &imported.graph;
    let known = headstart_tools::scales::known(graph);
    assert_eq!(known.quantisation.len(), graph.values.len());
    let mut aliases = imported.aliases.clone();
    let simple = headstart_tools::simplify::simplify(graph, &mut aliases, &mut |_, _| None);
    let _ = headstart_tools::inspect::find_classifier(&simple);
}

/// The seed of [`slots`]: two commits in three slots.
pub fn two_commits() -> Vec<u8> {
    let region = Region { start: 0, slot_bytes: 512, slots: 3 };
    let mut flash = Memory(vec![0xFF; 3 * 512]);
    let mut store = FlashStore::open(&mut flash, region, &BACKBONE).unwrap();
    store.commit(b"first").unwrap();
    store.commit(b"second").unwrap();
    flash.0
}
