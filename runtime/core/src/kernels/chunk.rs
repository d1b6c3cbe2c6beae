//! Eight numbers at a time.

/// What the long loops of heads take at once.
pub(crate) type Chunk = [f32; 8];

/// A last, short chunk; the zeros behind it add nothing.
pub(crate) fn padded(tail: &[f32]) -> Chunk {
    let mut chunk = [0.0; 8];
    chunk[..tail.len()].copy_from_slice(tail);
    chunk
}
