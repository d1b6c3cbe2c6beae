//! Convolutions and pooling: what slides a window over an image.

use headstart::graph::{AveragePool, Conv, MaxPool, Op, ValueId, Window};

use super::{Build, Outcome, Step, field};
use crate::import::tflite::layout::TO_GRAPH;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    pub(super) fn convolution(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let depthwise = operator.code == 4;
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

    fn channels(&self, x: ValueId) -> Outcome<usize> {
        match self.graph.values[x].shape[..] {
            [_, channels, _, _] => Ok(channels),
            _ => Err(format!("an image is expected, not {:?}", self.graph.values[x].shape)),
        }
    }

    /// Weights that read fewer channels than there are belong to groups of them.
    fn groups(&self, x: ValueId, weight: ValueId) -> Outcome<usize> {
        let read = self.graph.values[weight].shape[1];
        let groups = self.channels(x)?.checked_div(read).filter(|&groups| groups > 0);
        groups.ok_or_else(|| format!("weights of {read} channels for a tensor with fewer"))
    }

    pub(super) fn bias(
        &mut self,
        operator: &Operator<'_>,
        index: usize,
    ) -> Outcome<Option<ValueId>> {
        match operator.inputs.get(index).copied().flatten() {
            None => Ok(None),
            Some(bias) => self.constant(bias, None).map(Some),
        }
    }

    /// A window of `kernel` rows and columns over `x`.
    fn window(
        &self,
        operator: &Operator<'_>,
        x: ValueId,
        kernel: [usize; 2],
        at_dilation: [usize; 2],
    ) -> Outcome<Window> {
        let amount = |slot: usize, default: i32| -> Outcome<usize> {
            let stated = field(operator, |options| options.i32(slot, default))?;
            usize::try_from(stated)
                .ok()
                .filter(|n| (1..=1 << 16).contains(n))
                .ok_or_else(|| format!("a step of {stated}"))
        };
        self.channels(x)?;
        let strides = vec![amount(2, 0)?, amount(1, 0)?];
        let dilations = match at_dilation {
            [0, 0] => vec![1; 2],
            [rows, columns] => vec![amount(rows, 1)?, amount(columns, 1)?],
        };
        if kernel.iter().any(|extent| !(1..=1 << 16).contains(extent)) {
            return Err(format!("a window of {kernel:?}"));
        }
        let mut window = Window {
            kernel: kernel.to_vec(),
            strides,
            dilations,
            pads_begin: vec![0; 2],
            pads_end: vec![0; 2],
        };
        match field(operator, |options| options.i8(0))? {
            // SAME: as many windows as steps, the smaller half of the padding in front.
            0 => {
                for (axis, &extent) in self.graph.values[x].shape[2..].iter().enumerate() {
                    let stride = window.strides[axis];
                    let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
                    let covered = extent.div_ceil(stride).saturating_sub(1) * stride + reach;
                    let total = covered.saturating_sub(extent);
                    window.pads_begin[axis] = total / 2;
                    window.pads_end[axis] = total - total / 2;
                }
            }
            1 => {}
            other => return Err(format!("padding of kind {other}")),
        }
        Ok(window)
    }

    pub(super) fn pool(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let extent = |slot| -> Outcome<usize> {
            let stated = field(operator, |options| options.i32(slot, 0))?;
            usize::try_from(stated).map_err(|_| format!("a window of {stated}"))
        };
        let window = self.window(operator, x, [extent(4)?, extent(3)?], [0, 0])?;
        let op = match operator.code {
            17 => Op::MaxPool(MaxPool { window }),
            _ => Op::AveragePool(AveragePool {
                window,
                count_include_pad: false,
                ceil_extra: vec![0; 2],
            }),
        };
        Step::new(op, vec![x]).fused(field(operator, |options| options.i8(5))?)
    }
}
