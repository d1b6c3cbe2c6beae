//! What the inner loops do, in portable code.
#![allow(unsafe_code, reason = "these stand in for assembly, which takes pointers")]

use super::{Band, CELL, CHANNELS, Columns, Points, Rounding, Rows, Sum, Tile, VECTOR};

/// Where a cell's taps begin.
const TAPS: usize = 5;

/// Converts to the nearest integer, adds the zero point and clamps.
fn round(real: f32, rounding: &Rounding) -> i8 {
    let nearest = libm::rintf(real) as i32;
    nearest.saturating_add(rounding.zero_point).clamp(rounding.min, rounding.max) as i8
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

/// The products of a vector; inputs of no weight are not read: they may not have been written.
///
/// # Safety
/// Inputs that have a weight are readable.
unsafe fn products(x: *const i8, weights: &[i8; VECTOR]) -> i32 {
    let weighed = weights.iter().enumerate().filter(|&(_, &weight)| weight != 0);
    // SAFETY: as the function's.
    weighed.map(|(at, &weight)| i32::from(unsafe { x.add(at).read() }) * i32::from(weight)).sum()
}

/// Four quads of a channel from quad `at` on; those that are not there are zero.
///
/// # Safety
/// The quads below `quads` are readable.
unsafe fn weights(of: *const i8, step: usize, at: usize, quads: usize) -> [i8; VECTOR] {
    core::array::from_fn(|byte| {
        let quad = at + byte / 4;
        // SAFETY: as the function's.
        if quad < quads { unsafe { of.add(quad * step + byte % 4).read() } } else { 0 }
    })
}

/// Multiplies a tile that has room for so many pixels, 1 or 4, and stores its results.
///
/// # Safety
/// Inputs (whole vectors), weights, records and results are there as the tile says.
pub(super) unsafe fn multiply(tile: &Tile, together: usize) {
    let rounding = Rounding { zero_point: tile.zero_point, min: tile.min, max: tile.max };
    for channel in 0..tile.channels {
        let block = channel / 16 * tile.step * tile.quads;
        for pixel in 0..tile.pixels {
            // SAFETY: as the function's.
            unsafe {
                let (mut sum, multiplier) = record(tile.records, channel);
                for vector in 0..tile.quads.div_ceil(4) {
                    let of = tile.weights.add(block + channel % 16 * 4);
                    let weights = weights(of, tile.step, 4 * vector, tile.quads);
                    let x = tile.inputs.add((vector * together + pixel) * VECTOR);
                    sum = sum.wrapping_add(products(x, &weights));
                }
                let result = round(sum as f32 * multiplier, &rounding);
                tile.out.add(pixel * tile.out_stride + channel).write(result);
            }
        }
    }
}

/// Multiplies pixels of few products and stores their results.
///
/// # Safety
/// Sixteen bytes of each pixel, weights, records and results are there as the points say.
pub(super) unsafe fn points(points: &Points) {
    for (pixel, channel) in
        (0..points.pixels).flat_map(|pixel| (0..points.channels).map(move |c| (pixel, c)))
    {
        // SAFETY: as the function's.
        unsafe {
            let (bias, multiplier) = record(points.records, channel);
            let weights = weights(points.weights.add(4 * channel), points.step, 0, points.quads);
            let sum = products(points.inputs.add(pixel * points.pitch), &weights);
            let result = round(sum.wrapping_add(bias) as f32 * multiplier, &points.rounding);
            points.out.add(pixel * points.out_stride + channel).write(result);
        }
    }
}

/// Copies rows.
///
/// # Safety
/// What is copied is readable, and writable where it goes.
pub(super) unsafe fn copy(rows: &Rows) {
    for (pixel, row) in (0..rows.pixels).flat_map(|pixel| (0..rows.rows).map(move |r| (pixel, r))) {
        for byte in 0..rows.length {
            let from = pixel * rows.across + row * rows.line + byte;
            let to = pixel * rows.apart + row * rows.advance;
            let to = to + byte / VECTOR * rows.step + byte % VECTOR;
            // SAFETY: as the function's.
            unsafe { rows.to.add(to).write(rows.from.add(from).read()) };
        }
    }
}

/// Fills bytes.
///
/// # Safety
/// They are writable.
pub(super) unsafe fn fill(to: *mut i8, bytes: usize, byte: i8) {
    // SAFETY: as the function's.
    unsafe { to.write_bytes(byte.cast_unsigned(), bytes) };
}

/// Rows of outputs with a stride of 1 or 2.
///
/// # Safety
/// The strips that the outputs read are there, with 48 bytes behind them; cells, records and results as the band says.
pub(super) unsafe fn depthwise(band: &Band, stride: usize) {
    let outputs = (0..band.rows).flat_map(|row| (0..band.columns).map(move |column| (row, column)));
    for (channel, (row, column)) in
        (0..CHANNELS).flat_map(|channel| outputs.clone().map(move |place| (channel, place)))
    {
        // Results of stride 1 share a strip, two by two.
        let [strip, beside] = if stride == 1 { [column / 2, column % 2] } else { [column, 0] };
        let [top, below] = if stride == 1 { [row / 2 * 2, row % 2] } else { [2 * row, 0] };
        // SAFETY: as the function's.
        unsafe {
            let (bias, multiplier) = record(band.records, channel);
            let taps = band.cells.add(channel * CELL + TAPS - beside - 4 * below);
            let taps = taps.cast::<[i8; VECTOR]>().read();
            let x = band.planes.add(channel * band.plane + strip * band.strip + 4 * top);
            let sum = products(x, &taps).wrapping_add(bias);
            let result = round(sum as f32 * multiplier, &band.rounding);
            band.out.add(row * band.line + column * band.pixel + channel).write(result);
        }
    }
}

/// Lays out input columns.
///
/// # Safety
/// Columns are readable for eight channels and strips writable, as `columns` says.
pub(super) unsafe fn columns(columns: &Columns) {
    let pairs = columns.left + columns.pairs + columns.right;
    for (row, pair) in (0..columns.rows).flat_map(|row| (0..pairs).map(move |pair| (row, pair))) {
        for channel in 0..CHANNELS {
            let input = |index: Option<usize>| match index {
                // SAFETY: as the function's.
                Some(index) => unsafe {
                    columns.from.add(row * columns.line + index * columns.step + channel).read()
                },
                None => columns.padding as u8 as i8,
            };
            let first = (2 * pair).checked_sub(columns.left);
            let second = (2 * pair + 1).checked_sub(columns.left);
            let last = columns.right == 1 && pair == pairs - 1;
            let both = [input(first), input(second.filter(|_| !last))];
            let to = columns.to.wrapping_add(channel * columns.plane + 4 * row);
            let place = to.wrapping_add(pair * columns.strip).cast::<[i8; 2]>();
            // SAFETY: as the function's.
            unsafe {
                place.write(both);
                if pair > 0 || columns.left == 0 {
                    place.wrapping_byte_sub(columns.strip).wrapping_add(1).write(both);
                }
            }
        }
    }
}

/// Puts nine taps of eight channels, `step` bytes apart, into their cells.
///
/// # Safety
/// Taps are readable, cells writable.
pub(super) unsafe fn taps(weights: *const i8, step: usize, cells: *mut i8) {
    for (channel, tap) in (0..CHANNELS).flat_map(|channel| (0..9).map(move |tap| (channel, tap))) {
        // SAFETY: as the function's.
        unsafe {
            let weight = weights.add(tap * step + channel).read();
            cells.add(channel * CELL + TAPS + tap / 3 * 4 + tap % 3).write(weight);
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
            sum.out.add(index).write(round(real, &sum.rounding));
        }
    }
}
