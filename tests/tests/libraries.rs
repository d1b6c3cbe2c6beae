//! What libraries are without: no command line, no terminal, no option's name. And what the command line is without.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

/// The Rust files below a folder, with their text up to their own tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 5, "{folder} has only {} files", found.len());
    found
}

/// The lines of these files that are no comment and satisfy `which`, each with its place.
fn lines(sources: &[(PathBuf, String)], which: impl Fn(&str) -> bool) -> Vec<String> {
    let code = |line: &str| !line.trim_start().starts_with("//");
    sources
        .iter()
        .flat_map(|(path, text)| {
            let numbered = text.lines().enumerate();
            let found = numbered.filter(|(_, line)| code(line) && which(line));
            found.map(|(at, line)| format!("{}:{}: {}", path.display(), at + 1, line.trim()))
        })
        .collect()
}

/// Whether a line has an option's name, as `--data`, in a string.
fn names_an_option(line: &str) -> bool {
    let strings = line.split('"').skip(1).step_by(2);
    strings
        .flat_map(|string| string.split("--").skip(1))
        .any(|behind| behind.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[test]
fn no_library_names_an_option() {
    for folder in ["runtime/core/src", "runtime/device/src", "host-tools/src"] {
        let mut sources = sources(folder);
        // The binary's part.
        sources.retain(|(path, _)| !path.starts_with(root().join("host-tools/src/bin")));
        assert_eq!(lines(&sources, names_an_option), Vec::<String>::new());
    }
    assert!(names_an_option(r#"refuse("leave --half out")"#) && !names_an_option(r#"a("x -- y")"#));
}

#[test]
fn the_device_library_has_no_command_line_and_no_terminal() {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let tree = ["tree", "-p", "headstart-device", "-e", "normal", "--no-default-features"];
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(tree).args(["--prefix", "none"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"headstart") && names.len() > 10, "{text}");
    for unwanted in ["clap", "anyhow", "indicatif", "console", "comfy-table", "crossterm", "burn"] {
        assert!(!names.contains(&unwanted), "{unwanted} is below headstart-device");
    }
}

#[test]
fn the_command_line_knows_the_device_library_alone() {
    let below = ["head", "store", "pack", "backbone"].map(|module| format!("headstart::{module}"));
    let found = lines(&sources("boards/linux/src"), |line| {
        below.iter().any(|module| line.contains(module)) || line.contains("use headstart::{")
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_functions_of_commands_fit_a_screen() {
    const MOST: usize = 60;
    for (path, text) in sources("boards/linux/src/commands") {
        let mut start = None;
        for (at, line) in text.lines().enumerate() {
            let code = line
                .trim_start()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ");
            if code.starts_with("fn ") {
                start = Some((at, line));
            }
            if (line == "}" || line == "    }")
                && let Some((first, name)) = start.take()
            {
                let lines = at - first + 1;
                assert!(lines <= MOST, "{}: {name} has {lines} lines", path.display());
            }
        }
    }
}
