//! Boards that firmware is here for, and what a pack takes of one: its certificate.

mod certificate;

pub use certificate::{Certificate, Shortage};

use serde::Deserialize;

/// What a board has, and what its firmware keeps for itself. `boards.json` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Board {
    /// Its name on the command line.
    pub name: String,
    /// Its processor.
    pub core: String,
    /// All flash, in bytes.
    pub flash_bytes: u64,
    /// All RAM, in bytes.
    pub ram_bytes: u64,
    /// Most that code and constants take.
    pub code_bytes: u64,
    /// Most that static data takes.
    pub static_bytes: u64,
    /// Most that the stack takes.
    pub stack_bytes: u64,
    /// A slot for a head record.
    pub slot_bytes: u64,
    /// Number of slots.
    pub slots: u64,
    /// What keeps the features of samples.
    pub log_bytes: u64,
    /// How it is flashed; nothing for a board that is emulated.
    #[serde(default)]
    flashing: Option<Flashing>,
}

/// Where firmware and pack go in a board's flash, and what its tools call it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Flashing {
    /// probe-rs's name of the chip.
    pub chip: String,
    /// Address of the first byte of flash, where the firmware starts.
    pub flash_address: u32,
    /// Address of the pack; the firmware ends before it.
    pub pack_address: u32,
    /// Most bytes of a pack.
    pub pack_room: u32,
    /// The family of UF2 files that its boot loader takes, if it takes any.
    #[serde(default)]
    pub uf2_family: Option<u32>,
}

impl Board {
    /// All boards.
    ///
    /// # Panics
    ///
    /// Never: a test reads the list.
    #[must_use]
    pub fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("boards.json")).expect("the list of boards is valid")
    }

    /// The board of that name.
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

    /// How the board is flashed.
    ///
    /// # Errors
    ///
    /// [`BoardError::Emulated`] for a board that is only emulated.
    pub fn flashing(&self) -> Result<&Flashing, BoardError> {
        self.flashing.as_ref().ok_or_else(|| BoardError::Emulated { board: self.name.clone() })
    }
}

/// Why there is no such board, or no way to flash it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// No board has that name.
    #[error("there is no board '{name}'; there are {}", boards.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        boards: Vec<String>,
    },
    /// The board is a program.
    #[error("{board} is emulated: there is nothing to flash")]
    Emulated {
        /// Its name.
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
