//! Reads labelled inputs in one piece of memory.

/// Inputs that a job learns from, and inputs that it is measured with.
///
/// ```text
/// 0   4  magic "HSCL"
/// 4   4  inputs to learn from
/// 8   4  inputs to measure with
/// 12  4  bytes of an input
/// 16  …  a label for each, one byte: 0 is "0"
///     …  the inputs, int8
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clips<'a> {
    learn: usize,
    input: usize,
    labels: &'a [u8],
    inputs: &'a [u8],
}

const HEADER: usize = 16;

impl<'a> Clips<'a> {
    /// Views `bytes`, behind whose last input other bytes may stand; `None` if they are too few, or
    /// something else.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| {
            let bytes = bytes.get(at..)?.first_chunk()?;
            usize::try_from(u32::from_le_bytes(*bytes)).ok()
        };
        if bytes.get(..4)? != b"HSCL" {
            return None;
        }
        let (learn, measure, input) = (number(4)?, number(8)?, number(12)?);
        let count = learn.checked_add(measure)?;
        let (labels, inputs) = bytes.get(HEADER..)?.split_at_checked(count)?;
        let inputs = inputs.get(..count.checked_mul(input)?)?;
        (input > 0).then_some(Self { learn, input, labels, inputs })
    }

    /// Bytes of all inputs, from the first 16 bytes; `None` if they do not begin a file of inputs.
    #[must_use]
    pub fn length(header: &[u8; HEADER]) -> Option<usize> {
        let [a, b, c] = [4, 8, 12].map(|at| {
            let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            usize::try_from(u32::from_le_bytes(bytes)).ok()
        });
        let each = c?.checked_add(1)?;
        (header.starts_with(b"HSCL")).then_some(())?;
        a?.checked_add(b?)?.checked_mul(each)?.checked_add(HEADER)
    }

    /// The inputs to learn, with their labels.
    pub fn to_learn(&self) -> impl Iterator<Item = (&'a [u8], &'static str)> + use<'a> {
        self.all().take(self.learn)
    }

    /// The inputs to measure with, with their labels.
    pub fn to_measure(&self) -> impl Iterator<Item = (&'a [u8], &'static str)> + use<'a> {
        self.all().skip(self.learn)
    }

    fn all(&self) -> impl Iterator<Item = (&'a [u8], &'static str)> + use<'a> {
        let labels = self.labels.iter().map(|&label| LABELS[usize::from(label) % LABELS.len()]);
        self.inputs.chunks_exact(self.input).zip(labels)
    }
}

/// The names of labels.
const LABELS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_found_and_short_bytes_refused() {
        let mut bytes = *b"HSCL\x01\0\0\0\x01\0\0\0\x02\0\0\0\x03\x05abcd";
        assert_eq!(Clips::length(bytes.first_chunk().unwrap()), Some(22));
        let clips = Clips::parse(&bytes).unwrap();
        assert!(clips.to_learn().eq([(&b"ab"[..], "3")]));
        assert!(clips.to_measure().eq([(&b"cd"[..], "5")]));
        assert!(Clips::parse(&bytes[..21]).is_none());
        bytes[0] = b'X';
        assert!(Clips::parse(&bytes).is_none());
    }
}
