//! What each command does.

#[macro_use]
pub(crate) mod say;
mod bar;
mod candidates;
mod compare;
mod cost;
mod device;
mod export;
mod image;
mod info;
mod inspect;
mod keygen;
mod manual;
mod pack;
mod report;
mod sensible;

use std::path::Path;

use crate::cli::{Cli, Command};
use crate::error::Error;
use headstart_tools::tasks::file;
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
            compare::compare(report, pack, model, data, sampling.taken())
        }
        Command::Image(args) => image::image(report, args),
        Command::Flash(args) => image::flash(report, args),
        Command::Device(args) => device::device(report, args),
        Command::Export { pack, model, state, output } => {
            export::export(report, pack, model, state.as_deref(), output)
        }
        Command::Manual { share } => manual::manual(report, share),
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

/// Most bytes of firmware with its debug information, and of images for boards.
const MAX_IMAGE_BYTES: u64 = 256 << 20;

/// The bytes of a pack.
fn read_pack(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(file::read_pack(path)?)
}

/// The text of a key.
fn read_key(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(file::read_key(path)?)
}

/// The bytes of firmware or of an image.
fn read_image(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(file::read(path, MAX_IMAGE_BYTES)?)
}

/// Replaces a file in one step: it is old or new, and nothing is left beside it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    file::write(path, bytes).map_err(|source| Error::Unwritable { path: path.to_owned(), source })
}

/// The same for what is personal: only its owner can read it.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Unwritable { path: path.to_owned(), source };
    file::write_private(path, bytes).map_err(failed)
}
