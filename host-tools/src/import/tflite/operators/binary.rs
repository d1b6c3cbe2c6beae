//! Products with a matrix, arithmetic of two operands, and means.

use headstart::graph::{Binary, Gemm, Op};

use super::{Build, Outcome, Step, field};
use crate::import::tflite::layout::{TO_GRAPH, axis_in_graph, in_graph, transposed};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
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

    pub(super) fn binary(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let op = match operator.code {
            0 => Binary::Add,
            18 => Binary::Mul,
            41 => Binary::Sub,
            _ => Binary::Div,
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
