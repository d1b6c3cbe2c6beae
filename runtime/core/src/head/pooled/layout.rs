//! Where the squares of an upper triangle lie.

/// Rows of squares: row `r` has those of columns `r…blocks`, and then `columns` of right-hand sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) blocks: usize,
    pub(super) columns: usize,
}

impl Layout {
    /// Squares before a row.
    pub(super) const fn start(self, row: usize) -> usize {
        row * (self.blocks + self.columns) - row * row.saturating_sub(1) / 2
    }

    /// Squares of a row.
    pub(super) const fn width(self, row: usize) -> usize {
        self.blocks - row + self.columns
    }
}
