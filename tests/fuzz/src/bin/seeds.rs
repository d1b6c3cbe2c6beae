//! Writes the seeds in `corpus`: small valid inputs of every target.

#[path = "../../../../runtime/core/tests/common/mod.rs"]
mod common;
#[cfg(feature = "importers")]
#[path = "../../../../host-tools/src/import/onnx/testing.rs"]
#[allow(dead_code, reason = "seeds need a part of it")]
mod testing;
#[cfg(feature = "importers")]
#[path = "../../../../host-tools/src/import/tflite/testing.rs"]
#[allow(dead_code, reason = "seeds need a part of it")]
mod tflite;

use std::path::Path;

use ed25519_dalek::{Signer, SigningKey};
use headstart::head::{HeadParts, Learner, LinearHead, Storage};
use headstart::network::{AveragePool, Binary, BinaryOp, Node, Value, Window};
use headstart::pack::{Contents, MESSAGE_BYTES, Pack, TailStorage, emit, sign};
use headstart::tail::{Tail, TailRecord};
use headstart_device::Head;
use headstart_device::segmentation::Mask;
use headstart_device::state::{Commit, FeatureCache};
use headstart_fuzz::{BACKBONE, SECRET, pack_with_tail, small_pack};
#[cfg(feature = "importers")]
use headstart_tools::import::onnx::{ImportError, Imported, import_bytes};
use sha2::{Digest, Sha256};

/// Photos with colours at every size, in all that is decoded to the level.
const PHOTOS: [(&str, &[u8]); 4] = [
    ("photo-422", include_bytes!("../../../../runtime/device/src/samples/jpeg/photos/422.jpg")),
    (
        "photo-narrow",
        include_bytes!("../../../../runtime/device/src/samples/jpeg/photos/420-narrow.jpg"),
    ),
    (
        "photo-progressive",
        include_bytes!("../../../../runtime/device/src/samples/jpeg/photos/420-progressive.jpg"),
    ),
    (
        "photo-restarts",
        include_bytes!("../../../../runtime/device/src/samples/jpeg/photos/420-restarts.jpg"),
    ),
];

fn put(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// Nodes of most kinds in a row, on 4 × 4 values.
fn many_nodes() -> Contents<'static> {
    let value = |number: u32, height, width, channels| Value {
        offset: 64 * number,
        height,
        width,
        channels,
        scale: 0.5,
        zero_point: 1,
        kept_rows: 0,
    };
    let window = Window { kernel: [2; 2], stride: [2; 2], dilation: [1; 2], padding: [0; 2] };
    let operands: &[u8] = &[0, 0, 0, 0, 0, 0, 128, 63, 2, 0, 0, 0, 0, 0, 128, 63];
    let mut contents = common::contents();
    (contents.input.height, contents.input.width) = (4, 4);
    contents.values = vec![
        value(0, 4, 4, 1),
        value(1, 4, 4, 1),
        value(2, 4, 4, 1),
        value(3, 4, 4, 2),
        value(4, 2, 2, 2),
        value(5, 1, 1, 2),
    ];
    contents.nodes = vec![
        Node::Table { input: 0, table: 0, per_channel: false },
        Node::Binary(Binary {
            op: BinaryOp::Add,
            a: 0,
            b: 1,
            scale_a: 0.5,
            scale_b: 0.25,
            min: -100,
            max: 100,
        }),
        Node::Concat { axis: 2, operands },
        Node::MaxPool { input: 3, window },
        Node::AveragePool(AveragePool { input: 4, window, counted_padding: None, multiplier: 1.0 }),
    ];
    contents.weights = vec![];
    contents.channels = vec![];
    contents.tables = (0..=255).collect();
    contents
}

const LABELS: [&str; 3] = ["mug", "cup", "Tässchen"];

/// A head record of three classes.
fn record(weights: &[f32], storage: Storage, prototypes: Option<&[i8]>) -> Vec<u8> {
    let parts = HeadParts {
        head: LinearHead::new(weights, &[0.0, 1.0, -1.0], weights.len() / 3).unwrap(),
        backbone_digest: BACKBONE,
        labels: &LABELS,
        samples: &[3, 4, 0],
        learner: Learner::Blend,
        storage,
        temperature: 0.5,
        unknown_threshold: 0.4,
        held_out: Some((5, 7)),
        prototypes,
    };
    parts.to_vec().unwrap()
}

/// A head record of one feature, as the smallest pack has.
fn record_of_one(storage: Storage) -> Vec<u8> {
    record(&[0.5, -1.0, 2.0], storage, None)
}

