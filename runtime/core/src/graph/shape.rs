//! Limits of shapes and what the operators' rules share, with checked arithmetic: shapes come from files.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::GraphError;

/// Most dimensions of a tensor.
pub const MAX_RANK: usize = 6;

/// Most elements of a tensor: 2^28, a gibibyte of float32.
pub const MAX_ELEMENTS: usize = 1 << 28;

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

/// Shapes that do not fit together; the text says how.
pub(super) fn mismatch<T>(what: String) -> Result<T, GraphError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_dimensions_never_wraps() {
        let huge = usize::MAX / 2 + 2;
        assert_eq!(elements(&[huge, 2]), Err(GraphError::TooManyElements));
        assert_eq!(elements(&[1; 7]), Err(GraphError::Rank { found: 7 }));
    }
}
