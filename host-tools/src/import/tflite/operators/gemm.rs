use headstart::graph::{Gemm, Op};

use super::{Build, Outcome, Step, field};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `FULLY_CONNECTED`.
    pub(super) fn fully_connected(
        &mut self,
        operator: &Operator<'_>,
        output: usize,
    ) -> Outcome<Step> {
        if field(operator, |options| options.i8(1))? != 0 {
            return Err("weights in a shuffled format".into());
        }
        if self.model.tensors[output].shape.len() != 2 {
            return Err("a product that keeps more than two dimensions".into());
        }
        let mut x = self.x(operator)?;
        let weight = self.constant(self.operand(operator, 1)?, None)?;
        let [_, inputs] = self.graph.values[weight].shape[..] else {
            return Err("weights of other than two dimensions".into());
        };
        if self.graph.values[x].shape.len() != 2 {
            let name = self.model.tensors[output].name;
            let rows = self.graph.values[x].shape.iter().product::<usize>().checked_div(inputs);
            x = self.in_file_order(x, name)?;
            let shape = vec![rows.unwrap_or(0), inputs];
            x = self.node(Op::Reshape { shape }, vec![x], &format!("{name}_flat"))?;
        }
        let mut operands = vec![x, weight];
        operands.extend(self.bias(operator, 2)?);
        let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true };
        Step::new(Op::Gemm(gemm), operands).fused(field(operator, |options| options.i8(0))?)
    }
}
