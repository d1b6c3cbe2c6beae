//! From a picture or the model's own values to the backbone's int8 input.
//!
//! The arithmetic is stated exactly, in float32 with the order of operations as written here, so
//! that every board makes the same input of the same picture.

mod axis;
mod enlarge;
mod filtered;
mod filters;
mod levels;
mod places;

pub use levels::levels;
pub use places::nearest;

use crate::Error;
use crate::kernels::generic::Output;
use crate::network::{Value, ValueId};
use crate::pack::Pack;

const INPUT: ValueId = 0;

/// A decoded picture: rows of `width · channels` bytes, 1 (grey) or 3 (red, green, blue) channels.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The bytes, without padding.
    pub pixels: &'a [u8],
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of channels.
    pub channels: usize,
}

/// Resizes, crops, normalises and quantises a picture into `out`, `[height, width, channels]`: the
/// [`levels`] of the picture, then `(level − mean) / std`.
///
/// # Errors
///
/// Those of [`levels`], and [`Error::BufferLength`] if `out` has another length than the input.
pub fn picture(pack: &Pack<'_>, picture: Picture<'_>, out: &mut [i8]) -> Result<(), Error> {
    let value = pack.value(INPUT)?;
    check_length(out, value.elements() as usize)?;
    let preprocessing = &pack.input().preprocessing;
    let normalise = Normalise::new(&preprocessing.mean, &preprocessing.std, &value);
    let table: [[i8; 256]; 3] = core::array::from_fn(|channel| {
        core::array::from_fn(|level| normalise.quantise(level as u8, channel))
    });
    levels(pack.input(), picture, |index, channel, level| {
        out[index] = table[channel][usize::from(level)];
    })
}

/// Quantises the model's own input values, which stand in the model's own axis order, into `out`.
///
/// # Errors
///
/// [`Error::BufferLength`] if there are more or fewer values than the input has elements.
pub fn values(
    pack: &Pack<'_>,
    values: impl ExactSizeIterator<Item = f32>,
    out: &mut [i8],
) -> Result<(), Error> {
    let value = pack.value(INPUT)?;
    let elements = value.elements() as usize;
    check_length(out, elements)?;
    if values.len() != elements {
        return Err(Error::BufferLength { expected: elements, found: values.len() });
    }
    let pixels = (value.height * value.width) as usize;
    let channels = value.channels as usize;
    let to = output(&value);
    for (index, real) in values.enumerate() {
        let at = if pack.input().channels_first {
            index % pixels * channels + index / pixels
        } else {
            index
        };
        out[at] = to.quantise(real / value.scale);
    }
    Ok(())
}

fn check_length(out: &[i8], expected: usize) -> Result<(), Error> {
    if out.len() == expected {
        Ok(())
    } else {
        Err(Error::BufferLength { expected, found: out.len() })
    }
}

fn output(value: &Value) -> Output {
    Output {
        height: value.height as usize,
        width: value.width as usize,
        channels: value.channels as usize,
        zero_point: value.zero_point,
        min: i8::MIN,
        max: i8::MAX,
    }
}

/// `(pixel − mean) / std / scale`, quantised.
struct Normalise {
    mean: [f32; 3],
    divisor: [f32; 3],
    to: Output,
}

impl Normalise {
    fn new(mean: &[f32; 3], std: &[f32; 3], value: &Value) -> Self {
        Self { mean: *mean, divisor: std.map(|std| std * value.scale), to: output(value) }
    }

    fn quantise(&self, level: u8, channel: usize) -> i8 {
        self.to.quantise((f32::from(level) - self.mean[channel]) / self.divisor[channel])
    }
}
