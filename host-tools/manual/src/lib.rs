//! Man pages and shell completions of a command line, written where a system looks for them.
//!
//! Both are made of the definitions that the program parses its arguments with, so that they say what it takes. The programs call
//! this in a hidden command, `manual FOLDER`; who makes a package calls that.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

/// The shells, and where each looks for completions below `share`.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/site-functions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

/// Writes a page for the program and one for each of its commands, and completions for bash, zsh and fish, below `share`: a
/// folder laid out as `/usr/share` is. What lies there already under the same name is replaced. Returns the files, each below
/// `share`, in the order of their names.
///
/// Hidden commands have no page. The page of `COMMAND` in a program `NAME` is `man/man1/NAME-COMMAND.1`.
///
/// # Errors
///
/// A folder or a file that cannot be written.
pub fn write(program: &Command, share: &Path) -> io::Result<Vec<PathBuf>> {
    let mut program = program.clone().disable_help_subcommand(true);
    program.build();
    let name = program.get_name().to_owned();
    let mut files = Vec::new();
    for (path, text) in pages(&program)? {
        files.push(put(share, &Path::new("man/man1").join(path), &text)?);
    }
    for (shell, folder) in SHELLS {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut program, name.as_str(), &mut text);
        files.push(put(share, &Path::new(folder).join(completion_file(shell, &name)), &text)?);
    }
    files.sort();
    Ok(files)
}

/// A built command's page and those of the commands below it, each with its file's name.
fn pages(command: &Command) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text)?;
    let mut all = vec![(man.get_filename().into(), text)];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        all.extend(pages(below)?);
    }
    Ok(all)
}

/// The name under which a shell loads the completions of a program.
fn completion_file(shell: Shell, name: &str) -> String {
    match shell {
        Shell::Zsh => format!("_{name}"),
        Shell::Fish => format!("{name}.fish"),
        _ => name.to_owned(),
    }
}

/// Writes a file below `share`; the error names it.
fn put(share: &Path, path: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let whole = share.join(path);
    let folder = whole.parent().unwrap_or(share);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&whole, text))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", whole.display())))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    /// A program with a command in a command, and a hidden one.
    fn program() -> Command {
        let leaf = Command::new("leaf").about("Falls.").arg(Arg::new("wind").long("wind"));
        let twig = Command::new("twig").about("Bends.").subcommand(leaf);
        Command::new("tree").about("Grows.").subcommands([twig, Command::new("root").hide(true)])
    }

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let share = tempfile::tempdir().unwrap();
        let files = write(&program(), share.path()).unwrap();
        let expected = [
            "bash-completion/completions/tree",
            "fish/vendor_completions.d/tree.fish",
            "man/man1/tree-twig-leaf.1",
            "man/man1/tree-twig.1",
            "man/man1/tree.1",
            "zsh/site-functions/_tree",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
        let text = |path: &str| fs::read_to_string(share.path().join(path)).unwrap();
        assert!(text("man/man1/tree-twig-leaf.1").contains("\\-\\-wind"));
        assert!(text("man/man1/tree-twig-leaf.1").contains("Falls."));
        assert!(expected.iter().filter(|path| !path.contains("man1")).all(|path| {
            let text = text(path);
            text.contains("twig") && text.contains("wind")
        }));
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = write(&program(), file.path()).unwrap_err().to_string();
        assert!(error.contains(file.path().to_str().unwrap()), "{error}");
    }
}
