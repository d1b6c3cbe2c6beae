//! Pictures resized by a filter of another library: rows first, then columns.
//!
//! There is no memory for a picture in between. A strip of columns goes down the picture and keeps the source rows that it
//! has read last, so that most are read once.

use super::Picture;
use super::filters::{FilterAxis, FilterTaps, bits, rounds_between};

/// Columns of a strip at most.
const COLUMNS: usize = 32;
/// Source rows that are kept: with more under one target row, rows are read again.
const ROWS: usize = 64;
/// Weights of a strip's columns that are kept.
const WEIGHTS: usize = 2048;

/// Calls `put` with column, row and levels of every target pixel once; there are `[height, width]` of them. `N` is the
/// picture's channels.
#[inline(never)]
pub(super) fn run<const N: usize>(
    picture: &Picture<'_>,
    [rows, columns]: [&FilterAxis; 2],
    [height, width]: [usize; 2],
    mut put: impl FnMut(usize, usize, [u8; N]),
) {
    let shift = if rounds_between(rows.filter) { bits(rows.filter) } else { 2 * bits(rows.filter) };
    let mut start = 0;
    while start < width {
        let mut strip = Strip::<N>::new(columns, start, width);
        for y in 0..height {
            let taps = rows.taps(y);
            let mut sums = [[0_i64; N]; COLUMNS];
            for at in 0..taps.count {
                let weight = i64::from(rows.weight(&taps, at));
                let line = strip.line(picture, clamped(taps.first, at, picture.height));
                for (sum, values) in sums.iter_mut().zip(line) {
                    for (sum, value) in sum.iter_mut().zip(values) {
                        *sum += weight * i64::from(*value);
                    }
                }
            }
            for (at, sum) in sums[..strip.count].iter().enumerate() {
                put(start + at, y, sum.map(|sum| level(sum, shift)));
            }
        }
        start += strip.count;
    }
}

/// Columns that are computed together.
struct Strip<'a, const N: usize> {
    axis: &'a FilterAxis,
    count: usize,
    taps: [FilterTaps; COLUMNS],
    /// Weights of the taps, `[column][tap]`, `kept` a column.
    weights: [i32; WEIGHTS],
    kept: usize,
    /// Source rows put together by columns, row `y` at `y % ROWS`, and which they are.
    lines: [[[i32; N]; COLUMNS]; ROWS],
    read: [Option<usize>; ROWS],
}

impl<'a, const N: usize> Strip<'a, N> {
    fn new(axis: &'a FilterAxis, start: usize, width: usize) -> Self {
        let most = |columns: usize| {
            (start..start + columns).map(|column| axis.taps(column).count).max().unwrap_or(1)
        };
        let mut count = COLUMNS.min(width - start);
        while count > 1 && count * most(count) > WEIGHTS {
            count /= 2;
        }
        let kept = most(count).min(WEIGHTS / count);
        let mut strip = Self {
            axis,
            count,
            taps: core::array::from_fn(|at| axis.taps((start + at).min(width - 1))),
            weights: [0; WEIGHTS],
            kept,
            lines: [[[0; N]; COLUMNS]; ROWS],
            read: [None; ROWS],
        };
        let lines = strip.weights.chunks_exact_mut(kept);
        for (taps, weights) in strip.taps.iter().take(count).zip(lines) {
            for (at, weight) in weights.iter_mut().take(taps.count).enumerate() {
                *weight = axis.weight(taps, at);
            }
        }
        strip
    }

    /// A source row, put together by columns.
    fn line(&mut self, picture: &Picture<'_>, row: usize) -> &[[i32; N]; COLUMNS] {
        let place = row % ROWS;
        if self.read[place] != Some(row) {
            self.read[place] = Some(row);
            let width = picture.width;
            let pixels = picture.pixels[row * width * N..][..width * N].as_chunks::<N>().0;
            for column in 0..self.count {
                self.lines[place][column] = self.pixel(pixels, column);
            }
        }
        &self.lines[place]
    }

    fn pixel(&self, pixels: &[[u8; N]], column: usize) -> [i32; N] {
        let taps = &self.taps[column];
        let weights = &self.weights[column * self.kept..][..self.kept.min(taps.count)];
        let mut sums = [0_i32; N];
        let mut add = |weight: i32, pixel: &[u8; N]| {
            for (sum, &level) in sums.iter_mut().zip(pixel) {
                *sum += weight * i32::from(level);
            }
        };
        let inside = usize::try_from(taps.first).ok();
        match inside.and_then(|first| pixels.get(first..first + weights.len())) {
            Some(run) => weights.iter().zip(run).for_each(|(&weight, pixel)| add(weight, pixel)),
            None => {
                for (at, &weight) in weights.iter().enumerate() {
                    add(weight, &pixels[clamped(taps.first, at, pixels.len())]);
                }
            }
        }
        for at in weights.len()..taps.count {
            let pixel = &pixels[clamped(taps.first, at, pixels.len())];
            add(self.axis.weight(taps, at), pixel);
        }
        if rounds_between(self.axis.filter) {
            sums = sums.map(|sum| i32::from(level(i64::from(sum), bits(self.axis.filter))));
        }
        sums
    }
}

/// Where a tap is: past an edge it is the last pixel.
fn clamped(first: isize, at: usize, count: usize) -> usize {
    (first + at as isize).clamp(0, count as isize - 1).unsigned_abs()
}

/// Rounded half up, and kept to what a level is.
fn level(sum: i64, shift: u32) -> u8 {
    ((sum + (1 << (shift - 1))) >> shift).clamp(0, 255) as u8
}
