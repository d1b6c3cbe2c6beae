//! Reads a model file, and simplifies it.

use std::path::{Path, PathBuf};

use headstart::burn::Executor;
use headstart::burn::backend::Flex;
use headstart::graph::{Graph, Node, Value};
use headstart::pack::Pack;

use crate::error::{Error, ModelProblem};
use crate::import::cost;
use crate::import::imported::{Aliases, Imported, Source};
use crate::import::onnx;
use crate::import::simplify::simplify;
use crate::import::tflite;

/// An imported model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Path of the model's file.
    pub path: PathBuf,
    /// The model as it was read.
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

    /// Reads and checks a file, with pictures of another size, rows and columns, as an ONNX model's input.
    ///
    /// # Errors
    ///
    /// [`Error::Import`], and [`Error::Model`] for a TensorFlow Lite model, whose size is fixed.
    pub fn load_sized(path: &Path, size: Option<[usize; 2]>) -> Result<Self, Error> {
        let is_tflite = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("tflite"));
        let imported = match (is_tflite, size) {
            (false, size) => onnx::import_sized(path, size)?,
            (true, None) => tflite::import(path)?,
            (true, Some(_)) => {
                let problem = ModelProblem::FixedSize;
                return Err(Error::Model { model: path.to_owned(), problem });
            }
        };
        Ok(Self { path: path.to_owned(), imported })
    }

    /// Reads and checks a file, with pictures of the size that a pack was made with if the model states another size or none.
    ///
    /// # Errors
    ///
    /// [`Error::Import`].
    pub fn load_for(path: &Path, pack: &Pack<'_>) -> Result<Self, Error> {
        let input = pack.input();
        let [height, width, channels] =
            [input.height, input.width, input.channels].map(|extent| extent as usize);
        let [first, rows, columns] = if input.channels_first {
            [channels, height, width]
        } else {
            [height, width, channels]
        };
        let fits = |model: &Self| {
            let graph = &model.imported.graph;
            graph.values[graph.inputs[0]].shape.len() != 4
                || graph.values[graph.inputs[0]].shape[1..] == [first, rows, columns]
        };
        match Self::load(path) {
            Ok(model) if fits(&model) => Ok(model),
            // A pack of a fixed size is made only where that is the model's, or was asked for.
            stated => Self::load_sized(path, Some([rows, columns])).or(stated),
        }
    }

    /// Checks that `pack` was made of this model.
    ///
    /// # Errors
    ///
    /// [`Error::OtherSource`] if it was made of another file.
    pub fn check_source(&self, pack: &Pack<'_>) -> Result<(), Error> {
        if pack.provenance().source_sha256 == self.imported.source_sha256 {
            return Ok(());
        }
        let name = pack.provenance().model.to_owned();
        Err(Error::OtherSource { model: self.path.clone(), name })
    }

    /// Simplifies the whole network.
    #[must_use]
    pub fn simplified(&self) -> Graph {
        self.simple(&self.imported.graph).0
    }

    /// Refuses to run `part` of the model on samples where one would take minutes or gigabytes.
    ///
    /// # Errors
    ///
    /// [`ModelProblem::TooCostly`] with the node that costs most.
    pub fn check_run(&self, part: &Graph) -> Result<(), Error> {
        cost::check_run(part, self.imported.weights).map_err(|problem| self.lacks(problem.into()))
    }

    /// Refuses to keep all tensors of `part` for a sample where those take gigabytes.
    ///
    /// # Errors
    ///
    /// [`ModelProblem::TooCostly`] with the node that costs most.
    pub fn check_kept(&self, part: &Graph) -> Result<(), Error> {
        cost::check_kept(part, self.imported.weights).map_err(|problem| self.lacks(problem.into()))
    }

    /// Whether the network, as far as it was taken over, ends where the model does but for the last steps of an answer: only then
    /// its last layer can be a classifier.
    #[must_use]
    pub fn ends_whole(&self) -> bool {
        let first = self.imported.outputs.first().map(|output| &output.source);
        !matches!(first, Some(Source::Behind)) || self.imported.boundaries.inner().is_none()
    }

    /// What the model lacks, as an error that names its file.
    pub(crate) fn lacks(&self, problem: ModelProblem) -> Error {
        Error::Model { model: self.path.clone(), problem }
    }

    /// A part of the network, simplified, and what names mean in it.
    pub(crate) fn simple(&self, part: &Graph) -> (Graph, Aliases) {
        let mut aliases = self.imported.aliases.clone();
        let simple = simplify(part, &mut aliases, &mut fold);
        (simple, aliases)
    }
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
