//! Runs a frozen, quantised network and trains its head on the device that uses it: no `std`, no heap.
//!
//! A *pack* (`.hspk`, made by the program `headstart`) holds a network's frozen part, the *backbone*, in int8. It stays where it is,
//! in flash or in a mapped file: opening it copies nothing. The backbone turns a sample into int8 *features*; a *learner* makes of the
//! features of a few labelled samples a *head*, one linear layer; a *store* keeps that head through any power cut.
//!
//! # Quick start
//!
//! Firmware talks to a [`session`]: pack, head and store in one piece of memory, whose size the pack states.
//!
//! ```no_run
//! use headstart::pack::Pack;
//! use headstart::session::{Session, SessionError};
//! use headstart::store::Store;
//!
//! fn teach<S: Store>(bytes: &[u8], ram: &mut [u8], store: S, input: &[i8]) -> Result<(), SessionError<S::Error>> {
//!     let pack = Pack::open(bytes)?; // verified: limits, digests, shapes
//!     let mut session = Session::open(&pack, ram, store)?; // ram: exactly pack.plan().ram_bytes()
//!     session.learn(input, "mug")?; // one labelled sample; new names become new classes
//!     let answer = session.predict(input)?; // label and probability, or "unknown"
//!     let _ = answer.label;
//!     session.commit() // durable when this returns
//! }
//! ```
//!
//! The examples `session` and `flash_store` are whole programs. On Linux the crate `headstart-device` is what an application wants.
//!
//! # Modules
//!
//! | to | there is |
//! | --- | --- |
//! | open and verify a pack | [`pack`], and [`network`] for its nodes as data |
//! | turn a picture into the input | [`preprocess`] |
//! | turn a recording into a spectrogram | [`front`] |
//! | compute features | [`backbone`], on the [`kernels`] of the CPU |
//! | train a head | [`head`] |
//! | write and read a head | [`record`] |
//! | keep it in flash | [`store`] |
//! | do all of it in planned memory | [`session`] |
//! | work with float graphs, tails and engines | `graph`, `tail`, `burn`, with the features below |
//!
//! # Features
//!
//! None is on by default. A feature adds; it never changes a result.
//!
//! | feature | adds |
//! | --- | --- |
//! | `std` | threads, error traits, and the kernels for x86-64 and aarch64 |
//! | `embedded-storage` | stores on any driver of that crate ([`store`]`::Nor`) |
//! | `signature` | signed packs: `Pack::open_trusted` |
//! | `defmt` | `defmt::Format` on the public types |
//! | `float-graph` | the float graph, and trainable tails |
//! | `burn` | its executor, and training by autodiff, on any Burn backend |
//! | `burn-flex`, `burn-ndarray`, `burn-candle` | these backends, on the CPU |
//! | `burn-cuda`, `burn-candle-cuda` | these on an NVIDIA GPU |
//!
//! # Promises
//!
//! - **The same bits everywhere.** Features are int8 arithmetic with one written definition, [`kernels::generic`]; learners add in one stated
//!   order and use `libm`. So heads move between machines, and every fast kernel is tested by equality.
//! - **Bytes from outside do not panic.** Packs, records and slots are checked before they mean anything; what is wrong is an [`Error`] that names the rule.
//! - **No unsafe code** outside of `kernels`.
//!
//! # Rust
//!
//! The oldest Rust that builds this crate is the `rust-version` of its manifest, 1.95.
#![no_std]
#![deny(unsafe_code)]

/// Test cases that the tests outside share name the crate as these do.
#[cfg(test)]
extern crate self as headstart;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod backbone;
#[cfg(feature = "burn")]
pub mod burn;
mod checked;
mod error;
pub mod front;
#[cfg(feature = "float-graph")]
pub mod graph;
pub mod head;
pub mod kernels;
pub mod network;
pub mod pack;
pub mod preprocess;
mod random;
pub mod record;
pub mod session;
pub mod store;
#[cfg(feature = "float-graph")]
pub mod tail;

pub use error::Error;
