use headstart::graph::{Coordinates, Interpolation, Op, Resize, Rounding};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `RESIZE_BILINEAR` and `RESIZE_NEAREST_NEIGHBOR`.
    ///
    /// LiteRT finds the nearest element by `floor((i + ½) / scale)` with centres, which is the nearest place with the
    /// upper one of two; by `floor(i / scale)` without; and with corners it rounds halves up.
    pub(super) fn resize(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        self.channels(x)?;
        let sizes = self.integers(operator, 1)?;
        let extents =
            sizes.iter().map(|&size| usize::try_from(size)).collect::<Result<Vec<_>, _>>();
        let extents = extents.ok().filter(|list| list.len() == 2);
        let extents = extents.ok_or_else(|| format!("sizes of {sizes:?}"))?;
        let shape = &self.graph.values[x].shape;
        let scales = extents.iter().zip(&shape[2..]).map(|(&to, &from)| to as f32 / from as f32);
        let linear = match name(operator) {
            "RESIZE_BILINEAR" => true,
            "RESIZE_NEAREST_NEIGHBOR" => false,
            other => return Err(unknown(other)),
        };
        // Two fields of the linear one were there before the sizes were an operand.
        let first = if linear { 2 } else { 0 };
        let flag = |slot| field(operator, move |options| Ok(options.i8(slot)? != 0));
        let (coordinates, rounding) = match (flag(first)?, flag(first + 1)?) {
            (false, false) => (Coordinates::Asymmetric, Rounding::Floor),
            (true, false) => (Coordinates::AlignCorners, Rounding::PreferCeil),
            (false, true) => (Coordinates::HalfPixel, Rounding::PreferCeil),
            (true, true) => {
                return Err(
                    "both aligned corners and half-pixel centres; convert the model with one"
                        .into(),
                );
            }
        };
        let interpolation =
            if linear { Interpolation::Linear } else { Interpolation::Nearest(rounding) };
        let scales = scales.collect();
        let resize = Resize { extents, scales, coordinates, interpolation };
        Ok(Step::new(Op::Resize(resize), vec![x]))
    }
}
