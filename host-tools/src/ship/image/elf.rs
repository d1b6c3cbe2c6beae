//! ELF: what a firmware's file loads, and a file of segments (System V ABI, ELF-32).

use object::Endianness;
use object::elf::{EF_ARM_EABI_VER5, EM_ARM, ET_EXEC, PF_R, PF_X, PT_LOAD};
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};

use super::{ImageError, Segment};

/// Most segments of a firmware, which has a handful.
const MOST: usize = 256;

/// What the file loads into flash, at the addresses of loading, and its entry.
pub(super) fn segments(bytes: &[u8]) -> Result<(Vec<Segment>, u32), ImageError> {
    let refuse = |error: object::read::Error| ImageError::NoElf(error.to_string());
    let file = ElfFile32::<Endianness>::parse(bytes).map_err(refuse)?;
    let (header, endian) = (file.elf_header(), file.endian());
    if header.e_machine(endian) != EM_ARM {
        return Err(ImageError::NotArm);
    }
    let mut loaded = Vec::new();
    let mut left = bytes.len();
    for program in file.elf_program_headers() {
        let data = program.data(endian, bytes).map_err(|()| ImageError::CutShort)?;
        if program.p_type(endian) == PT_LOAD && !data.is_empty() {
            // Before anything is copied: each byte of the file is loaded once at most.
            left = left.checked_sub(data.len()).ok_or(ImageError::Overlap)?;
            if loaded.len() == MOST {
                return Err(ImageError::Segments { most: MOST });
            }
            loaded.push((program.p_paddr(endian), data));
        }
    }
    if loaded.is_empty() {
        return Err(ImageError::Empty);
    }
    let segments =
        loaded.into_iter().map(|(address, data)| Segment { address, bytes: data.to_vec() });
    let segments = segments.collect();
    Ok((segments, header.e_entry(endian)))
}

/// Bytes of the file's header, and of an entry of its table of segments.
const HEADER: u32 = 52;
const ENTRY: u32 = 32;

/// A file that loads the segments.
pub(super) fn emit(segments: &[Segment], entry: u32) -> Vec<u8> {
    let count = segments.len() as u16;
    let mut bytes = vec![0x7F, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let half = |bytes: &mut Vec<u8>, value: u16| bytes.extend(value.to_le_bytes());
    let word = |bytes: &mut Vec<u8>, value: u32| bytes.extend(value.to_le_bytes());
    // An executable for Arm, version 1.
    half(&mut bytes, ET_EXEC.0);
    half(&mut bytes, EM_ARM.0);
    word(&mut bytes, 1);
    word(&mut bytes, entry);
    word(&mut bytes, HEADER);
    word(&mut bytes, 0);
    word(&mut bytes, EF_ARM_EABI_VER5.0);
    half(&mut bytes, HEADER as u16);
    half(&mut bytes, ENTRY as u16);
    half(&mut bytes, count);
    // No sections.
    half(&mut bytes, 40);
    half(&mut bytes, 0);
    half(&mut bytes, 0);
    let mut offset = HEADER + ENTRY * u32::from(count);
    for segment in segments {
        let length = segment.bytes.len() as u32;
        word(&mut bytes, PT_LOAD.0);
        word(&mut bytes, offset);
        word(&mut bytes, segment.address);
        word(&mut bytes, segment.address);
        word(&mut bytes, length);
        word(&mut bytes, length);
        word(&mut bytes, PF_R.0 | PF_X.0);
        // No alignment.
        word(&mut bytes, 1);
        offset += length;
    }
    segments.iter().for_each(|segment| bytes.extend(&segment.bytes));
    bytes
}
