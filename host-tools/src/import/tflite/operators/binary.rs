use headstart::graph::{Binary, Op};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::layout::{TO_GRAPH, in_graph, transposed};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `ADD`, `SUB`, `MUL` and `DIV`.
    pub(super) fn binary(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
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
        for index in 0..2 {
            let tensor = self.operand(operator, index)?;
            let of = &self.model.tensors[tensor];
            if of.data.is_none() {
                if of.shape.len() < rank.unwrap_or(0) {
                    return Err("computed operands of different dimensions".into());
                }
                inputs.push(self.computed(tensor)?);
                continue;
            }
            let value = self.constant(tensor, None)?;
            let constant = &mut self.graph.values[value];
            constant.scale = None;
            if rank == Some(4) {
                let missing = 4_usize.saturating_sub(constant.shape.len());
                let shape: Vec<usize> =
                    std::iter::repeat_n(1, missing).chain(constant.shape.iter().copied()).collect();
                let data = constant.constant.as_deref().unwrap_or_default();
                constant.constant = Some(transposed(data, &shape, &TO_GRAPH).into());
                constant.shape = in_graph(&shape);
            }
            inputs.push(value);
        }
        Step::new(Op::Binary(op), inputs).fused(field(operator, |options| options.i8(0))?)
    }
}
