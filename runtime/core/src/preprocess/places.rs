//! Where the input's rows and columns lie in a picture.

use super::axis::Axis;
use super::filters::FilterAxis;
use crate::Error;
use crate::pack::{Filter, Input};

/// The pixel of a picture of these rows and columns that a place of the input, row and column, lies in the
/// middle of: where the class of that place is found in a mask.
///
/// # Errors
///
/// [`Error::ShapeOverflow`] for a picture without pixels, or a place outside of the input.
pub fn nearest(
    input: &Input,
    [height, width]: [usize; 2],
    [row, column]: [usize; 2],
) -> Result<[usize; 2], Error> {
    if height == 0 || width == 0 || row >= input.height as usize || column >= input.width as usize {
        return Err(Error::ShapeOverflow);
    }
    let [rows, columns] = places(input, [height, width])?;
    Ok(match input.preprocessing.resize.filter() {
        None => [rows.axis().nearest(row), columns.axis().nearest(column)],
        Some(filter) => {
            let [rows, columns] = filtered(filter, [&rows, &columns]);
            [rows.nearest(row), columns.nearest(column)]
        }
    })
}

/// One axis: `source` pixels scaled to `target`, of which those from `offset` are used.
pub(super) struct Places {
    source: usize,
    target: u32,
    offset: u32,
}

impl Places {
    pub(super) fn axis(&self) -> Axis {
        Axis::new(self.source, self.target, self.offset)
    }
}

/// Makes both axes of a resize by another library's filter.
pub(super) fn filtered(filter: Filter, axes: [&Places; 2]) -> [FilterAxis; 2] {
    let shrinks = axes.iter().all(|axis| axis.source >= axis.target as usize);
    axes.map(|axis| {
        let (target, offset) = (axis.target as usize, axis.offset as usize);
        FilterAxis { filter, source: axis.source, target, offset, shrinks }
    })
}

/// Rows and columns of a picture that has some.
pub(super) fn places(input: &Input, [height, width]: [usize; 2]) -> Result<[Places; 2], Error> {
    let resize = input.preprocessing.resize;
    let short = width.min(height) as u64;
    let is_pil = matches!(resize.filter(), Some(Filter::PilBilinear | Filter::PilBicubic));
    let places = |source: usize, kept: u32| {
        let target = match resize.short_side() {
            None => kept,
            Some(side) => {
                let rounding = if is_pil { 0 } else { short / 2 };
                u32::try_from((source as u64 * u64::from(side) + rounding) / short)
                    .map_err(|_| Error::ShapeOverflow)?
            }
        };
        let less = target.saturating_sub(kept);
        // Python rounds a half to the even number.
        let offset = if is_pil && less % 4 == 3 { less / 2 + 1 } else { less / 2 };
        Ok(Places { source, target, offset })
    };
    Ok([places(height, input.height)?, places(width, input.width)?])
}
