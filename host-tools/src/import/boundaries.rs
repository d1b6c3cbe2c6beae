//! Nodes of a file that were not taken over, and what lies behind them. They are no reason to refuse a model: only a cut that
//! needs one is refused.

use std::collections::BTreeMap;

/// A node, or an input, that was not taken over. All that it reads is known; whatever needs its results lies behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// The node's name.
    pub node: String,
    /// The node's operator, with its domain if that is not ONNX's own.
    pub operator: String,
    /// The tensors of the graph that the node reads.
    pub reads: Vec<String>,
    /// Why the node was not taken over, and what could be done.
    pub why: String,
    /// Whether an output of the model needs the node.
    pub is_needed: bool,
}

/// All boundaries of a model, and the names that lie behind each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boundaries {
    list: Vec<Boundary>,
    /// Names of tensors and nodes, with the number of the first boundary that they need.
    names: BTreeMap<String, usize>,
    /// The first boundary that lies between the model's layers and its answer, if what it does is not known to be the last step of an
    /// answer.
    inner: Option<usize>,
    /// The first boundary with weights at it or behind it.
    weighty: Option<usize>,
}

/// Operators that turn what a classifier gives into an answer, by the names that ONNX and TensorFlow Lite have for them.
const ANSWERS: [&str; 12] = [
    "ArgMax",
    "ArgMin",
    "TopK",
    "LogSoftmax",
    "Hardmax",
    "ai.onnx.ml.ZipMap",
    "ai.onnx.ml.Normalizer",
    "ai.onnx.ml.LabelEncoder",
    "ai.onnx.ml.ArrayFeatureExtractor",
    "ARG_MAX",
    "TOPK_V2",
    "LOG_SOFTMAX",
];

impl Boundaries {
    /// Adds one and gives its number.
    pub(super) fn add(&mut self, boundary: Boundary) -> usize {
        let number = self.list.len();
        self.names.entry(boundary.node.clone()).or_insert(number);
        if boundary.is_needed && !ANSWERS.contains(&boundary.operator.as_str()) {
            self.inner.get_or_insert(number);
        }
        self.list.push(boundary);
        number
    }

    /// Puts a name behind a boundary.
    pub(super) fn put_behind(&mut self, name: &str, number: usize) {
        if !name.is_empty() {
            self.names.entry(name.to_owned()).or_insert(number);
        }
    }

    /// Notes that weights are read at a boundary or behind it.
    pub(super) fn has_weights(&mut self, number: usize) {
        if self.list[number].is_needed {
            self.weighty.get_or_insert(number);
        }
    }

    /// The boundary that the tensor or node of that name needs.
    #[must_use]
    pub fn before(&self, name: &str) -> Option<&Boundary> {
        self.names.get(name).map(|&number| &self.list[number])
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Boundary> {
        self.list.iter()
    }

    /// One of them that stands between the model's layers and its answer: what is in front of it cannot be told to be the classifier.
    #[must_use]
    pub fn inner(&self) -> Option<&Boundary> {
        self.inner.or(self.weighty).map(|number| &self.list[number])
    }

    /// One of them with weights at it or behind it: what is in front of it is not nearly all of the model.
    #[must_use]
    pub fn weighty(&self) -> Option<&Boundary> {
        self.weighty.map(|number| &self.list[number])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lies_behind_the_first_boundary_that_it_needs() {
        let boundary = |node: &str, operator: &str| Boundary {
            node: node.to_owned(),
            operator: operator.to_owned(),
            reads: Vec::new(),
            why: String::new(),
            is_needed: true,
        };
        let mut found = Boundaries::default();
        let answer = found.add(boundary("best", "ArgMax"));
        assert_eq!(found.inner(), None);
        let inner = found.add(boundary("norm", "LayerNormalization"));
        found.put_behind("y", inner);
        found.put_behind("y", answer);
        assert_eq!(found.before("y").unwrap().node, "norm");
        assert_eq!(found.before("best").unwrap().operator, "ArgMax");
        assert_eq!((found.inner().unwrap().node.as_str(), found.weighty()), ("norm", None));
        found.has_weights(answer);
        assert_eq!(found.weighty().unwrap().node, "best");
    }
}
