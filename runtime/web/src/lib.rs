//! A Headstart device in a browser.
//!
//! One module is one device: a pack, and a state folder in memory. Whoever loads it writes what a call takes into [`room`], calls, and reads
//! what came of it at [`answer`]: the wrapper is `js/headstart.js`. A call gives 0 where it was done, and 1 where it was refused: the answer
//! is then `{"error": …, "fault": …}`.
//!
//! | call | takes | gives |
//! | --- | --- | --- |
//! | [`put`] | a path and the content of a file | nothing |
//! | [`take`] | a path | the content of the file |
//! | [`features`] | the content of a picture or an array | int8 features |
//! | [`predict`] | a picture, pixels or values | an answer, as JSON |
//! | [`call`] | what to do, as JSON: [`calls::Call`] | a report, as JSON |
//!
//! It asks its loader for two functions of the module `headstart`: `now()`, in milliseconds, and `step(done, all)`, which hears of long work.

mod calls;
mod device;
mod said;

use std::cell::RefCell;
use std::path::Path;

use headstart_device::files;

use self::said::{Refusal, Reply};

/// What calls take and give.
#[derive(Default)]
struct Exchange {
    room: Vec<u8>,
    answer: Vec<u8>,
}

thread_local! {
    static EXCHANGE: RefCell<Exchange> = RefCell::default();
}

/// Room for so many bytes that the next call takes; what is there is kept as far as it fits.
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    EXCHANGE.with_borrow_mut(|exchange| {
        exchange.room.resize(bytes, 0);
        exchange.room.as_mut_ptr()
    })
}

/// Where the last call's answer stands, until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    EXCHANGE.with_borrow(|exchange| exchange.answer.as_ptr())
}

/// Bytes of the last call's answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer_bytes() -> usize {
    EXCHANGE.with_borrow(|exchange| exchange.answer.len())
}

/// Does a call with the bytes in the room, and keeps what came of it.
fn exchange(work: impl FnOnce(&[u8]) -> Reply) -> i32 {
    let room = EXCHANGE.with_borrow_mut(|exchange| std::mem::take(&mut exchange.room));
    let reply = work(&room);
    EXCHANGE.with_borrow_mut(|exchange| {
        exchange.room = room;
        let refused = i32::from(reply.is_err());
        exchange.answer = reply.unwrap_or_else(|refusal| refusal.emit());
        refused
    })
}

/// The path that the first bytes in the room are, and what stands behind it.
fn path_and_rest(room: &[u8], path: usize) -> Result<(&Path, &[u8]), Refusal> {
    let (path, rest) =
        room.split_at_checked(path).ok_or_else(|| Refusal::caller("no such path"))?;
    let path = str::from_utf8(path).map_err(|_| Refusal::caller("a path is UTF-8"))?;
    Ok((Path::new(path), rest))
}

/// Puts a file in its place, with the folders above it: `path` bytes of its path, then its content.
#[unsafe(no_mangle)]
pub extern "C" fn put(path: usize) -> i32 {
    exchange(|room| {
        let (path, content) = path_and_rest(room, path)?;
        files::put(path, content.to_vec()).map_err(|error| Refusal::of_file(path, &error))?;
        Ok(Vec::new())
    })
}

/// The content of the file whose path is in the room.
#[unsafe(no_mangle)]
pub extern "C" fn take() -> i32 {
    exchange(|room| {
        let (path, _) = path_and_rest(room, room.len())?;
        files::read(path).map_err(|error| Refusal::of_file(path, &error))
    })
}

/// The features of the picture or array whose content is in the room.
#[unsafe(no_mangle)]
pub extern "C" fn features() -> i32 {
    exchange(device::features)
}

/// Answers what is in the room: the content of a file (`kind` 0), `height` rows of `width` pixels of red, green and blue (1), or the
/// model's own float32 values, little-endian (2).
#[unsafe(no_mangle)]
pub extern "C" fn predict(kind: u32, width: usize, height: usize) -> i32 {
    exchange(|room| device::predict(kind, [width, height], room))
}

/// Does what the JSON in the room asks for.
#[unsafe(no_mangle)]
pub extern "C" fn call() -> i32 {
    exchange(calls::answer)
}
