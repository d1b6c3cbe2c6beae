//! The server's key and certificate: its own, made once, and kept in the state folder.

use std::fs::File;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use crate::problem::ServeError;

/// Key and certificate, one behind the other.
pub(crate) const FILE: &str = "serve.pem";
/// A key takes less.
const MOST_BYTES: u64 = 64 << 10;

/// A key at work.
pub(crate) struct Identity {
    pub(crate) tls: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as browsers show it.
    pub(crate) digest: String,
}

impl Identity {
    /// Reads the key that a state folder holds, or makes one that only its owner may read.
    ///
    /// # Errors
    /// [`ServeError::Key`], [`ServeError::Machine`].
    pub(crate) fn of(
        state: &Path,
        addresses: &[IpAddr],
        names: &[String],
    ) -> Result<Self, ServeError> {
        let path = state.join(FILE);
        let text = match File::open(&path) {
            Ok(file) => {
                let mut text = String::new();
                let read = file.take(MOST_BYTES).read_to_string(&mut text);
                read.map_err(|error| key(&path, error))?;
                text
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = make(addresses, names).map_err(|error| key(&path, error))?;
                keep(state, &path, &text)
                    .map_err(ServeError::machine("keeping the server's key"))?;
                text
            }
            Err(error) => return Err(key(&path, error)),
        };
        let wrong = |error: &dyn std::fmt::Display| key(&path, error);
        let certificate =
            CertificateDer::from_pem_slice(text.as_bytes()).map_err(|error| wrong(&error))?;
        let secret =
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| wrong(&error))?;
        let digest: Vec<String> =
            Sha256::digest(&certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&error))?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], secret);
        let mut config = config.map_err(|error| wrong(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: Arc::new(config), digest: digest.join(":") })
    }
}

fn key(path: &Path, reason: impl std::fmt::Display) -> ServeError {
    ServeError::Key { path: PathBuf::from(path), reason: reason.to_string() }
}

fn make(addresses: &[IpAddr], names: &[String]) -> Result<String, rcgen::Error> {
    let secret = KeyPair::generate()?;
    let mut names = names.to_vec();
    names.push("localhost".to_owned());
    let mut params = CertificateParams::new(names)?;
    let addresses = addresses.iter().map(|address| SanType::IpAddress(*address));
    params.subject_alt_names.extend(addresses);
    params.distinguished_name.push(DnType::CommonName, "Headstart");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // The clock of a board may stand anywhere.
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2050, 1, 1));
    let certificate = params.self_signed(&secret)?;
    Ok(format!("{}{}", certificate.pem(), secret.serialize_pem()))
}

/// Puts the key in its place in one step; only its owner may read it.
fn keep(state: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(state)?;
    // Its mode is 0600.
    let mut file =
        tempfile::Builder::new().prefix(".headstart-").suffix(".tmp").tempfile_in(state)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(state)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("mine");
        let of = || Identity::of(&state, &[[10, 0, 0, 7].into()], &["cam.local".to_owned()]);
        let first = of().unwrap().digest;
        assert_eq!(of().unwrap().digest, first);
        let mode = std::fs::metadata(state.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 1);
        // What was changed is refused, and not replaced.
        std::fs::write(state.join(FILE), "no key").unwrap();
        assert!(matches!(of(), Err(ServeError::Key { .. })));
        assert_eq!(std::fs::read(state.join(FILE)).unwrap(), b"no key");
    }
}
