//! ONNX files.

#[path = "../../../../host-tools/src/import/onnx/testing.rs"]
#[allow(dead_code, reason = "a part of it is needed")]
mod testing;

use headstart_tools::import::onnx::{ImportError, Imported, import_bytes};
use rten_onnx::onnx::{AttributeProto, DataType};

use super::Draw;
use testing::{Builder, float, int, ints, string, tensor, value};

/// A kind of file: of about so many nodes at most.
type Make = fn(&mut Draw, i64) -> Vec<u8>;

pub(super) const KINDS: &[(&str, Make)] = &[
    ("known tensors", known),
    ("many known tensors", many_known),
    ("a chain", chain),
    ("chains of pairs", pairs),
    ("random nodes", random),
    ("wide nodes", wide),
    ("integers", integers),
    ("ranks", ranks),
    ("long lists", lists),
    ("integer windows", integer_windows),
    ("casts", casts),
    ("masks", masks),
    ("a large input", input),
    ("a large tensor", large),
    ("a heavy window", window),
    ("shared weights", shared),
    ("many products", products),
    ("a large head", head),
    ("long names", names),
    ("empty parts", parts),
    ("scales", scales),
    ("scales of constants", constant_scales),
    ("training mode", training),
    ("outputs", outputs),
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

fn known(draw: &mut Draw, _: i64) -> Vec<u8> {
    let [_, c, h, w] = picture(draw);
    let side = draw.size(1 << 14);
    let model = base([1, c, h, w]);
    let mut model = filled(model, "k0", &[1, draw.of(&[1, c, 3]), side, side], 0.5);
    let count = draw.between(1, 6);
    for at in 0..count {
        let (from, to) = (format!("k{at}"), format!("k{}", at + 1));
        let from = [from.as_str()];
        model = match draw.between(0, 9) {
            0 => model.node("MatMul", &[from[0], from[0]], &to, vec![]),
            1 => model.node("MaxPool", &from, &to, window_of(draw, 2048)),
            2 => model.node("AveragePool", &from, &to, window_of(draw, 2048)),
            3 => model.node("Relu", &from, &to, vec![]),
            4 => model.node("Transpose", &from, &to, vec![ints("perm", &[0, 1, 3, 2])]),
            5 => model.node("Concat", &[from[0]; 9], &to, vec![int("axis", 3)]),
            6 => model.node("Softmax", &from, &to, vec![int("axis", 3)]),
            7 => {
                let scales = format!("{to}.scales");
                let scale = draw.size(4096) as f32;
                model.floats(&scales, &[4], &[1.0, 1.0, scale, scale]).node(
                    "Resize",
                    &[from[0], "", &scales],
                    &to,
                    vec![],
                )
            }
            8 => {
                let pads = format!("{to}.pads");
                let n = draw.size(1 << 14);
                model.ints(&pads, &[0, 0, n, n, 0, 0, n, n]).node(
                    "Pad",
                    &[from[0], &pads],
                    &to,
                    vec![],
                )
            }
            _ => model.node("Add", &[from[0], from[0]], &to, vec![]),
        };
    }
    let last = format!("k{count}");
    let model = model.node("ReduceMean", &[&last], "mean", vec![]).node(
        "Add",
        &["x", "mean"],
        "sum",
        vec![],
    );
    classified(model, "sum", c)
}

fn many_known(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let side = draw.size(400);
    let mut model =
        base(shape).floats("k", &[1, 1, side, side], &vec![0.5; (side * side) as usize]);
    let count = draw.size(most);
    let chained = draw.between(0, 1) == 0;
    let operator = draw.of(&[
        "Relu",
        "Add",
        "Transpose",
        "ReduceMean",
        "Sigmoid",
        "Mul",
        "MaxPool",
        "Reshape",
    ]);
    let mut y = "x".to_owned();
    let mut from = "k".to_owned();
    model = model.ints("k.shape", &[1, 1, side, side]);
    for at in 0..count {
        let to = format!("k{at}");
        let attributes = if operator == "MaxPool" { window_of(draw, side) } else { vec![] };
        model = match operator {
            "Add" | "Mul" => model.node(operator, &[&from, "k"], &to, attributes),
            "Reshape" => model.node(operator, &[&from, "k.shape"], &to, attributes),
            _ => model.node(operator, &[&from], &to, attributes),
        };
        if chained && operator != "ReduceMean" && operator != "MaxPool" {
            from = to;
        } else {
            let (mean, sum) = (format!("m{at}"), format!("s{at}"));
            model = model.node("ReduceMean", &[&to], &mean, vec![]).node(
                "Add",
                &[&y, &mean],
                &sum,
                vec![],
            );
            y = sum;
        }
    }
    let model = model.node("ReduceMean", &[&from], "mean", vec![]).node(
        "Add",
        &[&y, "mean"],
        "sum",
        vec![],
    );
    classified(model, "sum", shape[1])
}

fn chain(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let seed = draw.between(0, 1 << 30) as u64;
    let mut model = base(shape);
    let count = draw.size(most);
    for at in 0..count {
        let from = if at == 0 { "x".to_owned() } else { format!("y{}", at - 1) };
        // The same operator again and again.
        let mut same = Draw(headstart::head::Random::new(seed));
        model = keeping(model, &mut same, &from, &format!("y{at}"), shape);
    }
    classified(model, &format!("y{}", count - 1), shape[1])
}

fn pairs(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let seeds = [0; 3].map(|_| draw.between(0, 1 << 30) as u64);
    let mut model = base(shape);
    let count = draw.size(most);
    for at in 0..count {
        let from = if at == 0 { "x".to_owned() } else { format!("y{}", at - 1) };
        let mut same = Draw(headstart::head::Random::new(seeds[at as usize % 3]));
        model = keeping(model, &mut same, &from, &format!("y{at}"), shape);
    }
    classified(model, &format!("y{}", count - 1), shape[1])
}

fn random(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape);
    let count = draw.size(most);
    let reach = draw.size(count.max(2));
    let name = |at: i64| if at < 0 { "x".to_owned() } else { format!("y{at}") };
    for at in 0..count {
        let mut operand = || name(draw.between((at - reach).max(-1), at - 1));
        let (a, b) = (operand(), operand());
        model = match draw.between(0, 2) {
            0 => keeping(model, draw, &a, &name(at), shape),
            1 => model.node("Add", &[&a, &b], &name(at), vec![]),
            _ => model.node("Mul", &[&a, &b], &name(at), vec![]),
        };
    }
    classified(model, &name(count - 1), shape[1])
}

