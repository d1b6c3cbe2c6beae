//! ONNX files to [`Graph`]s: operator sets 6 and newer, float networks with fixed shapes.
//!
//! A file is checked before it is parsed (`wire`), its tensors before they are copied (`tensor`),
//! its shapes while the graph grows. Weights in float16, bfloat16 and float64 are converted to
//! float32. Integer tensors exist during import only: the shape arithmetic that exporters write, and
//! all else that does not depend on the float data, is evaluated (`integers`), and what remains is a
//! list of float nodes with one result each. Of an operator with several results each is a node of
//! its own, and only if something reads it.

mod attributes;
mod context;
mod external;
mod inline;
mod inputs;
mod integers;
mod operators;
mod order;
mod parts;
mod quantise;
#[cfg(test)]
mod quantised_tests;
mod random;
mod reading;
mod sparse;
mod tensor;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use headstart::graph::Graph;
use rten_onnx::onnx::{GraphProto, ModelProto, NodeProto};
use sha2::{Digest, Sha256};

pub use crate::error::{ImportError, Problem};
pub use crate::import::imported::{
    Aliases, Data, Imported, IntegerMeans, Known, Output, Source, Tensor,
};
pub use crate::import::integer::IntegerType;

use attributes::NodeView;
use context::{Bound, Context};
use external::External;
use inputs::Inputs;
use reading::Reading;

use super::boundaries::Boundaries;
use super::cost::MAX_NODE_OPERANDS;
use super::file::{check_size, read_file};
use super::imported::check_model;

/// Most nodes of a model.
const MAX_NODES: usize = 20_000;

/// Most operands of all nodes together.
const MAX_OPERANDS: usize = 100_000;

/// Longest name of a node or tensor, in bytes. Names are repeated in messages and derived names.
const MAX_NAME_BYTES: usize = 4096;

/// Oldest operator set whose operators are read with their meaning of then.
const MIN_OPSET: i64 = 6;

/// Reads the model at `path`. Of several inputs it has the one that most nodes need alone; the others are [`Boundaries`].
///
/// # Errors
///
/// [`ImportError`] with the file and what is wrong in it: anything but an intact float network of
/// fixed shapes. Nodes that are not supported are [`Boundaries`], unless nothing stands before them.
pub fn import(path: &Path) -> Result<Imported, ImportError> {
    import_sized(path, None)
}

/// Reads the model at `path`, with rows and columns of its input, the last two dimensions, taken to be these: for networks that take
/// pictures of any size.
///
/// # Errors
///
/// As [`import`], and for an input that is no picture, or a network that does not take that size.
pub fn import_sized(path: &Path, size: Option<[usize; 2]>) -> Result<Imported, ImportError> {
    let name = path.display().to_string();
    let bytes = read_file(path).map_err(|problem| problem.in_file(&name))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    checked(read_model(&bytes, Some(folder), BTreeMap::new(), size, Inputs::One))
        .map_err(|problem| problem.in_file(&name))
}

/// A model of which some is left to freeze.
fn checked(read: Result<(Imported, Option<Problem>), Problem>) -> Result<Imported, Problem> {
    let (imported, problem) = read?;
    let depends = imported.graph.depends_on_inputs();
    match problem {
        // Nothing stands before it.
        Some(problem) if !imported.graph.nodes.iter().any(|node| depends[node.output]) => {
            Err(problem)
        }
        // An input that was left out is all that the model reads.
        None if imported.graph.outputs.is_empty() && imported.boundaries.iter().len() > 0 => {
            Err(left_out(&imported))
        }
        _ => check_model(&imported).map(|()| imported),
    }
}

/// Reads a model out of memory. `name` stands in messages, external data is looked for in `folder`.
///
/// # Errors
///
/// As [`import`].
pub fn import_bytes(
    bytes: &[u8],
    name: &str,
    folder: Option<&Path>,
) -> Result<Imported, ImportError> {
    checked(read_model(bytes, folder, BTreeMap::new(), None, Inputs::One))
        .map_err(|problem| problem.in_file(name))
}

