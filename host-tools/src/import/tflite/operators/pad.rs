//! What moves elements, puts them side by side, or says them in another scale.

use headstart::graph::{Op, Pad, PadMode};

use super::{Build, Outcome, Step, field, transpose};
use crate::import::scales::{origin, round};
use crate::import::tflite::layout::{TO_GRAPH, axis_in_graph, in_graph};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    pub(super) fn concat(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let inputs = (0..operator.inputs.len())
            .map(|index| self.computed(self.operand(operator, index)?))
            .collect::<Outcome<Vec<_>>>()?;
        let first = *inputs.first().ok_or("nothing to put side by side")?;
        let axis = field(operator, |options| options.i32(0, 0))?;
        let axis = axis_in_graph(i64::from(axis), self.graph.values[first].shape.len())?;
        Step::new(Op::Concat { axis }, inputs).fused(field(operator, |options| options.i8(1))?)
    }

    /// `RESHAPE`, `SQUEEZE`, `EXPAND_DIMS`: the shape that the file states for the result.
    pub(super) fn reshape(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let to = &self.model.tensors[output];
        let x = self.x(operator)?;
        let x = self.in_file_order(x, to.name)?;
        let mut step = Step::new(Op::Reshape { shape: to.shape.clone() }, vec![x]);
        if to.shape.len() == 4 {
            step.then.push(transpose(&TO_GRAPH));
        }
        Ok(step)
    }

    pub(super) fn transpose(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let x = self.x(operator)?;
        let x = self.in_file_order(x, self.model.tensors[output].name)?;
        let rank = self.graph.values[x].shape.len();
        let axis = |&axis: &i64| usize::try_from(axis).map_err(|_| format!("axis {axis}"));
        let permutation =
            self.integers(operator, 1)?.iter().map(axis).collect::<Outcome<Vec<_>>>()?;
        let mut step = Step::new(Op::Transpose { permutation }, vec![x]);
        if rank == 4 {
            step.then.push(transpose(&TO_GRAPH));
        }
        Ok(step)
    }

    pub(super) fn pad(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let rank = self.graph.values[x].shape.len();
        let list = self.integers(operator, 1)?;
        let amount = |&n: &i64| {
            usize::try_from(n)
                .ok()
                .filter(|&n| n <= 1 << 16)
                .ok_or_else(|| format!("padding of {n}"))
        };
        let amounts = list.iter().map(amount).collect::<Outcome<Vec<_>>>()?;
        let (pairs, rest) = amounts.as_chunks::<2>();
        if pairs.len() != rank || !rest.is_empty() {
            return Err(format!("padding of {} ends for {rank} dimensions", amounts.len()));
        }
        let end = |at: usize| in_graph(&pairs.iter().map(|pair| pair[at]).collect::<Vec<_>>());
        let fill = match operator.inputs.get(2).copied().flatten() {
            None => 0.0,
            Some(tensor) => {
                let (data, _) = self.model.tensors[tensor].reals()?;
                *data.first().ok_or("a filling of nothing")?
            }
        };
        let pad = Pad { begin: end(0), end: end(1), mode: PadMode::Constant(fill) };
        Ok(Step::new(Op::Pad(pad), vec![x]))
    }

    /// `QUANTIZE` and `DEQUANTIZE`: the same tensor, perhaps of another scale.
    pub(super) fn convert(
        &mut self,
        operator: &Operator<'_>,
        output: usize,
    ) -> Outcome<Option<Step>> {
        let tensor = self.operand(operator, 0)?;
        if self.model.tensors[tensor].data.is_some() {
            return Err(
                "of a constant is not supported: convert the model with int8 weights".into()
            );
        }
        let x = self.computed(tensor)?;
        let name = self.name(output);
        // The model's input stands before its axes were turned.
        let origin = origin(&self.graph, x);
        let is_bare_input =
            self.graph.inputs.contains(&origin) && self.graph.values[origin].scale.is_none();
        let value = match self.model.tensors[output].scale()? {
            None => x,
            Some(scale) if is_bare_input => {
                self.graph.values[origin].scale = Some(scale);
                x
            }
            Some(scale) => round(&mut self.graph, x, scale, &format!("{name}_rounded"), &name)
                .map_err(|error| error.to_string())?,
        };
        self.aliases.insert(name, self.graph.values[value].name.clone());
        self.values[output] = Some(value);
        Ok(None)
    }
}
