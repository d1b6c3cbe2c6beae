//! What packages are made of: pages, completions, the service, and names on which several files must agree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAMS: [&str; 2] = ["headstart", "headstart-edge"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A program of `HEADSTART_TOOLS`, else of the tests' build.
fn program(name: &str) -> PathBuf {
    if let Some(given) = std::env::var_os("HEADSTART_TOOLS") {
        return PathBuf::from(given).join(name);
    }
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).expect("a test is in a target folder").join(name)
}

/// What a command says of itself.
fn help(name: &str, verbs: &[&str]) -> String {
    let output = Command::new(program(name)).args(verbs).arg("--help").output().unwrap();
    assert!(output.status.success(), "{name} {verbs:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help lists: the first words of the lines below "Commands:", up to an empty one.
fn listed(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let own = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    own.filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The long options that a help explains.
fn options(help: &str) -> Vec<&str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines
        .flat_map(|line| line.split([' ', ',', '=', '[']).filter(|word| word.starts_with("--")))
        .collect()
}

/// Every command of both programs with its help, by the name of its page.
fn commands() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for name in PROGRAMS {
        let whole = help(name, &[]);
        for verb in listed(&whole) {
            let one = help(name, &[&verb]);
            for below in listed(&one) {
                all.insert(format!("{name}-{verb}-{below}"), help(name, &[&verb, &below]));
            }
            all.insert(format!("{name}-{verb}"), one);
        }
        all.insert(name.to_owned(), whole);
    }
    assert!(all.len() > 30, "only {} commands", all.len());
    all
}

/// The folder that `manual` of both programs fills.
fn manual() -> tempfile::TempDir {
    let share = tempfile::tempdir().unwrap();
    for name in PROGRAMS {
        let output = Command::new(program(name)).arg("manual").arg(share.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.lines().all(|line| Path::new(line).is_file()), "{said}");
    }
    share
}

#[test]
fn each_command_has_its_page_with_every_option() {
    let share = manual();
    let folder = share.path().join("man/man1");
    let commands = commands();
    for (name, help) in &commands {
        let page = fs::read_to_string(folder.join(format!("{name}.1")))
            .unwrap_or_else(|error| panic!("{name} has no page: {error}"));
        let page = page.replace("\\-", "-");
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
        for option in options(help) {
            assert!(page.contains(option), "the page of {name} lacks {option}");
        }
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), commands.len());
}

#[test]
fn completions_know_every_command() {
    let share = manual();
    for name in PROGRAMS {
        let files = [
            format!("bash-completion/completions/{name}"),
            format!("zsh/site-functions/_{name}"),
            format!("fish/vendor_completions.d/{name}.fish"),
        ];
        let verbs = listed(&help(name, &[]));
        for file in files {
            let text = fs::read_to_string(share.path().join(&file)).unwrap();
            for verb in &verbs {
                assert!(text.contains(verb.as_str()), "{file} lacks {verb}");
            }
        }
        let bash = share.path().join(format!("bash-completion/completions/{name}"));
        let checked = Command::new("bash").arg("-n").arg(bash).status().unwrap();
        assert!(checked.success());
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_the_machines_fault() {
    for name in PROGRAMS {
        let file = tempfile::NamedTempFile::new().unwrap();
        let output = Command::new(program(name)).arg("manual").arg(file.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(file.path().to_str().unwrap()), "{said}");
    }
}

/// What a unit sets in a section.
fn settings<'a>(unit: &'a str, section: &str) -> Vec<(&'a str, &'a str)> {
    let lines = unit.lines().skip_while(|line| *line != format!("[{section}]")).skip(1);
    let own = lines.take_while(|line| !line.starts_with('['));
    own.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

#[test]
fn the_service_is_confined_and_runs_a_command_that_there_is() {
    let unit = text("host-tools/packages/headstart-edge.service");
    let service = settings(&unit, "Service");
    for wanted in [
        ("DynamicUser", "yes"),
        ("StateDirectory", "headstart-edge"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("NoNewPrivileges", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("CapabilityBoundingSet", ""),
        ("UMask", "0077"),
    ] {
        assert!(service.contains(&wanted), "{wanted:?}");
    }
    let start = service.iter().find(|(key, _)| *key == "ExecStart").unwrap().1;
    let words: Vec<&str> = start.split(' ').collect();
    assert_eq!(words[..2], ["/usr/bin/headstart-edge", "serve"]);
    let known = help("headstart-edge", &["serve"]);
    let known = options(&known);
    assert!(words.iter().filter(|word| word.starts_with("--")).all(|word| known.contains(word)));
    // The pack that is waited for is the one that is served, and the container's too.
    assert!(settings(&unit, "Unit").contains(&("ConditionPathExists", words[2])));
    assert!(
        text("host-tools/packages/Containerfile")
            .contains(&format!("[\"serve\", \"{}\"", words[2]))
    );
    // Options that the file beside it advises.
    let advised = text("host-tools/packages/headstart-edge.default");
    let advised = advised.split([' ', '.', '`', '\n']).filter(|word| word.starts_with("--"));
    for option in advised {
        assert!(known.contains(&option) || option == "--state", "{option}");
    }
}

#[test]
fn archives_have_the_names_that_cargo_binstall_asks_for() {
    assert!(text("host-tools/packages/archive").contains("name=headstart-$version-$target\n"));
    for manifest in ["host-tools/Cargo.toml", "boards/linux/Cargo.toml"] {
        let text = text(manifest);
        assert!(text.contains("/headstart-{ version }-{ target }.tar.gz\""), "{manifest}");
        assert!(text.contains("\"headstart-{ version }-{ target }/{ bin }"), "{manifest}");
    }
}
