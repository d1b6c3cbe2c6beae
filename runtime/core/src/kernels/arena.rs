use core::ops::Range;

/// What one node may read while it writes its result: the arena before and behind it.
pub(crate) struct Sources<'a> {
    before: &'a [i8],
    behind: &'a [i8],
    behind_start: usize,
}

impl<'a> Sources<'a> {
    /// The arena before a result, and what lies behind it, from byte `behind_start` on.
    #[cfg(feature = "std")]
    pub(crate) fn new(before: &'a [i8], behind: &'a [i8], behind_start: usize) -> Self {
        Self { before, behind, behind_start }
    }

    /// A tensor that does not overlap the result: opening a pack checked that.
    pub(crate) fn tensor(&self, range: Range<usize>) -> &'a [i8] {
        match range.start.checked_sub(self.behind_start) {
            Some(start) => &self.behind[start..][..range.len()],
            None => &self.before[range],
        }
    }
}

/// Divides the arena into a node's result and everything else.
pub(crate) fn split(arena: &mut [i8], out: Range<usize>) -> (Sources<'_>, &mut [i8]) {
    let (before, rest) = arena.split_at_mut(out.start);
    let (result, behind) = rest.split_at_mut(out.len());
    (Sources { before, behind, behind_start: out.end }, result)
}
