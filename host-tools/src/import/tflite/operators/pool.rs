use headstart::graph::{AveragePool, MaxPool, Op};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `AVERAGE_POOL_2D` and `MAX_POOL_2D`.
    pub(super) fn pool(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let extent = |slot| -> Outcome<usize> {
            let stated = field(operator, |options| options.i32(slot, 0))?;
            usize::try_from(stated).map_err(|_| format!("a window of {stated}"))
        };
        let window = self.window(operator, x, [extent(4)?, extent(3)?], [0, 0])?;
        let op = match name(operator) {
            "MAX_POOL_2D" => Op::MaxPool(MaxPool { window }),
            "AVERAGE_POOL_2D" => Op::AveragePool(AveragePool {
                window,
                count_include_pad: false,
                ceil_extra: vec![0; 2],
            }),
            other => return Err(unknown(other)),
        };
        Step::new(op, vec![x]).fused(field(operator, |options| options.i8(5))?)
    }
}
