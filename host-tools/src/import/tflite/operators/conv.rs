use headstart::graph::{Conv, Op, ValueId};

use super::{Build, Outcome, Step, field, name};
use crate::import::tflite::layout::TO_GRAPH;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `CONV_2D` and `DEPTHWISE_CONV_2D`.
    pub(super) fn convolution(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let depthwise = name(operator) == "DEPTHWISE_CONV_2D";
        let x = self.x(operator)?;
        let weight = self.operand(operator, 1)?;
        let [_, height, width, _] = self.model.tensors[weight].shape[..] else {
            return Err("weights of other than four dimensions".into());
        };
        // `[outputs, rows, columns, inputs]`, and `[1, rows, columns, outputs]` of a depthwise one.
        let order = if depthwise { [3, 0, 1, 2] } else { TO_GRAPH };
        let weight = self.constant(weight, Some(&order))?;
        let (at_dilation, at_activation) = if depthwise { ([6, 5], 4) } else { ([5, 4], 3) };
        let window = self.window(operator, x, [height, width], at_dilation)?;
        let groups = if depthwise { self.channels(x)? } else { self.groups(x, weight)? };
        let mut inputs = vec![x, weight];
        inputs.extend(self.bias(operator, 2)?);
        let step = Step::new(Op::Conv(Conv { window, groups }), inputs);
        step.fused(field(operator, |options| options.i8(at_activation))?)
    }

    /// Weights that read fewer channels than there are belong to groups of them.
    fn groups(&self, x: ValueId, weight: ValueId) -> Outcome<usize> {
        let read = self.graph.values[weight].shape[1];
        let groups = self.channels(x)?.checked_div(read).filter(|&groups| groups > 0);
        groups.ok_or_else(|| format!("weights of {read} channels for a tensor with fewer"))
    }
}
