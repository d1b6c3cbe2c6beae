//! Small TensorFlow Lite models, written with the crate `flatbuffers`.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

/// A tensor under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct TensorOf {
    pub(crate) name: String,
    pub(crate) shape: Vec<i32>,
    /// Number of the element type: 0 float32, 1 float16, 2 int32, 3 uint8, 9 int8.
    pub(crate) kind: i8,
    /// Empty for a computed one.
    pub(crate) data: Vec<u8>,
    pub(crate) scales: Vec<f32>,
    pub(crate) zero_points: Vec<i64>,
    pub(crate) axis: i32,
    /// Where the stored elements stand, if zeros are left out.
    pub(crate) sparsity: Option<SparsityOf>,
    /// The shape with −1 for what is open; empty for none.
    pub(crate) signature: Vec<i32>,
}

/// Where stored elements stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct SparsityOf {
    pub(crate) order: Vec<i32>,
    pub(crate) blocks: Vec<i32>,
    pub(crate) axes: Vec<AxisOf>,
}

/// An axis of a sparse tensor.
#[derive(Clone, Debug)]
pub(crate) enum AxisOf {
    /// All of its places, so many.
    Dense(i32),
    /// Lists of places, in numbers of four, two or one byte by their type 1, 2 or 3.
    Listed { kind: i8, ends: Vec<i32>, at: Vec<i32> },
}

/// An operator under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct OperatorOf {
    pub(crate) code: i32,
    pub(crate) inputs: Vec<i32>,
    pub(crate) outputs: Vec<i32>,
    /// Options of one byte and of four, by slot.
    pub(crate) bytes: Vec<(u16, i8)>,
    pub(crate) words: Vec<(u16, i32)>,
}

/// Where a field of a table stands in its list.
fn slot(number: u16) -> u16 {
    4 + 2 * number
}

type Builder<'a> = FlatBufferBuilder<'a>;
type Made = WIPOffset<TableFinishedWIPOffset>;

/// A file whose graph reads tensor `input` and gives tensor `output`.
pub(crate) fn file(
    tensors: &[TensorOf],
    operators: &[OperatorOf],
    [input, output]: [i32; 2],
) -> Vec<u8> {
    file_of(tensors, operators, &[input], &[output])
}

/// A file whose graph has these inputs and outputs.
pub(crate) fn file_of(
    tensors: &[TensorOf],
    operators: &[OperatorOf],
    inputs: &[i32],
    outputs: &[i32],
) -> Vec<u8> {
    let mut b = Builder::with_capacity(1024);
    let mut codes: Vec<i32> = operators.iter().map(|operator| operator.code).collect();
    codes.dedup();
    let mut buffers = vec![buffer(&mut b, &[])];
    let mut made_tensors = Vec::new();
    for tensor in tensors {
        buffers.push(buffer(&mut b, &tensor.data));
        let index = if tensor.data.is_empty() { 0 } else { buffers.len() as u32 - 1 };
        made_tensors.push(self::tensor(&mut b, tensor, index));
    }
    let made_operators: Vec<Made> =
        operators.iter().map(|operator| self::operator(&mut b, operator, &codes)).collect();
    let made_codes: Vec<Made> = codes.iter().map(|&code| operator_code(&mut b, code)).collect();
    let (inputs, outputs) = (b.create_vector(inputs), b.create_vector(outputs));
    let (tensors, operators) = (b.create_vector(&made_tensors), b.create_vector(&made_operators));
    let table = b.start_table();
    b.push_slot_always(slot(0), tensors);
    b.push_slot_always(slot(1), inputs);
    b.push_slot_always(slot(2), outputs);
    b.push_slot_always(slot(3), operators);
    let graph = b.end_table(table);
    let (graphs, codes) = (b.create_vector(&[graph]), b.create_vector(&made_codes));
    let (buffers, description) = (b.create_vector(&buffers), b.create_string("test"));
    let table = b.start_table();
    b.push_slot_always(slot(0), 3_u32);
    b.push_slot_always(slot(1), codes);
    b.push_slot_always(slot(2), graphs);
    b.push_slot_always(slot(3), description);
    b.push_slot_always(slot(4), buffers);
    let model = b.end_table(table);
    b.finish(model, Some("TFL3"));
    b.finished_data().to_vec()
}

