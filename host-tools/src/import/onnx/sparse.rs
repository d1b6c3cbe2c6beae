//! Sparse constants, filled.

use super::context::Context;
use super::parts::Sparse;
use crate::error::Problem;
use crate::import::imported::{Data, Tensor};
use headstart::graph::elements;

/// A sparse constant with its zeros: real numbers in places that ascend, said by one index each or by one for each axis.
///
/// # Errors
///
/// [`Problem::Tensor`] for what is no such tensor, or is too large for a file of so many weights.
pub(super) fn filled(context: &mut Context<'_>, sparse: Sparse) -> Result<Tensor, Problem> {
    let name = sparse.values.name.clone().unwrap_or_default();
    let refuse = |what: String| Problem::tensor(&name, what);
    let shape: Option<Vec<usize>> =
        sparse.dims.iter().map(|&extent| usize::try_from(extent).ok()).collect();
    let shape =
        shape.ok_or_else(|| refuse(format!("has a negative dimension: {:?}", sparse.dims)))?;
    let count = elements(&shape).map_err(|error| refuse(error.to_string()))?;
    let (values, indices) = (context.decode(sparse.values)?, context.decode(sparse.indices)?);
    let (Data::Floats(values), Data::Integers(places, _)) = (values.data, indices.data) else {
        return Err(refuse(
            "is sparse, and not real numbers at integer places: export it as a dense constant"
                .to_owned(),
        ));
    };
    let each = match indices.shape[..] {
        [number] if number == values.len() => 1,
        [number, rank] if number == values.len() && rank == shape.len() => rank,
        _ => {
            return Err(refuse(format!(
                "is sparse and has {} values, but indices of shape {:?}",
                values.len(),
                indices.shape
            )));
        }
    };
    context.take_made(count).map_err(refuse)?;
    let mut filled = vec![0.0; count];
    for (&value, place) in values.iter().zip(places.chunks_exact(each.max(1))) {
        let at = flat(place, &shape, each == 1).filter(|&at| at < count);
        let at = at.ok_or_else(|| {
            refuse(format!("is sparse and has a value at {place:?}, outside of {shape:?}"))
        })?;
        filled[at] = value;
    }
    Ok(Tensor { shape, data: Data::Floats(filled) })
}

/// A place as a number of elements before it.
fn flat(place: &[i64], shape: &[usize], is_flat: bool) -> Option<usize> {
    if is_flat {
        return usize::try_from(*place.first()?).ok();
    }
    place.iter().zip(shape).try_fold(0_usize, |at, (&index, &extent)| {
        let index = usize::try_from(index).ok().filter(|&index| index < extent)?;
        at.checked_mul(extent)?.checked_add(index)
    })
}
