//! Whose packs this program uses: anyone's, or with the feature `signed` those of the keys that it was
//! built with.
//!
//! The build takes them from its environment: `HEADSTART_KEYS`, one public key or two in hexadecimal, apart
//! by a comma (the second part of `headstart keygen`'s `.pub` file), and `HEADSTART_FAMILY`.

use headstart_device::DeviceOptions;

/// A device that trusts as this program does.
#[cfg(feature = "signed")]
pub(crate) fn trusting(options: DeviceOptions) -> DeviceOptions {
    options.trust(&KEYS, env!("HEADSTART_FAMILY"))
}

#[cfg(not(feature = "signed"))]
pub(crate) fn trusting(options: DeviceOptions) -> DeviceOptions {
    options
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
