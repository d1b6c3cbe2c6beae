use headstart::graph::{Binary, MaxPool, Op, ValueId, Window};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `MEAN`, `SUM` and `REDUCE_MAX`.
    pub(super) fn reduce(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let x = self.x(operator)?;
        let rank = self.graph.values[x].shape.len();
        let axes = self.axes(operator, 1, rank)?;
        let keep_dims = field(operator, |options| options.i8(0))? != 0;
        if rank == 4 && !keep_dims && axes != [2, 3] {
            let list = self.integers(operator, 1)?;
            return Err(format!("axes {list:?} of an image; 1 and 2 are supported"));
        }
        let mean = Op::ReduceMean { axes: axes.clone(), keep_dims };
        match name(operator) {
            "MEAN" => Ok(Step::new(mean, vec![x])),
            "SUM" => {
                let count: usize =
                    axes.iter().map(|&axis| self.graph.values[x].shape[axis]).product();
                let name = self.model.tensors[output].name;
                let mean = self.node(mean, vec![x], &format!("{name}_mean"))?;
                let count = self.made(&format!("{name}_count"), vec![], vec![count as f32])?;
                Ok(Step::new(Op::Binary(Binary::Mul), vec![mean, count]))
            }
            "REDUCE_MAX" => self.greatest(x, &axes, keep_dims, output),
            other => Err(unknown(other)),
        }
    }

    /// The greatest elements of all places of a map, or of a row of them, as a pool with one window.
    fn greatest(
        &mut self,
        x: ValueId,
        axes: &[usize],
        keep_dims: bool,
        output: usize,
    ) -> Outcome<Step> {
        let shape = self.graph.values[x].shape.clone();
        let name = self.model.tensors[output].name;
        let (x, places) = match (&shape[..], axes) {
            ([_, _, rows, columns], [2, 3]) => (x, vec![*rows, *columns]),
            // A row of places stands before its channels.
            ([_, places, _], [1]) => {
                let turned = super::transpose(&[0, 2, 1]);
                (self.node(turned, vec![x], &format!("{name}_channels_first"))?, vec![*places])
            }
            _ => {
                return Err(format!(
                    "the greatest elements along axes {axes:?} of {shape:?} (channels first); those of all places of a map \
                     are supported"
                ));
            }
        };
        let mut step = Step::new(Op::MaxPool(MaxPool { window: Window::new(&places) }), vec![x]);
        match (keep_dims, &shape[..]) {
            (false, [batch, channels, _, _]) => {
                step.then.push(Op::Reshape { shape: vec![*batch, *channels] });
            }
            (true, [batch, _, channels]) => {
                step.then.push(Op::Reshape { shape: vec![*batch, 1, *channels] });
            }
            (false, [batch, _, channels]) => {
                step.then.push(Op::Reshape { shape: vec![*batch, *channels] });
            }
            _ => {}
        }
        Ok(step)
    }
}
