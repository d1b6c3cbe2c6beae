//! Images: `[batch, height, width, channels]` in the file, `[batch, channels, height, width]` in the graph.

/// From the file's axes to the graph's: axis `i` of the result is axis `TO_GRAPH[i]`.
pub(super) const TO_GRAPH: [usize; 4] = [0, 3, 1, 2];
/// From the graph's axes to the file's.
pub(super) const TO_FILE: [usize; 4] = [0, 2, 3, 1];

/// A list of one entry an axis in the graph's order. Only what has four axes is an image.
pub(super) fn in_graph<T: Clone>(list: &[T]) -> Vec<T> {
    match list {
        [n, h, w, c] => vec![n.clone(), c.clone(), h.clone(), w.clone()],
        other => other.to_vec(),
    }
}

/// The graph's axis for axis `axis` of a tensor of `rank` dimensions in the file, counted from the end if negative.
pub(super) fn axis_in_graph(axis: i64, rank: usize) -> Result<usize, String> {
    let signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let counted = if axis < 0 { axis.saturating_add(signed) } else { axis };
    let found = usize::try_from(counted).ok().filter(|&found| found < rank);
    let found = found.ok_or_else(|| format!("axis {axis} of a tensor of {rank} dimensions"))?;
    let moved = TO_GRAPH.iter().position(|&axis| axis == found);
    Ok(moved.filter(|_| rank == 4).unwrap_or(found))
}

/// Elements in another order of axes: axis `i` of the result is axis `permutation[i]`.
pub(super) fn transposed(data: &[f32], shape: &[usize], permutation: &[usize]) -> Vec<f32> {
    let strides: Vec<usize> =
        (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let extents: Vec<usize> = permutation.iter().map(|&axis| shape[axis]).collect();
    let steps: Vec<usize> = permutation.iter().map(|&axis| strides[axis]).collect();
    let mut index = vec![0; extents.len()];
    let mut from = 0;
    let mut result = Vec::with_capacity(data.len());
    for _ in 0..data.len() {
        result.push(data[from]);
        for axis in (0..extents.len()).rev() {
            index[axis] += 1;
            from += steps[axis];
            if index[axis] < extents[axis] {
                break;
            }
            from -= steps[axis] * extents[axis];
            index[axis] = 0;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_images_move_and_others_stay() {
        let moved: Vec<_> = (0..4).map(|axis| axis_in_graph(axis, 4).unwrap()).collect();
        assert_eq!(moved, [0, 2, 3, 1]);
        assert_eq!(axis_in_graph(-1, 4), Ok(1));
        assert_eq!(axis_in_graph(-1, 2), Ok(1));
        assert!(axis_in_graph(2, 2).is_err() && axis_in_graph(i64::MIN, 4).is_err());
        assert_eq!(in_graph(&[1, 5, 6, 3]), [1, 3, 5, 6]);
        let data: Vec<f32> = (0..6).map(|x| x as f32).collect();
        assert_eq!(transposed(&data, &[1, 1, 2, 3], &TO_GRAPH), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }
}
