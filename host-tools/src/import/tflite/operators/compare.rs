use headstart::graph::{Activation, Binary, Op, Scale, ValueId};

use super::{Build, Outcome, Step, name, unknown};
use crate::import::scales::{STEEP, carried};
use crate::import::tflite::schema::Operator;

/// The scale of 0 and 1.
const TRUTH: Scale = Scale::Tensor { scale: 1.0, zero_point: 0 };

impl Build<'_> {
    /// `GREATER`, `LESS` and those with equality: a step of the difference, which is 0 or 1.
    pub(super) fn comparison(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let (is_turned, beta) = match name(operator) {
            "GREATER" => (false, 0.0),
            "GREATER_EQUAL" => (false, 1.0),
            "LESS" => (true, 0.0),
            "LESS_EQUAL" => (true, 1.0),
            other => return Err(unknown(other)),
        };
        let [a, b] = self.pair(operator, output, [0, 1])?;
        let operands = if is_turned { vec![b, a] } else { vec![a, b] };
        let name = self.model.tensors[output].name;
        let difference =
            self.node(Op::Binary(Binary::Sub), operands, &format!("{name}_difference"))?;
        // In integers the finer scale of both says which one is greater, however far it saturates.
        let steps = [a, b].into_iter().filter_map(|x| self.step(x));
        if let Some(scale) = steps.min_by(f32::total_cmp) {
            self.graph.values[difference].scale = Some(Scale::Tensor { scale, zero_point: 0 });
        }
        let step = Op::Activation(Activation::HardSigmoid { alpha: STEEP, beta });
        if self.graph.values[difference].scale.is_none() {
            return Ok(Step::new(step, vec![difference]));
        }
        let truth = self.node(step, vec![difference], &format!("{name}_truth"))?;
        self.graph.values[truth].scale = Some(TRUTH);
        let shape = self.graph.values[truth].shape.clone();
        Ok(Step::new(Op::Reshape { shape }, vec![truth]))
    }

    /// What one step of a computed tensor's integers is worth, if it has such.
    fn step(&self, x: ValueId) -> Option<f32> {
        match carried(&self.graph, x) {
            Some(&Scale::Tensor { scale, .. }) => Some(scale),
            _ => None,
        }
    }

    /// The product of a tensor and of what is chosen of it.
    fn chosen(&mut self, x: ValueId, mask: ValueId, name: &str) -> Outcome<ValueId> {
        let product = self.node(Op::Binary(Binary::Mul), vec![x, mask], name)?;
        if self.step(mask).is_some() {
            let own = carried(&self.graph, x).cloned();
            self.graph.values[product].scale = own.or_else(|| {
                let data = self.graph.values[x].constant.as_deref()?;
                let most = data.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                (most > 0.0).then_some(Scale::Tensor { scale: most / 127.0, zero_point: 0 })
            });
        }
        Ok(product)
    }

    /// `LOGICAL_AND`, `LOGICAL_OR` and `LOGICAL_NOT` of such.
    pub(super) fn logic(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        if name(operator) == "LOGICAL_NOT" {
            let x = self.x(operator)?;
            return self.opposite(x, output);
        }
        let operands = self.pair(operator, output, [0, 1])?.to_vec();
        match name(operator) {
            "LOGICAL_AND" => Ok(Step::new(Op::Binary(Binary::Mul), operands)),
            "LOGICAL_OR" => {
                let mut step = Step::new(Op::Binary(Binary::Add), operands);
                step.then.push(Op::Activation(Activation::Clip { min: 0.0, max: 1.0 }));
                Ok(step)
            }
            other => Err(unknown(other)),
        }
    }

    /// `SELECT` and `SELECT_V2`: what is chosen times 1 and what is not times 0, added.
    pub(super) fn select(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let mask = self.x(operator)?;
        let shape = &self.model.tensors[output].shape;
        if self.model.tensors[self.operand(operator, 0)?].shape.len() != shape.len() {
            return Err("a choice by fewer axes than there are".into());
        }
        let name = self.model.tensors[output].name;
        let [a, b] = self.pair(operator, output, [1, 2])?;
        let first = self.chosen(a, mask, &format!("{name}_first"))?;
        let opposite = self.opposite(mask, output)?;
        let not = self.node(opposite.op, opposite.inputs, &format!("{name}_not"))?;
        if self.step(mask).is_some() {
            self.graph.values[not].scale = Some(TRUTH);
        }
        let second = self.chosen(b, not, &format!("{name}_second"))?;
        Ok(Step::new(Op::Binary(Binary::Add), vec![first, second]))
    }

    /// `SQUARED_DIFFERENCE`.
    pub(super) fn squared_difference(
        &mut self,
        operator: &Operator<'_>,
        output: usize,
    ) -> Outcome<Step> {
        let operands = self.pair(operator, output, [0, 1])?.to_vec();
        let mut step = Step::new(Op::Binary(Binary::Sub), operands);
        step.then.push(Op::Activation(Activation::Power { exponent: 2.0 }));
        Ok(step)
    }

    /// 1 where `x` is 0, and 0 where it is 1.
    fn opposite(&mut self, x: ValueId, output: usize) -> Outcome<Step> {
        let name = format!("{}_one", self.model.tensors[output].name);
        let one = self.made(&name, vec![], vec![1.0])?;
        Ok(Step::new(Op::Binary(Binary::Sub), vec![one, x]))
    }
}