fn wide(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape);
    let width = draw.size(5 * most);
    let layers = draw.between(1, 4);
    let operator = draw.of(&["Sum", "Concat"]);
    let mut from = "x".to_owned();
    let mut channels = shape[1];
    for at in 0..layers {
        let to = format!("w{at}");
        let operands = vec![from.as_str(); (width / layers).max(1) as usize];
        let attributes = if operator == "Concat" { vec![int("axis", 1)] } else { vec![] };
        if operator == "Concat" {
            channels = channels.saturating_mul(operands.len() as i64);
        }
        model = model.node(operator, &operands, &to, attributes);
        from = to;
    }
    classified(model, &from, channels.min(1 << 14))
}

/// Integers that nothing needs but the shape of a reshape at the end.
fn reshaped(model: Builder, shape: [i64; 4], list: &str) -> Vec<u8> {
    let model = model
        .ints("zero.index", &[0])
        .ints("own", &shape)
        .node("Gather", &[list, "zero.index"], "some", vec![int("axis", 0)])
        .node("Shape", &["some"], "rank", vec![])
        .node("Shape", &["x"], "kept", vec![])
        .node("Reshape", &["x", "kept"], "again", vec![]);
    classified(model, "again", shape[1])
}

fn integers(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let length = draw.size(1 << 16);
    let model = Builder::new(13, &shape);
    let one = tensor("", &[1], DataType::INT64, 1_i64.to_le_bytes().to_vec());
    let mut model = model
        .ints("n", &[length])
        .ints("minus", &[-1])
        .ints("from", &[0])
        .ints("to", &[i64::MAX])
        .node("ConstantOfShape", &["n"], "i0", vec![value("value", one)]);
    let count = draw.size(most);
    let fixed = draw.between(0, 6);
    for at in 0..count {
        let (from, to) = (format!("i{at}"), format!("i{}", at + 1));
        let operator = if fixed == 6 { draw.between(0, 5) } else { fixed };
        model = match operator {
            0 => model.node("Add", &[&from, "i0"], &to, vec![]),
            1 => model.node("Transpose", &[&from], &to, vec![]),
            2 => model.node("Slice", &[&from, "from", "to"], &to, vec![]),
            3 => model.node("Gather", &["i0", &from], &to, vec![]),
            4 => model.node("Reshape", &[&from, "minus"], &to, vec![]),
            _ => model.node("Concat", &[&from, &from], &to, vec![int("axis", 0)]),
        };
    }
    reshaped(model, shape, &format!("i{count}"))
}

