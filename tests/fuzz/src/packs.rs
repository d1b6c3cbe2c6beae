//! Fuzzes packs.

use headstart::backbone::Backbone;
use headstart::graph::{Activation, Conv, Graph, Op, Window};
use headstart::network::{GridPool, Node, Value};
use headstart::pack::{
    Contents, Input, Pack, Preprocessing, Provenance, Resize, TailStorage, Trust, emit,
};
use sha2::{Digest, Sha256};

use crate::SECRET;

/// Opens a pack as it is.
pub fn pack(data: &[u8]) {
    if let Ok(pack) = Pack::open(data) {
        let _ = headstart::tail::Tail::parse(&pack);
        run(&pack);
    }
}

/// Opens a pack whose digests are right.
pub fn pack_sealed(data: &[u8]) {
    pack(&sealed_pack(data));
}

/// Opens a pack in a runtime that trusts one key.
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
    if plan.arena_bytes > 1 << 12
        || pack.node_count() > 8
        || pack.network().weights().len() > 1 << 12
    {
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

/// A picture of 4 × 4 to the means of its quarters and, with a tail, to two channels of their own.
fn contents(tail: Option<Vec<u8>>) -> Contents<'static> {
    let value = |offset, extent, channels| Value {
        offset,
        height: extent,
        width: extent,
        channels,
        scale: 0.5,
        zero_point: 1,
        kept_rows: 0,
    };
    Contents {
        provenance: Provenance {
            model: "by hand",
            source_sha256: [7; 32],
            tool_version: "0",
            freeze_point: "means",
            calibration: "none",
            calibration_samples: 0,
            multiply_accumulates: 16,
        },
        input: Input {
            height: 4,
            width: 4,
            channels: 1,
            channels_first: true,
            preprocessing: Preprocessing {
                resize: Resize::Stretch,
                mean: [100.0; 3],
                std: [2.0; 3],
            },
        },
        max_classes: 4,
        values: vec![value(0, 4, 1), value(64, if tail.is_some() { 2 } else { 1 }, 1)],
        nodes: vec![Node::GridPool(GridPool { input: 0, multiplier: 1.0 })],
        weights: vec![],
        channels: vec![],
        tables: vec![],
        tail,
        head: None,
    }
}

/// Makes a pack of one feature, with this head.
pub fn small_pack(head: Option<Vec<u8>>) -> Vec<u8> {
    emit(&Contents { head, ..contents(None) }).unwrap()
}

/// Makes a pack whose tail is a convolution, a clamp and the means.
pub fn pack_with_tail(storage: TailStorage) -> Vec<u8> {
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 1, 2, 2]);
    graph.inputs.push(x);
    let weights = graph.add_constant("weight", vec![2, 1, 1, 1], vec![0.5, -1.0]).unwrap();
    let bias = graph.add_constant("bias", vec![2], vec![0.25, 0.0]).unwrap();
    let conv = Op::Conv(Conv { window: Window::new(&[1; 2]), groups: 1 });
    let x = graph.add_node("conv", conv, vec![x, weights, bias], "c").unwrap();
    let clip = Op::Activation(Activation::Clip { min: 0.0, max: 6.0 });
    let x = graph.add_node("clip", clip, vec![x], "d").unwrap();
    let x = graph.add_node("mean", Op::GlobalAveragePool, vec![x], "e").unwrap();
    graph.outputs.push(x);
    let section = headstart::tail::emit(&graph, &[1], storage).unwrap();
    emit(&contents(Some(section))).unwrap()
}
