use headstart::graph::Op;

use super::{Build, Outcome, Step, field};
use crate::import::cost::MAX_NODE_OPERANDS;
use crate::import::tflite::layout::{axis_in_graph, in_graph};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `TILE`: the tensor beside itself along each axis that is repeated.
    pub(super) fn tile(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let x = self.x(operator)?;
        let times = in_graph(&self.integers(operator, 1)?);
        if times.len() != self.graph.values[x].shape.len() {
            return Err(format!("{times:?} times {:?}", self.graph.values[x].shape));
        }
        let name = self.model.tensors[output].name;
        let (mut x, mut last) = (x, None);
        for (axis, &times) in times.iter().enumerate().filter(|(_, times)| **times != 1) {
            let count = usize::try_from(times).ok().filter(|n| (1..=MAX_NODE_OPERANDS).contains(n));
            let count = count.ok_or_else(|| {
                format!("an axis {times} times; at most {MAX_NODE_OPERANDS} times is supported")
            })?;
            if axis == 0 {
                return Err("a batch several times; freeze at a tensor before it".into());
            }
            if let Some((op, inputs)) = last.take() {
                x = self.node(op, inputs, &format!("{name}_{axis}"))?;
            }
            last = Some((Op::Concat { axis }, vec![x; count]));
        }
        let shape = self.graph.values[x].shape.clone();
        let (op, inputs) = last.unwrap_or((Op::Reshape { shape }, vec![x]));
        Ok(Step::new(op, inputs))
    }

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
