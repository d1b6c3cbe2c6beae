//! What the inner loops do, in portable code.
#![allow(unsafe_code, reason = "these stand in for assembly, which takes pointers")]

use super::{Band, Columns, Rows, Sum, Tile, WEIGHT_WORDS};

/// Bytes 0 and 2, widened (`SXTB16`).
fn even(word: u32) -> u32 {
    let half = |byte: u32| u32::from(i16::from(byte as u8 as i8).cast_unsigned());
    half(word) | half(word >> 16) << 16
}

/// Bytes 1 and 3, widened (`SXTB16` of the rotated word).
fn odd(word: u32) -> u32 {
    even(word >> 8)
}

fn low(pair: u32) -> i32 {
    i32::from(pair as u16 as i16)
}

fn high(pair: u32) -> i32 {
    low(pair >> 16)
}

/// The products of both halves, added to `sum` (`SMLAD`).
fn multiply_pairs(a: u32, b: u32, sum: i32) -> i32 {
    sum.wrapping_add(low(a) * low(b)).wrapping_add(high(a) * high(b))
}

/// Converts to the nearest integer, adds the zero point and saturates.
fn saturate(real: f32, zero_point: i32) -> i8 {
    let nearest = libm::rintf(real) as i32;
    nearest.saturating_add(zero_point).clamp(-128, 127) as i8
}

/// Clamps all bytes up to those of the word that begins `last` bytes on.
///
/// # Safety
/// They are there.
pub(super) unsafe fn clamp(results: *mut i8, last: usize, min: i8, max: i8) {
    for index in 0..last + 4 {
        // SAFETY: as the function's.
        unsafe {
            let result = results.add(index);
            result.write(result.read().clamp(min, max));
        }
    }
}

