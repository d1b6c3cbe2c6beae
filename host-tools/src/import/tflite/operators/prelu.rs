use headstart::graph::Op;

use super::{Build, Outcome, Step};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `PRELU`.
    pub(super) fn prelu(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let slope = self.operand(operator, 1)?;
        let name = self.model.tensors[slope].name;
        if !self.is_known(slope) {
            return Err(format!("slopes '{name}' that are computed; constant ones are supported"));
        }
        let rank = self.graph.values[x].shape.len();
        let slope = self.broadcast(slope, rank)?;
        let channels = if rank == 4 { 1 } else { rank.saturating_sub(1) };
        let shape = &self.graph.values[slope].shape;
        let missing = rank.saturating_sub(shape.len());
        let is_one_a_channel = shape
            .iter()
            .enumerate()
            .all(|(axis, &extent)| extent == 1 || axis + missing == channels);
        if !is_one_a_channel {
            return Err(format!(
                "slopes '{name}' of shape {:?}; one for all or one a channel is supported: train the model with shared axes",
                self.model.tensors[self.operand(operator, 1)?].shape
            ));
        }
        Ok(Step::new(Op::PRelu, vec![x, slope]))
    }
}
