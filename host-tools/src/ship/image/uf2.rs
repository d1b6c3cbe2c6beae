//! UF2: blocks of 512 bytes, each with its address (Microsoft's specification, `github.com/microsoft/uf2`).

use std::collections::BTreeMap;

use super::Segment;

const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const END: u32 = 0x0AB1_6F30;
/// The family stands where a file's size may stand otherwise.
const HAS_FAMILY: u32 = 0x2000;
/// Bytes of flash in a block: a page, which begins at a multiple of it.
const PAGE: usize = 256;
/// Bytes between an 8-byte head of six more words and the end.
const DATA: usize = 476;

/// A file of whole pages; what the segments leave of a page is `0xFF`.
pub(super) fn emit(segments: &[Segment], family: u32) -> Vec<u8> {
    let mut pages: BTreeMap<u32, [u8; PAGE]> = BTreeMap::new();
    for segment in segments {
        for (address, &byte) in (segment.address..).zip(&segment.bytes) {
            let page = pages.entry(address & !(PAGE as u32 - 1)).or_insert([0xFF; PAGE]);
            page[address as usize % PAGE] = byte;
        }
    }
    let count = pages.len() as u32;
    let mut bytes = Vec::with_capacity(512 * pages.len());
    for (number, (address, page)) in (0..count).zip(pages) {
        let [first, second] = MAGIC;
        let head = [first, second, HAS_FAMILY, address, PAGE as u32, number, count, family];
        head.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.extend(page);
        bytes.resize(bytes.len() + DATA - PAGE, 0);
        bytes.extend(END.to_le_bytes());
    }
    bytes
}
