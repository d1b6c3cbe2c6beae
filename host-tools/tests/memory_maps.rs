//! What `boards.json` says of a board is what its firmware has: `memory.x` for the linker, constants in `main.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headstart_tools::ship::board::Board;

fn read(board: &str, file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../boards").join(board).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A sum, difference, product, quotient or shift of numbers and constants, as Rust and linkers read it.
fn value(text: &str, constants: &BTreeMap<String, u64>) -> Option<u64> {
    let pair = |a: &str, b: &str| Some((value(a, constants)?, value(b, constants)?));
    // The operator that binds least is the last to be done.
    if let Some((a, b)) = text.rsplit_once("<<") {
        return pair(a, b).map(|(a, b)| a << b);
    }
    if let Some(at) = text.rfind(['+', '-']) {
        let (a, b) = pair(&text[..at], &text[at + 1..])?;
        return Some(if text[at..].starts_with('+') { a + b } else { a - b });
    }
    if let Some(at) = text.rfind(['*', '/']) {
        let (a, b) = pair(&text[..at], &text[at + 1..])?;
        return Some(if text[at..].starts_with('*') { a * b } else { a / b });
    }
    let word = text.trim().replace('_', "");
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    let (digits, unit) = match word.strip_suffix('K') {
        Some(digits) => (digits, 1024),
        None => (&*word, 1),
    };
    digits
        .parse::<u64>()
        .ok()
        .map(|number| number * unit)
        .or_else(|| constants.get(text.trim()).copied())
}

/// Start and bytes of each region of a `memory.x`.
fn regions(text: &str) -> BTreeMap<String, (u64, u64)> {
    let none = BTreeMap::new();
    let region = |line: &str| {
        let (name, rest) = line.split_once(": ORIGIN =")?;
        let (origin, length) = rest.split_once(", LENGTH =")?;
        Some((name.trim().to_owned(), (value(origin, &none)?, value(length, &none)?)))
    };
    text.lines().filter_map(region).collect()
}

/// Constants that are numbers.
fn constants(text: &str) -> BTreeMap<String, u64> {
    let mut constants = BTreeMap::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("const ") else { continue };
        let (Some((name, _)), Some((_, number))) = (rest.split_once(':'), rest.split_once('='))
        else {
            continue;
        };
        if let Some(number) = value(number.trim_end_matches(';'), &constants) {
            constants.insert(name.to_owned(), number);
        }
    }
    constants
}

/// Every `field: value` of the layout, in the order of the text.
fn fields(text: &str, field: &str, constants: &BTreeMap<String, u64>) -> Vec<u64> {
    let (_, layout) = text.split_once("const LAYOUT: Layout = Layout {").unwrap();
    let (layout, _) = layout.split_once("\n};").unwrap();
    let rest = |part: &str| {
        let end = part.find([',', '}']).unwrap();
        value(&part[..end], constants).unwrap_or_else(|| panic!("{}", &part[..end]))
    };
    layout.split(&format!("{field}: ")).skip(1).map(rest).collect()
}

#[test]
fn boards_are_listed_with_the_memory_that_their_firmware_has() {
    for name in ["pico", "pico2", "nucleo-h743zi"] {
        let board = Board::named(name).unwrap();
        let flashing = board.flashing().unwrap();
        let (memory, main) = (regions(&read(name, "memory.x")), read(name, "src/main.rs"));
        let constants = constants(&main);
        let start = u64::from(flashing.flash_address);
        // The RP2040's second-stage boot loader comes first.
        let boot = memory.get("BOOT2").map_or(0, |&(_, bytes)| bytes);
        assert_eq!(memory["FLASH"], (start + boot, board.code_bytes - boot), "{name}");
        assert_eq!(memory["RAM"].1, board.ram_bytes, "{name}");
        assert_eq!(constants["BASE"], start, "{name}");
        assert!(constants.get("FLASH").is_none_or(|&bytes| bytes == board.flash_bytes), "{name}");

        // Two packs, the features; heads and journal.
        let starts = fields(&main, "start", &constants);
        let [bytes, slot_bytes, slots] = ["bytes: ", "slot_bytes: ", "slots: "]
            .map(|field| fields(&main, field.trim_end_matches(": "), &constants));
        let [first, second, heads, journal, features] = starts[..] else { panic!("{starts:?}") };
        // `slot_bytes` ends as `bytes` does.
        let [first_bytes, second_bytes, _, _, features_bytes] = bytes[..] else {
            panic!("{bytes:?}")
        };
        assert_eq!(start + first, u64::from(flashing.pack_address), "{name}");
        let room = u64::from(flashing.pack_room);
        let second_room = if flashing.pack_places == 2 { room } else { 0 };
        assert_eq!([first_bytes, second_bytes], [room, second_room], "{name}");
        assert_eq!((slot_bytes[0], slots[0]), (board.slot_bytes, board.slots), "{name}");
        let journal_bytes = slot_bytes[1] * slots[1];
        assert_eq!(journal_bytes + features_bytes, board.log_bytes, "{name}");
        // One behind the other, up to the end at most.
        assert_eq!(first, board.code_bytes, "{name}");
        assert_eq!(second, first + first_bytes, "{name}");
        assert_eq!(heads, second + second_bytes, "{name}");
        assert_eq!(journal, heads + board.slots * board.slot_bytes, "{name}");
        assert_eq!(features, journal + journal_bytes, "{name}");
        assert!(features + features_bytes <= board.flash_bytes, "{name}");

        let session = constants["MEMORY"];
        assert_eq!(session + board.static_bytes + board.stack_bytes, board.ram_bytes, "{name}");
    }
}

#[test]
fn emulated_boards_are_listed_with_the_memory_of_their_machine() {
    for machine in ["an386", "an500", "an505", "an547"] {
        let board = Board::named(&format!("mps2-{machine}")).unwrap();
        let memory = regions(&read("mps2", &format!("machines/{machine}.x")));
        assert_eq!(memory["RAM"].1, board.ram_bytes, "{machine}");
        // Code, and a mebibyte for a pack.
        assert_eq!(memory["FLASH"].1 + (1 << 20), board.flash_bytes, "{machine}");
        let firmware = read("replay", "src/job.rs");
        let log = board.log_bytes + board.slots * board.slot_bytes;
        assert!(firmware.contains(&format!(
            "slot_bytes: {} << 10, slots: {}",
            board.slot_bytes >> 10,
            board.slots
        )));
        assert!(firmware.contains(&format!("FLASH_BYTES: usize = {} << 10", log >> 10)));
    }
}

#[test]
fn a_number_is_read_as_the_compiler_reads_it() {
    let constants = BTreeMap::from([("MIB".to_owned(), 1 << 20)]);
    for (text, expected) in [
        ("13 * MIB / 4 + 2 * 8 + 1", 13 * (1 << 20) / 4 + 17),
        ("128K - 0x100", (128 << 10) - 256),
        ("2 << 10 + 10", 2 << 20),
        ("0x1000_0000", 0x1000_0000),
    ] {
        assert_eq!(value(text, &constants), Some(expected), "{text}");
    }
    assert_eq!(value("MIBI", &constants), None);
}
