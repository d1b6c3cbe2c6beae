//! Hands an image to the tool that is there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::super::report::Report;
use crate::cli::FlashArgs;
use crate::error::Error;
use headstart_tools::ship::board::{Board, Flashing};
use headstart_tools::ship::image::Format;

pub(crate) fn flash(report: Report, args: &FlashArgs) -> Result<(), Error> {
    let board = Board::named(&args.board)?;
    let flashing = board.flashing()?;
    let refuse = |problem: &str| Error::Usage(format!("{}: {problem}", args.image.display()));
    let format =
        Format::of(&args.image).filter(|format| *format != Format::Bin).ok_or_else(|| {
            refuse("says no addresses: give an .elf, .hex or .uf2 of `headstart image`")
        })?;
    if !args.image.is_file() {
        return Err(refuse("is no file: `headstart image` writes one"));
    }
    let commands = commands(flashing, &args.image, format);
    let drive = drive(&args.drives).filter(|_| format == Format::Uf2);
    if let Some(drive) = drive {
        let target = drive.join("headstart.uf2");
        let bytes = super::super::read_image(&args.image)?;
        let failed = |source| Error::Unwritable { path: target.clone(), source };
        std::fs::write(&target, bytes).map_err(failed)?;
        let result = json!({ "flashed": true, "with": "drive", "drive": drive });
        report.show(&result, || say!("copied to {}: the board starts by itself", drive.display()));
        return Ok(());
    }
    let Some(command) = commands.iter().find(|command| is_there(&command[0])) else {
        let shown: Vec<String> =
            commands.iter().map(|command| format!("\n  {}", show(command))).collect();
        let drive = match format {
            Format::Uf2 => {
                "\nor hold BOOTSEL while you plug the board in, and copy the file to the drive that appears"
            }
            _ => "",
        };
        return Err(Error::Usage(format!(
            "nothing is here that flashes {}; where it is, this does:{}{drive}",
            board.name,
            shown.concat()
        )));
    };
    // What the tool says is for the person; standard output is kept for the result.
    let output = if report.json { Stdio::null() } else { Stdio::inherit() };
    let status = Command::new(&command[0]).args(&command[1..]).stdout(output).status();
    let failed = |source| Error::Tool { command: show(command), source };
    let status = status.map_err(failed)?;
    if !status.success() {
        return Err(failed(std::io::Error::other(format!("it ended with {status}"))));
    }
    let result = json!({ "flashed": true, "with": command[0].to_string_lossy() });
    report.show(&result, || say!("flashed"));
    Ok(())
}

/// The commands that flash it, the best first.
fn commands(flashing: &Flashing, image: &Path, format: Format) -> Vec<Vec<OsString>> {
    let words = |words: &[&str]| -> Vec<OsString> {
        words.iter().map(OsString::from).chain([image.as_os_str().to_owned()]).collect()
    };
    let mut commands = Vec::new();
    if flashing.uf2_family.is_some() && format != Format::Hex {
        commands.push(words(&["picotool", "load", "-v", "-x"]));
    }
    let name = match format {
        Format::Hex => "hex",
        Format::Uf2 => "uf2",
        Format::Elf | Format::Bin => "elf",
    };
    let chip = &flashing.chip;
    commands.push(words(&["probe-rs", "download", "--chip", chip, "--binary-format", name]));
    commands
}

fn show(command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// Whether a program is on the path.
fn is_there(program: &OsString) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The drive of an RP2350 in its boot loader: below `roots`, or where systems mount drives.
fn drive(roots: &[PathBuf]) -> Option<PathBuf> {
    let usual = ["/media", "/run/media", "/mnt", "/Volumes"].map(PathBuf::from);
    let roots = if roots.is_empty() { &usual[..] } else { roots };
    let folders = |folder: &PathBuf| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let first: Vec<PathBuf> = roots.iter().flat_map(folders).collect();
    let second: Vec<PathBuf> = first.iter().flat_map(folders).collect();
    let is_board = |folder: &PathBuf| {
        let info = std::fs::read_to_string(folder.join("INFO_UF2.TXT"));
        info.is_ok_and(|info| info.contains("RP2350"))
    };
    first.into_iter().chain(second).find(is_board)
}
