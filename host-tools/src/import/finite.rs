//! Refuses constants that are not finite: a NaN weight would make every feature one, and would be packed as a number.

use headstart::graph::{Graph, Node, ValueId};

use crate::error::Problem;

/// The graph's constants, each looked at once however many nodes read it.
pub(super) struct Finite {
    /// The first element that is not finite, where the constant was looked at.
    seen: Vec<Option<Option<usize>>>,
}

impl Finite {
    pub(super) fn new() -> Self {
        Self { seen: Vec::new() }
    }

    /// Refuses a node that reads a constant which is not finite.
    ///
    /// # Errors
    ///
    /// [`Problem::Tensor`] with the constant, the element and the node.
    pub(super) fn check(&mut self, graph: &Graph, node: &Node) -> Result<(), Problem> {
        for &input in &node.inputs {
            let value = &graph.values[input];
            let Some(data) = value.constant.as_deref() else { continue };
            if let Some(element) = self.first_bad(input, data) {
                return Err(Problem::tensor(
                    &value.name,
                    format!(
                        "holds {} as element {element}, and node {:?} ({}) computes with it: export the model with finite \
                         weights, or cut it before that node",
                        data[element],
                        node.name,
                        node.op.name()
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Forgets the values from that number on, which are taken out of the graph.
    pub(super) fn forget_from(&mut self, values: usize) {
        self.seen.truncate(values);
    }

    fn first_bad(&mut self, value: ValueId, data: &[f32]) -> Option<usize> {
        if self.seen.len() <= value {
            self.seen.resize(value + 1, None);
        }
        *self.seen[value].get_or_insert_with(|| data.iter().position(|x| !x.is_finite()))
    }
}
