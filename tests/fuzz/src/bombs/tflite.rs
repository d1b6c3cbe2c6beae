//! TensorFlow Lite files.

#[path = "../../../../host-tools/src/import/tflite/testing.rs"]
#[allow(dead_code, reason = "a part of it is needed")]
mod testing;

use super::Draw;
use testing::{OperatorOf, TensorOf, file};

type Make = fn(&mut Draw, i64) -> Vec<u8>;

pub(super) const KINDS: &[(&str, Make)] =
    &[("lite: a chain", chain), ("lite: shared weights", shared), ("lite: a heavy window", window)];

fn computed(name: String, shape: &[i32]) -> TensorOf {
    TensorOf { name, shape: shape.to_vec(), ..TensorOf::default() }
}

fn constant(name: &str, shape: &[i32]) -> TensorOf {
    let count: i32 = shape.iter().product();
    let data = 0.01_f32.to_le_bytes().repeat(count as usize);
    TensorOf { name: name.to_owned(), shape: shape.to_vec(), data, ..TensorOf::default() }
}

fn operator(
    code: i32,
    inputs: &[i32],
    output: i32,
    bytes: &[(u16, i8)],
    words: &[(u16, i32)],
) -> OperatorOf {
    OperatorOf {
        code,
        inputs: inputs.to_vec(),
        outputs: vec![output],
        bytes: bytes.to_vec(),
        words: words.to_vec(),
    }
}

/// The mean of each channel of tensor `last`, and a classifier of them.
fn classified(
    mut tensors: Vec<TensorOf>,
    mut operators: Vec<OperatorOf>,
    last: i32,
    channels: i32,
) -> Vec<u8> {
    let next = tensors.len() as i32;
    let axes = [1_i32, 2].iter().flat_map(|axis| axis.to_le_bytes()).collect();
    tensors.push(TensorOf {
        name: "axes".into(),
        shape: vec![2],
        kind: 2,
        data: axes,
        ..TensorOf::default()
    });
    tensors.push(computed("mean".into(), &[1, channels]));
    tensors.push(constant("head", &[4, channels]));
    tensors.push(computed("logits".into(), &[1, 4]));
    operators.push(operator(40, &[last, next], next + 1, &[], &[]));
    operators.push(operator(9, &[next + 1, next + 2, -1], next + 3, &[], &[]));
    file(&tensors, &operators, [0, next + 3])
}

fn chain(draw: &mut Draw, most: i64) -> Vec<u8> {
    let side = draw.of(&[1, 4, 16, 64]);
    let shape = [1, side, side, draw.of(&[1, 3, 16])];
    let count = draw.size(most) as i32;
    let mut tensors = vec![computed("x".into(), &shape), constant("number", &[1])];
    let mut operators = Vec::new();
    let code = draw.of(&[0, 14, 18, 19, 22, 41, 117]);
    for at in 0..count {
        let from = if at == 0 { 0 } else { at + 1 };
        tensors.push(computed(format!("y{at}"), &shape));
        let operands: &[i32] = if [0, 18, 41].contains(&code) { &[from, 1] } else { &[from] };
        operators.push(operator(code, operands, at + 2, &[], &[]));
    }
    classified(tensors, operators, count + 1, shape[3])
}

fn shared(draw: &mut Draw, most: i64) -> Vec<u8> {
    let channels = draw.size(450) as i32;
    let side = draw.of(&[1, 4, 16]);
    let shape = [1, side, side, channels];
    let count = draw.size(most) as i32;
    let mut tensors =
        vec![computed("x".into(), &shape), constant("w", &[channels, 1, 1, channels])];
    let mut operators = Vec::new();
    for at in 0..count {
        let from = if at == 0 { 0 } else { at + 1 };
        tensors.push(computed(format!("y{at}"), &shape));
        operators.push(operator(
            3,
            &[from, 1, -1],
            at + 2,
            &[(0, 1)],
            &[(1, 1), (2, 1), (4, 1), (5, 1)],
        ));
    }
    classified(tensors, operators, count + 1, channels)
}

fn window(draw: &mut Draw, _: i64) -> Vec<u8> {
    let side = draw.size(8192) as i32;
    let shape = [1, side, side, draw.of(&[1, 3])];
    let kernel = draw.size(1 << 16) as i32;
    let tensors = vec![computed("x".into(), &shape), computed("y".into(), &shape)];
    let pool = operator(
        draw.of(&[1, 17]),
        &[0],
        1,
        &[(0, 0)],
        &[(1, 1), (2, 1), (3, kernel), (4, kernel)],
    );
    classified(tensors, vec![pool], 1, shape[3])
}
