//! The trainable tail: the part of a network between the frozen features and the head, as a float graph.
//!
//! A pack keeps it in its section `TAIL`; what a device learned of it stands before the head record.
//! Bytes become a [`Tail`] only through [`Tail::parse`].

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod names;
mod record;
mod section;
pub mod training;

pub use names::{layer_path, matches};
pub use record::{MAGIC as RECORD_MAGIC, TailRecord, VERSION as RECORD_VERSION};
pub use section::{emit, emit_per_place};

use std::vec;
use std::vec::Vec;

use crate::graph::{Graph, ValueId};
use crate::network::Value;

/// The trainable part of a network, checked: a float graph from the features to the inputs of the head.
///
/// Its graph has one input for each value that crosses the cut, in the pack's order, and one output of
/// `[1, head inputs]` elements in whatever shape; or, if the head reads each place, of the shape
/// `[1, head inputs, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// The float graph, from the dequantised features to what the head reads.
    pub graph: Graph,
    crossing: Vec<Crossing>,
    per_place: bool,
}

/// A value that crosses the cut.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Crossing {
    scale: f32,
    zero_point: i8,
    elements: usize,
}

impl Crossing {
    fn new(value: &Value) -> Self {
        let elements = value.elements() as usize;
        Self { scale: value.scale, zero_point: value.zero_point, elements }
    }
}

impl Tail {
    /// The features of one sample as the graph's inputs: dequantised, and in the order of its own axes.
    ///
    /// On the device the first axis behind the batch lies innermost (channels last); the graph has it
    /// outermost. `None` for features of another length.
    #[must_use]
    pub fn inputs(&self, features: &[i8]) -> Option<Vec<Vec<f32>>> {
        let mut rest = features;
        let mut inputs = Vec::with_capacity(self.crossing.len());
        for (crossing, &input) in self.crossing.iter().zip(&self.graph.inputs) {
            let (own, behind) = rest.split_at_checked(crossing.elements)?;
            rest = behind;
            let channels = self.graph.values.get(input)?.shape.get(1).copied()?;
            let pixels = crossing.elements.checked_div(channels)?;
            let mut values = Vec::with_capacity(crossing.elements);
            let zero_point = f32::from(crossing.zero_point);
            for channel in 0..channels {
                let elements = own.iter().skip(channel).step_by(channels).take(pixels);
                values.extend(elements.map(|&q| (f32::from(q) - zero_point) * crossing.scale));
            }
            inputs.push(values);
        }
        rest.is_empty().then_some(inputs)
    }

    /// Rows and columns of the map that the head reads place by place; `None` where it reads all at once.
    #[must_use]
    pub fn map(&self) -> Option<[usize; 2]> {
        let shape = self.graph.outputs.first().and_then(|&id| self.graph.values.get(id));
        match *shape?.shape {
            [_, _, height, width] if self.per_place => Some([height, width]),
            _ => None,
        }
    }

    /// The constants that can be trained, rising: weights and biases of convolutions and products, slopes,
    /// scales and shifts of normalisations, and what is added to a tensor. Their statistics cannot.
    #[must_use]
    pub fn parameters(&self) -> Vec<ValueId> {
        let mut trainable = vec![false; self.graph.values.len()];
        for node in &self.graph.nodes {
            let trained = node.op.facts().trainable;
            let operands = node.inputs.iter().skip(trained.start).take(trained.len());
            for &input in operands {
                let Some(value) = self.graph.values.get(input) else { continue };
                let is_one = value.constant.as_ref().is_some_and(|data| data.len() > 1);
                if let Some(place) = trainable.get_mut(input) {
                    *place |= is_one;
                }
            }
        }
        (0..).zip(trainable).filter(|&(_, is)| is).map(|(id, _)| id).collect()
    }

    /// Whether a pattern names this constant, or a node that reads it: see [`matches()`].
    #[must_use]
    pub fn is_named(&self, parameter: ValueId, pattern: &str) -> bool {
        let own = self.graph.values.get(parameter);
        own.is_some_and(|value| matches(pattern, &value.name))
            || self
                .graph
                .nodes
                .iter()
                .any(|node| node.inputs.contains(&parameter) && matches(pattern, &node.name))
    }
}
