//! Keys that sign packs, as files of one line.

use std::path::Path;

use ed25519_dalek::{Signer, SigningKey};
use headstart::pack::{family_is_valid, sign};

use crate::error::Error;

const SECRET: &str = "headstart-secret-key-1 ";
const PUBLIC: &str = "headstart-public-key-1 ";

/// Generates a secret key and its public one, as the contents of their files.
///
/// # Errors
///
/// [`Error::Randomness`] where the machine has no randomness to give.
pub fn generate() -> Result<(String, String), Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(Error::Randomness)?;
    let key = SigningKey::from_bytes(&secret);
    let line = |kind, bytes: &[u8; 32]| format!("{kind}{}\n", hex(bytes));
    Ok((line(SECRET, &secret), line(PUBLIC, key.verifying_key().as_bytes())))
}

/// Reads the public key in the text of a file.
///
/// # Errors
///
/// [`Error::Key`] for anything else.
pub fn public_key(path: &Path, text: &[u8]) -> Result<[u8; 32], Error> {
    parse(path, text, PUBLIC, "a public key of headstart keygen (the .pub file)")
}

/// Checks that the text of a file is a secret key.
///
/// # Errors
///
/// [`Error::Key`] if not.
pub fn check_secret(path: &Path, text: &[u8]) -> Result<(), Error> {
    secret_key(path, text).map(drop)
}

/// Signs a pack with the secret key in the text of a file.
///
/// # Errors
///
/// [`Error::Key`], [`Error::Family`] for a name that no board family can have, [`Error::NewPack`].
pub fn signed(
    pack: &[u8],
    path: &Path,
    text: &[u8],
    family: &str,
    counter: u64,
) -> Result<Vec<u8>, Error> {
    if !family_is_valid(family) {
        return Err(Error::Family { family: family.to_owned() });
    }
    let key = secret_key(path, text)?;
    let public = key.verifying_key().to_bytes();
    sign(pack, family, counter, &public, |message| key.sign(message).to_bytes())
        .map_err(Error::NewPack)
}

fn secret_key(path: &Path, text: &[u8]) -> Result<SigningKey, Error> {
    let secret = parse(path, text, SECRET, "a secret key of headstart keygen (the .key file)")?;
    Ok(SigningKey::from_bytes(&secret))
}

/// Never shows the text: it may be a secret.
fn parse(path: &Path, text: &[u8], kind: &str, expected: &'static str) -> Result<[u8; 32], Error> {
    let refuse = || Error::Key { path: path.to_owned(), expected };
    let text = std::str::from_utf8(text).map_err(|_| refuse())?;
    let digits = text.trim_end().strip_prefix(kind).ok_or_else(refuse)?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return Err(refuse()) };
    let mut key = [0; 32];
    if pairs.len() != key.len() {
        return Err(refuse());
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let value = |digit: u8| char::from(digit).to_digit(16).ok_or_else(refuse);
        *byte = (16 * value(pair[0])? + value(pair[1])?) as u8;
    }
    Ok(key)
}

/// Writes bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_were_written_and_nothing_else_is() {
        let (secret, public) = generate().unwrap();
        let (other, _) = generate().unwrap();
        assert_ne!(secret, other);
        let path = Path::new("mine");
        let key = public_key(path, public.as_bytes()).unwrap();
        let parsed = parse(path, secret.as_bytes(), SECRET, "").unwrap();
        assert_eq!(SigningKey::from_bytes(&parsed).verifying_key().to_bytes(), key);
        let short = &public[..public.len() - 3];
        for wrong in [&secret, short, "", "headstart-public-key-1 ", &public.replace(' ', " é")] {
            let error = public_key(path, wrong.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("mine") && error.contains(".pub"), "{error}");
            assert!(!error.contains(&secret[30..40]), "a secret is shown");
        }
    }
}
