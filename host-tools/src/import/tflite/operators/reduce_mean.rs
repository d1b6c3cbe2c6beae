use headstart::graph::Op;

use super::{Build, Outcome, Step, field};
use crate::import::tflite::layout::axis_in_graph;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `MEAN`.
    pub(super) fn mean(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let rank = self.graph.values[x].shape.len();
        let list = self.integers(operator, 1)?;
        let mut axes =
            list.iter().map(|&axis| axis_in_graph(axis, rank)).collect::<Outcome<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        let keep_dims = field(operator, |options| options.i8(0))? != 0;
        if rank == 4 && !keep_dims && axes != [2, 3] {
            return Err(format!("a mean over axes {list:?} of an image; 1 and 2 are supported"));
        }
        Ok(Step::new(Op::ReduceMean { axes, keep_dims }, vec![x]))
    }
}
