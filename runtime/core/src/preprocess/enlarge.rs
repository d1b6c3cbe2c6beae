//! Pictures that grow or keep their size: pixels of a strip side by side.
//!
//! The same operations in the same order as for one pixel after another, so the same levels: each
//! target pixel has two taps on an axis, one of which may have weight 0 and then adds 0.

#![allow(unsafe_code, reason = "checked conversions to integers do not run side by side")]

use super::axis::Axis;

/// Columns of a strip.
const STRIP: usize = 32;
/// Elements of a strip: columns times channels.
const LANES: usize = STRIP * 3;
/// Taps on an axis.
const TAPS: usize = 2;

/// One number a lane for each tap.
type Lanes = [[f32; LANES]; TAPS];

/// Where the target pixels lie.
pub(super) struct Enlarge<'a> {
    pub(super) rows: &'a Axis,
    pub(super) columns: &'a Axis,
    /// Rows of the target.
    pub(super) height: usize,
    /// Columns of the target.
    pub(super) width: usize,
}

impl Enlarge<'_> {
    /// Calls `put` with column, row and levels of every target pixel once. `pixels` are rows of
    /// `width` pixels of `N` channels.
    pub(super) fn run<const N: usize>(
        &self,
        pixels: &[u8],
        width: usize,
        mut put: impl FnMut(usize, usize, [u8; N]),
    ) {
        if self.rows.keeps() && self.columns.keeps() {
            for y in 0..self.height {
                let line = &pixels[(self.rows.first() + y) * width * N..][..width * N];
                let line = line.as_chunks::<N>().0.iter().skip(self.columns.first());
                line.take(self.width).enumerate().for_each(|(x, pixel)| put(x, y, *pixel));
            }
            return;
        }
        for start in (0..self.width).step_by(STRIP) {
            let columns = STRIP.min(self.width - start);
            let mut strip = Strip::new::<N>(self.columns, start, columns);
            for y in 0..self.height {
                let row = self.rows.taps(y);
                let mut sums = [0.0_f32; LANES];
                for source in row.first..row.end {
                    strip.read::<N>(pixels, width, source, columns);
                    strip.add(row.weight(source), source, &mut sums);
                }
                let levels = strip.levels(row.total(), &sums);
                for (at, level) in levels.as_chunks::<N>().0.iter().take(columns).enumerate() {
                    put(start + at, y, *level);
                }
            }
        }
    }
}

/// What the columns of a strip have in common over all rows.
struct Strip {
    /// The source column of each column's taps.
    sources: [[usize; STRIP]; TAPS],
    weights: Lanes,
    totals: [f32; LANES],
    /// The two source rows that were read last, the row in `row % 2`, and which they are.
    rows: [Lanes; 2],
    read: [Option<usize>; 2],
}

impl Strip {
    fn new<const N: usize>(axis: &Axis, start: usize, columns: usize) -> Self {
        let mut strip = Self {
            sources: [[0; STRIP]; TAPS],
            weights: [[0.0; LANES]; TAPS],
            totals: [1.0; LANES],
            rows: [[[0.0; LANES]; TAPS]; 2],
            read: [None; 2],
        };
        for column in 0..columns {
            let taps = axis.taps(start + column);
            let lanes = column * N..(column + 1) * N;
            strip.totals[lanes.clone()].fill(taps.total());
            for (tap, source) in (taps.first..taps.end).enumerate().take(TAPS) {
                strip.weights[tap][lanes.clone()].fill(taps.weight(source));
            }
            for tap in 0..TAPS {
                strip.sources[tap][column] = (taps.first + tap).min(taps.end - 1);
            }
        }
        strip
    }

    /// Brings a source row's pixels beside the columns that read them.
    fn read<const N: usize>(&mut self, pixels: &[u8], width: usize, row: usize, columns: usize) {
        if self.read[row % 2] == Some(row) {
            return;
        }
        self.read[row % 2] = Some(row);
        let line = pixels[row * width * N..(row + 1) * width * N].as_chunks::<N>().0;
        for (lanes, sources) in self.rows[row % 2].iter_mut().zip(&self.sources) {
            let lanes = lanes.as_chunks_mut::<N>().0;
            for (lane, &source) in lanes.iter_mut().zip(&sources[..columns]) {
                *lane = line[source].map(f32::from);
            }
        }
    }

    /// Adds both taps of every column in a row of this weight.
    fn add(&self, weight: f32, row: usize, sums: &mut [f32; LANES]) {
        for (pixels, weights) in self.rows[row % 2].iter().zip(&self.weights) {
            for ((sum, pixel), column) in sums.iter_mut().zip(pixels).zip(weights) {
                *sum += weight * column * pixel;
            }
        }
    }

    fn levels(&self, row_total: f32, sums: &[f32; LANES]) -> [u8; LANES] {
        let mut levels = [0; LANES];
        for ((level, sum), total) in levels.iter_mut().zip(sums).zip(&self.totals) {
            let mean = (sum / (row_total * total) + 0.5).min(255.0);
            // SAFETY: a mean of levels is not negative, and the line above keeps it below 256.
            *level = unsafe { mean.to_int_unchecked::<i32>() } as u8;
        }
        levels
    }
}
