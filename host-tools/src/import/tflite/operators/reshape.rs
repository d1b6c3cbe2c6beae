use headstart::graph::Op;

use super::{Build, Outcome, Step, transpose};
use crate::import::tflite::layout::TO_GRAPH;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `RESHAPE`, `SQUEEZE`, `EXPAND_DIMS`: the shape that the file states for the result.
    pub(super) fn reshape(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let to = &self.model.tensors[output];
        let x = self.x(operator)?;
        let x = self.in_file_order(x, to.name)?;
        let mut step = Step::new(Op::Reshape { shape: to.shape.clone() }, vec![x]);
        if to.shape.len() == 4 {
            step.then.push(transpose(&TO_GRAPH));
        }
        Ok(step)
    }
}
