//! From a picture or the model's own values to the backbone's int8 input.
//!
//! The arithmetic is stated exactly, in float32 with the order of operations as written here, so
//! that every board makes the same input of the same picture.

use crate::Error;
use crate::backbone::ValueId;
use crate::kernels::generic::Output;
use crate::pack::{Input, Pack, Resize, Value};

const INPUT: ValueId = 0;

/// A decoded picture: rows of `width · channels` bytes, 1 (grey) or 3 (red, green, blue) channels.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The bytes, without padding.
    pub pixels: &'a [u8],
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Channels.
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

/// Resizes and crops a picture to the input's extents and calls `put` with the index (of
/// `[height, width, channels]`), the channel and the level, 0…255, of every element once.
///
/// Bilinear with the filter widened where the picture shrinks (what Pillow calls `BILINEAR`): with
/// `s = source / target`, `t = max(s, 1)` and `c = (i + 0.5) · s`, target `i` is the mean of the
/// pixels `k` weighted by `max(0, 1 − |k + 0.5 − c| / t)`, on each axis, rounded half up. A grey
/// picture feeds every channel; of a coloured one a grey model sees
/// `(299 r + 587 g + 114 b + 500) / 1000`.
///
/// # Errors
///
/// [`Error::BufferLength`] if the pixels are more or fewer than their extents say,
/// [`Error::ShapeOverflow`] for a picture without pixels or with other than 1 or 3 channels, or
/// where the model's input is no picture.
pub fn levels(
    input: &Input,
    picture: Picture<'_>,
    mut put: impl FnMut(usize, usize, u8),
) -> Result<(), Error> {
    let Picture { pixels, width, height, channels } = picture;
    let bytes = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
    let is_picture = |channels: usize| channels == 1 || channels == 3;
    let targets = input.channels as usize;
    if bytes.is_none_or(|n| n == 0) || !is_picture(channels) || !is_picture(targets) {
        return Err(Error::ShapeOverflow);
    }
    if bytes != Some(pixels.len()) {
        return Err(Error::BufferLength { expected: bytes.unwrap_or(0), found: pixels.len() });
    }
    let short = width.min(height) as u64;
    let axis = |extent: usize, kept: u32| {
        let target = match input.preprocessing.resize {
            Resize::Stretch => kept,
            Resize::ShortSide(side) => {
                u32::try_from((extent as u64 * u64::from(side) + short / 2) / short)
                    .map_err(|_| Error::ShapeOverflow)?
            }
        };
        Ok(Axis::new(extent, target, kept))
    };
    let (rows, columns) = (axis(height, input.height)?, axis(width, input.width)?);
    let (input_height, input_width) = (input.height as usize, input.width as usize);
    // Columns in strips, so that what a column reads is worked out once for all rows.
    for strip in (0..input_width).step_by(STRIP) {
        let strip = strip..(strip + STRIP).min(input_width);
        let strip_columns: [Column; STRIP] = core::array::from_fn(|at| {
            Column::new(columns.taps((strip.start + at).min(strip.end - 1)))
        });
        for y in 0..input_height {
            let row = rows.taps(y);
            let row_total = row.total();
            for (x, column) in strip.clone().zip(&strip_columns) {
                let [r, g, b] = if channels == 3 {
                    mean::<3>(&picture, &row, row_total, column)
                } else {
                    [mean::<1>(&picture, &row, row_total, column)[0]; 3]
                };
                let index = (y * input_width + x) * targets;
                if targets == 1 && channels == 3 {
                    let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
                    put(index, 0, ((sum + 500) / 1000) as u8);
                } else {
                    for (channel, level) in [r, g, b].into_iter().take(targets).enumerate() {
                        put(index + channel, channel, level);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Columns of a strip.
const STRIP: usize = 32;

/// Weights of a column that are kept; a picture that grows has two of them.
const KEPT: usize = 4;

/// What one target column reads.
struct Column {
    taps: Taps,
    total: f32,
    /// The first weights.
    weights: [f32; KEPT],
}

impl Column {
    fn new(taps: Taps) -> Self {
        let weights = core::array::from_fn(|at| taps.weight(taps.first + at));
        Self { total: taps.total(), weights, taps }
    }

    /// The weight of its tap number `at`.
    #[inline]
    fn weight(&self, at: usize) -> f32 {
        self.weights.get(at).copied().unwrap_or_else(|| self.taps.weight(self.taps.first + at))
    }
}

/// The weighted mean of the pixels under one target pixel; `N` is the picture's channels.
#[inline]
fn mean<const N: usize>(
    picture: &Picture<'_>,
    row: &Taps,
    row_total: f32,
    column: &Column,
) -> [u8; N] {
    let width = picture.width;
    let count = column.taps.end - column.taps.first;
    let mut sums = [0.0_f32; N];
    for y in row.first..row.end {
        let wy = row.weight(y);
        let run = &picture.pixels[(y * width + column.taps.first) * N..][..count * N];
        for (at, pixel) in run.as_chunks::<N>().0.iter().enumerate() {
            let weight = wy * column.weight(at);
            for (sum, &p) in sums.iter_mut().zip(pixel) {
                *sum += weight * f32::from(p);
            }
        }
    }
    let total = row_total * column.total;
    sums.map(|sum| (sum / total + 0.5) as u8)
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

/// One axis of the resize: `source` pixels scaled to `target`, the middle `kept` of them used.
struct Axis {
    source: usize,
    scale: f32,
    support: f32,
    offset: u32,
}

impl Axis {
    fn new(source: usize, target: u32, kept: u32) -> Self {
        let scale = source as f32 / target as f32;
        let offset = target.saturating_sub(kept) / 2;
        Self { source, scale, support: if scale > 1.0 { scale } else { 1.0 }, offset }
    }

    fn taps(&self, index: usize) -> Taps {
        let centre = ((index + self.offset as usize) as f32 + 0.5) * self.scale;
        let first = ((centre - self.support) as usize).min(self.source - 1);
        let end = ((centre + self.support) as usize + 1).min(self.source);
        let mut taps = Taps { first, end, centre, support: self.support };
        // Pixels of weight 0 add nothing.
        while taps.end - taps.first > 1 && taps.weight(taps.first) == 0.0 {
            taps.first += 1;
        }
        while taps.end - taps.first > 1 && taps.weight(taps.end - 1) == 0.0 {
            taps.end -= 1;
        }
        taps
    }
}

/// The source pixels of one target pixel on one axis.
struct Taps {
    first: usize,
    end: usize,
    centre: f32,
    support: f32,
}

impl Taps {
    fn weight(&self, index: usize) -> f32 {
        let distance = index as f32 + 0.5 - self.centre;
        let distance = if distance < 0.0 { -distance } else { distance };
        let weight = 1.0 - distance / self.support;
        if weight > 0.0 { weight } else { 0.0 }
    }

    fn total(&self) -> f32 {
        (self.first..self.end).map(|index| self.weight(index)).sum()
    }
}
