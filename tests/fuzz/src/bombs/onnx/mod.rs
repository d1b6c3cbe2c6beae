//! ONNX files.

mod chains;
mod constants;
mod integers;
mod large;
mod particulars;
#[path = "../../../../../host-tools/src/import/onnx/testing.rs"]
#[allow(dead_code, reason = "a part of it is needed")]
mod testing;

use headstart_tools::import::onnx::{ImportError, Imported, import_bytes};
use rten_onnx::onnx::{AttributeProto, DataType};

use super::Draw;
use testing::{Builder, int, ints, tensor, value};

/// A kind of file: of about so many nodes at most.
type Make = fn(&mut Draw, i64) -> Vec<u8>;

pub(super) const KINDS: &[(&str, Make)] = &[
    ("known tensors", constants::known),
    ("many known tensors", constants::many_known),
    ("a chain", chains::chain),
    ("chains of pairs", chains::pairs),
    ("random nodes", chains::random),
    ("wide nodes", chains::wide),
    ("integers", integers::integers),
    ("ranks", integers::ranks),
    ("long lists", integers::lists),
    ("integer windows", integers::integer_windows),
    ("casts", integers::casts),
    ("masks", large::masks),
    ("a large input", large::input),
    ("a large tensor", large::large),
    ("a heavy window", large::window),
    ("shared weights", large::shared),
    ("many products", chains::products),
    ("a large head", large::head),
    ("long names", particulars::names),
    ("empty parts", particulars::parts),
    ("scales", particulars::scales),
    ("scales of constants", particulars::constant_scales),
    ("training mode", particulars::training),
    ("outputs", chains::outputs),
];

/// A picture's input, of few or many channels and pixels.
fn picture(draw: &mut Draw) -> [i64; 4] {
    let side = draw.of(&[1, 2, 4, 8, 8, 16, 32, 64]);
    [1, draw.of(&[1, 3, 3, 4, 16, 64]), side, side]
}

/// The file that ends in a classifier of `y`'s channels.
fn classified(model: Builder, y: &str, channels: i64) -> Vec<u8> {
    model
        .floats("tail.w", &[4, channels], &vec![0.25; 4 * channels as usize])
        .node("GlobalAveragePool", &[y], "tail.p", vec![])
        .node("Flatten", &["tail.p"], "tail.f", vec![])
        .node("Gemm", &["tail.f", "tail.w"], "tail.y", vec![int("transB", 1)])
        .bytes("tail.y")
}

/// A tensor that is filled, not in the file.
fn filled(model: Builder, name: &str, shape: &[i64], number: f32) -> Builder {
    let number = tensor("", &[1], DataType::FLOAT, number.to_le_bytes().to_vec());
    let of = format!("{name}.shape");
    model.ints(&of, shape).node("ConstantOfShape", &[&of], name, vec![value("value", number)])
}

/// A window and padding that keep the size, and more at times.
fn window_of(draw: &mut Draw, most: i64) -> Vec<AttributeProto> {
    let kernel = draw.size(most);
    let pad = if draw.between(0, 3) == 0 { draw.size(most) } else { kernel / 2 };
    let stride = draw.of(&[1, 1, 1, 2, 3]);
    vec![
        ints("kernel_shape", &[kernel, kernel]),
        ints("pads", &[pad; 4]),
        ints("strides", &[stride, stride]),
        ints("dilations", &[draw.of(&[1, 1, 1, 2, 7]); 2]),
    ]
}

/// A node of one operand, which keeps a picture's shape.
fn keeping(model: Builder, draw: &mut Draw, from: &str, to: &str, shape: [i64; 4]) -> Builder {
    let order = ints("perm", &draw.of(&[[0, 1, 2, 3], [0, 1, 3, 2]]));
    let square = ints("kernel_shape", &[1, 1]);
    match draw.between(0, 17) {
        0 => model.node("Relu", &[from], to, vec![]),
        1 => model.node("Sigmoid", &[from], to, vec![]),
        2 => model.node("Identity", &[from], to, vec![]),
        3 => model.node("Transpose", &[from], to, vec![order]),
        4 => model.ints(&format!("{to}.s"), &shape).node(
            "Reshape",
            &[from, &format!("{to}.s")],
            to,
            vec![],
        ),
        5 => model.node("Mul", &[from, "one"], to, vec![]),
        6 => model.node("Add", &[from, "zero"], to, vec![]),
        7 => model.node("Mul", &[from, "number"], to, vec![]),
        8 => model.node("Add", &["channels", from], to, vec![]),
        9 => model.node("Mul", &[from, from], to, vec![]),
        10 => model.node("MaxPool", &[from], to, vec![square]),
        11 => model.node("Concat", &[from], to, vec![int("axis", 1)]),
        12 => model.node("Clip", &[from, "zero", "six"], to, vec![]),
        13 => model.node("BatchNormalization", &[from, "c", "c", "c", "c"], to, vec![]),
        14 => model.node("Conv", &[from, "point"], to, vec![]),
        15 => model.node(
            "Conv",
            &[from, "deep"],
            to,
            vec![ints("pads", &[1; 4]), int("group", shape[1])],
        ),
        16 => model.node("Softmax", &[from], to, vec![int("axis", draw.between(0, 3))]),
        _ => model.node("Dropout", &[from], to, vec![]),
    }
}

/// A model whose nodes may be those of [`keeping`].
fn base(shape: [i64; 4]) -> Builder {
    let c = shape[1];
    let ones = |n: i64| vec![1.0; n as usize];
    Builder::new(13, &shape)
        .floats("one", &[], &[1.0])
        .floats("zero", &[], &[0.0])
        .floats("six", &[], &[6.0])
        .floats("number", &[], &[1.0001])
        .floats("channels", &[1, c, 1, 1], &ones(c))
        .floats("c", &[c], &ones(c))
        .floats("point", &[c, c, 1, 1], &vec![0.01; (c * c) as usize])
        .floats("deep", &[c, 1, 3, 3], &ones(9 * c))
}
