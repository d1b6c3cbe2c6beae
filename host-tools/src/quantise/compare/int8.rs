//! What a device computes of a sample, in real numbers.

use headstart::backbone::Backbone;
use headstart::network::Value;
use headstart::pack::Pack;
use headstart::preprocess;

use crate::error::Error;

/// The features of one sample as a device computes them, in real numbers; `see` gets every value on the way.
pub(in crate::quantise) fn run_int8(
    pack: &Pack<'_>,
    sample: &[f32],
    mut see: impl FnMut(usize, &Value, usize, &[i8]),
) -> Result<Vec<f32>, Error> {
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let mut run = || {
        let mut input = vec![0; pack.value(0)?.elements() as usize];
        preprocess::values(pack, sample.iter().copied(), &mut input)?;
        let mut backbone = Backbone::new(*pack, &mut arena)?;
        let features = backbone.run(&input, |index, value, row, data| {
            see(index as usize, value, row, data);
        })?;
        let value = pack.feature_value()?;
        Ok(features.iter().map(|&q| real(&value, q) as f32).collect())
    };
    run().map_err(Error::NewPack)
}

/// The features of one sample as a device computes them, in real numbers; a tail's are not.
///
/// # Errors
///
/// [`Error::NewPack`] for values that are not the input's.
pub fn int8_features(pack: &Pack<'_>, sample: &[f32]) -> Result<Vec<f32>, Error> {
    run_int8(pack, sample, |_, _, _, _| ())
}

/// Rows of the feature map; rows and columns were limited by the same grid.
pub(in crate::quantise) fn grid(pack: &Pack<'_>) -> Result<usize, Error> {
    let value = pack.feature_value().map_err(Error::NewPack)?;
    Ok(value.height.max(value.width) as usize)
}

pub(in crate::quantise) fn real(value: &Value, q: i8) -> f64 {
    f64::from(i32::from(q) - i32::from(value.zero_point)) * f64::from(value.scale)
}
