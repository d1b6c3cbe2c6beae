use super::*;

fn board() -> Board {
    Board::named("pico2").unwrap()
}

/// A firmware of two segments, and its file.
fn firmware() -> (Vec<Segment>, Vec<u8>) {
    let segment = |address, length: usize| Segment {
        address,
        bytes: (0..length).map(|at| (at * 7 + 1) as u8).collect(),
    };
    let segments = vec![segment(0x1000_0000, 1000), segment(0x1000_FFF8, 40)];
    let elf = elf::emit(&segments, 0x1000_0101);
    (segments, elf)
}

fn image() -> (Image, Vec<u8>) {
    let pack: Vec<u8> = (0..70_000_u32).map(|at| (at % 251) as u8).collect();
    (Image::new(&board(), &pack, Some(&firmware().1)).unwrap(), pack)
}

#[test]
fn an_elf_file_loads_firmware_and_pack_at_their_addresses() {
    let (image, pack) = image();
    let bytes = image.emit(Format::Elf, board().flashing().unwrap()).unwrap();
    let (found, entry) = elf::segments(&bytes).unwrap();
    assert_eq!((&found[..2], entry), (&firmware().0[..], 0x1000_0101));
    assert_eq!(found[2], Segment { address: 0x1004_0000, bytes: pack });
}

#[test]
fn a_hex_file_reads_back() {
    let (image, _) = image();
    let bytes = image.emit(Format::Hex, board().flashing().unwrap()).unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let (mut memory, mut upper) = (std::collections::BTreeMap::new(), 0);
    for record in ihex::Reader::new(text) {
        match record.unwrap() {
            ihex::Record::ExtendedLinearAddress(high) => upper = u32::from(high) << 16,
            ihex::Record::Data { offset, value } => {
                let addresses = upper + u32::from(offset)..;
                memory.extend(addresses.zip(value));
            }
            ihex::Record::StartLinearAddress(entry) => assert_eq!(entry, 0x1000_0101),
            ihex::Record::EndOfFile => {}
            other => panic!("{other:?}"),
        }
    }
    let expected: std::collections::BTreeMap<u32, u8> = image
        .segments()
        .iter()
        .flat_map(|segment| (segment.address..).zip(segment.bytes.iter().copied()))
        .collect();
    assert_eq!(memory, expected);
}

#[test]
fn bin_and_uf2_hold_every_byte_and_ones_between() {
    let (image, _) = image();
    let at = board();
    let bin = image.emit(Format::Bin, at.flashing().unwrap()).unwrap();
    assert_eq!(bin.len(), 0x4_0000 + 70_000);
    let uf2 = image.emit(Format::Uf2, at.flashing().unwrap()).unwrap();
    let blocks: Vec<&[u8]> = uf2.chunks(512).collect();
    let mut memory = vec![0xFF; bin.len().next_multiple_of(256)];
    for (number, block) in blocks.iter().enumerate() {
        let word = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        assert_eq!(
            [word(0), word(4), word(8), word(508)],
            [0x0A32_4655, 0x9E5D_5157, 0x2000, 0x0AB1_6F30]
        );
        assert_eq!([word(16), word(20), word(24)], [256, number as u32, blocks.len() as u32]);
        // RP2350, Arm, secure.
        assert_eq!(word(28), 0xE48B_FF59);
        let start = (word(12) - 0x1000_0000) as usize;
        memory[start..start + 256].copy_from_slice(&block[32..288]);
    }
    assert_eq!(memory[..bin.len()], bin);
    assert_eq!(&bin[..1000], &firmware().0[0].bytes);
}

#[test]
fn a_pack_alone_starts_at_its_place_and_what_does_not_fit_is_refused() {
    let at = board();
    let image = Image::new(&at, b"pack", None).unwrap();
    assert_eq!(image.start(), 0x1004_0000);
    assert_eq!(image.emit(Format::Bin, at.flashing().unwrap()).unwrap(), b"pack");
    let long = vec![0; (3 << 19) + 1];
    assert!(Image::new(&at, &long, None).unwrap_err().to_string().contains("1572864"));
    let low = Segment { address: 0x1003_FFFF, bytes: vec![1; 2] };
    let elf = elf::emit(&[low], 0);
    assert!(Image::new(&at, b"pack", Some(&elf)).unwrap_err().to_string().contains("outside"));
    for bytes in [&b"no elf"[..], &elf[..60]] {
        assert!(Image::new(&at, b"pack", Some(bytes)).is_err());
    }
    let nucleo = Board::named("nucleo-h743zi").unwrap();
    let image = Image::new(&nucleo, b"pack", None).unwrap();
    assert!(image.emit(Format::Uf2, nucleo.flashing().unwrap()).is_err());
    assert!(Image::new(&Board::named("mps2-an386").unwrap(), b"pack", None).is_err());
}

/// A file with so many entries of its table of segments, each loading all of `length` bytes behind the table.
fn crowded(count: u16, length: u32) -> Vec<u8> {
    let segment = Segment { address: 0x1000_0000, bytes: vec![5; length as usize] };
    let one = elf::emit(&[segment], 0);
    let (header, rest) = one.split_at(52);
    let (entry, data) = rest.split_at(32);
    let (mut header, mut entry) = (header.to_vec(), entry.to_vec());
    header[44..46].copy_from_slice(&count.to_le_bytes());
    entry[4..8].copy_from_slice(&(52 + 32 * u32::from(count)).to_le_bytes());
    [header, entry.repeat(count.into()), data.to_vec()].concat()
}

#[test]
fn segments_that_load_the_same_bytes_again_and_again_are_refused_before_they_are_copied() {
    // 65,534 times 4 MiB; 65,535 would say that the count stands elsewhere: more memory than there is.
    for (count, length, problem) in
        [(0xFFFE, 4 << 20, "overlap"), (2, 1000, "overlap"), (300, 1, "more than 256 segments")]
    {
        let error = elf::segments(&crowded(count, length)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    assert_eq!(elf::segments(&crowded(1, 100)).unwrap().0[0].bytes, [5; 100]);
}