fn buffer(b: &mut Builder<'_>, data: &[u8]) -> Made {
    let data = b.create_vector(data);
    let table = b.start_table();
    b.push_slot_always(slot(0), data);
    b.end_table(table)
}

fn tensor(b: &mut Builder<'_>, of: &TensorOf, buffer: u32) -> Made {
    let (scales, zeros) = (b.create_vector(&of.scales), b.create_vector(&of.zero_points));
    let table = b.start_table();
    b.push_slot_always(slot(2), scales);
    b.push_slot_always(slot(3), zeros);
    b.push_slot(slot(6), of.axis, 0);
    let quantisation = b.end_table(table);
    let sparsity = of.sparsity.as_ref().map(|of| sparsity(b, of));
    let signature = (!of.signature.is_empty()).then(|| b.create_vector(&of.signature));
    let (shape, name) = (b.create_vector(&of.shape), b.create_string(&of.name));
    let table = b.start_table();
    b.push_slot_always(slot(0), shape);
    b.push_slot(slot(1), of.kind, 0);
    b.push_slot(slot(2), buffer, 0);
    b.push_slot_always(slot(3), name);
    b.push_slot_always(slot(4), quantisation);
    sparsity.into_iter().for_each(|made| b.push_slot_always(slot(6), made));
    signature.into_iter().for_each(|made| b.push_slot_always(slot(7), made));
    b.end_table(table)
}

fn sparsity(b: &mut Builder<'_>, of: &SparsityOf) -> Made {
    let axes: Vec<Made> = of.axes.iter().map(|of| axis(b, of)).collect();
    let (order, blocks) = (b.create_vector(&of.order), b.create_vector(&of.blocks));
    let axes = b.create_vector(&axes);
    let table = b.start_table();
    b.push_slot_always(slot(0), order);
    b.push_slot_always(slot(1), blocks);
    b.push_slot_always(slot(2), axes);
    b.end_table(table)
}

fn axis(b: &mut Builder<'_>, of: &AxisOf) -> Made {
    match of {
        AxisOf::Dense(extent) => {
            let table = b.start_table();
            b.push_slot(slot(1), *extent, 0);
            b.end_table(table)
        }
        AxisOf::Listed { kind, ends, at } => {
            let (ends, at) = (list(b, *kind, ends), list(b, *kind, at));
            let table = b.start_table();
            b.push_slot(slot(0), 1_i8, 0);
            b.push_slot(slot(2), *kind, 0);
            b.push_slot_always(slot(3), ends);
            b.push_slot(slot(4), *kind, 0);
            b.push_slot_always(slot(5), at);
            b.end_table(table)
        }
    }
}

fn list(b: &mut Builder<'_>, kind: i8, numbers: &[i32]) -> Made {
    let made = match kind {
        2 => {
            let halves: Vec<u16> = numbers.iter().map(|&n| n as u16).collect();
            b.create_vector(&halves).as_union_value()
        }
        3 => {
            let bytes: Vec<u8> = numbers.iter().map(|&n| n as u8).collect();
            b.create_vector(&bytes).as_union_value()
        }
        _ => b.create_vector(numbers).as_union_value(),
    };
    let table = b.start_table();
    b.push_slot_always(slot(0), made);
    b.end_table(table)
}

fn operator(b: &mut Builder<'_>, of: &OperatorOf, codes: &[i32]) -> Made {
    let table = b.start_table();
    of.bytes.iter().for_each(|&(number, value)| b.push_slot(slot(number), value, 0));
    of.words.iter().for_each(|&(number, value)| b.push_slot_always(slot(number), value));
    let options = b.end_table(table);
    let (inputs, outputs) = (b.create_vector(&of.inputs), b.create_vector(&of.outputs));
    let code = codes.iter().position(|&code| code == of.code).unwrap_or(0) as u32;
    let table = b.start_table();
    b.push_slot(slot(0), code, 0);
    b.push_slot_always(slot(1), inputs);
    b.push_slot_always(slot(2), outputs);
    b.push_slot_always(slot(4), options);
    b.end_table(table)
}

fn operator_code(b: &mut Builder<'_>, code: i32) -> Made {
    let table = b.start_table();
    b.push_slot(slot(0), code.min(127) as i8, 0);
    b.push_slot(slot(3), code, 0);
    b.end_table(table)
}