/// Reads a model with some of its inputs bound to constants; any number may remain, its outputs may
/// be of any type, and its nodes may be in training mode. All nodes that outputs need must be supported.
///
/// # Errors
///
/// As [`import`] apart from that; also a binding that is no input of the model.
pub fn import_bytes_with(
    bytes: &[u8],
    name: &str,
    folder: Option<&Path>,
    bindings: BTreeMap<String, Known>,
) -> Result<Imported, ImportError> {
    let read = read_model(bytes, folder, bindings, None, Inputs::All);
    let whole = read.and_then(|(imported, problem)| match problem {
        Some(problem) => Err(problem),
        // An input that was left out is needed.
        None if imported.outputs.iter().any(|output| matches!(output.source, Source::Behind)) => {
            Err(left_out(&imported))
        }
        None => Ok(imported),
    });
    whole.map_err(|problem| problem.in_file(name))
}

/// Why nodes and inputs were not taken over.
fn left_out(imported: &Imported) -> Problem {
    let why = imported.boundaries.iter().map(|boundary| boundary.why.clone());
    Problem::Model(why.collect::<Vec<_>>().join("; "))
}

/// What later work on the graph relies on for its time and memory.
fn check_parts(graph: &GraphProto) -> Result<(), Problem> {
    let operands = graph.node.iter().map(|node| node.input.len()).sum();
    Problem::check_limit("the model has too many nodes", graph.node.len(), MAX_NODES)?;
    Problem::check_limit("the nodes of the model have too many operands", operands, MAX_OPERANDS)?;
    let wide = |node: &&NodeProto| node.input.len().max(node.output.len()) > MAX_NODE_OPERANDS;
    if let Some(node) = graph.node.iter().find(wide) {
        let view = NodeView::new(node, 0);
        return Err(Problem::Node {
            node: view.name.clone(),
            operator: view.operator().escape_debug().to_string(),
            what: format!(
                "{} operands and {} results; at most {MAX_NODE_OPERANDS} of each are accepted: let the model apply it in \
                 several steps",
                node.input.len(),
                node.output.len()
            ),
        });
    }
    let of_nodes = graph.node.iter().flat_map(|node| {
        let own = node.name.iter().chain(&node.op_type).chain(&node.domain);
        own.chain(&node.input).chain(&node.output)
    });
    let of_tensors = graph.initializer.iter().filter_map(|tensor| tensor.name.as_ref());
    let of_inputs = graph.input.iter().chain(&graph.output).filter_map(|info| info.name.as_ref());
    let longest = of_nodes.chain(of_tensors).chain(of_inputs).map(String::len).max();
    Problem::check_limit(
        "the model has names of too many bytes",
        longest.unwrap_or(0),
        MAX_NAME_BYTES,
    )
}

fn read_model(
    bytes: &[u8],
    folder: Option<&Path>,
    bindings: BTreeMap<String, Known>,
    size: Option<[usize; 2]>,
    inputs: Inputs,
) -> Result<(Imported, Option<Problem>), Problem> {
    check_size(bytes.len() as u64)?;
    wire::check(bytes)?;
    let model = ModelProto::parse_buf(bytes)
        .map_err(|error| Problem::Model(format!("is not an ONNX model: {error}")))?;
    let opset = opset(&model)?;
    let producer = [&model.producer_name, &model.producer_version]
        .into_iter()
        .filter_map(Option::as_deref)
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let Some(graph) = model.graph else {
        return Err(Problem::Model("the file holds no graph".to_owned()));
    };
    let mut graph = graph;
    let opsets = inline::inline(&mut graph, &parts::functions(bytes)?, opset, bytes.len())?;
    let sparse = parts::sparse(bytes)?;
    let parts = read_graph(graph, &opsets, sparse, External::new(folder), bindings, size, inputs)?;
    let Parts { graph, outputs, training, aliases, weights, boundaries, problem } = parts;
    let source_sha256 = Sha256::digest(bytes).into();
    let integer_means = IntegerMeans::new();
    let opset = Some(opset);
    let imported = Imported {
        graph,
        outputs,
        training,
        aliases,
        weights,
        source_sha256,
        producer,
        opset,
        integer_means,
        boundaries,
    };
    Ok((imported, problem))
}

