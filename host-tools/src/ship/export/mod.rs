//! Writes a float graph as an ONNX file that other runtimes read.

mod batch;
mod operators;

use std::cell::RefCell;
use std::collections::HashSet;

use headstart::graph::{Graph, ValueId};
use rten_onnx::onnx::{
    DataType, Dimension, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

/// The operator set that is written: what ONNX Runtime 1.8 and all later ones read.
const OPSET: i64 = 13;

/// The file format that goes with it.
const IR_VERSION: i64 = 7;

/// A file of more bytes is no protobuf message any more.
const MAX_BYTES: u64 = i32::MAX as u64;

/// A reason why a graph cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An operator set 13 file cannot say what a node does.
    #[error("node {node:?} ({operator}): {what}")]
    Node {
        /// The node's name.
        node: String,
        /// The operator.
        operator: &'static str,
        /// Why the node cannot be written.
        what: &'static str,
    },
    /// The weights do not fit into one file.
    #[error("weights of {found} bytes; an ONNX file holds at most {MAX_BYTES}")]
    TooLarge {
        /// Size of the weights, in bytes.
        found: u64,
    },
    /// The encoder failed.
    #[error("cannot be encoded: {0}")]
    Encode(String),
}

/// Writes `graph` as an ONNX model of operator set 13, with `metadata` as its properties.
///
/// The batch size stays open if every node treats the samples of a batch alike, else it is 1.
///
/// # Errors
///
/// [`ExportError`] for an average pool with dilations, padding of mode wrap, places of maxima, or for
/// more weights than a file holds.
pub fn to_onnx(graph: &Graph, metadata: &[(&str, &str)]) -> Result<Vec<u8>, ExportError> {
    let used = used_constants(graph);
    let bytes = |&id: &ValueId| graph.values[id].constant.as_ref().map_or(0, |data| data.len() * 4);
    let found = used.iter().map(|id| bytes(id) as u64).sum();
    if found > MAX_BYTES {
        return Err(ExportError::TooLarge { found });
    }
    let mut writer = Writer {
        graph,
        open_batch: batch::is_first_everywhere(graph),
        names: unique_names(graph),
        proto: GraphProto::default(),
    };
    for id in used {
        writer.write_constant(id);
    }
    for &input in &graph.inputs {
        let info = writer.value_info(&writer.names[input], &graph.values[input].shape);
        writer.proto.input.push(info);
    }
    for node in &graph.nodes {
        writer.write_node(node)?;
    }
    writer.write_outputs();
    let entry = |&(key, value): &(&str, &str)| StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value.to_owned()),
    };
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("headstart".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: Some(writer.proto),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        metadata_props: metadata.iter().map(entry).collect(),
    };
    model.write_buf().map_err(|error| ExportError::Encode(error.to_string()))
}

/// A file under construction.
struct Writer<'a> {
    graph: &'a Graph,
    open_batch: bool,
    /// The name of every value, and what else was named.
    names: Vec<String>,
    proto: GraphProto,
}

impl Writer<'_> {
    fn write_constant(&mut self, id: ValueId) {
        let value = &self.graph.values[id];
        let Some(data) = &value.constant else { return };
        let bytes = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        let name = self.names[id].clone();
        self.proto.initializer.push(tensor(name, &value.shape, DataType::FLOAT, bytes));
    }

    /// Adds integers that a node reads as an operand, and gives their name.
    fn integers(&mut self, name: String, integers: &[i64]) -> String {
        let bytes = integers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let shape = [integers.len()];
        self.proto.initializer.push(tensor(name.clone(), &shape, DataType::INT64, bytes));
        name
    }

    /// Adds a list of numbers that a node reads as an operand, and gives its name.
    fn numbers(&mut self, name: String, numbers: &[f32]) -> String {
        let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let shape = [numbers.len()];
        self.proto.initializer.push(tensor(name.clone(), &shape, DataType::FLOAT, bytes));
        name
    }

    /// Adds a number that a node reads as an operand, and gives its name.
    fn number(&mut self, name: String, number: f32) -> String {
        let bytes = number.to_le_bytes().to_vec();
        self.proto.initializer.push(tensor(name.clone(), &[], DataType::FLOAT, bytes));
        name
    }

    /// An output that no node makes, or that stands twice in the list, gets a node of its own.
    fn write_outputs(&mut self) {
        let mut made: HashSet<ValueId> = self.graph.nodes.iter().map(|node| node.output).collect();
        for (index, &output) in self.graph.outputs.iter().enumerate() {
            let mut name = self.names[output].clone();
            if !made.remove(&output) {
                let source = name.clone();
                name = format!("{source}_output_{index}");
                let own =
                    operators::node_proto(name.clone(), "Identity", vec![source], name.clone());
                self.proto.node.push(own);
            }
            let info = self.value_info(&name, &self.graph.values[output].shape);
            self.proto.output.push(info);
        }
    }

    fn value_info(&self, name: &str, shape: &[usize]) -> ValueInfoProto {
        let dimension = |(i, &extent): (usize, &usize)| match (self.open_batch, i) {
            (true, 0) => Dimension { dim_param: Some("N".to_owned()), dim_value: None },
            _ => Dimension { dim_value: Some(extent as i64), dim_param: None },
        };
        let shape = TensorShapeProto { dim: shape.iter().enumerate().map(dimension).collect() };
        let tensor_type =
            Some(TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape: Some(shape) });
        ValueInfoProto {
            name: Some(name.to_owned()),
            r#type: Some(TypeProto { tensor_type, ..TypeProto::default() }),
        }
    }
}

fn tensor(name: String, shape: &[usize], data_type: DataType, bytes: Vec<u8>) -> TensorProto {
    TensorProto {
        name: Some(name),
        dims: shape.iter().map(|&extent| extent as i64).collect(),
        data_type: Some(data_type),
        raw_data: Some(RefCell::new(bytes)),
        ..TensorProto::default()
    }
}

/// The constants that nodes or outputs read, in the order of the values.
fn used_constants(graph: &Graph) -> Vec<ValueId> {
    let read = graph.nodes.iter().flat_map(|node| &node.inputs).chain(&graph.outputs);
    let mut used: Vec<_> =
        read.copied().filter(|&id| graph.values[id].constant.is_some()).collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// A name for every value that no other has: its own for inputs, outputs and whoever comes first.
fn unique_names(graph: &Graph) -> Vec<String> {
    let mut names = vec![String::new(); graph.values.len()];
    let mut taken = HashSet::new();
    let first = graph.inputs.iter().chain(&graph.outputs).copied();
    for id in first.chain(0..graph.values.len()) {
        if !names[id].is_empty() {
            continue;
        }
        let own = graph.values[id].name.as_str();
        let own = if own.is_empty() { "value" } else { own };
        let mut name = own.to_owned();
        for number in 2.. {
            if taken.insert(name.clone()) {
                break;
            }
            name = format!("{own}_{number}");
        }
        names[id] = name;
    }
    names
}

#[cfg(test)]
mod tests;
