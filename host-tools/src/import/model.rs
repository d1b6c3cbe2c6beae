//! A model file on its way to a backbone: imported, cut, simplified, and run in float32.

use std::path::{Path, PathBuf};

use headstart::burn::backend::Flex;
use headstart::burn::{Executor, Tensor};
use headstart::graph::{Graph, Node, Op, Value, ValueId};
use headstart::pack::Pack;

use crate::cut::inspect::{self, Classifier};
use crate::error::Error;
use crate::import::onnx::{self, Imported};
use crate::import::simplify::simplify;
use crate::import::tflite;
use crate::quantise::calibrate::Run;

/// An imported model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its file.
    pub path: PathBuf,
    /// What was read.
    pub imported: Imported,
}

impl Model {
    /// Reads and checks a file: TensorFlow Lite if its name ends in `.tflite`, else ONNX.
    ///
    /// # Errors
    ///
    /// [`Error::Import`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::load_sized(path, None)
    }

    /// The same with pictures of another size, rows and columns, as an ONNX model's input.
    ///
    /// # Errors
    ///
    /// [`Error::Import`].
    pub fn load_sized(path: &Path, size: Option<[usize; 2]>) -> Result<Self, Error> {
        let is_tflite = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("tflite"));
        let imported = match (is_tflite, size) {
            (false, size) => onnx::import_sized(path, size)?,
            (true, None) => tflite::import(path)?,
            (true, Some(_)) => {
                return Err(Error::Option(format!(
                    "{}: a TensorFlow Lite model has the size that it was made for; leave out --input-size",
                    path.display()
                )));
            }
        };
        Ok(Self { path: path.to_owned(), imported })
    }

    /// Makes sure that `pack` was made of this model.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if it was made of another file.
    pub fn check_source(&self, pack: &Pack<'_>) -> Result<(), Error> {
        if pack.provenance().source_sha256 == self.imported.source_sha256 {
            return Ok(());
        }
        Err(Error::Option(format!(
            "{}: the pack was made of another file of the model '{}'; give the one it was made of",
            self.path.display(),
            pack.provenance().model
        )))
    }

    /// The whole network, simplified.
    #[must_use]
    pub fn simplified(&self) -> Graph {
        simplify(&self.imported.graph, &mut self.imported.aliases.clone(), &mut fold)
    }

    /// The pretrained classifier.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if the network does not end in one.
    pub fn classifier(&self) -> Result<(Graph, Classifier), Error> {
        let graph = self.simplified();
        let classifier = inspect::find_classifier(&graph).ok_or_else(|| {
            Error::Option(format!(
                "{}: no fully-connected layer stands before the output; name the tensor to freeze \
                 at with --freeze NAME (`headstart inspect` lists them)",
                self.path.display()
            ))
        })?;
        Ok((graph, classifier))
    }

    /// The simplified backbone that ends at the node or tensor of that name. A node stands for its
    /// result as `inspect` shows it: that of a convolution includes the normalisation folded in.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if there is none.
    pub fn cut_at(&self, name: &str) -> Result<Graph, Error> {
        let value = self.value_named(name)?;
        let part = self.imported.graph.cut_at(&[value]).unwrap_or_default();
        Ok(simplify(&part, &mut self.imported.aliases.clone(), &mut fold))
    }

    /// The value of the imported graph that a user means by the name of a node or tensor.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if there is none.
    pub fn value_named(&self, name: &str) -> Result<ValueId, Error> {
        let (graph, aliases) = (&self.imported.graph, &self.imported.aliases);
        let mut later_aliases = aliases.clone();
        let simplified = simplify(graph, &mut later_aliases, &mut fold);
        let tensor = later_aliases.find(&simplified, name).map(|id| &simplified.values[id].name);
        let value = tensor
            .and_then(|tensor| aliases.find(graph, tensor))
            .or_else(|| aliases.find(graph, name))
            .filter(|&value| graph.producer(value).is_some());
        value.map(|value| rounded(graph, value)).ok_or_else(|| {
            Error::Option(format!(
                "{}: no node or tensor is called '{name}'; `headstart inspect` lists them",
                self.path.display()
            ))
        })
    }

    /// The simplified parts before and behind a cut; the first one's outputs are the second one's inputs.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if nothing crosses the cut.
    pub fn split_behind(&self, frozen: &[ValueId]) -> Result<(Graph, Graph), Error> {
        let graph = &self.imported.graph;
        let refuse = |problem: String| {
            Error::Option(format!("{}: this cannot be cut ({problem})", self.path.display()))
        };
        let (behind, crossing) = graph.cut_behind(frozen).map_err(|e| refuse(e.to_string()))?;
        if crossing.is_empty() || behind.nodes.is_empty() {
            return Err(refuse("nothing is left behind the cut to train".into()));
        }
        let before = graph.cut_at(&crossing).map_err(|e| refuse(e.to_string()))?;
        let simple = |part| simplify(part, &mut self.imported.aliases.clone(), &mut fold);
        Ok((simple(&before), simple(&behind)))
    }
}