fn ranks(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let rank = draw.size(4096);
    let ones = vec![1; rank as usize];
    let model = Builder::new(13, &shape).ints("a", &[7]).ints("r", &ones).ints("axis", &[0]);
    let count = draw.size(most);
    let mut model = match draw.between(0, 1) {
        0 => model.node("Reshape", &["a", "r"], "z0", vec![]),
        _ => model.node("Identity", &["a"], "z0", vec![]),
    };
    let operator = draw.of(&["Transpose", "Unsqueeze", "Squeeze", "Add"]);
    for at in 0..count {
        let (from, to) = (format!("z{at}"), format!("z{}", at + 1));
        model = match operator {
            "Unsqueeze" => model.node("Unsqueeze", &[&from, "axis"], &to, vec![]),
            "Add" => model.node("Add", &[&from, "z0"], &to, vec![]),
            other => model.node(other, &[&from], &to, vec![]),
        };
    }
    reshaped(model, shape, &format!("z{count}"))
}

fn lists(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let length = draw.size(1 << 16);
    let count = draw.size(most.min(2000));
    let mut model = base(shape)
        .ints("n", &[length])
        .node(
            "ConstantOfShape",
            &["n"],
            "zeros",
            vec![value("value", tensor("", &[1], DataType::INT64, vec![0; 8]))],
        )
        .node(
            "ConstantOfShape",
            &["n"],
            "ones",
            vec![value("value", tensor("", &[1], DataType::INT64, 1_i64.to_le_bytes().to_vec()))],
        );
    let operator = draw.of(&["Slice", "Unsqueeze", "Reshape", "Pad", "ReduceMean", "Gather"]);
    for at in 0..count {
        let to = format!("l{at}");
        model = match operator {
            "Slice" => {
                model.node("Slice", &["ones", "zeros", "ones", "zeros", "ones"], &to, vec![])
            }
            "Pad" => model.node("Pad", &["x", "ones"], &to, vec![]),
            "Gather" => model.node("Gather", &["ones", "zeros"], &to, vec![]),
            other => model.node(other, &["x", "ones"], &to, vec![]),
        };
    }
    classified(model, "x", shape[1])
}

fn integer_windows(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let side = draw.size(255);
    let one = tensor("", &[1], DataType::INT8, vec![1]);
    let mut model = Builder::new(13, &shape).ints("n", &[1, 1, side, side]).node(
        "ConstantOfShape",
        &["n"],
        "i0",
        vec![value("value", one)],
    );
    let count = draw.size(most.min(8000));
    for at in 0..count {
        model = model.node("MaxPool", &["i0"], &format!("i{}", at + 1), window_of(draw, 256));
    }
    classified(model, "x", shape[1])
}

fn casts(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let length = draw.size(1 << 16);
    let one = tensor("", &[1], DataType::INT64, 1_i64.to_le_bytes().to_vec());
    let mut model = base(shape).ints("n", &[length]).node(
        "ConstantOfShape",
        &["n"],
        "i",
        vec![value("value", one)],
    );
    let count = draw.size(most);
    let back = draw.between(0, 1) == 0;
    for at in 0..count {
        let (f, i) = (format!("f{at}"), format!("i{at}"));
        model = model.node("Cast", &["i"], &f, vec![int("to", 1)]);
        if back {
            model = model.node("Cast", &[&f], &i, vec![int("to", draw.of(&[7, 6, 9]))]);
        }
    }
    classified(model, "x", shape[1])
}

