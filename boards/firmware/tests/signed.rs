//! A board whose firmware knows its maker's key uses that maker's packs, for its own family, and never an older one.

#[allow(dead_code, reason = "the other tests use the rest")]
mod board;

use std::cell::RefCell;
use std::rc::Rc;

use board::{Faults, Kept, LAYOUT, Simulated, Started, blank, device, host, pack};
use ed25519_dalek::{Signer, SigningKey};
use headstart::pack::sign;
use headstart::store::Region;
use headstart_cable::Refusal;
use headstart_cable::client::Error;
use headstart_firmware::cable::{Maker, active_signed};

const SECRET: [u8; 32] = [1; 32];
const FAMILY: &str = "camera-2";

fn public(secret: [u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(&secret).verifying_key().to_bytes()
}

fn signed_by(secret: [u8; 32], family: &str, bytes: &[u8], counter: u64) -> Vec<u8> {
    let key = SigningKey::from_bytes(&secret);
    sign(bytes, family, counter, &public(secret), |message| key.sign(message).to_bytes()).unwrap()
}

fn signed(model: &'static str, counter: u64) -> Vec<u8> {
    signed_by(SECRET, FAMILY, &pack(model, 1), counter)
}

fn maker() -> &'static Maker {
    let keys = Box::leak(Box::new([public(SECRET)]));
    Box::leak(Box::new(Maker { keys, family: FAMILY }))
}

fn start(flash: Kept) -> Started {
    let maker = maker();
    device(flash, active_signed(flash, &LAYOUT, maker)).trusting(maker)
}

type Simulation = Rc<RefCell<Simulated>>;

fn with(flash: Vec<u8>) -> Simulation {
    Simulated::started(flash, Faults::default(), start)
}

/// The pack in use, or why there is none.
fn in_use(board: &Simulation) -> Result<[u8; 32], Refusal> {
    let client = host(board).unwrap();
    let greeting = client.greeting();
    greeting.problem.map_or(Ok(greeting.pack), Err)
}

fn id(pack: &[u8]) -> [u8; 32] {
    pack[32..64].try_into().unwrap()
}

/// The same flash with another pack in the first place, as somebody flashes it.
fn flashed(board: &Simulation, pack: &[u8]) -> Simulation {
    let mut memory = board.borrow().memory();
    memory[..LAYOUT.packs[0].bytes as usize].fill(0xFF);
    memory[..pack.len()].copy_from_slice(pack);
    with(memory)
}

#[test]
fn packs_of_anyone_else_are_refused_before_they_are_used() {
    let first = signed("first", 3);
    let board = with(blank(&first));
    assert_eq!(in_use(&board), Ok(id(&first)));
    let bad = [
        (pack("second", 1), Refusal::Untrusted),
        (signed_by([2; 32], FAMILY, &pack("second", 1), 9), Refusal::Untrusted),
        (signed_by(SECRET, "camera-20", &pack("second", 1), 9), Refusal::Untrusted),
        (signed("second", 2), Refusal::Older { found: 2, least: 3 }),
    ];
    for (bad, refusal) in &bad {
        let refused = host(&board).unwrap().update(bad, true, |_| ());
        assert!(matches!(refused, Err(Error::Refused(found)) if found == *refusal), "{refused:?}");
        board.borrow_mut().reset();
        assert_eq!(in_use(&board), Ok(id(&first)));
        // And where they were flashed.
        assert_eq!(in_use(&flashed(&board, bad)), Err(Refusal::NoPack));
    }
    assert_eq!(in_use(&with(blank(&bad[0].0))), Err(Refusal::NoPack));
    // An update helps a board that has none.
    let empty = with(blank(&bad[0].0));
    host(&empty).unwrap().update(&first, false, |_| ()).unwrap();
    assert_eq!(in_use(&empty), Ok(id(&first)));
}

#[test]
fn an_older_pack_never_comes_back() {
    let (first, second, third) = (signed("first", 3), signed("second", 5), signed("third", 5));
    let board = with(blank(&first));
    host(&board).unwrap().update(&second, false, |_| ()).unwrap();
    assert_eq!(in_use(&board), Ok(id(&second)));
    let older = |board: &Simulation| {
        let refused = host(board).unwrap().update(&first, false, |_| ());
        let expected = Refusal::Older { found: 3, least: 5 };
        assert!(matches!(refused, Err(Error::Refused(found)) if found == expected), "{refused:?}");
    };
    older(&board);
    // The first place still held it, or holds it again.
    board.borrow_mut().reset();
    assert_eq!(in_use(&flashed(&board, &first)), Ok(id(&second)));
    // The same counter may be used again.
    host(&board).unwrap().update(&third, false, |_| ()).unwrap();
    assert_eq!(in_use(&board), Ok(id(&third)));
    older(&board);
}

#[test]
fn a_journal_that_is_damaged_lets_no_older_pack_come_back() {
    let (first, second) = (signed("first", 3), signed("second", 5));
    let board = with(blank(&first));
    host(&board).unwrap().update(&second, false, |_| ()).unwrap();
    let Region { start, slot_bytes, slots } = LAYOUT.journal;
    let slots: Vec<_> = (0..usize::from(slots))
        .map(|slot| {
            let start = start as usize + slot * slot_bytes as usize;
            start..start + slot_bytes as usize
        })
        .collect();
    // One slot, the other, both; erased, or of other bytes.
    for lost in [vec![0], vec![1], vec![0, 1]] {
        for byte in [0xFF, 0x5A] {
            let mut memory = board.borrow().memory();
            for &slot in &lost {
                memory[slots[slot].clone()].fill(byte);
            }
            let board = with(memory);
            assert_eq!(in_use(&board), Ok(id(&second)), "{lost:?} {byte}");
            let refused = host(&board).unwrap().update(&first, false, |_| ());
            let expected = Refusal::Older { found: 3, least: 5 };
            assert!(matches!(refused, Err(Error::Refused(found)) if found == expected));
            assert_eq!(in_use(&flashed(&board, &first)), Ok(id(&second)), "{lost:?} {byte}");
        }
    }
}

#[test]
fn a_counter_is_durable_before_its_pack_is_used_whichever_operation_of_the_flash_is_cut() {
    let (first, second) = (signed("first", 3), signed("second", 5));
    let mut cuts = 0;
    for operation in 1.. {
        // At the start, which keeps the counter of a pack that was flashed, and in the update.
        let board = with(vec![0xFF; board::FLASH]);
        let board = flashed(&board, &first);
        board.borrow_mut().cut_at(operation, false);
        host(&board).unwrap().update(&second, false, |_| ()).unwrap();
        assert_eq!(in_use(&board), Ok(id(&second)));
        // The second place is lost: the first one's pack must not come back.
        let mut memory = board.borrow().memory();
        memory[LAYOUT.packs[1].start as usize..][..LAYOUT.packs[1].bytes as usize].fill(0xFF);
        assert_eq!(in_use(&with(memory)), Err(Refusal::NoPack), "operation {operation}");
        if !board.borrow().was_cut() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 10, "{cuts} cuts");
}
