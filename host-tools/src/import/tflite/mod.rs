//! TensorFlow Lite files (`.tflite`) to [`Graph`](headstart::graph::Graph)s: one graph of fixed shapes, quantised
//! to int8 or uint8, or in float.
//!
//! Every table of a file is checked as it is read, and counted before anything is allocated. Images, which
//! stand as `[batch, height, width, channels]` there, become `[batch, channels, height, width]`, the order of
//! the graph's operators; the model's input stays as it is. A tensor keeps its name and its scale.

mod constants;
mod flatbuffer;
mod layout;
mod operators;
mod schema;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{ImportError, Problem};
use crate::import::cost::MAX_GRAPH_NODES;
use crate::import::file::read_file;
use crate::import::imported::{Imported, Output, Source, check_model};
use operators::Build;
use schema::Model;

/// Reads the model at `path`.
///
/// # Errors
///
/// [`ImportError`] with the file and what is wrong in it, and where: anything but an intact model of one input,
/// fixed shapes and supported operators.
pub fn import(path: &Path) -> Result<Imported, ImportError> {
    let name = path.display().to_string();
    let bytes = read_file(path).map_err(|problem| problem.in_file(&name))?;
    import_bytes(&bytes, &name)
}

/// Reads a model out of memory; `name` stands in messages.
///
/// # Errors
///
/// As [`import`].
pub fn import_bytes(bytes: &[u8], name: &str) -> Result<Imported, ImportError> {
    let read = || {
        let imported = read_model(bytes)?;
        check_model(&imported)?;
        Ok(imported)
    };
    read().map_err(|problem: Problem| problem.in_file(name))
}

fn read_model(bytes: &[u8]) -> Result<Imported, Problem> {
    let model = Model::read(bytes)?;
    let mut build = Build::new(&model, bytes.len())?;
    for operator in &model.operators {
        build.operator(operator)?;
        Problem::check_limit(
            "the model becomes too many nodes",
            build.graph.nodes.len(),
            MAX_GRAPH_NODES,
        )?;
    }
    let mut outputs = Vec::new();
    for &output in &model.outputs {
        let tensor = &model.tensors[output];
        let value = build.computed(output).map_err(|what| Problem::tensor(tensor.name, what))?;
        let source = Source::Floats(build.graph.outputs.len());
        build.graph.outputs.push(value);
        outputs.push(Output { name: build.graph.values[value].name.clone(), source });
    }
    if outputs.is_empty() {
        return Err(Problem::Model("the model has no output".to_owned()));
    }
    Ok(Imported {
        graph: build.graph,
        outputs,
        training: None,
        weights: build.weights,
        aliases: build.aliases,
        source_sha256: Sha256::digest(bytes).into(),
        producer: model.description.to_owned(),
        opset: None,
        integer_means: build.integer_means,
    })
}