fn masks(draw: &mut Draw, most: i64) -> Vec<u8> {
    let [_, c, _, _] = picture(draw);
    let side = draw.size(1 << 13);
    let shape = [1, c, side, side];
    let mut model = Builder::new(13, &shape).floats("ratio", &[], &[0.5]).raw(
        "on",
        &[],
        DataType::BOOL,
        vec![1],
    );
    let count = draw.size(most.min(3000));
    let (trains, masked) = (draw.between(0, 1) == 0, draw.between(0, 1) == 0);
    for at in 0..count {
        let operands: &[&str] = if trains { &["x", "ratio", "on"] } else { &["x"] };
        model = model.node("Dropout", operands, &format!("d{at}"), vec![int("seed", at)]);
        if masked {
            let mask = format!("mask{at}");
            model.graph().node.last_mut().expect("just added").output.push(mask.clone());
            model = model.node("Cast", &[&mask], &format!("m{at}"), vec![int("to", 1)]);
        }
    }
    classified(model, &format!("d{}", count - 1), c)
}

fn input(draw: &mut Draw, _: i64) -> Vec<u8> {
    let shape = [1, draw.of(&[1, 3, 3, 16]), draw.size(1 << 14), draw.size(1 << 14)];
    let operator = draw.of(&["Relu", "Sigmoid", "Transpose"]);
    let model = Builder::new(13, &shape).node(operator, &["x"], "y", vec![]);
    let axis = if operator == "Transpose" { 3 } else { 1 };
    classified(model, "y", shape[axis])
}

fn large(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let n = draw.size(1 << 13);
    let scale = n as f32;
    let model = base(shape);
    let model = match draw.between(0, 4) {
        0 => model.floats("s", &[4], &[1.0, 1.0, scale, scale]).node(
            "Resize",
            &["x", "", "s"],
            "z",
            vec![string("mode", draw.of(&["nearest", "linear"]))],
        ),
        1 => model.ints("p", &[0, 0, n, n, 0, 0, n, n]).node(
            "Pad",
            &["x", "p"],
            "z",
            vec![string("mode", draw.of(&["constant", "edge", "wrap"]))],
        ),
        2 => filled(model, "k", &[1, shape[1], n.max(shape[2]) / shape[2] * shape[2], 1], 1.0)
            .node("Add", &["x", "k"], "z", vec![]),
        3 => model.node(
            "AveragePool",
            &["x"],
            "z",
            vec![ints("kernel_shape", &[2, 2]), ints("pads", &[n; 4]), int("count_include_pad", 1)],
        ),
        _ => {
            let channels = n.min((200_000 / shape[1]).max(1));
            let model = model.floats(
                "w",
                &[channels, shape[1], 1, 1],
                &vec![0.1; (channels * shape[1]) as usize],
            );
            let model = model.node("Conv", &["x", "w"], "z", vec![]);
            return classified(model, "z", channels.min(1 << 15));
        }
    };
    let count = draw.size(most.min(64));
    let mut model = model.node("Relu", &["z"], "z0", vec![]);
    for at in 0..count {
        let (from, to) = (format!("z{at}"), format!("z{}", at + 1));
        model = model.node(draw.of(&["Relu", "Sigmoid", "HardSwish"]), &[&from], &to, vec![]);
    }
    classified(model, &format!("z{count}"), shape[1])
}

fn window(draw: &mut Draw, _: i64) -> Vec<u8> {
    let shape = picture(draw);
    let count = draw.between(1, 20);
    let operator = draw.of(&["MaxPool", "AveragePool", "Conv"]);
    let side = draw.size(200);
    let mut model = base(shape).floats(
        "k",
        &[shape[1], 1, side, side],
        &vec![0.1; (shape[1] * side * side).min(200_000) as usize],
    );
    for at in 0..count {
        let from = if at == 0 { "x".to_owned() } else { format!("y{}", at - 1) };
        let to = format!("y{at}");
        let mut attributes = window_of(draw, if operator == "Conv" { side } else { 8192 });
        if operator == "Conv" {
            attributes[0] = ints("kernel_shape", &[side, side]);
            attributes.push(int("group", shape[1]));
        }
        if operator == "AveragePool" && draw.between(0, 1) == 0 {
            attributes.push(int("ceil_mode", 1));
        }
        let operands: &[&str] = if operator == "Conv" { &[&from, "k"] } else { &[&from] };
        model = model.node(operator, operands, &to, attributes);
    }
    classified(model, &format!("y{}", count - 1), shape[1])
}