/// A hidden layer of two units on three features, as `runtime/device/src/hidden.rs` lays it out, before a record.
fn hidden(record: &[u8]) -> Vec<u8> {
    let mut bytes = b"HSHIDE\x1a\n\x01\0\0\0".to_vec();
    bytes.extend([3_u32, 2].iter().flat_map(|count| count.to_le_bytes()));
    let numbers = [0.5_f32, -2.0, 1.0, 2.0, -1.0, 0.5, 0.0, 3.0];
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    let digest = Sha256::digest(&bytes);
    [&bytes[..], &digest, record].concat()
}

/// What was learned of the tail of [`pack_with_tail`], before a head record.
fn tail_record(storage: TailStorage, record: &[u8]) -> Vec<u8> {
    let file = pack_with_tail(TailStorage::F32);
    let pack = Pack::open(&file).unwrap();
    let tail = Tail::parse(&pack).unwrap().unwrap();
    let constants = tail
        .parameters()
        .into_iter()
        .map(|id| (id, tail.graph.values[id].constant.clone().unwrap()));
    let record_of_tail = TailRecord { constants: constants.collect() };
    let bytes = record_of_tail.emit(&tail, &pack.backbone_digest(), storage).unwrap();
    [&bytes[..], record].concat()
}

fn main() {
    let small = emit(&common::contents()).unwrap();
    let large = emit(&many_nodes()).unwrap();
    let labels = LABELS;
    let weights = [0.5, -1.0, 2.0, 0.25, 1.0, 0.0];
    let record = |storage, prototypes| record(&weights, storage, prototypes);
    // `record-1` is a float16 one of version 1, which nothing writes any more.
    let records = [
        record(Storage::F32, None),
        record(Storage::F16, None),
        record(Storage::F16, Some(&[1, 2, 3, 4, 5, 6])),
    ];
    for (at, bytes) in [0, 2, 3].into_iter().zip(&records) {
        put("head", &format!("record-{at}"), bytes);
    }
    for (at, storage) in [(4, Storage::F32), (5, Storage::F16)] {
        put("head", &format!("record-{at}"), &record_of_one(storage));
    }
    let with_hidden = hidden(&records[0]);
    Head::parse(Path::new("two-units"), &with_hidden, &BACKBONE).unwrap();
    put("hidden", "two-units", &with_hidden);
    for (name, storage) in [("float32", TailStorage::F32), ("float16", TailStorage::F16)] {
        put("tail_record", name, &tail_record(storage, &records[0]));
        let pack = pack_with_tail(storage);
        put("pack", &format!("tail-{name}"), &pack);
        put("pack_sealed", &format!("tail-{name}"), &pack);
    }
    let backbone = Pack::open(&small_pack(None)).unwrap().backbone_digest();
    let mut own = record_of_one(Storage::F32);
    own[44..76].copy_from_slice(&backbone);
    let end = own.len() - 32;
    let digest = Sha256::digest(&own[..end]);
    own[end..].copy_from_slice(&digest);
    for target in ["pack", "pack_sealed"] {
        put(target, "head", &small_pack(Some(own.clone())));
    }
    let key = SigningKey::from_bytes(&SECRET);
    let public = key.verifying_key().to_bytes();
    let signer = |message: &[u8; MESSAGE_BYTES]| key.sign(message).to_bytes();
    for (name, pack) in [("small", &small), ("large", &large)] {
        put("pack", name, pack);
        put("pack_sealed", name, pack);
        let signed = sign(pack, "board", 7, &public, signer).unwrap();
        put("pack_sealed", &format!("{name}-signed"), &signed);
        put("trusted", name, &signed);
    }

    let mut cache = FeatureCache::new(3);
    for (at, name) in labels.iter().enumerate() {
        let label = cache.class(name).unwrap();
        cache.insert([at as u8; 16], label, &[1, -2, 3, 4, 5, -6]);
    }
    cache.sort();
    put("cache", "three", &cache.emit(&BACKBONE));
    put("commit", "three", &Commit::new(3, "learn", &cache, &records[0]).emit(&BACKBONE));
    put("slots", "two", &headstart_fuzz::two_commits());

    for (name, kind, shape, count, size) in [
        ("float", "<f4", "(1, 4, 4)", 16, 4),
        ("byte", "|u1", "(3, 4, 4)", 48, 1),
        ("big", ">i2", "(4, 4)", 16, 2),
    ] {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; count * size]);
        put("npy", name, &bytes);
    }
    let picture =
        image::RgbImage::from_fn(5, 4, |x, y| image::Rgb([40 * x as u8, 60 * y as u8, 9]));
    let grey = image::DynamicImage::from(picture.clone()).into_luma8();
    for (name, format) in [("png", image::ImageFormat::Png), ("jpg", image::ImageFormat::Jpeg)] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        put("image", &format!("colour-{name}"), bytes.get_ref());
        let mut bytes = std::io::Cursor::new(Vec::new());
        grey.write_to(&mut bytes, format).unwrap();
        put("image", &format!("grey-{name}"), bytes.get_ref());
    }
    for (name, photo) in PHOTOS {
        put("image", name, photo);
    }
    let classes = (0..20).map(|at| [0, 1, 2, 255][at % 4]).collect();
    put("mask", "palette", &Mask::new(4, 5, classes).encode().unwrap());
    let bits = image::GrayImage::from_fn(9, 3, |x, y| image::Luma([(x + y) as u8 % 2]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    bits.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    put("mask", "grey", bytes.get_ref());
    put("firmware", "two", &firmware());
    #[cfg(feature = "importers")]
    {
        let board = headstart_tools::ship::board::Board::named("pico2").unwrap();
        headstart_tools::ship::image::Image::new(&board, &small, Some(&firmware())).unwrap();
        models();
    }
}

/// An ELF file for Arm that loads eight bytes each at two addresses of a Pico 2.
fn firmware() -> Vec<u8> {
    let mut bytes = vec![0x7F, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let words = |bytes: &mut Vec<u8>, words: &[u32]| {
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    };
    bytes.extend([2, 0, 40, 0]);
    words(&mut bytes, &[1, 0x1000_0101, 52, 0, 0x0500_0000]);
    bytes.extend([52, 0, 32, 0, 2, 0, 40, 0, 0, 0, 0, 0]);
    for (offset, address) in [(116, 0x1000_0000), (124, 0x1000_FFF8)] {
        words(&mut bytes, &[1, offset, address, address, 8, 8, 5, 1]);
    }
    bytes.extend(1..=16);
    bytes
}

/// Small networks; of ONNX three: convolutions to a classifier, the shape arithmetic that exporters write, and other nodes.
#[cfg(feature = "importers")]
fn models() {
    use testing::{Builder, float, int, ints};
    let classifier = Builder::new(13, &[1, 3, 8, 8])
        .weight("w", &[4, 3, 3, 3])
        .floats("b", &[4], &[0.5, -0.5, 0.0, 1.0])
        .node(
            "Conv",
            &["x", "w", "b"],
            "c",
            vec![ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])],
        )
        .node("Relu", &["c"], "r", vec![])
        .node("GlobalAveragePool", &["r"], "g", vec![])
        .node("Flatten", &["g"], "f", vec![int("axis", 1)])
        .weight("v", &[3, 4])
        .node("Gemm", &["f", "v"], "y", vec![int("transB", 1), float("alpha", 0.5)]);
    let shapes = Builder::new(13, &[0, 2, 4, 4])
        .node("Shape", &["x"], "s", vec![])
        .ints("zero", &[0])
        .node("Gather", &["s", "zero"], "n", vec![int("axis", 0)])
        .ints("rest", &[-1])
        .node("Concat", &["n", "rest"], "t", vec![int("axis", 0)])
        .node("Reshape", &["x", "t"], "f", vec![])
        .weight("w", &[32, 2])
        .node("MatMul", &["f", "w"], "m", vec![])
        .node("Softmax", &["m"], "y", vec![int("axis", -1)]);
    let others = Builder::new(11, &[1, 2, 6, 6])
        .node("MaxPool", &["x"], "p", vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])])
        .floats("scale", &[2], &[1.0, 2.0])
        .floats("shift", &[2], &[0.0, 1.0])
        .floats("mean", &[2], &[0.5, 0.25])
        .floats("variance", &[2], &[1.0, 4.0])
        .node("BatchNormalization", &["p", "scale", "shift", "mean", "variance"], "n", vec![])
        .node("Sigmoid", &["n"], "g", vec![])
        .node("Mul", &["n", "g"], "h", vec![])
        .node("Transpose", &["h"], "t", vec![ints("perm", &[0, 2, 3, 1])])
        .node("ReduceMean", &["t"], "y", vec![ints("axes", &[1, 2]), int("keepdims", 0)]);
    for (name, model, output) in
        [("classifier", classifier, "y"), ("shapes", shapes, "y"), ("others", others, "y")]
    {
        let bytes = model.bytes(output);
        import_bytes(&bytes, name, None).unwrap();
        put("onnx", name, &bytes);
    }
    let (tensors, operators, ends) = tflite::network();
    put("tflite", "network", &tflite::file(&tensors, &operators, ends));
}
