//! One component of a picture: brightness, or one of the two colour differences.

use super::block::{Block, SIDE};
use super::inverse::{self, Quantisation};

pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of a unit, across and down.
    pub(super) factors: [usize; 2],
    /// Pixels that a sample covers, across and down.
    pub(super) step: [usize; 2],
    pub(super) quantisation_index: usize,
    pub(super) quantisation: Option<Quantisation>,
    /// Samples of a row that are part of the picture.
    pub(super) width: usize,
    /// Rows that are part of the picture.
    pub(super) height: usize,
    /// Whole blocks across and down, padding included.
    pub(super) blocks: [usize; 2],
    /// `[rows][columns]`, padding included.
    pub(super) samples: Vec<u8>,
    /// Of a progressive file, until all scans are read: `[block]`, in rows.
    pub(super) coefficients: Vec<Block>,
    /// Of each coefficient, how many low bits are still missing; `None` before its first scan.
    pub(super) precision: [Option<u8>; SIDE * SIDE],
}

impl Component {
    pub(super) fn make_room(&mut self, is_progressive: bool) {
        let blocks = self.blocks[0] * self.blocks[1];
        if is_progressive {
            self.coefficients = vec![[0; SIDE * SIDE]; blocks];
        } else {
            self.samples = vec![0; blocks * SIDE * SIDE];
        }
    }

    /// The row of samples `row`, without padding.
    pub(super) fn row(&self, row: usize) -> &[u8] {
        let stride = self.blocks[0] * SIDE;
        &self.samples[row * stride..][..self.width]
    }

    /// Puts a block's samples where they belong.
    pub(super) fn put(&mut self, across: usize, down: usize, block: &Block) -> Option<()> {
        let samples = inverse::transform(block, self.quantisation.as_ref()?);
        let stride = self.blocks[0] * SIDE;
        let from = down * SIDE * stride + across * SIDE;
        for (row, samples) in samples.chunks_exact(SIDE).enumerate() {
            self.samples[from + row * stride..][..SIDE].copy_from_slice(samples);
        }
        Some(())
    }

    /// All coefficients to samples.
    pub(super) fn transform(&mut self) -> Option<()> {
        let coefficients = std::mem::take(&mut self.coefficients);
        self.samples = vec![0; coefficients.len() * SIDE * SIDE];
        for (at, block) in coefficients.iter().enumerate() {
            self.put(at % self.blocks[0], at / self.blocks[0], block)?;
        }
        Some(())
    }
}
