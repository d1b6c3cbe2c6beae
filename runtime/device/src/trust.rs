//! Whose packs this program uses: anyone's, or with the feature `signed` those of the keys that it was
//! built with.
//!
//! The build takes them from its environment: `HEADSTART_KEYS`, one public key or two in hexadecimal, apart
//! by a comma (the second part of `headstart keygen`'s `.pub` file), and `HEADSTART_FAMILY`.

use std::path::Path;

use headstart::pack::Pack;

use crate::Error;

/// Opens a pack that may be used here. `least_counter` is the highest security counter that was
/// used before. Gives the pack's own: 0 for a program that trusts anyone.
///
/// # Errors
/// [`Error::Pack`].
#[cfg(feature = "signed")]
pub(crate) fn open<'a>(
    path: &Path,
    bytes: &'a [u8],
    least_counter: u64,
) -> Result<(Pack<'a>, u64), Error> {
    let trust =
        headstart::pack::Trust { keys: &KEYS, family: env!("HEADSTART_FAMILY"), least_counter };
    Pack::open_trusted(bytes, &trust).map_err(|e| Error::pack(path, e))
}

#[cfg(not(feature = "signed"))]
pub(crate) fn open<'a>(
    path: &Path,
    bytes: &'a [u8],
    _least_counter: u64,
) -> Result<(Pack<'a>, u64), Error> {
    Pack::open(bytes).map(|pack| (pack, 0)).map_err(|e| Error::pack(path, e))
}

/// Refuses a pack that is older than one that was used since it was opened.
///
/// # Errors
/// [`Error::Pack`]; none for a program that trusts anyone.
pub(crate) fn refuse_older(path: &Path, found: u64, least: u64) -> Result<(), Error> {
    if cfg!(feature = "signed") && found < least {
        return Err(Error::pack(path, headstart::Error::Downgrade { found, least }));
    }
    Ok(())
}

#[cfg(feature = "signed")]
const KEYS: [[u8; 32]; COUNT] = keys(env!("HEADSTART_KEYS").as_bytes());

#[cfg(feature = "signed")]
const COUNT: usize = (env!("HEADSTART_KEYS").len() + 1) / 65;

/// Stops the build where the text is not `COUNT` keys.
#[cfg(feature = "signed")]
const fn keys(text: &[u8]) -> [[u8; 32]; COUNT] {
    assert!(
        1 <= COUNT && COUNT <= 2 && text.len() == 65 * COUNT - 1,
        "HEADSTART_KEYS: one or two keys"
    );
    let mut keys = [[0; 32]; COUNT];
    let mut at = 0;
    while at < COUNT {
        assert!(at == 0 || text[65 * at - 1] == b',', "HEADSTART_KEYS: a comma between two keys");
        let mut byte = 0;
        while byte < 32 {
            let place = 65 * at + 2 * byte;
            keys[at][byte] = 16 * digit(text[place]) + digit(text[place + 1]);
            byte += 1;
        }
        at += 1;
    }
    keys
}

#[cfg(feature = "signed")]
const fn digit(text: u8) -> u8 {
    match text {
        b'0'..=b'9' => text - b'0',
        b'a'..=b'f' => text - b'a' + 10,
        _ => panic!("HEADSTART_KEYS: hexadecimal digits, small letters"),
    }
}
