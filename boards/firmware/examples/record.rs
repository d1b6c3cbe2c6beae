//! Records the boards' part of the golden files: a conversation over the cable, and the flash that it leaves.
//!
//! Usage: `cargo run -p headstart-firmware --example record -- tests/golden/VERSION/board`. The folder must not be there: what was
//! recorded is never written over.

#[path = "../tests/board/mod.rs"]
#[allow(dead_code, reason = "only its packs are recorded")]
mod board;
#[path = "../tests/talk/mod.rs"]
mod talk;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use talk::{Answers, Started, blank, conversation, next, to_text};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("the folder to write"));
    fs::create_dir(&folder).expect("a folder that is not there yet");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("written");

    let (first, second) = (board::pack("first", 1), board::pack("second", 1));
    write("first.hspk", &first);
    write("second.hspk", &second);
    let started = Rc::new(RefCell::new(Started::new(blank(&first))));
    let frames = Rc::new(RefCell::new((vec![], vec![])));
    let (board, heard) = (started.clone(), frames.clone());
    let answers: Answers = Rc::new(RefCell::new(move |request: &[u8]| {
        let reply = board.borrow_mut().take(request);
        let (host, board) = &mut *heard.borrow_mut();
        host.extend_from_slice(request);
        board.extend_from_slice(&reply);
        reply
    }));
    let told = conversation(&answers, &second).expect("a conversation");
    write("host.frames", &frames.borrow().0);
    write("board.frames", &frames.borrow().1);
    write("told.txt", told.as_bytes());
    write("flash.txt", to_text(&started.borrow().flash()).as_bytes());
    write("next.hshr", &next(&answers).expect("another lesson"));
}
