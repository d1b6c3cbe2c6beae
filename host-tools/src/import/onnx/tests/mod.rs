//! The importer, on models that are built in the test.

mod boundaries;
mod choices;
mod elements;
mod folding;
mod functions;
mod operators;
mod pools;
mod quantisers;
mod refusals;

use std::collections::BTreeMap;

use headstart::graph::{
    Activation, Coordinates, Graph, Interpolation, Op, PadMode, Rounding, Window,
};
use rten_onnx::onnx::{
    AttributeProto, DataLocation, DataType, StringStringEntryProto, TensorProto,
};

use super::testing::{Builder, float, int, ints, string, tensor, value};
use super::*;
use crate::cut::inspect::{freeze_points, layers};
use crate::import::simplify::simplify;
use crate::quantise::lower::obstacle;
use crate::reference;
use crate::ship::export::to_onnx;

/// The one node of a graph.
fn only(imported: &Imported) -> &Op {
    assert_eq!(imported.graph.nodes.len(), 1, "{:?}", imported.graph.nodes);
    &imported.graph.nodes[0].op
}

fn output_shape(graph: &Graph) -> &[usize] {
    &graph.values[graph.outputs[0]].shape
}

/// `x` of `input` through one node that reads it and `operands`.
fn one(
    opset: i64,
    input: &[i64],
    operator: &str,
    operands: &[&str],
    attributes: Vec<AttributeProto>,
) -> Builder {
    let inputs = [&["x"], operands].concat();
    Builder::new(opset, input).node(operator, &inputs, "y", attributes)
}

fn refusal(outcome: Result<Imported, ImportError>) -> String {
    outcome.expect_err("this model must be refused").to_string()
}

/// `model` with output `y`, of inputs that are all bound.
fn known_output(model: Builder, bindings: Vec<(&str, Known)>) -> Known {
    let bindings = bindings.into_iter().map(|(name, known)| (name.to_owned(), known)).collect();
    let imported = import_bytes_with(&model.bytes("y"), "test.onnx", None, bindings).unwrap();
    match &imported.outputs[0].source {
        Source::Known(known) => known.clone(),
        other => panic!("{other:?}"),
    }
}

/// `model` of input `shape`, run on noise; also the input.
fn of_noise(model: Builder, shape: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let imported = model.import("y").unwrap();
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let x: Vec<f32> = (0..shape.iter().product()).map(|_| noise()).collect();
    let y = reference::run(&imported.graph, std::slice::from_ref(&x)).remove(0);
    (x, y)
}

fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-4, "{what}, element {at}: {found} is not {expected}");
    }
}
