use headstart::graph::Op;

use super::{Build, Outcome, Step, field};
use crate::import::tflite::layout::axis_in_graph;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `CONCATENATION`.
    pub(super) fn concat(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let inputs = (0..operator.inputs.len())
            .map(|index| self.computed(self.operand(operator, index)?))
            .collect::<Outcome<Vec<_>>>()?;
        let first = *inputs.first().ok_or("nothing to put side by side")?;
        let axis = field(operator, |options| options.i32(0, 0))?;
        let axis = axis_in_graph(i64::from(axis), self.graph.values[first].shape.len())?;
        Step::new(Op::Concat { axis }, inputs).fused(field(operator, |options| options.i8(1))?)
    }
}
