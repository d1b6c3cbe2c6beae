//! Integers that shapes are computed from.

use rten_onnx::onnx::DataType;

use super::super::Draw;
use super::testing::{Builder, int, tensor, value};
use super::{base, classified, picture, window_of};

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

pub(super) fn integers(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn ranks(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn lists(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn integer_windows(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn casts(draw: &mut Draw, most: i64) -> Vec<u8> {
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
