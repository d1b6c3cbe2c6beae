//! The shape rules of every operator, with checked arithmetic: shapes come from files.

use std::format;
use std::vec;
use std::vec::Vec;

use super::{Binary, GraphError, MAX_RESIZE, Op, Resize, Window};

/// Most dimensions of a tensor.
pub const MAX_RANK: usize = 6;

/// Most elements of a tensor: 2^28, a gibibyte of float32.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Most elements of a tensor whose elements are named by number: float32 holds every whole number up
/// to 2^24.
pub const MAX_INDEXED: usize = 1 << 24;

/// Elements of a tensor of that shape.
///
/// # Errors
///
/// [`GraphError::Rank`] and [`GraphError::TooManyElements`].
pub fn elements(shape: &[usize]) -> Result<usize, GraphError> {
    if shape.len() > MAX_RANK {
        return Err(GraphError::Rank { found: shape.len() });
    }
    shape
        .iter()
        .try_fold(1_usize, |product, &extent| product.checked_mul(extent))
        .filter(|&product| product <= MAX_ELEMENTS)
        .ok_or(GraphError::TooManyElements)
}

fn mismatch<T>(what: std::string::String) -> Result<T, GraphError> {
    Err(GraphError::Shape(what))
}

/// NumPy's broadcast of two shapes.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, GraphError> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| {
        (i + shape.len()).checked_sub(rank).map_or(1, |index| shape[index])
    };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => mismatch(format!("shapes {a:?} and {b:?} do not broadcast")),
        })
        .collect()
}

impl Window {
    /// Number of windows along each spatial dimension of extents `spatial`.
    ///
    /// # Errors
    ///
    /// [`GraphError::Shape`] if a list has the wrong length, an extent or step is 0, or the window
    /// does not fit into the padded input.
    pub fn output(&self, spatial: &[usize]) -> Result<Vec<usize>, GraphError> {
        let rank = spatial.len();
        let lists =
            [&self.kernel, &self.strides, &self.dilations, &self.pads_begin, &self.pads_end];
        if lists.iter().any(|list| list.len() != rank) {
            return mismatch(format!("a window of {} dimensions over {rank}", self.kernel.len()));
        }
        (0..rank)
            .map(|i| {
                let reach = self.kernel[i]
                    .checked_sub(1)
                    .and_then(|k| k.checked_mul(self.dilations[i]))
                    .and_then(|k| k.checked_add(1));
                let padded = spatial[i]
                    .checked_add(self.pads_begin[i])
                    .and_then(|s| s.checked_add(self.pads_end[i]));
                match (reach, padded) {
                    (Some(reach), Some(padded))
                        if padded >= reach && self.strides[i] > 0 && self.dilations[i] > 0 =>
                    {
                        Ok((padded - reach) / self.strides[i] + 1)
                    }
                    _ => mismatch(format!("{self:?} does not fit an extent of {}", spatial[i])),
                }
            })
            .collect()
    }
}

fn pooled(window: &Window, x: &[usize]) -> Result<Vec<usize>, GraphError> {
    if x.len() < 3 {
        return mismatch(format!("pooling over {x:?}, which has no spatial dimension"));
    }
    let mut shape = x[..2].to_vec();
    shape.extend(window.output(&x[2..])?);
    Ok(shape)
}

impl Op {
    /// Shape of the result for operands of these shapes.
    ///
    /// # Errors
    ///
    /// [`GraphError::Operands`] for the wrong number of operands, [`GraphError::Shape`] for shapes
    /// that do not fit together, [`GraphError::TooManyElements`] for a result past the limit.
    pub fn output_shape(&self, operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
        let counts = match self {
            Self::Conv(_) | Self::Gemm(_) => 2..=3,
            Self::BatchNormalization { .. } => 5..=5,
            Self::PRelu | Self::Binary(_) | Self::MatMul => 2..=2,
            Self::Concat { .. } => 1..=usize::MAX,
            _ => 1..=1,
        };
        if !counts.contains(&operands.len()) {
            return Err(GraphError::Operands { found: operands.len() });
        }
        let shape = self.shape_of_result(operands)?;
        elements(&shape)?;
        Ok(shape)
    }