fn shared(draw: &mut Draw, most: i64) -> Vec<u8> {
    let [_, _, h, w] = picture(draw);
    let c = draw.size(480);
    let mut model = base([1, c, h, w]).floats("big", &[c, c, 1, 1], &vec![0.01; (c * c) as usize]);
    let count = draw.size(most);
    let behind = draw.of(&["", "BatchNormalization", "Mul", "Add", "Relu"]);
    let mut from = "x".to_owned();
    for at in 0..count {
        let to = format!("y{at}");
        model = model.node("Conv", &[&from, "big"], &to, vec![]);
        from = to;
        if !behind.is_empty() {
            let to = format!("b{at}");
            model = match behind {
                "BatchNormalization" => {
                    model.node(behind, &[&from, "c", "c", "c", "c"], &to, vec![])
                }
                "Relu" => model.node(behind, &[&from], &to, vec![]),
                other => model.node(other, &[&from, "channels"], &to, vec![]),
            };
            from = to;
        }
    }
    classified(model, &from, c)
}

fn products(draw: &mut Draw, most: i64) -> Vec<u8> {
    let rows = draw.size(4096);
    let columns = draw.size((200_000 / rows).max(1));
    let both = vec![0.01; (rows * columns) as usize];
    let mut model = Builder::new(13, &[1, rows]).floats("there", &[rows, columns], &both).floats(
        "back",
        &[columns, rows.min(200_000 / columns).max(1)],
        &vec![0.01; (columns * rows.min(200_000 / columns).max(1)) as usize],
    );
    let count = draw.size(most);
    let mut from = "x".to_owned();
    for at in 0..count {
        let (to, again) = (format!("t{at}"), format!("u{at}"));
        model = model.node("MatMul", &[&from, "there"], &to, vec![]).node(
            "MatMul",
            &[&to, "back"],
            &again,
            vec![],
        );
        from = again;
    }
    model
        .floats("tail.w", &[rows, 4], &vec![0.5; 4 * rows as usize])
        .node("MatMul", &[&from, "tail.w"], "y", vec![])
        .bytes("y")
}

fn head(draw: &mut Draw, most: i64) -> Vec<u8> {
    let classes = draw.size(200_000);
    let features = draw.size((200_000 / classes).max(1));
    let mut model = Builder::new(13, &[1, features])
        .floats("w", &[classes, features], &vec![0.5; (classes * features) as usize])
        .floats("number", &[], &[1.01])
        .node("Gemm", &["x", "w"], "y0", vec![int("transB", 1), float("alpha", 0.5)]);
    let count = draw.size(most);
    let operator = draw.of(&["Mul", "Add", "Div", "Softmax", "Relu"]);
    for at in 0..count {
        let (from, to) = (format!("y{at}"), format!("y{}", at + 1));
        model = match operator {
            "Softmax" | "Relu" => model.node(operator, &[&from], &to, vec![]),
            other => model.node(other, &[&from, "number"], &to, vec![]),
        };
    }
    model.bytes(&format!("y{count}"))
}

fn names(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape);
    let long = "n".repeat(draw.size(4000) as usize);
    let count = draw.size(most.min(3000));
    let operator = draw.of(&["Relu", "Identity", "Sum", "Mul"]);
    for at in 0..count {
        let name = |at: i64| if at < 0 { "x".to_owned() } else { format!("{long}{at}") };
        let from = name(at - 1);
        let operands = match operator {
            "Sum" => vec![from.as_str(); 3],
            "Mul" => vec![from.as_str(), "number"],
            _ => vec![from.as_str()],
        };
        model = model.node(operator, &operands, &name(at), vec![]);
    }
    classified(model, &format!("{long}{}", count - 1), shape[1])
}

