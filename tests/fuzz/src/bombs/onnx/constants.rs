//! Constants that make more constants.

use super::super::Draw;
use super::testing::{int, ints};
use super::{base, classified, filled, picture, window_of};

pub(super) fn known(draw: &mut Draw, _: i64) -> Vec<u8> {
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

pub(super) fn many_known(draw: &mut Draw, most: i64) -> Vec<u8> {
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
