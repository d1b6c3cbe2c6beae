//! Parts of a model on both sides of a cut, and what a name means in it.

use headstart::graph::{Graph, Node, Op, ValueId};

use crate::cut::inspect::{self, Classifier};
use crate::error::{Error, ModelProblem};
use crate::import::model::Model;

impl Model {
    /// Finds the pretrained classifier of a model.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if the network does not end in one.
    pub fn classifier(&self) -> Result<(Graph, Classifier), Error> {
        let graph = self.simplified();
        let classifier = inspect::find_classifier(&graph)
            .filter(|_| self.ends_whole())
            .ok_or_else(|| self.lacks(ModelProblem::NoClassifier))?;
        Ok((graph, classifier))
    }

    /// The simplified backbone that ends at the node or tensor of that name. A node stands for its
    /// result as `inspect` shows it: that of a convolution includes the normalisation folded in.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if there is none.
    pub fn cut_at(&self, name: &str) -> Result<Graph, Error> {
        let value = self.value_named(name)?;
        let part = self.imported.graph.cut_at(&[value]);
        let part = part.map_err(|problem| self.lacks(ModelProblem::Cut(problem)))?;
        Ok(self.simple(&part).0)
    }

    /// The value of the imported graph that a user means by the name of a node or tensor. A tensor goes before nodes that are
    /// called as it is.
    ///
    /// # Errors
    ///
    /// [`ModelProblem::Name`] if there is none, [`ModelProblem::SharedName`] if several nodes of different results have the name,
    /// [`ModelProblem::Behind`] if the value needs a node that was not taken over.
    pub fn value_named(&self, name: &str) -> Result<ValueId, Error> {
        let (graph, aliases) = (&self.imported.graph, &self.imported.aliases);
        let (simplified, later_aliases) = self.simple(graph);
        let mut imported = aliases.find_all(graph, name);
        imported.retain(|&value| graph.producer(value).is_some());
        imported.iter_mut().for_each(|value| *value = rounded(graph, *value));
        imported.dedup();
        if imported.len() > 1 {
            let mut tensors: Vec<String> =
                imported.iter().map(|&id| graph.values[id].name.clone()).collect();
            // Those that `inspect` shows, if there is a choice among them.
            let shown = |tensor: &&String| simplified.value_named(tensor).is_some();
            let shown: Vec<String> = tensors.iter().filter(shown).cloned().collect();
            if shown.len() > 1 {
                tensors = shown;
            }
            let (name, nodes) = (name.to_owned(), imported.len());
            return Err(self.lacks(ModelProblem::SharedName { name, nodes, tensors }));
        }
        let tensor = later_aliases.find(&simplified, name).map(|id| &simplified.values[id].name);
        let value = tensor
            .and_then(|tensor| aliases.find(graph, tensor))
            .or_else(|| aliases.find(graph, name))
            .filter(|&value| graph.producer(value).is_some());
        value.map(|value| rounded(graph, value)).ok_or_else(|| {
            self.lacks(self.is_behind(name).unwrap_or(ModelProblem::Name(name.to_owned())))
        })
    }

    /// The problem of a cut at a name that lies behind a node that was not taken over.
    fn is_behind(&self, name: &str) -> Option<ModelProblem> {
        let boundary = self.imported.boundaries.before(name)?;
        Some(ModelProblem::Behind { name: name.to_owned(), why: boundary.why.clone() })
    }

    /// Splits a model into the simplified parts before and behind a cut; the first one's outputs are the second one's inputs.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if nothing crosses the cut.
    pub fn split_behind(&self, frozen: &[ValueId]) -> Result<(Graph, Graph), Error> {
        let graph = &self.imported.graph;
        let refuse = |problem| self.lacks(ModelProblem::Cut(problem));
        let (behind, crossing) = graph.cut_behind(frozen).map_err(refuse)?;
        if crossing.is_empty() || behind.nodes.is_empty() {
            return Err(self.lacks(ModelProblem::NothingBehind));
        }
        let before = graph.cut_at(&crossing).map_err(refuse)?;
        Ok((self.simple(&before).0, self.simple(&behind).0))
    }
}

/// The value that stands for `value` once a quantised model has rounded it, activations on the way included: the result that its node has
/// in such a model. `value` itself if nothing, or something else too, reads it.
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
