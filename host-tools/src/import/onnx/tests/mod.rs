//! The importer, on models that are built in the test.

mod boundaries;
mod elements;
mod folding;
mod functions;
mod operators;
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
