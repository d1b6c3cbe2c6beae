//! An update of the pack, wherever it is cut.

#[allow(dead_code, reason = "the other tests use the rest")]
mod board;

use board::{Faults, Simulated, blank, boot, host, pack, pack_with};
use headstart::pack::Pack;
use headstart_cable::client::Error;
use headstart_cable::{DATA, FRAME, Frame, Receiver, Refusal, Reply, Request, encode, parse};

/// The places take turns: the second update goes to the first place, where the pack of before still lies.
#[test]
fn a_pack_that_was_replaced_does_not_come_back_wherever_the_next_update_is_cut() {
    let packs = [pack("first", 1), pack("second", 1), pack("third", 1)];
    let second_in_use = || {
        let board = Simulated::new(blank(&packs[0]), Faults::default());
        host(&board).unwrap().update(&packs[1], false, |_| ()).unwrap();
        board
    };
    let pack_of = |board: &_| {
        let found = host(board).unwrap().greeting().pack;
        packs.iter().position(|pack| pack[32..64] == found)
    };
    // The power goes between two requests (the first is a greeting), or in an operation of the flash.
    let mut cases = vec![];
    for (frames, operation) in
        (2..12).map(|frames| (frames, u32::MAX)).chain((1..40).map(|at| (u32::MAX, at)))
    {
        let board = second_in_use();
        board.borrow_mut().stop_hosts(frames);
        let mut client = host(&board).unwrap();
        board.borrow_mut().cut_at(operation, false);
        let updated = client.update(&packs[2], false, |_| ()).is_ok();
        board.borrow_mut().stop_hosts(0);
        board.borrow_mut().reset();
        let found = pack_of(&board);
        assert!(
            found == Some(2) || !updated && found == Some(1),
            "{found:?}: {frames} {operation}"
        );
        cases.push(updated);
        host(&board).unwrap().update(&packs[2], false, |_| ()).unwrap();
        assert_eq!(pack_of(&board), Some(2));
    }
    let stopped = |cases: &[bool]| cases.iter().filter(|updated| !**updated).count();
    let (requests, operations) = cases.split_at(10);
    assert!((4..10).contains(&stopped(requests)), "{requests:?}");
    assert!((10..39).contains(&stopped(operations)), "{operations:?}");
}

/// Its header would make it look as if it had been flashed, once it lies in the first place.
#[test]
fn a_pack_that_is_not_the_announced_one_is_refused_with_its_first_part() {
    let (announced, sent) = (pack("first", 1), pack("other", 2));
    let (_, mut server) = boot(blank(&[]));
    let [session, mut sequence] = [7, 0];
    let mut ask = |body| {
        sequence += 1;
        let (mut buffer, mut host) = ([0; FRAME], Receiver::new());
        let bytes = encode(&Frame { session, sequence, body }, &mut buffer).unwrap();
        let reply = bytes.iter().find_map(|&byte| server.push(byte).map(<[u8]>::to_vec)).unwrap();
        let payload = reply.iter().find_map(|&byte| host.push(byte).map(<[u8]>::to_vec)).unwrap();
        format!("{:?}", parse::<Reply<'_>>(&payload).unwrap().body)
    };
    ask(Request::Hello { version: headstart_cable::VERSION });
    let bytes = sent.len() as u32;
    let update =
        Request::Update { bytes, id: announced[32..64].try_into().unwrap(), forget: false };
    let received = |bytes| format!("{:?}", Reply::Received { bytes });
    assert_eq!(ask(update), received(0));
    let refused = format!("{:?}", Reply::Refused(Refusal::OtherPack));
    assert_eq!(ask(Request::Write { offset: 0, bytes: &sent[..DATA] }), refused);
    assert_eq!(ask(Request::Write { offset: 0, bytes: &announced[..DATA] }), received(DATA as u32));
}

/// It opens, but no session takes it: the board goes on with the pack that it has, and starts with none that
/// was flashed.
#[test]
fn a_pack_with_a_trainable_tail_is_not_used() {
    // One value crosses, the last one; four inputs of the head; an empty description.
    let tail = [1, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0].to_vec();
    let (first, tailed) = (pack("first", 1), pack_with("tailed", 1, Some(tail)));
    assert!(Pack::open(&tailed).unwrap().tail().is_some());
    let board = Simulated::new(blank(&first), Faults::default());
    let refused = host(&board).unwrap().update(&tailed, false, |_| ());
    assert!(matches!(refused, Err(Error::Refused(Refusal::BadPack))), "{refused:?}");
    assert_eq!(host(&board).unwrap().greeting().pack, first[32..64]);
    let flashed = Simulated::new(blank(&tailed), Faults::default());
    assert_eq!(host(&flashed).unwrap().greeting().pack, [0; 32]);
}

#[test]
fn an_update_begins_anew_after_the_flash_has_failed_in_it() {
    let (first, second) = (pack("first", 1), pack("second", 1));
    let mut failed = 0;
    for operation in 1..=24 {
        let board = Simulated::new(blank(&first), Faults::default());
        let mut client = host(&board).unwrap();
        board.borrow_mut().cut_at(operation, true);
        match client.update(&second, false, |_| ()) {
            Err(Error::Refused(Refusal::Flash)) => {
                failed += 1;
                assert_eq!(client.greeting().pack, first[32..64]);
                // Without a reset, and where a word was torn before.
                assert_eq!(board.borrow().boots, 1);
                client.update(&second, false, |_| ()).unwrap();
            }
            // The journal has another slot to go to.
            Ok(true) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(client.greeting().pack, second[32..64]);
    }
    assert!(failed > 2, "{failed} failed");
}
