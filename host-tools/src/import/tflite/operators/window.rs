//! Windows that slide over an image, with implicit padding made explicit.

use headstart::graph::{ValueId, Window};

use super::{Build, Outcome, field};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// A window of `kernel` rows and columns over `x`.
    pub(super) fn window(
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

    /// Channels of the image `x`.
    pub(super) fn channels(&self, x: ValueId) -> Outcome<usize> {
        match self.graph.values[x].shape[..] {
            [_, channels, _, _] => Ok(channels),
            _ => Err(format!("an image is expected, not {:?}", self.graph.values[x].shape)),
        }
    }
}
