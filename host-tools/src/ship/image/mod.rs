//! Makes the image that is flashed: firmware and pack, each at its own address, in the formats that tools take.
//!
//! The two never touch, so either is flashed without the other: a new pack needs no new firmware.

mod elf;
mod uf2;

use std::ops::Range;

use crate::ship::board::{Board, BoardError, Flashing};

/// Bytes at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The address of the first byte.
    pub address: u32,
    /// The bytes, at least one.
    pub bytes: Vec<u8>,
}

impl Segment {
    fn range(&self) -> Range<u64> {
        let start = u64::from(self.address);
        start..start + self.bytes.len() as u64
    }
}

/// A file format that holds segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// ELF, 32 bits, Arm: what probe-rs takes.
    Elf,
    /// The Intel HEX format.
    Hex,
    /// The plain bytes from the first address on, gaps filled with `0xFF`.
    Bin,
    /// Microsoft's UF2, for the drive that an RP2350 shows.
    Uf2,
}

impl Format {
    /// The format that a file's extension names.
    #[must_use]
    pub fn of(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "elf" => Some(Self::Elf),
            "hex" => Some(Self::Hex),
            "bin" => Some(Self::Bin),
            "uf2" => Some(Self::Uf2),
            _ => None,
        }
    }
}

/// Segments to flash, in the order of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    segments: Vec<Segment>,
    entry: u32,
}

/// A reason why firmware and pack make no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The board cannot be flashed.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The pack is larger than its place.
    #[error("the pack has {bytes} bytes, and the flash of {board} has {room} for one")]
    Pack {
        /// How many bytes the pack has.
        bytes: u64,
        /// The board's name.
        board: String,
        /// How many bytes the pack's place has.
        room: u64,
    },
    /// The firmware's file is no ELF file.
    #[error("the firmware is no ELF file for a board: {0}")]
    NoElf(String),
    /// The firmware is for another processor.
    #[error("the firmware is not for an Arm core")]
    NotArm,
    /// The firmware's file ends before its segments.
    #[error("the firmware's file is cut short")]
    CutShort,
    /// The firmware has no bytes for the flash.
    #[error("the firmware's file loads nothing")]
    Empty,
    /// The firmware has more segments than any should have.
    #[error("the firmware has more than {most} segments")]
    Segments {
        /// The most segments that are taken.
        most: usize,
    },
    /// The firmware loads something twice, or two things to one place.
    #[error("the firmware's segments overlap")]
    Overlap,
    /// The firmware has bytes outside of the part of the flash that is its own.
    #[error(
        "the firmware has bytes at {:#010x}…{:#010x}, outside its part of the flash of {board} ({:#010x}…{:#010x})",
        found.start, found.end, part.start, part.end
    )]
    Outside {
        /// The addresses of these bytes.
        found: Range<u64>,
        /// The board's name.
        board: String,
        /// The part of the flash where firmware may be.
        part: Range<u32>,
    },
    /// The board's boot loader takes no UF2 files.
    #[error("this board takes no .uf2: write .elf, .hex or .bin")]
    NoUf2,
    /// Gaps would be too long in a file without addresses.
    #[error("too long for a .bin: write .hex")]
    Gaps,
    /// The Intel HEX encoder failed.
    #[error("{0}")]
    Hex(String),
}

/// Most bytes of a file with gaps.
const MOST_BIN: u64 = 64 << 20;

impl Image {
    /// Lays out a pack for a board, with the firmware that runs it if it is to be flashed too.
    ///
    /// # Errors
    ///
    /// [`ImageError`], with what lies where it must not.
    pub fn new(board: &Board, pack: &[u8], firmware: Option<&[u8]>) -> Result<Self, ImageError> {
        let at = board.flashing()?;
        let room = u64::from(at.pack_room);
        let bytes = pack.len() as u64;
        if bytes > room {
            return Err(ImageError::Pack { bytes, board: board.name.clone(), room });
        }
        let (mut segments, entry) = match firmware {
            Some(elf) => elf::segments(elf)?,
            None => (Vec::new(), 0),
        };
        for segment in &segments {
            let Range { start, end } = segment.range();
            if start < u64::from(at.flash_address) || end > u64::from(at.pack_address) {
                return Err(ImageError::Outside {
                    found: start..end,
                    board: board.name.clone(),
                    part: at.flash_address..at.pack_address,
                });
            }
        }
        segments.push(Segment { address: at.pack_address, bytes: pack.to_vec() });
        segments.sort_by_key(|segment| segment.address);
        if segments.windows(2).any(|pair| pair[0].range().end > pair[1].range().start) {
            return Err(ImageError::Overlap);
        }
        Ok(Self { segments, entry })
    }

    /// The segments, in the order of addresses.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The first address of the image.
    #[must_use]
    pub fn start(&self) -> u32 {
        self.segments.first().map_or(0, |segment| segment.address)
    }

    /// Writes the image as a file of this format.
    ///
    /// # Errors
    ///
    /// [`ImageError::NoUf2`] for a board whose tools do not take the format, [`ImageError::Gaps`] for one that fills
    /// them.
    pub fn emit(&self, format: Format, at: &Flashing) -> Result<Vec<u8>, ImageError> {
        match format {
            Format::Elf => Ok(elf::emit(&self.segments, self.entry)),
            Format::Hex => self.hex(),
            Format::Bin => self.bin(),
            Format::Uf2 => {
                let family = at.uf2_family.ok_or(ImageError::NoUf2)?;
                Ok(uf2::emit(&self.segments, family))
            }
        }
    }

    fn bin(&self) -> Result<Vec<u8>, ImageError> {
        let start = u64::from(self.start());
        let end = self.segments.last().map_or(start, |segment| segment.range().end);
        if end - start > MOST_BIN {
            return Err(ImageError::Gaps);
        }
        let mut bytes = vec![0xFF; (end - start) as usize];
        for segment in &self.segments {
            let from = (u64::from(segment.address) - start) as usize;
            bytes[from..from + segment.bytes.len()].copy_from_slice(&segment.bytes);
        }
        Ok(bytes)
    }

    fn hex(&self) -> Result<Vec<u8>, ImageError> {
        const LINE: usize = 16;
        let (mut records, mut upper) = (Vec::new(), None);
        for segment in &self.segments {
            let mut address = segment.address;
            let mut rest = &segment.bytes[..];
            while !rest.is_empty() {
                // No line crosses an address whose upper half is another one.
                let line = LINE.min(rest.len()).min(0x1_0000 - (address as usize & 0xFFFF));
                let (value, next) = rest.split_at(line);
                let high = (address >> 16) as u16;
                if upper != Some(high) {
                    records.push(ihex::Record::ExtendedLinearAddress(high));
                    upper = Some(high);
                }
                let offset = (address & 0xFFFF) as u16;
                records.push(ihex::Record::Data { offset, value: value.to_vec() });
                address += line as u32;
                rest = next;
            }
        }
        if self.entry != 0 {
            records.push(ihex::Record::StartLinearAddress(self.entry));
        }
        records.push(ihex::Record::EndOfFile);
        ihex::create_object_file_representation(&records)
            .map(String::into_bytes)
            .map_err(|error| ImageError::Hex(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