fn opset(model: &ModelProto) -> Result<i64, Problem> {
    let own = |domain: Option<&str>| matches!(domain, None | Some("" | "ai.onnx"));
    let found = model
        .opset_import
        .iter()
        .filter(|entry| own(entry.domain.as_deref()))
        .filter_map(|entry| entry.version)
        .max();
    match found {
        Some(version) if version >= MIN_OPSET => Ok(version),
        Some(version) => Err(Problem::Model(format!(
            "the model uses ONNX operator set {version}; {MIN_OPSET} and newer are supported \
             (onnx.version_converter can raise it)"
        ))),
        None => Err(Problem::Model("the file names no ONNX operator set".to_owned())),
    }
}

/// What a file's graph becomes.
struct Parts {
    graph: Graph,
    outputs: Vec<Output>,
    training: Option<(String, String)>,
    aliases: Aliases,
    weights: u64,
    boundaries: Boundaries,
    /// Why the first node was not taken over that an output needs.
    problem: Option<Problem>,
}

fn read_graph(
    mut graph: GraphProto,
    opsets: &[i64],
    sparse: Vec<parts::Sparse>,
    external: External<'_>,
    mut bindings: BTreeMap<String, Known>,
    size: Option<[usize; 2]>,
    inputs: Inputs,
) -> Result<Parts, Problem> {
    check_parts(&graph)?;
    let initialisers = std::mem::take(&mut graph.initializer);
    let of_sparse = sparse.iter().map(|tensor| &tensor.values);
    let names = initialisers.iter().chain(of_sparse).filter_map(|tensor| tensor.name.as_deref());
    let order = order::order(&graph, names)?;
    let needed = order::needed(&graph, &order);

    let by_nodes = graph.node.iter().flat_map(|node| &node.input);
    let by_caller = graph.output.iter().filter_map(|info| info.name.as_ref());
    let read: HashSet<String> = by_nodes.chain(by_caller).cloned().collect();
    let mut context = Context::new(external, read);
    for proto in initialisers {
        let name = proto.name.clone().unwrap_or_default();
        let tensor = context.decode(proto)?;
        define(&mut context, &name, Known::Tensor(tensor))?;
    }
    for proto in sparse {
        let name = proto.values.name.clone().unwrap_or_default();
        let tensor = sparse::filled(&mut context, proto)?;
        define(&mut context, &name, Known::Tensor(tensor))?;
    }
    let free = inputs::free(&graph, &mut context, &mut bindings)?;
    if let Some(name) = bindings.keys().next() {
        return Err(Problem::Model(format!("the model has no input {name:?}")));
    }
    let free = match inputs {
        Inputs::One => inputs::by_nodes(&graph, &order, free),
        Inputs::All => free,
    };
    let refused = inputs::take(&mut context, &free, size, inputs)?;
    let mut reading = Reading::new(context);
    for (name, problem) in refused {
        let reads = |(at, node): (usize, &NodeProto)| {
            needed[at] && node.input.iter().any(|input| input == name)
        };
        let is_needed = inputs == Inputs::One && graph.node.iter().enumerate().any(reads);
        reading.input(name, problem, is_needed)?;
    }
    for at in order {
        reading.node(&graph.node[at], opsets[at], needed[at])?;
    }
    reading.finish(&graph.output)
}

fn handler(node: &NodeView<'_>) -> Result<operators::Handler, Problem> {
    let (domain, operator) = (node.domain(), node.operator());
    let found = match domain {
        "" => operators::handler(operator),
        "com.microsoft" => operators::handler_of_onnx_runtime(operator),
        _ => None,
    };
    found.ok_or_else(|| Problem::Operator {
        node: node.name.clone(),
        operator: match domain {
            "" => operator.escape_debug().to_string(),
            domain => format!("{domain}.{operator}").escape_debug().to_string(),
        },
        advice: operators::advice(domain, operator),
    })
}

/// Gives the name of an initialiser or bound input its tensor.
fn define(context: &mut Context<'_>, name: &str, known: Known) -> Result<(), Problem> {
    let bound = match known {
        Known::Tensor(tensor) => context.constant(name, tensor),
        structure => Ok(Bound::Structure(structure)),
    };
    let bound = bound.map_err(|what| Problem::tensor(name, what))?;
    context.bind(name, bound).map_err(|_| Problem::tensor(name, "is defined twice"))
}
