//! Lists boards that firmware is here for, and what a pack takes of one: its certificate.

mod certificate;

pub use certificate::{Certificate, Shortage};

use serde::Deserialize;

/// Memory of a board, and what its firmware keeps for itself. `boards.json` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Board {
    /// The board's name on the command line.
    pub name: String,
    /// The board's processor.
    pub core: String,
    /// Bytes of all flash.
    pub flash_bytes: u64,
    /// Bytes of all RAM.
    pub ram_bytes: u64,
    /// The most bytes that code and constants take.
    pub code_bytes: u64,
    /// The most bytes that static data takes.
    pub static_bytes: u64,
    /// The most bytes that the stack takes.
    pub stack_bytes: u64,
    /// Bytes of one slot for a head record.
    pub slot_bytes: u64,
    /// How many slots there are for head records.
    pub slots: u64,
    /// Bytes of flash for the journal and the features of samples.
    pub log_bytes: u64,
    /// How it is flashed; nothing for a board that is emulated.
    #[serde(default)]
    flashing: Option<Flashing>,
}

/// Addresses of firmware and pack in a board's flash, and what its tools call the chip.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Flashing {
    /// probe-rs's name of the chip.
    pub chip: String,
    /// Address of the first byte of flash, where the firmware starts.
    pub flash_address: u32,
    /// Address of the pack; the firmware ends before it.
    pub pack_address: u32,
    /// Most bytes of a pack: those of each place for one.
    pub pack_room: u32,
    /// How many places for packs there are: the second one takes updates over the cable.
    #[serde(default = "two")]
    pub pack_places: u32,
    /// The family of UF2 files that its boot loader takes, if it takes any.
    #[serde(default)]
    pub uf2_family: Option<u32>,
}

fn two() -> u32 {
    2
}

impl Board {
    /// Lists all boards.
    ///
    /// # Panics
    ///
    /// Never: a test reads the list.
    #[must_use]
    pub fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("boards.json")).expect("the list of boards is valid")
    }

    /// Finds the board of that name.
    ///
    /// # Errors
    ///
    /// [`BoardError::Unknown`] if none has it.
    pub fn named(name: &str) -> Result<Self, BoardError> {
        Self::all().into_iter().find(|board| board.name == name).ok_or_else(|| {
            let boards = Self::all().into_iter().map(|board| board.name).collect();
            BoardError::Unknown { name: name.to_owned(), boards }
        })
    }

    /// Addresses and names for flashing the board.
    ///
    /// # Errors
    ///
    /// [`BoardError::Emulated`] for a board that is only emulated.
    pub fn flashing(&self) -> Result<&Flashing, BoardError> {
        self.flashing.as_ref().ok_or_else(|| BoardError::Emulated { board: self.name.clone() })
    }
}

/// A reason why there is no such board, or no way to flash it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// No board has that name.
    #[error(
        "there is no board '{name}'; there are {}; another one goes into boards.json, and `headstart` is built again",
        boards.join(", ")
    )]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        boards: Vec<String>,
    },
    /// The board is emulated: a program, which cannot be flashed.
    #[error("{board} is emulated: there is nothing to flash")]
    Emulated {
        /// The board's name.
        board: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_found_by_name_and_others_refused() {
        for board in Board::all() {
            assert_eq!(Board::named(&board.name), Ok(board.clone()));
            assert!(board.code_bytes < board.flash_bytes && board.stack_bytes < board.ram_bytes);
        }
        assert!(Board::named("abacus").unwrap_err().to_string().contains("mps2-an386"));
    }
}
