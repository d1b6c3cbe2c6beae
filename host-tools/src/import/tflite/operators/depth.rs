use headstart::graph::Op;

use super::{Build, Outcome, Step, field, name, transpose, unknown};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `DEPTH_TO_SPACE` and `SPACE_TO_DEPTH`: blocks of places as channels, the block's rows outermost, and back.
    pub(super) fn depth(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        self.channels(x)?;
        let [batch, channels, rows, columns] = self.graph.values[x].shape[..] else {
            return Err("an image is expected".into());
        };
        let stated = field(operator, |options| options.i32(0, 0))?;
        let block = usize::try_from(stated).ok().filter(|block| (1..=1 << 8).contains(block));
        let block = block.ok_or_else(|| format!("blocks of {stated}"))?;
        let (divided, permutation, then): ([usize; 6], _, _) = match name(operator) {
            "DEPTH_TO_SPACE" => {
                let rest = channels / (block * block);
                let divided = [batch, block, block, rest, rows, columns];
                (divided, [0, 3, 4, 1, 5, 2], [batch, rest, rows * block, columns * block])
            }
            "SPACE_TO_DEPTH" => {
                let divided = [batch, channels, rows / block, block, columns / block, block];
                let then = [batch, channels * block * block, rows / block, columns / block];
                (divided, [0, 3, 5, 1, 2, 4], then)
            }
            other => return Err(unknown(other)),
        };
        let mut step = Step::new(Op::Reshape { shape: divided.to_vec() }, vec![x]);
        step.then.push(transpose(&permutation));
        step.then.push(Op::Reshape { shape: then.to_vec() });
        Ok(step)
    }
}
