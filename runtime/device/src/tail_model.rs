//! A tail at work: from int8 features to what the last layer reads.

use headstart::Error;
use headstart::burn::{Executor, Tensor, backend};
use headstart::tail::Tail;

/// The fastest backend that is compiled in.
#[cfg(feature = "flex")]
type Fastest = backend::Flex;
#[cfg(all(feature = "ndarray", not(feature = "flex")))]
type Fastest = backend::NdArray;
#[cfg(all(feature = "candle", not(any(feature = "flex", feature = "ndarray"))))]
type Fastest = backend::Candle;

/// A tail whose weights stand where the backend computes.
pub(crate) struct TailModel {
    tail: Tail,
    executor: Executor<Fastest>,
}

impl TailModel {
    /// Uploads the weights.
    pub(crate) fn new(mut tail: Tail) -> Result<Self, Error> {
        let executor =
            Executor::new(&tail.graph, &Default::default()).map_err(|_| Error::BadTail)?;
        // The weights live there: a second copy would double the memory.
        tail.graph.values.iter_mut().for_each(|value| value.constant = None);
        Ok(Self { tail, executor })
    }

    /// Rows and columns of the map that the last layer answers place by place, if it does.
    pub(crate) fn map(&self) -> Option<[usize; 2]> {
        self.tail.map()
    }

    /// What the last layer reads, for one sample.
    pub(crate) fn run(&self, features: &[i8]) -> Result<Vec<f32>, Error> {
        let expected = self.tail.graph.inputs.len();
        let wrong = Error::BufferLength { expected, found: features.len() };
        let inputs = self.tail.inputs(features).ok_or(wrong)?;
        let shapes =
            self.tail.graph.inputs.iter().map(|&id| self.tail.graph.values[id].shape.clone());
        let inputs: Vec<Tensor> =
            shapes.zip(inputs).map(|(shape, data)| Tensor { shape, data }).collect();
        let outputs = self.executor.run(&inputs).map_err(|_| Error::BadTail)?;
        outputs.into_iter().next().map(|output| output.data).ok_or(Error::BadTail)
    }
}

impl std::fmt::Debug for TailModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailModel").field("nodes", &self.tail.graph.nodes.len()).finish()
    }
}
