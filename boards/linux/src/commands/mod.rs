//! One command a file: arguments in, report out.

pub(crate) mod adopt;
pub(crate) mod bench;
mod classes;
pub(crate) mod eval;
pub(crate) mod forget;
pub(crate) mod history;
mod kept;
pub(crate) mod learn;
pub(crate) mod merge;
pub(crate) mod predict;
mod relearn;
pub(crate) mod rename;
mod report;
pub(crate) mod rollback;
pub(crate) mod samples;
mod segmentation;
pub(crate) mod status;
mod tail;

use std::path::Path;

use headstart::pack::Pack;
use headstart_device::extract::Extraction;
use headstart_device::samples::hex;
use headstart_device::state::{Problem, StateFolder};
use headstart_device::{Error, Head, PackFile};

use crate::output;

/// A backbone that was opened; where the engine that was asked for does not run it, the reason is said.
fn warned(extraction: Extraction<'_>) -> Extraction<'_> {
    if let Some(declined) = extraction.declined() {
        output::warn(&declined.to_string());
    }
    extraction
}

/// Rows of a report on files, each with its own error, which is said at once; and the exit status.
fn rows<T, R>(
    paths: &[&Path],
    answers: Vec<Result<T, Error>>,
    row: impl Fn(String, Result<T, Error>) -> R,
) -> (u8, Vec<R>) {
    let mut status = 0;
    let rows = paths.iter().zip(answers).map(|(path, answer)| {
        if let Err(error) = &answer {
            eprintln!("error: {error}");
            status = status.max(error.exit_status());
        }
        row(path.display().to_string(), answer)
    });
    let rows = rows.collect();
    (status, rows)
}

/// The pack's file, for this state if there is one. A program that uses signed packs only needs one, which tells it
/// the packs that are too old.
fn pack_file(pack: &Path, state: Option<&Path>) -> Result<PackFile, Error> {
    match state {
        Some(state) => PackFile::open_for(pack, state),
        None if cfg!(feature = "signed") => {
            Err(Error::State { path: pack.to_owned(), problem: Problem::StateNeeded })
        }
        None => PackFile::open(pack),
    }
}

/// Stores the counter of a pack that is going to answer, so that no older one does from then on.
fn keep_counter(file: &PackFile, state: Option<&Path>, counter: u64) -> Result<(), Error> {
    let Some(path) = state.filter(|_| cfg!(feature = "signed")) else { return Ok(()) };
    let folder = StateFolder::new(path);
    if counter == folder.counter()? {
        return Ok(());
    }
    let kept = folder.lock().and_then(|lock| file.raise_counter(counter, &lock));
    kept.map_err(|error| match error {
        Error::Machine { path, reason, .. } => {
            let action = "storing the pack's security counter, without which the pack is not used,";
            Error::Machine { path, action, reason }
        }
        error => error,
    })
}

/// The head in use: the state's, else the one that the pack ships.
fn head(state: Option<&Path>, file: &PackFile, pack: &Pack<'_>) -> Result<Option<Head>, Error> {
    let of_state = state.map(|path| state_head(&StateFolder::new(path), pack)).transpose()?;
    match of_state.flatten() {
        Some(head) => Ok(Some(head)),
        None => pack_head(file, pack),
    }
}

/// The state's head. One of another backbone is refused with the way that leads to this pack.
fn state_head(folder: &StateFolder, pack: &Pack<'_>) -> Result<Option<Head>, Error> {
    let Some(bytes) = folder.head()? else { return Ok(None) };
    Head::parse_for(&folder.head_path(), &bytes, pack).map(Some).map_err(|error| match error {
        Error::State {
            problem: Problem::Head(headstart::Error::BackboneMismatch { found, .. }),
            path,
        } => {
            let way = kept::way(folder, &pack.backbone_digest());
            let (expected, found) = (hex(&pack.backbone_digest()[..4]), hex(&found));
            Error::State { path, problem: Problem::OtherPack { expected, found, way } }
        }
        error => error,
    })
}

fn pack_head(file: &PackFile, pack: &Pack<'_>) -> Result<Option<Head>, Error> {
    let parse = |bytes| Head::parse_for(file.path(), bytes, pack);
    pack.head().map(parse).transpose()
}

/// The same for commands that cannot do without.
fn required_head(state: Option<&Path>, file: &PackFile, pack: &Pack<'_>) -> Result<Head, Error> {
    let path = state.unwrap_or(file.path()).to_owned();
    head(state, file, pack)?.ok_or(Error::State { path, problem: Problem::NoHead })
}

/// The first eight bytes of a backbone's digest, as the reports and messages name it.
fn backbone_name(pack: &Pack<'_>) -> String {
    hex(&pack.backbone_digest()[..8])
}
