//! Writes the seeds in `corpus`: small valid inputs of every target.

#[path = "../../../../runtime/tests/common/mod.rs"]
mod common;
#[cfg(feature = "importers")]
#[path = "../../../../host-tools/src/tflite/testing.rs"]
mod tflite;
#[cfg(feature = "importers")]
#[path = "../../../../host-tools/src/onnx/testing.rs"]
#[allow(dead_code, reason = "seeds need a part of it")]
mod testing;

use std::path::Path;

use ed25519_dalek::{Signer, SigningKey};
use headstart::backbone::{AveragePool, Binary, BinaryOp, Node, Window};
use headstart::head::{HeadParts, Learner, LinearHead, Storage};
use headstart::pack::{Contents, MESSAGE_BYTES, Value, emit, sign};
use headstart_edge::state::{Commit, FeatureCache};
use headstart_fuzz::{BACKBONE, SECRET};
#[cfg(feature = "importers")]
use headstart_tools::onnx::{ImportError, Imported, import_bytes};

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

fn main() {
    let small = emit(&common::contents()).unwrap();
    let large = emit(&many_nodes()).unwrap();
    let labels = ["mug", "cup", "Tässchen"];
    let weights = [0.5, -1.0, 2.0, 0.25, 1.0, 0.0];
    let record = |storage, prototypes| {
        let parts = HeadParts {
            head: LinearHead::new(&weights, &[0.0, 1.0, -1.0], 2).unwrap(),
            backbone_digest: BACKBONE,
            labels: &labels,
            samples: &[3, 4, 0],
            learner: Learner::Blend,
            storage,
            temperature: 0.5,
            unknown_threshold: 0.4,
            held_out: Some((5, 7)),
            prototypes,
        };
        let mut bytes = vec![0; parts.encoded_len().unwrap()];
        parts.emit(&mut bytes).unwrap();
        bytes
    };
    // `record-1` is a float16 one of version 1, which nothing writes any more.
    let records = [
        record(Storage::F32, None),
        record(Storage::F16, None),
        record(Storage::F16, Some(&[1, 2, 3, 4, 5, 6])),
    ];
    for (at, bytes) in [0, 2, 3].into_iter().zip(&records) {
        put("head", &format!("record-{at}"), bytes);
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
    #[cfg(feature = "importers")]
    models();
}

/// Small networks; of ONNX three: convolutions to a classifier, the shape arithmetic that exporters write, and other nodes.
#[cfg(feature = "importers")]
fn models() {
    use testing::{Builder, float, int, ints};
    let classifier = Builder::new(13, &[1, 3, 8, 8])
        .weight("w", &[4, 3, 3, 3])
        .floats("b", &[4], &[0.5, -0.5, 0.0, 1.0])
        .node("Conv", &["x", "w", "b"], "c", vec![ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])])
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
