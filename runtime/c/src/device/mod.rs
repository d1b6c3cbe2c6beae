//! A pack and a state folder, on Linux: what `headstart-device` does, for C.
//!
//! Calls give a status, and the thread's last failure in words (`hs_last_error`). A handle of a device may be used by many threads at
//! once; lists of samples and options by one at a time.

mod answers;
mod corrections;
mod error;
mod handle;
mod learn;
mod options;
mod reports;
mod samples;

pub use answers::*;
pub use corrections::*;
pub use error::hs_last_error;
pub use handle::*;
pub use learn::*;
pub use options::*;
pub use reports::*;
pub use samples::*;
