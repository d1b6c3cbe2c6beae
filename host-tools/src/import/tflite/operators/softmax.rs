use headstart::graph::Op;

use super::{Build, Outcome, Step, field};
use crate::import::tflite::layout::axis_in_graph;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `SOFTMAX`.
    pub(super) fn softmax(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let beta = field(operator, |options| options.f32(0, 0.0))?;
        if beta != 1.0 {
            return Err(format!("a beta of {beta}; 1 is supported"));
        }
        let x = self.x(operator)?;
        let axis = axis_in_graph(-1, self.graph.values[x].shape.len())?;
        Ok(Step::new(Op::Softmax { axis, flatten: false }, vec![x]))
    }
}
