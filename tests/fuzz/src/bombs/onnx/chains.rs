//! Long chains, and nodes of many operands.

use super::super::Draw;
use super::testing::{Builder, int, value_info};
use super::{base, classified, keeping, picture};

pub(super) fn chain(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn pairs(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn random(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn wide(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn products(draw: &mut Draw, most: i64) -> Vec<u8> {
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

pub(super) fn outputs(draw: &mut Draw, most: i64) -> Vec<u8> {
    let shape = picture(draw);
    let mut model = base(shape);
    let count = draw.size(most.min(8000));
    for at in 0..count {
        let from = if at == 0 { "x".to_owned() } else { format!("y{}", at - 1) };
        model = keeping(model, draw, &from, &format!("y{at}"), shape);
        let twice = draw.between(1, 2);
        for _ in 0..twice {
            model.graph().output.push(value_info(&format!("y{at}"), &[]));
        }
    }
    classified(model, &format!("y{}", count - 1), shape[1])
}
