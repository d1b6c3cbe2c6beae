//! `keygen` and `sign`: keys, and packs that are signed with them.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use headstart::pack::{Pack, key_name};
use serde_json::json;

use super::report::Report;
use crate::cli::SignArgs;
use crate::error::Error;
use headstart_tools::ship::keys;

pub(super) fn keygen(report: Report, output: &Path) -> Result<(), Error> {
    let [secret_path, public_path] = ["key", "pub"].map(|end| with_end(output, end));
    for path in [&secret_path, &public_path] {
        if path.exists() {
            let path = path.display();
            return Err(Error::Usage(format!("{path}: is there already: a key is never replaced")));
        }
    }
    let (secret, public) = keys::generate()?;
    create(&secret_path, &secret, 0o600)?;
    create(&public_path, &public, 0o644)?;
    let key = keys::public_key(&public_path, public.as_bytes())?;
    let name = keys::hex(&key_name(&key));
    let result = json!({
        "secret_key": secret_path, "public_key": public_path, "key": name, "public": keys::hex(&key),
    });
    report.show(&result, || {
        say!(
            "Key {name}.\n{}: the secret, readable by you only; keep it off the devices.\n{}: for the devices and for verify --key.",
            secret_path.display(),
            public_path.display()
        );
    });
    Ok(())
}

pub(super) fn sign(report: Report, args: &SignArgs) -> Result<(), Error> {
    let bytes = super::read_pack(&args.pack)?;
    let refuse = Error::in_pack(&args.pack);
    Pack::open(&bytes).map_err(refuse)?;
    let secret = super::read_key(&args.key)?;
    let signed = keys::signed(&bytes, &args.key, &secret, &args.family, args.counter)?;
    super::write(&args.output, &signed)?;
    let result = json!({
        "pack": args.output, "bytes": signed.len(), "family": args.family, "counter": args.counter,
    });
    report.show(&result, || {
        say!(
            "{}: signed for {}, security counter {}",
            args.output.display(),
            args.family,
            args.counter
        );
    });
    Ok(())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

/// Creates a file that nobody else may read from its first moment on.
fn create(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let failed = |source| Error::Unwritable { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
