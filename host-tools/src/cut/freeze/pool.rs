//! Grids that a tensor can be pooled to; [`pool`](crate::float::pool) does it.

use crate::cut::inspect::FreezePoint;

/// How many features that are.
pub(super) fn count(point: &FreezePoint, grid: usize) -> usize {
    let dims = &point.shape[1..];
    let Some(&channels) = point.order.as_ref().and_then(|order| order.last()) else {
        return dims.iter().product();
    };
    let cells: usize = places(point).map(|n| if n > 1 { grid } else { 1 }).product();
    dims[channels].saturating_mul(cells)
}

/// Whether a tensor has at least `grid` places along every axis that has any. One of which the axes are not known is
/// only taken as it is.
pub(super) fn allows(point: &FreezePoint, grid: usize) -> bool {
    let pooled = places(point).any(|n| n > 1);
    grid == 1 || (pooled && places(point).all(|n| n == 1 || n >= grid))
}

/// Extents of the axes over which it is pooled.
fn places(point: &FreezePoint) -> impl Iterator<Item = usize> {
    let axes = point.order.as_ref().and_then(|order| order.split_last());
    axes.map_or(&[][..], |(_, places)| places).iter().map(|axis| point.shape[axis + 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::inspect::FreezeKind;
    use crate::float::pool;

    fn point(shape: &[usize], order: Option<&[usize]>) -> FreezePoint {
        FreezePoint {
            value: 0,
            tensor: "x".into(),
            node: "x".into(),
            shape: shape.to_vec(),
            order: order.map(<[usize]>::to_vec),
            macs: 1,
            kind: FreezeKind::Trunk,
        }
    }

    #[test]
    fn the_count_is_what_pooling_gives() {
        type Case<'a> = (&'a [usize], Option<&'a [usize]>, usize);
        let cases: [Case<'_>; 6] = [
            (&[1, 2, 3, 3], Some(&[1, 2, 0]), 2),
            (&[1, 3, 4, 2], Some(&[0, 1, 2]), 2),
            (&[1, 2, 3], Some(&[1, 0]), 2),
            (&[1, 6], Some(&[0]), 1),
            (&[1, 2, 3, 3], Some(&[1, 2, 0]), 1),
            (&[1, 2, 3, 3], None, 1),
        ];
        for (shape, order, grid) in cases {
            let data = vec![1.0; shape.iter().product()];
            let pooled = pool(shape, &data, order, grid);
            assert_eq!(count(&point(shape, order), grid), pooled.len());
        }
    }

    #[test]
    fn a_grid_is_never_finer_than_the_tensor() {
        let allows =
            |shape: &[usize], order: Option<&[usize]>, grid| allows(&point(shape, order), grid);
        assert!(allows(&[1, 2, 3], Some(&[1, 0]), 3) && !allows(&[1, 2, 3], Some(&[1, 0]), 4));
        assert!(!allows(&[1, 6], Some(&[0]), 2));
        assert!(allows(&[1, 2, 3, 4], Some(&[1, 2, 0]), 3));
        assert!(!allows(&[1, 2, 3, 4], Some(&[1, 2, 0]), 4));
        assert!(allows(&[1, 3, 4, 2], Some(&[0, 1, 2]), 3));
        assert!(allows(&[1, 9, 9, 9], None, 1) && !allows(&[1, 9, 9, 9], None, 2));
    }
}
