//! Which grids a tensor can be pooled to; [`pool`](crate::float::pool) does it.

/// How many features that are.
pub(super) fn count(shape: &[usize], grid: usize) -> usize {
    let cells: usize = places(shape).iter().map(|&n| if n > 1 { grid } else { 1 }).product();
    shape.get(1).copied().unwrap_or(1).saturating_mul(cells)
}

/// Whether a tensor of that shape has at least `grid` places along every axis that has any.
pub(super) fn allows(shape: &[usize], grid: usize) -> bool {
    let pooled = places(shape).iter().any(|&n| n > 1);
    grid == 1 || (pooled && places(shape).iter().all(|&n| n == 1 || n >= grid))
}

/// Height and width, 1 where there is none.
fn places(shape: &[usize]) -> [usize; 2] {
    match *shape {
        [_, _, height, width] => [height, width],
        [_, _, length] => [1, length],
        _ => [1, 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_what_pooling_gives() {
        for (shape, grid) in
            [(&[1, 2, 3, 3][..], 2), (&[1, 2, 3], 2), (&[1, 6], 1), (&[1, 2, 3, 3], 1)]
        {
            let data = vec![1.0; shape.iter().product()];
            assert_eq!(count(shape, grid), crate::float::pool(shape, &data, grid).len());
        }
    }

    #[test]
    fn a_grid_is_never_finer_than_the_tensor() {
        assert!(allows(&[1, 2, 3], 3) && !allows(&[1, 2, 3], 4) && !allows(&[1, 6], 2));
        assert!(allows(&[1, 2, 3, 4], 3) && !allows(&[1, 2, 3, 4], 4));
    }
}
