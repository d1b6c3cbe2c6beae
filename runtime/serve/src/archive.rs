//! A state folder as one file: tar, with the names that the folder has.
//!
//! What comes in is unpacked beside the state, opened as a device would open it, and then takes its place in one step: the two folders exchange
//! their names. A cut leaves the old state or the new one, and the other beside it, which the next start removes.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use headstart_device::Error;
use headstart_device::samples::id_from_hex;
use headstart_device::state::StateFolder;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tar::{Archive, Builder, EntryType, Header};

use crate::app::Open;
use crate::net::certificate;
use crate::refusal::Refusal;

/// A state has no more files.
const MOST_FILES: usize = 200_000;
/// What stays where it is: the server's key, and the counter that keeps older packs out.
const STAYS: [&str; 2] = [certificate::FILE, "counter.hsct"];

/// Whether a state has files of this name.
fn is_ours(name: &str) -> bool {
    let between = |before: &str, behind: &str| {
        let middle = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
        middle.is_some_and(|middle| {
            !middle.is_empty() && middle.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    let is_known = matches!(name, "head.hshr" | "features.hsfc" | "names.hssn" | "rejected.hsco");
    is_known || between("commit-", ".hsco") || between("added-", ".hsfc") || is_copy(name)
}

/// Whether it is the copy of a sample.
fn is_copy(name: &str) -> bool {
    let file = name.strip_prefix(StateFolder::KEPT).and_then(|rest| rest.strip_prefix('/'));
    let Some((stem, extension)) = file.and_then(|file| file.split_once('.')) else { return false };
    id_from_hex(stem).is_some() && matches!(extension, "jpg" | "png" | "webp" | "bmp" | "npy")
}

fn machine(what: &'static str) -> impl Fn(std::io::Error) -> Refusal {
    move |error| Refusal::machine(format!("{what}: {error}"))
}

/// Writes a state into a file without a name, which stands at its start; gives its length too.
///
/// # Errors
/// Where another program changes the state, and those of the machine.
pub(crate) fn write(state: &Path) -> Result<(File, u64), Refusal> {
    let failed = machine("saving the state");
    // Nobody changes it meanwhile, and what was begun and cut off is ended.
    let _lock = StateFolder::new(state).lock()?;
    let mut names = names(state).map_err(&failed)?;
    names.sort();
    let mut archive = Builder::new(tempfile::tempfile().map_err(&failed)?);
    for name in names {
        let mut file = File::open(state.join(&name)).map_err(&failed)?;
        let mut header = Header::new_ustar();
        header.set_size(file.metadata().map_err(&failed)?.len());
        header.set_mode(0o600);
        header.set_mtime(0);
        header.set_entry_type(EntryType::Regular);
        archive.append_data(&mut header, &name, &mut file).map_err(&failed)?;
    }
    let mut file = archive.into_inner().map_err(&failed)?;
    let length = file.stream_position().map_err(&failed)?;
    file.seek(SeekFrom::Start(0)).map_err(&failed)?;
    Ok((file, length))
}

/// The state's own files, those in folders below too.
fn names(state: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for (folder, before) in [
        (state.to_owned(), String::new()),
        (state.join(StateFolder::KEPT), format!("{}/", StateFolder::KEPT)),
    ] {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name().into_string().ok().map(|name| format!("{before}{name}"));
            found.extend(name.filter(|name| is_ours(name)));
        }
    }
    Ok(found)
}

/// Where a state that comes in is unpacked: beside the one whose place it takes.
fn beside(state: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(state.file_name().unwrap_or(OsStr::new("state")));
    name.push(".restore");
    state.with_file_name(name)
}

/// Removes what a restore that was cut off has left.
pub(crate) fn tidy(state: &Path) {
    let _ = std::fs::remove_dir_all(beside(state));
}

/// Puts the state of a file in the place of this one.
///
/// # Errors
/// What is wrong with it: a file that no state has, or what a device refuses.
pub(crate) fn restore(file: File, state: &Path, open: &Open) -> Result<(), Refusal> {
    // The folder's own name: a link stays one.
    let state = &state.canonicalize().unwrap_or_else(|_| state.to_owned());
    let next = beside(state);
    tidy(state);
    let done = put(file, state, &next, open);
    let _ = std::fs::remove_dir_all(&next);
    done
}

fn put(file: File, state: &Path, next: &Path, open: &Open) -> Result<(), Refusal> {
    let failed = machine("restoring the state");
    unpack(file, next)?;
    let folder = StateFolder::new(state);
    let is_there = state.is_dir();
    let lock = if is_there { Some(folder.lock()?) } else { None };
    for name in STAYS {
        match std::fs::read(state.join(name)) {
            Ok(content) => {
                keep(&next.join(name), &mut &content[..]).map_err(&failed)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    check(next, open)?;
    let sync = |folder: &Path| File::open(folder).and_then(|folder| folder.sync_all());
    sync(next).map_err(&failed)?;
    let flags = if is_there { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
    let exchanged = renameat_with(CWD, next, CWD, state, flags).map_err(std::io::Error::from);
    exchanged.map_err(&failed)?;
    // The lock's folder is the old one by now.
    drop(lock);
    let parent =
        state.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(parent).map_err(&failed)
}

/// Refuses a state that a device would not go on with: its head, its features and its commits are read.
fn check(next: &Path, open: &Open) -> Result<(), Refusal> {
    // Without the name of a folder that nobody knows.
    let refuse = |said: &str| {
        let said = said.replace(&format!("{}/", next.display()), "");
        Refusal::cannot(format!("the file is no state of this device: {said}"))
    };
    let read = || {
        let device = open(next)?;
        device.status()?;
        device.samples(None, false)?;
        device.history()
    };
    let history = read().map_err(|error: Error| refuse(&error.to_string()))?;
    match history.damaged.first() {
        Some(damaged) => Err(refuse(&damaged.problem)),
        None => Ok(()),
    }
}

/// Unpacks into a folder of its own.
fn unpack(file: File, next: &Path) -> Result<(), Refusal> {
    let failed = machine("unpacking the state");
    let no_state = |why: String| Refusal::input(format!("the file is no saved state: {why}"));
    DirBuilder::new().mode(0o700).create(next).map_err(&failed)?;
    if !is_whole(&file).map_err(&failed)? {
        return Err(no_state("it does not end as an archive does".to_owned()));
    }
    let mut archive = Archive::new(file);
    let entries = archive.entries().map_err(|error| no_state(error.to_string()))?;
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| no_state(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_plain = entry.header().entry_type() == EntryType::Regular;
        if !is_plain || !is_ours(&name) || count >= MOST_FILES {
            let name: String = name.chars().take(80).collect();
            return Err(no_state(format!("{name:?} is no file of one")));
        }
        if is_copy(&name) && !next.join(StateFolder::KEPT).is_dir() {
            DirBuilder::new().mode(0o700).create(next.join(StateFolder::KEPT)).map_err(&failed)?;
        }
        // The archive's end is the limit, which the body's was.
        let kept = keep(&next.join(&name), &mut entry);
        if kept.map_err(|error| no_state(error.to_string()))? != entry.size() {
            return Err(no_state(format!("{name:?} is cut")));
        }
    }
    Ok(())
}

/// Whether an archive ends with its two empty blocks: one that was cut does not. It stands at its start then.
fn is_whole(mut file: &File) -> std::io::Result<bool> {
    let mut end = [1; 1024];
    if file.metadata()?.len() < end.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1024))?;
    file.read_exact(&mut end)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(end.iter().all(|&byte| byte == 0))
}

/// Writes a file that is new, for its owner alone; gives its length.
fn keep(path: &Path, content: &mut impl Read) -> std::io::Result<u64> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let length = std::io::copy(content, &mut file)?;
    file.sync_all()?;
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_states_own_names_are_taken() {
        for name in [
            "head.hshr",
            "features.hsfc",
            "commit-00000012.hsco",
            "added-00ff.hsfc",
            "kept-samples/00112233445566778899aabbccddeeff.jpg",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../head.hshr",
            "./head.hshr",
            "commit-/../x.hsco",
            "commit-.hsco",
            "serve.pem",
            "counter.hsct",
            "kept-samples/",
            "kept-samples/../head.hshr",
            "kept-samples/00112233445566778899aabbccddeeff.sh",
            "kept-samples/00112233445566778899aabbccddeeff.jpg/x",
            "training.hstp",
            "head.hshr/x",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
