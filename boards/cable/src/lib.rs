//! Messages that a board and its host send each other over a cable: frames, requests, replies.
//!
//! The bytes are written down in `PROTOCOL.md`. The crate needs neither `std` nor a heap; with the
//! feature `client` it has the host's side too.
//!
//! ```
//! use headstart_cable::{Frame, Receiver, Request, encode, parse};
//!
//! let mut bytes = [0; headstart_cable::FRAME];
//! let sent = Frame { session: 7, sequence: 1, body: Request::Status };
//! let frame = encode(&sent, &mut bytes).unwrap();
//! let mut receiver = Receiver::new();
//! let last = frame.len() - 1;
//! assert!(frame[..last].iter().all(|&byte| receiver.push(byte).is_none()));
//! assert_eq!(parse(receiver.push(frame[last]).unwrap()), Some(sent));
//! ```
#![cfg_attr(not(feature = "client"), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
mod frame;
mod message;

pub use frame::{BODY, DATA, FRAME, Frame, REPLY, Receiver, encode, parse};
pub use message::{
    Answer, Hello, Input, Learner, Refusal, Reply, Request, Status, UNKNOWN_CLASS, VERSION,
};
