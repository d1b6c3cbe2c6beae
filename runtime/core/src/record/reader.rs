//! Fields off the front of bytes.

/// Takes fields off the front of bytes. Past their end it gives zeros and nothing, and is [`short`](Self::short)
/// from then on: so whoever reads asks once, at the end.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
    pub(super) short: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, short: false }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn bytes(&mut self, length: usize) -> &'a [u8] {
        if let Some((taken, rest)) = self.rest.split_at_checked(length) {
            self.rest = rest;
            return taken;
        }
        (self.rest, self.short) = (&[], true);
        &[]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).first_chunk().copied().unwrap_or([0; N])
    }

    pub(super) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    /// 32 bits, 7 a byte from the lowest on; all bytes but the last one have their highest bit set. Longer
    /// forms than the shortest are as no number at all.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn varint(&mut self) -> u32 {
        let (mut value, mut shift) = (0_u32, 0_u32);
        loop {
            let byte = self.byte();
            let part = u32::from(byte & 0x7F);
            value |= part << shift;
            if byte < 0x80 {
                let too_long = byte == 0 && shift > 0;
                self.short |= too_long || value >> shift != part;
                return value;
            }
            if shift == 28 {
                self.short = true;
                return value;
            }
            shift = shift.wrapping_add(7);
        }
    }

    /// A label: one byte length and that much more.
    pub(super) fn label(&mut self) -> &'a [u8] {
        let length = self.byte();
        self.bytes(length.into())
    }

    /// The bytes that `count` calls of `read` take.
    pub(super) fn taken<T>(&mut self, count: usize, read: impl Fn(&mut Self) -> T) -> &'a [u8] {
        let before = self.rest;
        for _ in 0..count {
            read(self);
        }
        before.get(..before.len().wrapping_sub(self.rest.len())).unwrap_or_default()
    }
}
