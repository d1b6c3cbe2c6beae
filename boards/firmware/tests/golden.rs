//! A host and a board of every version before talk to today's, and a flash of before is used; `tests/golden` holds them.

#[path = "../../../tests/golden/golden.rs"]
mod golden;
mod talk;

use std::cell::RefCell;
use std::rc::Rc;

use golden::{Golden, Part};
use headstart_cable::{FRAME, Frame, REPLY, Receiver, Reply, Request, encode, parse};
use talk::{Answers, Started, blank, conversation, from_text, next};

/// Messages of a recorded side, in their order.
fn messages(golden: &Golden, file: &str) -> Vec<Vec<u8>> {
    let mut receiver = Receiver::new();
    let bytes = golden.read(file);
    let found: Vec<_> =
        bytes.iter().filter_map(|&byte| receiver.push(byte).map(<[u8]>::to_vec)).collect();
    assert!(found.len() > 30, "{file}: {} messages", found.len());
    found
}

fn request<'a>(golden: &Golden, message: &'a [u8]) -> Frame<Request<'a>> {
    parse(message)
        .unwrap_or_else(|| golden.broken(Part::Cable, HOST, "a request is not understood"))
}

fn reply<'a>(golden: &Golden, message: &'a [u8]) -> Frame<Reply<'a>> {
    parse(message).unwrap_or_else(|| golden.broken(Part::Cable, BOARD, "a reply is not understood"))
}

const HOST: &str = "board/host.frames";
const BOARD: &str = "board/board.frames";

#[test]
fn a_board_answers_a_golden_host_to_the_byte() {
    for golden in Golden::all() {
        let mut board = Started::new(blank(&golden.read("board/first.hspk")));
        let mut expected = messages(&golden, BOARD).into_iter();
        for message in messages(&golden, HOST) {
            let sent = request(&golden, &message);
            let answered = board.take(encode(&sent, &mut [0; FRAME]).unwrap());
            let mut receiver = Receiver::new();
            let found = answered.iter().find_map(|&byte| receiver.push(byte).map(<[u8]>::to_vec));
            let (found, expected) =
                (found.unwrap_or_default(), expected.next().unwrap_or_default());
            if found != expected {
                let [found, expected] =
                    [&found, &expected].map(|message| parse::<Reply<'_>>(message));
                golden.broken(
                    Part::Cable,
                    BOARD,
                    &format!(
                        "to {:?} the board says {found:?}, and it was {expected:?}",
                        sent.body
                    ),
                );
            }
        }
        let learned = golden.learns_the_same();
        if learned && board.flash() != from_text(&text(&golden, "board/flash.txt")) {
            golden.broken(Part::Flash, "board/flash.txt", "the board leaves another flash");
        }
    }
}

#[test]
fn a_host_talks_to_a_golden_board_as_before() {
    for golden in Golden::all() {
        let exchanges: Vec<_> =
            messages(&golden, HOST).into_iter().zip(messages(&golden, BOARD)).collect();
        let (mut left, recorded) = (exchanges.into_iter(), golden.clone());
        // The session is chosen at random by each host, and nothing else.
        let answers: Answers = Rc::new(RefCell::new(move |bytes: &[u8]| {
            let mut receiver = Receiver::new();
            let message = bytes.iter().find_map(|&byte| receiver.push(byte).map(<[u8]>::to_vec));
            let message = message.expect("a host sends whole frames");
            let Frame { session, sequence, body } = request(&recorded, &message);
            let (host, board) = left.next().unwrap_or_default();
            let expected = request(&recorded, &host).body;
            if body != expected {
                recorded.broken(
                    Part::Cable,
                    HOST,
                    &format!("the host says {body:?}, and it was {expected:?}"),
                );
            }
            let body = reply(&recorded, &board).body;
            encode(&Frame { session: session | REPLY, sequence, body }, &mut [0; FRAME])
                .unwrap()
                .to_vec()
        }));
        let told =
            conversation(&answers, &golden.read("board/second.hspk")).unwrap_or_else(|error| {
                golden.broken(Part::Cable, BOARD, &format!("the host gives up: {error}"))
            });
        golden.expect_same(
            Part::Cable,
            BOARD,
            "what the host was told",
            [&told, &text(&golden, "board/told.txt")],
        );
    }
}

#[test]
fn a_board_starts_with_a_golden_flash_and_learns_on() {
    for golden in Golden::all() {
        let flash = from_text(&text(&golden, "board/flash.txt"));
        let board = Rc::new(RefCell::new(Started::new(flash)));
        let answers: Answers =
            Rc::new(RefCell::new(move |bytes: &[u8]| board.borrow_mut().take(bytes)));
        match next(&answers) {
            Ok(head) if golden.learns_the_same() => {
                golden.expect_file(
                    Part::Flash,
                    "board/next.hshr",
                    "learned on a golden flash",
                    &head,
                );
            }
            Ok(head) => assert!(!head.is_empty()),
            Err(error) => golden.broken(Part::Flash, "board/flash.txt", &error.to_string()),
        }
    }
}

fn text(golden: &Golden, file: &str) -> String {
    String::from_utf8(golden.read(file)).expect("text")
}
