//! Where the squares of an upper triangle lie.

use crate::kernels::squares::SIDE;

/// Rows of squares: row `r` has those of columns `r…blocks`, and then those of right-hand sides, a column a class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) blocks: usize,
    pub(super) classes: usize,
}

impl Layout {
    /// Squares of right-hand sides in a row.
    pub(super) const fn sides(self) -> usize {
        self.classes.div_ceil(SIDE)
    }

    /// How many columns of a row's square at this place are used.
    pub(super) fn columns(self, row: usize, place: usize) -> usize {
        let before = place.checked_sub(self.blocks - row);
        before.map_or(SIDE, |before| SIDE.min(self.classes - before * SIDE))
    }

    /// Squares before a row.
    pub(super) const fn start(self, row: usize) -> usize {
        row * (self.blocks + self.sides()) - row * row.saturating_sub(1) / 2
    }

    /// Squares of a row.
    pub(super) const fn width(self, row: usize) -> usize {
        self.blocks - row + self.sides()
    }
}
