//! Codes of varying length: tables and bits (T.81, C and F.2.2.3).

/// Bits that are looked up at once.
const QUICK: u32 = 9;
/// The longest code.
const LONGEST: usize = 16;

/// Values by their codes.
pub(super) struct Table {
    /// Of the next [`QUICK`] bits: the code's length and value; length 0 where the code is longer.
    quick: Box<[(u8, u8); 1 << QUICK]>,
    /// Of each length, the first code that is too large for it, shifted to [`LONGEST`] bits.
    ends: [u32; LONGEST + 1],
    /// Of each length, what a code of it is away from its value's place.
    offsets: [i32; LONGEST + 1],
    values: Vec<u8>,
}

impl Table {
    /// Reads how many codes there are of each length and their values, and what follows.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = bytes.split_first_chunk::<LONGEST>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (values, rest) = rest.split_at_checked(total)?;
        let mut quick = Box::new([(0, 0); 1 << QUICK]);
        let (mut ends, mut offsets) = ([0; LONGEST + 1], [0; LONGEST + 1]);
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, &count) in (1..).zip(counts) {
            offsets[length] = place as i32 - code as i32;
            for _ in 0..count {
                if length as u32 <= QUICK {
                    let free = QUICK - length as u32;
                    let from = (code << free) as usize;
                    quick.get_mut(from..from + (1 << free))?.fill((length as u8, values[place]));
                }
                code += 1;
                place += 1;
            }
            // More codes than the bits can tell apart.
            if code > 1 << length {
                return None;
            }
            ends[length] = code << (LONGEST - length);
            code <<= 1;
        }
        Some((Self { quick, ends, offsets, values: values.to_vec() }, rest))
    }
}

/// The bits of a scan, without stuffed bytes, up to the next marker.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    buffer: u64,
    /// Bits in the buffer, those that are made up included.
    count: u32,
    /// Bits behind the last byte of data, which are zero and must not be used.
    made_up: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, buffer: 0, count: 0, made_up: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match self.rest {
                [0xFF, 0, rest @ ..] => {
                    self.rest = rest;
                    0xFF
                }
                [0xFF, ..] | [] => {
                    self.made_up += 8;
                    0
                }
                [byte, rest @ ..] => {
                    self.rest = rest;
                    *byte
                }
            };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next `bits`, of at most 16.
    fn peek(&mut self, bits: u32) -> u32 {
        if self.count < bits {
            self.fill();
        }
        (self.buffer >> (self.count - bits)) as u32 & ((1 << bits) - 1)
    }

    fn skip(&mut self, bits: u32) -> Option<()> {
        self.count -= bits;
        (self.count >= self.made_up).then_some(())
    }

    pub(super) fn read(&mut self, bits: u32) -> Option<u32> {
        let value = self.peek(bits);
        self.skip(bits)?;
        Some(value)
    }

    /// A number of `bits` bits: those that begin with 0 are negative (T.81, F.2.2.1).
    pub(super) fn read_signed(&mut self, bits: u32) -> Option<i32> {
        if bits == 0 {
            return Some(0);
        }
        let value = self.read(bits)? as i32;
        Some(if value < 1 << (bits - 1) { value - (1 << bits) + 1 } else { value })
    }

    pub(super) fn decode(&mut self, table: &Table) -> Option<u8> {
        let next = self.peek(LONGEST as u32);
        let (length, value) = table.quick[(next >> (LONGEST as u32 - QUICK)) as usize];
        if length > 0 {
            self.skip(u32::from(length))?;
            return Some(value);
        }
        let length = (QUICK as usize + 1..=LONGEST).find(|&length| next < table.ends[length])?;
        self.skip(length as u32)?;
        let code = (next >> (LONGEST - length)) as i32;
        table.values.get(usize::try_from(code + table.offsets[length]).ok()?).copied()
    }

    /// Goes behind the restart marker that must follow.
    pub(super) fn restart(&mut self) -> Option<()> {
        let mut rest = self.rest()?;
        while let [0xFF, 0xFF, ..] = rest {
            rest = &rest[1..];
        }
        let [0xFF, 0xD0..=0xD7, rest @ ..] = rest else { return None };
        *self = Self::new(rest);
        Some(())
    }

    /// What follows the bits: a marker. `None` where whole bytes of data were left.
    pub(super) fn rest(&self) -> Option<&'a [u8]> {
        (self.count - self.made_up < 8).then_some(self.rest)
    }
}