fn parts(draw: &mut Draw, _: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape).node("Relu", &["x"], "y", vec![]);
    let count = draw.size(400_000) as usize;
    let graph = model.graph();
    match draw.between(0, 5) {
        0 => graph.node[0].attribute = vec![AttributeProto::default(); count],
        1 => graph.node.extend(vec![Default::default(); count]),
        2 => graph.initializer.extend((0..count).map(|_| Default::default())),
        3 => graph.input.extend(vec![Default::default(); count]),
        4 => graph.node[0].output.extend(vec![String::new(); count]),
        _ => graph.node[0].attribute.push(ints("pads", &vec![1; count])),
    }
    classified(model, "y", shape[1])
}

fn scales(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape)
        .floats("scale", &[], &[0.05])
        .raw("at", &[], DataType::UINT8, vec![7])
        .ints("s", &shape)
        .node("QuantizeLinear", &["x", "scale", "at"], "q0", vec![]);
    let count = draw.size(most);
    let fixed = draw.between(0, 4);
    for at in 0..count {
        let (from, to) = (format!("q{at}"), format!("q{}", at + 1));
        let (real, again) = (format!("r{at}"), format!("a{at}"));
        model = match if fixed == 4 { draw.between(0, 3) } else { fixed } {
            0 => model.node("Reshape", &[&from, "s"], &to, vec![]),
            1 => model.node("Transpose", &[&from], &to, vec![ints("perm", &[0, 1, 3, 2])]),
            2 => model.node("DequantizeLinear", &[&from, "scale", "at"], &real, vec![]).node(
                "QuantizeLinear",
                &[&real, "scale", "at"],
                &to,
                vec![],
            ),
            _ => model
                .node("DequantizeLinear", &[&from, "scale", "at"], &real, vec![])
                .node("Relu", &[&real], &again, vec![])
                .node("QuantizeLinear", &[&again, "scale", "at"], &to, vec![]),
        };
    }
    let model = model.node("DequantizeLinear", &[&format!("q{count}"), "scale", "at"], "y", vec![]);
    classified(model, "y", shape[1])
}

fn constant_scales(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let side = draw.size(800);
    let count = draw.size(most);
    let mut model = base(shape)
        .floats("scale", &[], &[0.05])
        .raw("at", &[], DataType::INT8, vec![0])
        .raw("k", &[1, 1, side, side], DataType::INT8, vec![1; (side * side) as usize]);
    let mut y = "x".to_owned();
    let again = draw.between(0, 1) == 0;
    for at in 0..count {
        let (real, mean, sum) = (format!("r{at}"), format!("m{at}"), format!("s{at}"));
        model = model.node("DequantizeLinear", &["k", "scale", "at"], &real, vec![]);
        if again {
            model =
                model.node("QuantizeLinear", &[&real, "scale", "at"], &format!("q{at}"), vec![]);
        }
        model = model.node("ReduceMean", &[&real], &mean, vec![]).node(
            "Add",
            &[&y, &mean],
            &sum,
            vec![],
        );
        y = sum;
    }
    classified(model, &y, shape[1])
}

fn training(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape);
    let count = draw.size(most);
    for at in 0..count {
        let from = if at == 0 { "x".to_owned() } else { format!("y{}", at - 1) };
        model = model.node(
            "BatchNormalization",
            &[&from, "c", "c", "c", "c"],
            &format!("y{at}"),
            vec![int("training_mode", 1)],
        );
    }
    classified(model, &format!("y{}", count - 1), shape[1])
}

fn outputs(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape);
    let count = draw.size(most.min(8000));
    for at in 0..count {
        let from = if at == 0 { "x".to_owned() } else { format!("y{}", at - 1) };
        model = keeping(model, draw, &from, &format!("y{at}"), shape);
        let twice = draw.between(1, 2);
        for _ in 0..twice {
            model.graph().output.push(testing::value_info(&format!("y{at}"), &[]));
        }
    }
    classified(model, &format!("y{}", count - 1), shape[1])
}