    fn shape_of_result(&self, operands: &[&[usize]]) -> Result<Vec<usize>, GraphError> {
        let x = operands[0];
        match self {
            Self::Activation(_) => Ok(x.to_vec()),
            Self::Conv(conv) => {
                let weight = operands[1];
                let fits = x.len() >= 3
                    && weight.len() == x.len()
                    && conv.groups > 0
                    && x[1].is_multiple_of(conv.groups)
                    && weight[0].is_multiple_of(conv.groups)
                    && weight[1] == x[1] / conv.groups
                    && weight[2..] == conv.window.kernel[..]
                    && operands.get(2).is_none_or(|bias| **bias == [weight[0]]);
                if !fits {
                    return mismatch(format!(
                        "a convolution in {} groups of {x:?} by {weight:?}",
                        conv.groups
                    ));
                }
                let mut shape = vec![x[0], weight[0]];
                shape.extend(conv.window.output(&x[2..])?);
                Ok(shape)
            }
            Self::BatchNormalization { .. } => {
                if x.len() < 2 || operands[1..].iter().any(|p| **p != [x[1]]) {
                    return mismatch(format!(
                        "batch normalisation of {x:?} by {:?}",
                        &operands[1..]
                    ));
                }
                Ok(x.to_vec())
            }
            Self::PRelu => {
                if broadcast(x, operands[1])? != x {
                    return mismatch(format!("a slope of {:?} for {x:?}", operands[1]));
                }
                Ok(x.to_vec())
            }
            Self::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div) => {
                broadcast(x, operands[1])
            }
            Self::MaxPool(pool) => pooled(&pool.window, x),
            Self::MaxPoolIndices(pool) => {
                if elements(x)? > MAX_INDEXED || (pool.column_major && x.len() > 4) {
                    return mismatch(format!("numbers of the elements of {x:?}"));
                }
                pooled(&pool.window, x)
            }
            Self::AveragePool(pool) => pooled(&pool.window, x),
            Self::GlobalAveragePool => {
                if x.len() < 3 {
                    return mismatch(format!("pooling over {x:?}, which has no spatial dimension"));
                }
                Ok(x.iter().enumerate().map(|(i, &n)| if i < 2 { n } else { 1 }).collect())
            }
            Self::ReduceMean { axes, keep_dims } => {
                if axes.iter().any(|&axis| axis >= x.len()) {
                    return mismatch(format!("axes {axes:?} of {x:?}"));
                }
                let kept = |&(i, &n): &(usize, &usize)| match (axes.contains(&i), keep_dims) {
                    (false, _) => Some(n),
                    (true, true) => Some(1),
                    (true, false) => None,
                };
                Ok(x.iter().enumerate().filter_map(|pair| kept(&pair)).collect())
            }
            Self::Softmax { axis, .. } => {
                if *axis >= x.len() {
                    return mismatch(format!("axis {axis} of {x:?}"));
                }
                Ok(x.to_vec())
            }
            Self::Concat { axis } => {
                let mut shape = x.to_vec();
                for other in &operands[1..] {
                    let same = other.len() == x.len()
                        && *axis < x.len()
                        && (0..x.len()).all(|i| i == *axis || other[i] == x[i]);
                    if !same {
                        return mismatch(format!("{x:?} beside {other:?} along axis {axis}"));
                    }
                    shape[*axis] = shape[*axis]
                        .checked_add(other[*axis])
                        .ok_or(GraphError::TooManyElements)?;
                }
                if *axis >= x.len() {
                    return mismatch(format!("axis {axis} of {x:?}"));
                }
                Ok(shape)
            }
            Self::Pad(pad) => {
                if pad.begin.len() != x.len() || pad.end.len() != x.len() {
                    return mismatch(format!(
                        "padding of {} dimensions for {x:?}",
                        pad.begin.len()
                    ));
                }
                (0..x.len())
                    .map(|i| {
                        x[i].checked_add(pad.begin[i])
                            .and_then(|n| n.checked_add(pad.end[i]))
                            .ok_or(GraphError::TooManyElements)
                    })
                    .collect()
            }
            Self::Reshape { shape } => {
                if elements(shape)? != elements(x)? {
                    return mismatch(format!("{x:?} does not reshape to {shape:?}"));
                }
                Ok(shape.clone())
            }
            Self::Transpose { permutation } => {
                let mut sorted = permutation.clone();
                sorted.sort_unstable();
                if !sorted.iter().copied().eq(0..x.len()) {
                    return mismatch(format!("{permutation:?} is no order of the axes of {x:?}"));
                }
                Ok(permutation.iter().map(|&axis| x[axis]).collect())
            }
            Self::Gemm(gemm) => {
                let b = operands[1];
                if x.len() != 2 || b.len() != 2 {
                    return mismatch(format!("a matrix product of {x:?} and {b:?}"));
                }
                let (m, k) = if gemm.trans_a { (x[1], x[0]) } else { (x[0], x[1]) };
                let (inner, n) = if gemm.trans_b { (b[1], b[0]) } else { (b[0], b[1]) };
                let shape = vec![m, n];
                let fits = match operands.get(2) {
                    Some(c) => broadcast(&shape, c)? == shape,
                    None => true,
                };
                if k != inner || !fits {
                    return mismatch(format!("a matrix product of {operands:?}"));
                }
                Ok(shape)
            }
            Self::MatMul => matmul(x, operands[1]),
            Self::Resize(resize) => resized(resize, x),
        }
    }
}

