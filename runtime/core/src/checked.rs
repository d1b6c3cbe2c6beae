//! Lengths and fields that nothing has checked yet.

use crate::Error;

/// The product of counts, or [`Error::ShapeOverflow`].
pub(crate) fn product(factors: &[usize]) -> Result<usize, Error> {
    factors
        .iter()
        .try_fold(1_usize, |all, &factor| all.checked_mul(factor))
        .ok_or(Error::ShapeOverflow)
}

/// The sum of counts, or [`Error::ShapeOverflow`].
pub(crate) fn sum(terms: &[usize]) -> Result<usize, Error> {
    terms.iter().try_fold(0_usize, |all, &term| all.checked_add(term)).ok_or(Error::ShapeOverflow)
}

/// [`Error::BufferLength`] unless both are the same.
pub(crate) fn expect_len(found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::BufferLength { expected, found }) }
}

/// `N` bytes at `offset`, or [`Error::Truncated`].
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], Error> {
    offset
        .checked_add(N)
        .and_then(|end| bytes.get(offset..end))
        .and_then(|slice| slice.try_into().ok())
        .ok_or(Error::Truncated)
}
