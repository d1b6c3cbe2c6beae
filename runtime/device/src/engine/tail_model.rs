//! A tail at work: from int8 features to what the last layer reads.

use headstart::Error;
use headstart::tail::Tail;

use super::compiled::upload_tail;
use super::work::RunTail;

/// A tail whose weights stand where the fastest engine computes.
pub(crate) struct TailModel {
    tail: Tail,
    run: RunTail,
}

impl TailModel {
    /// Uploads the weights.
    pub(crate) fn new(mut tail: Tail) -> Result<Self, Error> {
        let run = upload_tail(&tail.graph).map_err(|_| Error::BadTail)?;
        // The weights live there: a second copy would double the memory.
        tail.graph.values.iter_mut().for_each(|value| value.constant = None);
        Ok(Self { tail, run })
    }

    /// Rows and columns of the map that the last layer answers place by place, if it does.
    pub(crate) fn map(&self) -> Option<[usize; 2]> {
        self.tail.map()
    }

    /// What the last layer reads, for one sample.
    pub(crate) fn run(&self, features: &[i8]) -> Result<Vec<f32>, Error> {
        let expected = self.tail.graph.inputs.len();
        let wrong = Error::BufferLength { expected, found: features.len() };
        (self.run)(self.tail.inputs(features).ok_or(wrong)?)
    }
}

impl std::fmt::Debug for TailModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailModel").field("nodes", &self.tail.graph.nodes.len()).finish()
    }
}
