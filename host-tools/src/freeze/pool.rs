/// Feature values of a tensor: averaged over a `grid` of cells, channels last.
///
/// `shape` is `[1, C, H, W]`, `[1, C, L]` or `[1, C]`. Cell `i` of an axis of `n` places covers
/// `⌊i·n/grid⌋ .. ⌈(i+1)·n/grid⌉`, as adaptive average pooling does: cells may share a place. A
/// tensor without places has one cell. The result is `[row][column][channel]`.
pub(super) fn features(shape: &[usize], data: &[f32], grid: usize) -> Vec<f32> {
    let channels = shape.get(1).copied().unwrap_or(1);
    let [height, width] = places(shape);
    let [rows, columns] = [height, width].map(|n| if n > 1 { grid } else { 1 });
    let mut pooled = Vec::with_capacity(channels * rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let (across, down) = (cell(column, columns, width), cell(row, rows, height));
            let count = (across.len() * down.len()) as f32;
            for channel in data.chunks_exact(height * width).take(channels) {
                let sum: f32 = down
                    .clone()
                    .map(|y| channel[y * width..][across.clone()].iter().sum::<f32>())
                    .sum();
                pooled.push(sum / count);
            }
        }
    }
    pooled
}

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

fn cell(index: usize, cells: usize, places: usize) -> std::ops::Range<usize> {
    index * places / cells..((index + 1) * places).div_ceil(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_overlap_as_in_adaptive_average_pooling() {
        let data: Vec<f32> = (0..18).map(|i| i as f32).collect();
        let pooled = features(&[1, 2, 3, 3], &data, 2);
        // Rows and columns 0–1 and 1–2; channel 1 is channel 0 plus 9.
        assert_eq!(pooled, [2.0, 11.0, 3.0, 12.0, 5.0, 14.0, 6.0, 15.0]);
        assert_eq!(features(&[1, 2, 3, 3], &data, 1), [4.0, 13.0]);
        assert_eq!(count(&[1, 2, 3, 3], 2), 8);
    }

    #[test]
    fn a_line_and_a_vector_have_their_own_cells() {
        let data = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        assert_eq!(features(&[1, 2, 3], &data, 2), [1.5, 15.0, 2.5, 25.0]);
        assert_eq!(features(&[1, 6], &data, 1), data);
        assert!(allows(&[1, 2, 3], 3) && !allows(&[1, 2, 3], 4) && !allows(&[1, 6], 2));
    }
}
