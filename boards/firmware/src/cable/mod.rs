//! The board's side of the cable: bytes in, bytes out, everything that a host may ask for.
//!
//! [`serve`] is the loop of a board's firmware: it chooses a pack, opens its session, and answers. What
//! is learned, forgotten or replaced survives a reset at any instant as it was, or as it was to be.
//! The bytes are written down in `boards/cable/PROTOCOL.md`.

#[cfg(feature = "chip")]
#[allow(unsafe_code, reason = "flash in the address space is read by its address")]
mod addressed;
mod boot;
mod device;
mod events;
mod journal;
mod layout;
#[cfg(feature = "signed")]
mod maker;
#[cfg(feature = "chip")]
mod serial;
mod serve;
mod server;
mod teach;
mod update;
mod window;

pub use crate::flash::Mapped;
#[cfg(all(feature = "chip", feature = "signed"))]
pub use addressed::run_signed;
#[cfg(feature = "chip")]
pub use addressed::{Addressed, Guard, run, unguarded};
#[cfg(feature = "signed")]
pub use boot::active_signed;
pub use boot::{Active, active};
pub use device::{Board, Device};
pub use layout::{Layout, Place};
#[cfg(feature = "signed")]
pub use maker::Maker;
#[cfg(feature = "chip")]
pub use serial::Serial;
pub use serve::{Port, serve};
pub use server::Server;

use headstart::Error;
use headstart::session::SessionError;
pub use headstart::store::Region;
use headstart::store::StoreError;
use headstart_cable::Refusal;

/// What the host is told of an error.
fn refusal(error: Error) -> Refusal {
    match error {
        Error::NoSamples => Refusal::NoClasses,
        Error::TooManyClasses { limit } => {
            Refusal::TooManyClasses { limit: u16::try_from(limit).unwrap_or(u16::MAX) }
        }
        Error::LabelInvalid { .. } => Refusal::Label,
        Error::NotFinite | Error::NotPositiveDefinite { .. } | Error::Inaccurate => {
            Refusal::Diverged
        }
        Error::BackboneMismatch { .. } => Refusal::OtherBackbone,
        _ => Refusal::Internal,
    }
}

fn store_refusal<E>(error: StoreError<E>) -> Refusal {
    match error {
        StoreError::OtherBackbone { .. } => Refusal::OtherBackbone,
        StoreError::TooLong { limit, found } => Refusal::Slot {
            needed: u32::try_from(found).unwrap_or(u32::MAX),
            available: u32::try_from(limit).unwrap_or(u32::MAX),
        },
        _ => Refusal::Flash,
    }
}

fn session_refusal<E>(error: SessionError<StoreError<E>>) -> Refusal {
    match error {
        SessionError::Runtime(error) => refusal(error),
        SessionError::Store(error) => store_refusal(error),
    }
}
