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
        let inputs = self.pair(operator, output, [0, 1])?.to_vec();
        Step::new(Op::Binary(op), inputs).fused(field(operator, |options| options.i8(0))?)
    }

    /// Two operands that broadcast, with as many axes as the one with most.
    pub(super) fn pair(
        &mut self,
        operator: &Operator<'_>,
        output: usize,
        at: [usize; 2],
    ) -> Outcome<[ValueId; 2]> {
        let tensors = [self.operand(operator, at[0])?, self.operand(operator, at[1])?];
        let ranks = tensors.map(|tensor| self.model.tensors[tensor].shape.len());
        let rank = ranks[0].max(ranks[1]);
        let mut inputs = [0; 2];
        for (index, tensor) in tensors.into_iter().enumerate() {
            if self.is_known(tensor) {
                inputs[index] = self.broadcast(tensor, rank)?;
                continue;
            }
            let x = self.computed(tensor)?;
            let name = format!("{}_{}", self.model.tensors[output].name, at[index]);
            inputs[index] = match rank - ranks[index] {
                0 => x,
                missing => self.widened(x, missing, &name)?,
            };
        }
        Ok(inputs)
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
