use super::CHANNEL_BYTES;

/// Records that turn the sums of each output channel into its results: bias int32 and multiplier float32, eight little-endian bytes a
/// channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelRecords<'a> {
    bytes: &'a [u8],
}

impl<'a> ChannelRecords<'a> {
    /// Views the bytes of records; fewer than eight bytes at the end are left out.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / CHANNEL_BYTES
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bias and multiplier of `channel`.
    ///
    /// # Panics
    ///
    /// Past the last record.
    #[must_use]
    pub fn get(&self, channel: usize) -> (i32, f32) {
        let [a, b, c, d, e, f, g, h] = self.records()[channel];
        (i32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
    }

    /// The records as they stand in the pack.
    #[must_use]
    pub fn records(&self) -> &'a [[u8; CHANNEL_BYTES]] {
        self.bytes.as_chunks().0
    }
}