fn resized(resize: &Resize, x: &[usize]) -> Result<Vec<usize>, GraphError> {
    let spatial = x.get(2..).unwrap_or_default();
    let Resize { extents, scales, .. } = resize;
    let fits = !spatial.is_empty()
        && extents.len() == spatial.len()
        && scales.len() == spatial.len()
        && scales.iter().all(|&scale| scale.is_finite() && scale > 0.0)
        && spatial.iter().zip(extents).all(|(&from, &to)| {
            from.checked_mul(to).is_some_and(|product| (1..=MAX_RESIZE).contains(&product))
        });
    if !fits {
        return mismatch(format!("{x:?} resized to {extents:?} by {scales:?}"));
    }
    Ok([&x[..2], extents].concat())
}

fn matmul(a: &[usize], b: &[usize]) -> Result<Vec<usize>, GraphError> {
    if a.is_empty() || b.is_empty() {
        return mismatch(format!("a matrix product of {a:?} and {b:?}"));
    }
    let a_matrix = if a.len() == 1 { vec![1, a[0]] } else { a.to_vec() };
    let b_matrix = if b.len() == 1 { vec![b[0], 1] } else { b.to_vec() };
    let (a_batch, a_tail) = a_matrix.split_at(a_matrix.len() - 2);
    let (b_batch, b_tail) = b_matrix.split_at(b_matrix.len() - 2);
    if a_tail[1] != b_tail[0] {
        return mismatch(format!("a matrix product of {a:?} and {b:?}"));
    }
    let mut shape = broadcast(a_batch, b_batch)?;
    if a.len() > 1 {
        shape.push(a_tail[0]);
    }
    if b.len() > 1 {
        shape.push(b_tail[1]);
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::super::Conv;
    use super::*;

    fn window(kernel: usize, stride: usize, begin: usize, end: usize) -> Window {
        Window {
            kernel: vec![kernel; 2],
            strides: vec![stride; 2],
            dilations: vec![1; 2],
            pads_begin: vec![begin; 2],
            pads_end: vec![end; 2],
        }
    }

    #[test]
    fn a_convolution_with_asymmetric_padding_has_onnx_extent() {
        let op = Op::Conv(Conv { window: window(3, 2, 0, 1), groups: 1 });
        let shape = op.output_shape(&[&[1, 3, 224, 224], &[32, 3, 3, 3], &[32]]);
        assert_eq!(shape, Ok(vec![1, 32, 112, 112]));
    }

    #[test]
    fn a_product_of_dimensions_never_wraps() {
        let huge = usize::MAX / 2 + 2;
        assert_eq!(elements(&[huge, 2]), Err(GraphError::TooManyElements));
        assert_eq!(elements(&[1; 7]), Err(GraphError::Rank { found: 7 }));
    }

    #[test]
    fn a_window_larger_than_its_input_is_refused() {
        let op = Op::Conv(Conv { window: window(5, 1, 0, 0), groups: 1 });
        assert!(op.output_shape(&[&[1, 1, 3, 3], &[1, 1, 5, 5]]).is_err());
    }

    #[test]
    fn matmul_follows_numpy() {
        assert_eq!(Op::MatMul.output_shape(&[&[4, 2, 3], &[3, 5]]), Ok(vec![4, 2, 5]));
        assert_eq!(Op::MatMul.output_shape(&[&[3], &[3]]), Ok(vec![]));
        assert!(Op::MatMul.output_shape(&[&[2, 3], &[4, 5]]).is_err());
    }
}
