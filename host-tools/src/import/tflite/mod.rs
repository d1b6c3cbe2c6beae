//! TensorFlow Lite files (`.tflite`) to [`Graph`](headstart::graph::Graph)s: one graph of fixed shapes, quantised
//! to int8 or uint8, or in float.
//!
//! Every table of a file is checked as it is read, and counted before anything is allocated. Images, which
//! stand as `[batch, height, width, channels]` there, become `[batch, channels, height, width]`, the order of
//! the graph's operators; the model's input stays as it is. A tensor keeps its name and its scale.

#[cfg(test)]
mod choice_tests;
mod constants;
mod flatbuffer;
mod layout;
#[cfg(test)]
mod operator_tests;
mod operators;
mod schema;
mod sparse;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::path::Path;

use headstart::graph::{Node, Op};
use sha2::{Digest, Sha256};

use crate::error::{ImportError, Problem};
use crate::import::cost::MAX_GRAPH_NODES;
use crate::import::ends::end_at;
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
    let needed = needed(&model);
    let mut build = Build::new(&model, bytes.len())?;
    for (operator, needed) in model.operators.iter().zip(needed) {
        build.operator(operator, needed)?;
        Problem::check_limit(
            "the model becomes too many nodes",
            build.graph.nodes.len(),
            MAX_GRAPH_NODES,
        )?;
    }
    let mut outputs = Vec::new();
    for &output in &model.outputs {
        let tensor = &model.tensors[output];
        if build.is_behind(output) {
            outputs.push(Output { name: tensor.name.to_owned(), source: Source::Behind });
            continue;
        }
        let value = build.computed(output).map_err(|what| Problem::tensor(tensor.name, what))?;
        let source = Source::Floats(build.graph.outputs.len());
        build.graph.outputs.push(value);
        outputs.push(Output { name: build.graph.values[value].name.clone(), source });
    }
    if outputs.is_empty() {
        return Err(Problem::Model("the model has no output".to_owned()));
    }
    end_at(&mut build.graph, &mut outputs, build.frontier);
    let depends = build.graph.depends_on_inputs();
    // Nothing stands before the first operator that was not taken over.
    if let Some(problem) = build.problem
        && !build.graph.nodes.iter().any(|node| depends[node.output] && !is_turned_input(node))
    {
        return Err(problem);
    }
    Ok(Imported {
        boundaries: build.boundaries,
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

/// Whether each operator is needed by an output of the model.
fn needed(model: &Model<'_>) -> Vec<bool> {
    let mut tensors = vec![false; model.tensors.len()];
    model.outputs.iter().for_each(|&output| tensors[output] = true);
    let mut needed = vec![false; model.operators.len()];
    for (needed, operator) in needed.iter_mut().zip(&model.operators).rev() {
        *needed = operator.outputs.iter().any(|&output| tensors[output]);
        if *needed {
            operator.inputs.iter().flatten().for_each(|&input| tensors[input] = true);
        }
    }
    needed
}

/// Whether a node only turns the axes of an image.
fn is_turned_input(node: &Node) -> bool {
    matches!(node.op, Op::Transpose { .. })
}
