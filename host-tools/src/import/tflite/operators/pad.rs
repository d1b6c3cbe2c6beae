use headstart::graph::{Op, Pad, PadMode};

use super::{Build, Outcome, Step};
use crate::import::tflite::layout::in_graph;
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `PAD` and `PADV2`.
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
            Some(tensor) => self.number(tensor)?,
        };
        let pad = Pad { begin: end(0), end: end(1), mode: PadMode::Constant(fill) };
        Ok(Step::new(Op::Pad(pad), vec![x]))
    }
}
