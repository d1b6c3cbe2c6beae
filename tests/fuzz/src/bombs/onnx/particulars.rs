//! Names, empty parts, scales, and nodes in training mode.

use rten_onnx::onnx::{AttributeProto, DataType};

use super::super::Draw;
use super::testing::{int, ints};
use super::{base, classified, picture};

pub(super) fn names(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn parts(draw: &mut Draw, _: i64) -> Vec<u8> {
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

pub(super) fn scales(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn constant_scales(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn training(draw: &mut Draw, most: i64) -> Vec<u8> {
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
