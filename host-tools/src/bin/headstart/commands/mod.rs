//! What each command does.

#[macro_use]
pub(crate) mod say;
mod calibration;
mod candidates;
mod choose;
mod compare;
mod cost;
mod device;
mod export;
mod image;
mod info;
mod inspect;
mod judge;
mod keygen;
mod pack;
mod preprocessing;
mod report;
mod sensible;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::cli::{Cli, Command};
use crate::error::Error;
use headstart_device::plain;
use headstart_tools::error::Error as Refused;
use report::Report;

/// Runs a command line.
///
/// # Errors
///
/// What the command refuses, or the machine's failure.
pub(crate) fn run(cli: &Cli) -> Result<(), Error> {
    if let Some(threads) = cli.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().map_err(|e| Error::Usage(format!("--threads {threads}: {e}")))?;
    }
    let report = Report { json: cli.json };
    match &cli.command {
        Command::Inspect { model, input_size } => inspect::inspect(report, model, *input_size),
        Command::Pack(args) => pack::pack(report, args),
        Command::Info { pack } => info::info(report, pack),
        Command::Verify { pack, key, family, least_counter } => {
            info::verify(report, pack, key, family.as_deref(), *least_counter)
        }
        Command::Keygen { output } => keygen::keygen(report, output),
        Command::Sign(args) => keygen::sign(report, args),
        Command::Compare { pack, model, data, sampling } => {
            compare::compare(report, pack, model, data, *sampling)
        }
        Command::Image(args) => image::image(report, args),
        Command::Flash(args) => image::flash(report, args),
        Command::Device(args) => device::device(report, args),
        Command::Export { pack, model, state, output } => {
            export::export(report, pack, model, state.as_deref(), output)
        }
    }
}

/// Refuses a pack with a trainable tail.
fn without_tail(pack: &headstart::pack::Pack<'_>, path: &Path) -> Result<(), Error> {
    match pack.tail() {
        None => Ok(()),
        Some(_) => Err(Error::Usage(format!(
            "{}: this is not done yet for a pack with a trainable tail; give one that was made with --tail drop",
            path.display()
        ))),
    }
}

/// Refuses a pack with a trainable tail for firmware, where nothing runs one.
fn without_engine(pack: &headstart::pack::Pack<'_>, path: &Path) -> Result<(), Error> {
    let refuse = Error::in_pack(path);
    let Some(tail) = headstart::tail::Tail::parse(pack).map_err(refuse)? else { return Ok(()) };
    let first = tail.graph.nodes.first().map_or("", |node| node.name.as_str());
    Err(Error::Usage(format!(
        "{}: node '{first}' and what is behind it are a trainable tail, whose float arithmetic firmware cannot run: \
         pack the model with --tail drop for this board",
        path.display()
    )))
}

/// Most bytes of what commands read beside models and samples.
const MAX_PACK_BYTES: u64 = 1 << 30;
const MAX_KEY_BYTES: u64 = 4 << 10;
/// Firmware with its debug information, and images for boards.
const MAX_IMAGE_BYTES: u64 = 256 << 20;

/// The bytes of a plain file of at most `limit`.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    plain::read(path, limit)
        .map_err(|problem| Refused::Unreadable { path: path.to_owned(), problem }.into())
}

/// The bytes of a pack.
fn read_pack(path: &Path) -> Result<Vec<u8>, Error> {
    read(path, MAX_PACK_BYTES)
}

/// The text of a key.
fn read_key(path: &Path) -> Result<Vec<u8>, Error> {
    read(path, MAX_KEY_BYTES)
}

/// The bytes of firmware or of an image.
fn read_image(path: &Path) -> Result<Vec<u8>, Error> {
    read(path, MAX_IMAGE_BYTES)
}

/// Replaces a file in one step: it is old or new, and nothing is left beside it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_for(path, bytes, 0o666)
}

/// The same for what is personal: only its owner can read it.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_for(path, bytes, 0o600)
}

/// `mode` is what the file may have of; the process's mask takes away from it.
#[cfg_attr(not(unix), allow(unused_variables, reason = "other systems have no modes"))]
fn write_for(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let failed = |source| Error::Unwritable { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let mut file = builder.prefix(".headstart-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_personal_is_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.hshr");
        // Also where a file that all can read is replaced.
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"a head").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write(&path, b"a pack").unwrap();
        assert_ne!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o400, 0);
    }
}