/// Bias and multiplier of channel `index`.
///
/// # Safety
/// The record is there.
unsafe fn record(records: *const [u8; 8], index: usize) -> (i32, f32) {
    // SAFETY: as the function's.
    let [a, b, c, d, e, f, g, h] = unsafe { records.add(index).read() };
    (i32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
}

/// Widens `quads` quads of one pixel into the layout of `count` pixels; `to` is the pixel's place in
/// the first quad.
///
/// # Safety
/// `from` is readable for all quads, `to` writable for the layout.
pub(super) unsafe fn widen(from: *const i8, quads: usize, to: *mut u32, count: usize) {
    for quad in 0..quads {
        // SAFETY: as the function's.
        unsafe {
            let word = from.add(4 * quad).cast::<u32>().read_unaligned();
            to.add(2 * quad * count).write(even(word));
            to.add((2 * quad + 1) * count).write(odd(word));
        }
    }
}

/// Fills `quads` quads of one pixel with a zero point, in the layout of `count` pixels.
///
/// # Safety
/// `to` is writable for the layout.
pub(super) unsafe fn fill(zero_point: i8, quads: usize, to: *mut u32, count: usize) {
    let word = u32::from(zero_point.cast_unsigned()) * 0x0101_0101;
    for pair in 0..2 * quads {
        // SAFETY: as the function's.
        unsafe { to.add(pair * count).write(even(word)) };
    }
}

/// Copies a few bytes.
///
/// # Safety
/// Both are `length` bytes long, and apart.
pub(super) unsafe fn copy(from: *const i8, length: usize, to: *mut i8) {
    // SAFETY: as the function's.
    unsafe { to.copy_from_nonoverlapping(from, length) };
}

/// Puts rows one behind the other.
///
/// # Safety
/// Three bytes past the last row are readable, and writable where it goes.
pub(super) unsafe fn copy_rows(rows: &Rows) {
    for (pixel, row) in (0..rows.pixels).flat_map(|pixel| (0..rows.rows).map(move |r| (pixel, r))) {
        let from = rows.from.wrapping_add(pixel * rows.step + row * rows.line);
        let to = rows.to.wrapping_add(pixel * rows.patch + row * rows.length);
        // SAFETY: as the function's.
        unsafe { copy(from, rows.length, to) };
    }
}

/// Widens `quads` quads of four pixels, `stride` bytes apart.
///
/// # Safety
/// As [`widen`]'s, for four pixels.
pub(super) unsafe fn widen_four(from: *const i8, stride: usize, quads: usize, to: *mut u32) {
    for pixel in 0..4 {
        // SAFETY: as the function's.
        unsafe { widen(from.add(pixel * stride), quads, to.add(pixel), 4) };
    }
}

/// Multiplies a tile of `pixels` (1 or 4) and stores its results, saturated.
///
/// # Safety
/// Rows, weights, records and results are there as the tile says; at least one quad and channel.
pub(super) unsafe fn multiply(tile: &Tile, pixels: usize) {
    let width = tile.step / 4;
    for channel in 0..tile.channels {
        let block = channel / width * width * 4 * tile.quads;
        for pixel in 0..pixels {
            // SAFETY: as the function's.
            unsafe {
                let (mut sum, multiplier) = record(tile.records, channel);
                for quad in 0..tile.quads {
                    let weights = tile.weights.add(block + quad * tile.step + channel % width * 4);
                    let weights = weights.cast::<u32>().read_unaligned();
                    let inputs = tile.rows.add(2 * quad * pixels + pixel);
                    sum = multiply_pairs(inputs.read(), even(weights), sum);
                    sum = multiply_pairs(inputs.add(pixels).read(), odd(weights), sum);
                }
                let result = saturate(sum as f32 * multiplier, tile.zero_point);
                tile.out.add(pixel * tile.out_stride + channel).write(result);
            }
        }
    }
}

/// Pairs the taps of four channels: [`WEIGHT_WORDS`] words for each channel, `(w0, w1)` and
/// `(w1, w2)` of each kernel row. Taps are `step` bytes apart.
///
/// # Safety
/// `weights` is readable for nine taps of four channels, `to` writable for all words.
pub(super) unsafe fn pair_weights(weights: *const i8, step: usize, to: *mut u32) {
    for channel in 0..4 {
        // SAFETY: as the function's.
        let weight = |tap: usize| unsafe {
            u32::from(i16::from(weights.add(tap * step + channel).read()).cast_unsigned())
        };
        for row in 0..WEIGHT_WORDS / 2 {
            let [a, b, c] = [0, 1, 2].map(|column| weight(row * 3 + column));
            // SAFETY: as the function's.
            unsafe {
                let to = to.add(channel * WEIGHT_WORDS + 2 * row);
                to.write(a | b << 16);
                to.add(1).write(b | c << 16);
            }
        }
    }
}

/// Pairs and widens input columns of four channels, row by row.
///
/// # Safety
/// Input columns are readable for four channels and pairs writable, as `columns` says.
pub(super) unsafe fn pair_columns(columns: &mut Columns) {
    let pairs = columns.left + columns.pairs + columns.right;
    for row in 0..columns.rows {
        let column = |index: Option<usize>| match index {
            // SAFETY: as the function's.
            Some(index) => unsafe {
                let at = row * columns.line + index * columns.step;
                columns.from.add(at).cast::<u32>().read_unaligned()
            },
            None => columns.padding,
        };
        for pair in 0..pairs {
            let first = (2 * pair).checked_sub(columns.left);
            let second = 2 * pair + 1 - columns.left;
            let last = columns.right == 1 && pair == pairs - 1;
            let (a, b) = (column(first), column(Some(second).filter(|_| !last)));
            for channel in 0..4 {
                let half = |word: u32| u32::from(low(even(word >> (8 * channel))) as u16);
                let at = pair * (columns.pitch / 4) + 4 * row + channel;
                // SAFETY: as the function's.
                unsafe { columns.to.add(at).write(half(a) | half(b) << 16) };
            }
        }
    }
}

/// Moves two rows of every pair from `ahead` rows on to the front; there are so many `rows`.
///
/// # Safety
/// Pairs are writable, and four words past the last one readable.
pub(super) unsafe fn move_rows(to: *mut u32, ahead: usize, rows: usize, pairs: usize) {
    for pair in 0..pairs {
        // SAFETY: as the function's.
        unsafe {
            let to = to.add(4 * pair * rows).cast::<core::mem::MaybeUninit<u32>>();
            to.copy_from(to.add(4 * ahead), 8);
        }
    }
}

/// Rows of outputs, stride 1.
///
/// # Safety
/// The columns hold what the outputs read; weights, records and results are there as the band says.
pub(super) unsafe fn depthwise(band: &Band) {
    // SAFETY: as the function's.
    unsafe { run(band, 1) };
}

/// Rows of outputs, stride 2.
///
/// # Safety
/// As [`depthwise`]'s.
pub(super) unsafe fn depthwise_by_two(band: &Band) {
    // SAFETY: as the function's.
    unsafe { run(band, 2) };
}

/// # Safety
/// As [`depthwise`]'s.
unsafe fn run(band: &Band, stride: usize) {
    for (channel, index) in (0..4).flat_map(|c| (0..band.rows * band.pixels).map(move |i| (c, i))) {
        let (row, pixel) = (index / band.pixels, index % band.pixels);
        // SAFETY: as the function's.
        unsafe {
            let (mut sum, multiplier) = record(band.records, channel);
            for ky in 0..3 {
                let weights = band.weights.add(channel * WEIGHT_WORDS + 2 * ky);
                let (first, second) = (weights.read(), weights.add(1).read());
                let taps = [low(first), low(second), high(second)];
                for (tap, weight) in taps.into_iter().enumerate() {
                    let column = pixel * stride + tap;
                    let at = column / 2 * (band.pitch / 4) + (row * stride + ky) * 4 + channel;
                    let pair = band.columns.add(at).read();
                    let input = if column.is_multiple_of(2) { low(pair) } else { high(pair) };
                    sum = sum.wrapping_add(input * weight);
                }
            }
            let result = saturate(sum as f32 * multiplier, band.zero_point);
            band.out.add(index * band.out_stride + channel).write(result);
        }
    }
}

/// The sum of two operands.
///
/// # Safety
/// Operands and result are `count` long.
pub(super) unsafe fn add(sum: &Sum) {
    for index in 0..sum.count {
        // SAFETY: as the function's.
        unsafe {
            let a = i32::from(sum.a.add(index).read()) - sum.zero_a;
            let b = i32::from(sum.b.add(index).read()) - sum.zero_b;
            let real = a as f32 * sum.scale_a + b as f32 * sum.scale_b;
            sum.out.add(index).write(saturate(real, sum.zero_point));
        }
    }
}
