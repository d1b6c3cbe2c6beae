use headstart::graph::{Binary, Op, ValueId};

use super::{Build, Outcome, Step, field, name, transpose, unknown};
use crate::import::tflite::layout::TO_GRAPH;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `ADD`, `SUB`, `MUL` and `DIV`.
    pub(super) fn binary(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let op = match name(operator) {
            "ADD" => Binary::Add,
            "MUL" => Binary::Mul,
            "SUB" => Binary::Sub,
            "DIV" => Binary::Div,
            other => return Err(unknown(other)),
        };
        let mut inputs = Vec::with_capacity(2);
        let rank =
            operator.inputs.iter().flatten().map(|&t| self.model.tensors[t].shape.len()).max();
        let to = &self.model.tensors[output];
        for index in 0..2 {
            let tensor = self.operand(operator, index)?;
            let of = &self.model.tensors[tensor];
            if self.is_known(tensor) {
                inputs.push(self.broadcast(tensor, rank.unwrap_or(0))?);
                continue;
            }
            let x = self.computed(tensor)?;
            inputs.push(match rank.unwrap_or(0).saturating_sub(of.shape.len()) {
                0 => x,
                missing => self.widened(x, missing, &format!("{}_{index}", to.name))?,
            });
        }
        Step::new(Op::Binary(op), inputs).fused(field(operator, |options| options.i8(0))?)
    }
    /// A computed tensor with axes of one place in front, as broadcasting takes it.
    fn widened(&mut self, x: ValueId, missing: usize, name: &str) -> Outcome<ValueId> {
        let own = self.graph.values[x].shape.iter().copied();
        let shape: Vec<usize> = std::iter::repeat_n(1, missing).chain(own).collect();
        let rank = shape.len();
        let wide = self.node(Op::Reshape { shape }, vec![x], &format!("{name}_wide"))?;
        match rank {
            4 => self.node(transpose(&TO_GRAPH), vec![wide], &format!("{name}_channels_first")),
            _ => Ok(wide),
        }
    }
}
