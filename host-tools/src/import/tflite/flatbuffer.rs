//! FlatBuffers, read where they lie: tables, vectors and numbers, every one checked against the file's end as
//! it is read.
//!
//! Format: <https://flatbuffers.dev/internals/>. The accessors of the crate `flatbuffers` are unsafe unless a
//! verifier, which is generated from the schema, ran before; of that schema a handful of tables is needed here.

/// What is wrong with a file, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// Where it stands.
    pub(super) byte: usize,
    /// What is wrong there.
    pub(super) what: &'static str,
}

type Read<T> = Result<T, Damage>;

fn number<const N: usize>(bytes: &[u8], at: usize) -> Read<[u8; N]> {
    let damage =
        Damage { byte: at, what: "a number past the end of the file (is the file cut off?)" };
    let rest = bytes.get(at..).ok_or(damage)?;
    rest.first_chunk().copied().ok_or(damage)
}

/// Where the offset at `at` leads.
fn follow(bytes: &[u8], at: usize) -> Read<usize> {
    let offset = u32::from_le_bytes(number(bytes, at)?) as usize;
    let target = at.checked_add(offset).filter(|&target| target < bytes.len());
    target.ok_or(Damage {
        byte: at,
        what: "an offset that leads out of the file (is the file cut off?)",
    })
}

/// A table: fields by their slots, each of which may be left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    /// Where it stands.
    pub(super) at: usize,
    slots: &'a [u8],
}

impl<'a> Table<'a> {
    /// The file's root.
    pub(super) fn root(bytes: &'a [u8]) -> Read<Self> {
        Self::new(bytes, follow(bytes, 0)?)
    }

    fn new(bytes: &'a [u8], at: usize) -> Read<Self> {
        let damage = Damage { byte: at, what: "a table without its list of fields" };
        let back = i64::from(i32::from_le_bytes(number(bytes, at)?));
        let start = i64::try_from(at).ok().and_then(|at| at.checked_sub(back));
        let start = start.and_then(|start| usize::try_from(start).ok()).ok_or(damage)?;
        let length = usize::from(u16::from_le_bytes(number(bytes, start)?));
        let end = start.checked_add(length).ok_or(damage)?;
        let slots = bytes.get(start..end).and_then(|list| list.get(4..)).ok_or(damage)?;
        Ok(Self { bytes, at, slots })
    }

    /// Where the field stands, if it is there.
    fn field(&self, slot: usize) -> Read<Option<usize>> {
        let (entries, _) = self.slots.as_chunks::<2>();
        match entries.get(slot).map(|&entry| usize::from(u16::from_le_bytes(entry))) {
            None | Some(0) => Ok(None),
            Some(offset) => {
                let damage = Damage { byte: self.at, what: "a table that is larger than the file" };
                self.at.checked_add(offset).map(Some).ok_or(damage)
            }
        }
    }

    /// A number of four bytes.
    pub(super) fn i32(&self, slot: usize, default: i32) -> Read<i32> {
        let Some(at) = self.field(slot)? else { return Ok(default) };
        Ok(i32::from_le_bytes(number(self.bytes, at)?))
    }

    /// A number of four bytes, not negative.
    pub(super) fn u32(&self, slot: usize) -> Read<u32> {
        Ok(self.i32(slot, 0)?.cast_unsigned())
    }

    /// A real number.
    pub(super) fn f32(&self, slot: usize, default: f32) -> Read<f32> {
        let Some(at) = self.field(slot)? else { return Ok(default) };
        Ok(f32::from_le_bytes(number(self.bytes, at)?))
    }

    /// A number of one byte.
    pub(super) fn i8(&self, slot: usize) -> Read<i8> {
        let Some(at) = self.field(slot)? else { return Ok(0) };
        let [byte] = number(self.bytes, at)?;
        Ok(byte.cast_signed())
    }

    /// A number of eight bytes.
    pub(super) fn u64(&self, slot: usize) -> Read<u64> {
        let Some(at) = self.field(slot)? else { return Ok(0) };
        Ok(u64::from_le_bytes(number(self.bytes, at)?))
    }

    /// Another table.
    pub(super) fn table(&self, slot: usize) -> Read<Option<Self>> {
        let Some(at) = self.field(slot)? else { return Ok(None) };
        Self::new(self.bytes, follow(self.bytes, at)?).map(Some)
    }

    /// The elements of a vector, each of `size` bytes; empty if it is left out.
    fn vector(&self, slot: usize, size: usize) -> Read<(usize, &'a [u8])> {
        let Some(field) = self.field(slot)? else { return Ok((0, &[])) };
        let at = follow(self.bytes, field)?;
        let count = u32::from_le_bytes(number(self.bytes, at)?) as usize;
        let damage =
            Damage { byte: at, what: "a list that is longer than the file (is the file cut off?)" };
        let start = at.checked_add(4).ok_or(damage)?;
        let end = count.checked_mul(size).and_then(|length| start.checked_add(length));
        let list = end.and_then(|end| self.bytes.get(start..end)).ok_or(damage)?;
        Ok((start, list))
    }

    /// A list of bytes.
    pub(super) fn bytes(&self, slot: usize) -> Read<&'a [u8]> {
        Ok(self.vector(slot, 1)?.1)
    }

    /// A text.
    pub(super) fn text(&self, slot: usize) -> Read<&'a str> {
        let (at, bytes) = self.vector(slot, 1)?;
        std::str::from_utf8(bytes)
            .map_err(|_| Damage { byte: at, what: "a text that is not UTF-8" })
    }

    /// A list of numbers of four bytes, which stay where they are.
    pub(super) fn words(&self, slot: usize) -> Read<&'a [[u8; 4]]> {
        Ok(self.vector(slot, 4)?.1.as_chunks().0)
    }

    /// A list of numbers of two bytes, which stay where they are.
    pub(super) fn half_words(&self, slot: usize) -> Read<&'a [[u8; 2]]> {
        Ok(self.vector(slot, 2)?.1.as_chunks().0)
    }

    /// A list of numbers of eight bytes, which stay where they are.
    pub(super) fn long_words(&self, slot: usize) -> Read<&'a [[u8; 8]]> {
        Ok(self.vector(slot, 8)?.1.as_chunks().0)
    }

    /// A list of tables.
    pub(super) fn tables(&self, slot: usize) -> Read<Tables<'a>> {
        let (at, list) = self.vector(slot, 4)?;
        Ok(Tables { bytes: self.bytes, at, count: list.len() / 4 })
    }
}

/// A list of tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many there are.
    pub(super) count: usize,
}

impl<'a> Tables<'a> {
    /// Table `index`, if there are so many.
    pub(super) fn at(&self, index: usize) -> Read<Option<Table<'a>>> {
        let place = index.checked_mul(4).and_then(|offset| self.at.checked_add(offset));
        match place.filter(|_| index < self.count) {
            None => Ok(None),
            Some(at) => Table::new(self.bytes, follow(self.bytes, at)?).map(Some),
        }
    }
}
