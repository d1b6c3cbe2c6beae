//! A model file after import, whatever its format: a float graph, what its outputs are, and other names.

use std::collections::{BTreeMap, HashMap, HashSet};

use headstart::graph::{Graph, Node, ValueId};
use headstart::network::Halves;

use crate::error::Problem;
use crate::import::boundaries::Boundaries;
use crate::import::cost;
use crate::import::integer::IntegerType;

/// Most elements of all tensors that one sample passes through: 4 GiB of float32, were they all
/// kept.
const MAX_ACTIVATIONS: usize = 1 << 30;

/// A model that was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network, with all shapes fixed; a symbolic batch size became 1.
    pub graph: Graph,
    /// The model's outputs, in its own order.
    pub outputs: Vec<Output>,
    /// Name and operator of the first node that behaves as in training, if there is one.
    pub training: Option<(String, String)>,
    /// Other names of the graph's tensors: those of results that a node passed on unchanged
    /// (`Identity`, `Dropout`) and of the nodes that did so.
    pub aliases: Aliases,
    /// How many elements the constants of the file have. What the model may cost goes by it.
    pub weights: u64,
    /// SHA-256 of the model file, without its external data.
    pub source_sha256: [u8; 32],
    /// The program that wrote the file, with its version; empty if it does not say.
    pub producer: String,
    /// The version of the ONNX operator set; `None` for a model of another format.
    pub opset: Option<i64>,
    /// Nodes that are defined as means of integers, by name.
    pub integer_means: IntegerMeans,
    /// The nodes that were not taken over.
    pub boundaries: Boundaries,
}

/// How the nodes that take the mean of integers as they stand round halves, by the node's name.
pub type IntegerMeans = BTreeMap<String, Halves>;

/// An output of a model.
#[derive(Clone, Debug)]
pub struct Output {
    /// The output's name.
    pub name: String,
    /// Where the output comes from.
    pub source: Source,
}

/// Origin of an output.
#[derive(Clone, Debug)]
pub enum Source {
    /// The graph computes the output: its place in [`Graph::outputs`].
    Floats(usize),
    /// The graph computes the output as whole numbers in float32, which are integers of that type in the model.
    Indices(usize, IntegerType),
    /// The graph computes the output as real numbers, which are integers of that type and of the tensor's scale in the model.
    Quantised(usize, IntegerType),
    /// The output is known without running anything.
    Known(Known),
    /// The output lies behind a node that was not taken over. What such nodes read are outputs of the graph instead.
    Behind,
}

/// Names that a graph does not have any more, with the names of the tensors that have their value. A name has several
/// where nodes of one name were replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases(BTreeMap<String, Vec<String>>);

impl Aliases {
    /// Lets `name` stand for the tensor `target`, beside those that it stands for already.
    pub fn insert(&mut self, name: impl Into<String>, target: impl Into<String>) {
        let (name, target) = (name.into(), target.into());
        if name != target {
            let targets = self.0.entry(name).or_default();
            if targets.last() != Some(&target) {
                targets.push(target);
            }
        }
    }

    /// The values of `graph` that a user may mean by a name: the tensor that is called so, or else the results of all nodes
    /// that are, those that import or simplification replaced included. Ascending, each once.
    #[must_use]
    pub fn find_all(&self, graph: &Graph, name: &str) -> Vec<ValueId> {
        let mut tensors: HashMap<&str, ValueId> = HashMap::new();
        for (id, value) in graph.values.iter().enumerate() {
            tensors.entry(&value.name).or_insert(id);
        }
        let mut nodes: HashMap<&str, Vec<ValueId>> = HashMap::new();
        for node in &graph.nodes {
            nodes.entry(&node.name).or_default().push(node.output);
        }
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut waiting = vec![name];
        while let Some(name) = waiting.pop() {
            if !seen.insert(name) {
                continue;
            }
            if let Some(&value) = tensors.get(name) {
                found.push(value);
                continue;
            }
            found.extend(nodes.get(name).into_iter().flatten());
            waiting.extend(self.0.get(name).into_iter().flatten().map(String::as_str));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The one value of `graph` that a user means by a name, as [`find_all`](Self::find_all) has it; `None` if there is none, or
    /// more than one.
    #[must_use]
    pub fn find(&self, graph: &Graph, name: &str) -> Option<ValueId> {
        match self.find_all(graph, name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// A tensor that is known before the model runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub data: Data,
}

/// The elements of a [`Tensor`].
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Real numbers, float32, or float16, bfloat16 and float64 rounded to it.
    Floats(Vec<f32>),
    /// Integers with their type: shapes, axes, indices, switches, and any others.
    Integers(Vec<i64>, IntegerType),
    /// A large tensor of int8 or uint8, more than shapes ever have: the weights of a quantised layer.
    Bytes(Vec<u8>, IntegerType),
    /// A type that no supported operator takes, by its ONNX name.
    Other(String),
}

/// A value that is known before the model runs, which an input can be bound to.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// A tensor.
    Tensor(Tensor),
    /// A list of tensors. No operator takes one; `Identity` passes it on.
    Sequence(Vec<Tensor>),
    /// A value that may be missing. No operator takes one; `Identity` passes it on.
    Optional(Option<Box<Known>>),
}

/// What a model for a device must be beyond a graph that can run.
pub(super) fn check_model(imported: &Imported) -> Result<(), Problem> {
    let graph = &imported.graph;
    if let Some((node, operator)) = imported.training.clone() {
        let what = "is in training mode; export the model in evaluation mode".to_owned();
        return Err(Problem::Node { node, operator, what });
    }
    let names = |ids: &[ValueId]| {
        ids.iter().map(|&id| graph.values[id].name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if graph.inputs.len() != 1 {
        return Err(Problem::Model(format!(
            "the model has {} inputs ({}); models with exactly one are supported",
            graph.inputs.len(),
            names(&graph.inputs)
        )));
    }
    let shape = &graph.values[graph.inputs[0]].shape;
    if let Some(batch) = shape.first().filter(|&&batch| batch > 1 && shape.len() > 1) {
        return Err(Problem::Model(format!(
            "the model takes batches of {batch}; export it with a batch size of 1, or an open one"
        )));
    }
    // Exporters give operands that are left out as constants without elements, which nothing reads.
    let mut counts = vec![false; graph.values.len()];
    let read = graph.nodes.iter().flat_map(|node| node.inputs.iter().chain([&node.output]));
    read.chain(&graph.inputs).chain(&graph.outputs).for_each(|&id| counts[id] = true);
    let mut counted = graph.values.iter().zip(counts).filter(|(_, counts)| *counts);
    if let Some((value, _)) = counted.find(|(value, _)| value.shape.contains(&0)) {
        return Err(Problem::tensor(&value.name, "has no elements"));
    }
    // Each shape was checked as it was made, so that neither products nor sum overflow.
    let count = |node: &Node| graph.values[node.output].shape.iter().product::<usize>();
    let total = graph.nodes.iter().map(count).sum::<usize>();
    let what = "the tensors of one sample have too many elements in all";
    Problem::check_limit(what, total, MAX_ACTIVATIONS)?;
    if graph.outputs.is_empty() {
        return Err(Problem::Model(
            "no output of the model is computed from its input: export a model that reads it"
                .to_owned(),
        ));
    }
    cost::check_constants(graph, imported.weights)
}