/// What becomes of `value` when a quantised model rounds it, activations on the way included: the result that
/// its node has in such a model. `value` itself if nothing, or something else too, reads it.
#[must_use]
pub fn rounded(graph: &Graph, value: ValueId) -> ValueId {
    let mut at = value;
    while graph.values[at].scale.is_none() {
        let mut readers = graph.nodes.iter().filter(|node| node.inputs.contains(&at));
        match (readers.next(), graph.readers(at)) {
            (Some(Node { op: Op::Activation(_), output, .. }), 1) => at = *output,
            _ => return value,
        }
    }
    at
}

/// Evaluates a node of constants for the simplifier.
fn fold(node: &Node, operands: &[&Value]) -> Option<Vec<f32>> {
    let mut graph = Graph::default();
    let mut inputs = Vec::with_capacity(operands.len());
    for &operand in operands {
        graph.values.push(operand.clone());
        inputs.push(graph.values.len() - 1);
    }
    let output = graph.add_node("constant", node.op.clone(), inputs, "constant").ok()?;
    graph.outputs.push(output);
    let executor = Executor::<Flex>::new(&graph, &Default::default()).ok()?;
    executor.run(&[]).ok()?.pop().map(|tensor| tensor.data)
}

/// A float graph that shows all of its tensors.
pub struct FloatGraph {
    executor: Executor<Flex>,
    model: PathBuf,
    input: Vec<usize>,
    computed: Vec<ValueId>,
}

impl FloatGraph {
    /// Readies `graph`, which came from `model`.
    ///
    /// # Errors
    ///
    /// [`Error::Execute`].
    pub fn new(model: &Path, graph: &Graph) -> Result<Self, Error> {
        let execute = |problem: headstart::burn::ExecuteError| Error::Execute {
            model: model.to_owned(),
            problem: problem.to_string(),
        };
        let computed = (0..graph.values.len())
            .filter(|&value| graph.inputs.contains(&value) || graph.producer(value).is_some())
            .collect();
        Ok(Self {
            executor: Executor::new(graph, &Default::default()).map_err(execute)?,
            model: model.to_owned(),
            input: graph.values[graph.inputs[0]].shape.clone(),
            computed,
        })
    }
}

impl Run for FloatGraph {
    type Error = Error;

    fn run(&self, input: &[f32], see: &mut dyn FnMut(ValueId, &[f32])) -> Result<(), Error> {
        let input = Tensor { shape: self.input.clone(), data: input.to_vec() };
        self.executor
            .observe(&[input], &self.computed, |value, tensor| see(value, &tensor.data))
            .map_err(|problem| Error::Execute {
                model: self.model.clone(),
                problem: problem.to_string(),
            })
    }
}