/// A small network of most operators: tensors, operators, input and output.
pub(crate) fn network() -> (Vec<TensorOf>, Vec<OperatorOf>, [i32; 2]) {
    let mut state = 5_u32;
    let mut chance = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 20) as i32
    };
    let mut weights =
        |count: usize| (0..count).map(|_| (chance() % 255 - 127) as u8).collect::<Vec<u8>>();
    let words = |list: &[i32]| list.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let scales = |count: usize| (0..count).map(|c| 0.003 + 0.0004 * c as f32).collect::<Vec<f32>>();
    let computed = |name: &str, shape: &[i32], scale: f32, zero: i64| TensorOf {
        name: name.into(),
        shape: shape.to_vec(),
        kind: 9,
        scales: vec![scale],
        zero_points: vec![zero],
        ..TensorOf::default()
    };
    let weight = |name: &str, shape: &[i32], data: Vec<u8>, channels: usize, axis: i32| TensorOf {
        name: name.into(),
        shape: shape.to_vec(),
        kind: 9,
        data,
        scales: scales(channels),
        zero_points: vec![0; channels],
        axis,
        ..TensorOf::default()
    };
    let bias = |name: &str, list: &[i32], x: f32| TensorOf {
        name: name.into(),
        shape: vec![list.len() as i32],
        kind: 2,
        data: words(list),
        scales: scales(list.len()).iter().map(|w| w * x).collect(),
        zero_points: vec![0; list.len()],
        ..TensorOf::default()
    };
    let integers = |name: &str, shape: &[i32], list: &[i32]| TensorOf {
        name: name.into(),
        shape: shape.to_vec(),
        kind: 2,
        data: words(list),
        ..TensorOf::default()
    };
    let tensors = vec![
        computed("in", &[1, 7, 6, 3], 0.02, 3),
        weight("w1", &[4, 3, 3, 3], weights(108), 4, 0),
        bias("b1", &[100, -300, 700, 40], 0.02),
        computed("conv", &[1, 4, 3, 4], 0.0235, -128),
        integers("pads", &[4, 2], &[0, 0, 1, 1, 1, 1, 0, 0]),
        computed("padded", &[1, 6, 5, 4], 0.0235, -128),
        weight("w2", &[1, 3, 3, 4], weights(36), 4, 3),
        bias("b2", &[10, 20, -30, 40], 0.0235),
        computed("deep", &[1, 4, 3, 4], 0.031, 7),
        computed("sum", &[1, 4, 3, 4], 0.03125, -5),
        computed("pool", &[1, 2, 2, 4], 0.03125, -5),
        computed("flat", &[1, 16], 0.03125, -5),
        weight("w3", &[5, 16], weights(80), 5, 0),
        bias("b3", &[1, -2, 3, 400, -500], 0.03125),
        computed("logits", &[1, 5], 0.05, 10),
        computed("probabilities", &[1, 5], 1.0 / 256.0, -128),
    ];
    let operator =
        |code, inputs: &[i32], output, bytes: &[(u16, i8)], words: &[(u16, i32)]| OperatorOf {
            code,
            inputs: inputs.to_vec(),
            outputs: vec![output],
            bytes: bytes.to_vec(),
            words: words.to_vec(),
        };
    let operators = vec![
        // SAME, stride 2, ReLU6
        operator(3, &[0, 1, 2], 3, &[(0, 0), (3, 3)], &[(1, 2), (2, 2)]),
        operator(34, &[3, 4], 5, &[], &[]),
        // VALID, stride 1
        operator(4, &[5, 6, 7], 8, &[(0, 1)], &[(1, 1), (2, 1), (3, 1)]),
        operator(0, &[3, 8], 9, &[(0, 1)], &[]),
        // SAME, windows of 3 × 2, strides of 2
        operator(1, &[9], 10, &[(0, 0)], &[(1, 2), (2, 2), (3, 2), (4, 3)]),
        operator(22, &[10], 11, &[], &[]),
        operator(9, &[11, 12, 13], 14, &[], &[]),
        operator(25, &[14], 15, &[], &[(0, 1.0_f32.to_bits() as i32)]),
    ];
    (tensors, operators, [0, 15])
}
