use headstart::graph::Op;

use super::{Build, Outcome, Step, transpose};
use crate::import::tflite::layout::TO_GRAPH;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `TRANSPOSE`.
    pub(super) fn transpose(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let x = self.x(operator)?;
        let x = self.in_file_order(x, self.model.tensors[output].name)?;
        let rank = self.graph.values[x].shape.len();
        let axis = |&axis: &i64| usize::try_from(axis).map_err(|_| format!("axis {axis}"));
        let permutation =
            self.integers(operator, 1)?.iter().map(axis).collect::<Outcome<Vec<_>>>()?;
        let mut step = Step::new(Op::Transpose { permutation }, vec![x]);
        if rank == 4 {
            step.then.push(transpose(&TO_GRAPH));
        }
        Ok(step)
    }
}
