//! Large tensors, windows and heads.

use rten_onnx::onnx::DataType;

use super::super::Draw;
use super::testing::{Builder, float, int, ints, string};
use super::{base, classified, filled, picture, window_of};

pub(super) fn masks(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn input(draw: &mut Draw, _: i64) -> Vec<u8> {
    let shape = [1, draw.of(&[1, 3, 3, 16]), draw.size(1 << 14), draw.size(1 << 14)];
    let operator = draw.of(&["Relu", "Sigmoid", "Transpose"]);
    let model = Builder::new(13, &shape).node(operator, &["x"], "y", vec![]);
    let axis = if operator == "Transpose" { 3 } else { 1 };
    classified(model, "y", shape[axis])
}

pub(super) fn large(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn window(draw: &mut Draw, _: i64) -> Vec<u8> {
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

pub(super) fn shared(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn head(draw: &mut Draw, most: i64) -> Vec<u8> {
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
