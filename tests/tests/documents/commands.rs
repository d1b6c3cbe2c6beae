//! Blocks of commands: each says whether it runs here, those that do are run, and what the others call is there.

use std::collections::BTreeMap;
use std::process::Command;

use super::page::{Block, Page, files, pages, root};
use super::scratch::{Scratch, programs, said};

/// How a fenced block may begin; CONTRIBUTING.md says what each means.
const KINDS: &[&str] = &[
    "sh run",
    "sh run engine",
    "sh needs-board",
    "sh needs-gpu",
    "sh needs-emulator",
    "sh needs-toolchain",
    "sh needs-model",
    "sh needs-minutes",
    "rust",
    "rust,no_run",
    "python",
    "toml",
    "c",
    "text",
];

/// The blocks of all pages that begin with this.
fn of_kind(kind: &str) -> Vec<(Page, Vec<Block>)> {
    let with_blocks = pages().into_iter().map(|page| {
        let blocks = page.blocks().into_iter().filter(|block| block.kind == kind).collect();
        (page, blocks)
    });
    with_blocks.filter(|(_, blocks): &(Page, Vec<Block>)| !blocks.is_empty()).collect()
}

/// Runs the blocks of a page one after another in a folder of its own.
fn run(pages: &[(Page, Vec<Block>)]) {
    for (page, blocks) in pages {
        let scratch = Scratch::new();
        for block in blocks {
            let output = scratch.run(&format!("set -v\n{}", block.text));
            let place = format!("{}:{}", page.path.display(), block.line);
            assert!(output.status.success(), "{place}: {}\n{}", output.status, said(&output));
        }
    }
}

#[test]
fn every_block_says_what_it_is() {
    let mut wrong = Vec::new();
    for page in pages() {
        for block in page.blocks() {
            if !KINDS.contains(&block.kind.as_str()) {
                let kind = if block.kind.is_empty() { "nothing" } else { &block.kind };
                wrong.push(format!("{}:{}: begins with {kind}", page.path.display(), block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\none of {KINDS:?} is needed", wrong.join("\n"));
}

#[test]
fn blocks_that_are_marked_run() {
    let pages = of_kind("sh run");
    assert!(pages.len() >= 10, "{} pages have commands that are run", pages.len());
    run(&pages);
}

#[cfg(feature = "flex")]
#[test]
fn blocks_that_need_an_engine_run() {
    let pages = of_kind("sh run engine");
    assert!(pages.len() >= 3, "{} pages train on an engine", pages.len());
    run(&pages);
}

#[test]
fn rust_on_pages_is_compiled() {
    let tested = std::fs::read_to_string(root().join("tests/src/lib.rs")).unwrap();
    for kind in ["rust", "rust,no_run"] {
        for (page, _) in of_kind(kind) {
            let named = format!("include_str!(\"../../{}\")", page.path.display());
            assert!(
                tested.contains(&named),
                "tests/src/lib.rs does not test {}",
                page.path.display()
            );
        }
    }
}

/// The commands of a block: words up to a comment, `|`, `&&` or `;`.
fn commands(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let mut commands = Vec::new();
    for line in joined.lines() {
        let mut command = Vec::new();
        for word in line.split_whitespace() {
            match word {
                "|" | "&&" | ";" => commands.push(std::mem::take(&mut command)),
                _ if word.starts_with('#') => break,
                // Variables that are set for this command alone.
                _ if command.is_empty() && word.contains('=') => {}
                _ => command.push(word.trim_matches('\'').to_owned()),
            }
        }
        commands.push(command);
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// What is wrong with a command of `headstart` or `headstart-edge`: an option that its help does not name.
fn unknown_option(
    program: &str,
    words: &[String],
    helps: &mut BTreeMap<Vec<String>, String>,
) -> Option<String> {
    let verbs: Vec<String> = match words {
        [device, rest @ ..] if device == "device" => {
            let verb =
                rest.iter().position(|word| word.starts_with("--port")).map_or(0, |at| at + 2);
            [device.clone()].into_iter().chain(rest.get(verb).cloned()).collect()
        }
        [verb, ..] => vec![verb.clone()],
        [] => return Some("has no verb".to_owned()),
    };
    let mut help = |verbs: &[String]| {
        let key: Vec<String> = [program.to_owned()].iter().chain(verbs).cloned().collect();
        let ask = || {
            let output =
                Command::new(programs().join(program)).args(verbs).arg("--help").output().unwrap();
            if output.status.success() { said(&output) } else { String::new() }
        };
        helps.entry(key).or_insert_with(ask).clone()
    };
    let text: String = (1..=verbs.len()).map(|count| help(&verbs[..count])).collect();
    if help(&verbs).is_empty() {
        return Some(format!("has no verb {}", verbs.join(" ")));
    }
    let options = words.iter().filter(|word| word.starts_with("--"));
    let named = options.map(|option| option.split('=').next().unwrap_or_default());
    let is_there = |option: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|word| word == option)
    };
    named.into_iter().find(|option| !is_there(option)).map(|option| format!("has no {option}"))
}

/// What is wrong with a command of cargo: a package, test, example, bench or program that is not here.
fn unknown_target(words: &[String], packages: &[String], sources: &[String]) -> Option<String> {
    for pair in words.windows(2) {
        let (option, name) = (pair[0].as_str(), &pair[1]);
        let folders: &[&str] = match option {
            "--" => return None,
            "-p" if packages.contains(name) => continue,
            "-p" => return Some(format!("has no package {name}")),
            "--test" => &["tests"],
            "--example" => &["examples"],
            "--bench" => &["benches"],
            "--bin" => &["bin", "src"],
            _ => continue,
        };
        let ends: Vec<String> = folders
            .iter()
            .flat_map(|folder| {
                [format!("/{folder}/{name}.rs"), format!("/{folder}/{name}/main.rs")]
            })
            .collect();
        let is_there = |source: &String| ends.iter().any(|end| source.ends_with(end));
        // A board's program is `main.rs`, under the name of its package's `[[bin]]`.
        if name != "serve" && !sources.iter().any(is_there) {
            return Some(format!("has no {option} {name}"));
        }
    }
    None
}

fn packages() -> Vec<String> {
    let manifests = files(root(), "toml").into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let name = |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("name = \""));
        line.map(|line| line.trim_end_matches('"').to_owned())
    };
    manifests.filter_map(name).collect()
}

#[test]
fn what_commands_call_is_there() {
    let (mut helps, packages) = (BTreeMap::new(), packages());
    let sources =
        files(root(), "rs").iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for page in pages() {
        let blocks = page.blocks();
        for block in blocks.iter().filter(|block| block.kind.starts_with("sh ")) {
            for command in commands(&block.text) {
                let (program, words) = command.split_first().expect("no command is empty");
                let name = program.rsplit('/').next().unwrap_or_default();
                let problem = match name {
                    "headstart" | "headstart-edge" => unknown_option(name, words, &mut helps),
                    "cargo" => unknown_target(words, &packages, &sources),
                    _ if program.contains('/') && !program.contains("target/") => {
                        let is_name = program.chars().any(|c| c.is_ascii_uppercase());
                        (!is_name && !root().join(program).exists())
                            .then(|| "is not there".to_owned())
                    }
                    _ => continue,
                };
                asked += 1;
                let place = format!("{}:{}", page.path.display(), block.line);
                wrong.extend(
                    problem.map(|problem| format!("{place}: {} {problem}", command.join(" "))),
                );
            }
        }
    }
    assert!(asked > 80, "only {asked} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_are_told_apart() {
    let text = "A=1 x --y \\\n  z && w 'q*' # no\n# nothing\n";
    assert_eq!(commands(text), [vec!["x", "--y", "z"], vec!["w", "q*"]]);
}

#[test]
fn every_recipe_is_described() {
    let recipes = std::fs::read_to_string(root().join("justfile")).unwrap();
    let contributing = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let names = recipes.lines().filter(|line| !line.starts_with([' ', '#']) && line.contains(':'));
    let names = names.filter(|line| !line.contains(":="));
    for name in
        names.filter_map(|line| line.split([' ', ':']).next()).filter(|&name| name != "default")
    {
        let told = [format!("`just {name}`"), format!("`just {name} ")];
        assert!(told.iter().any(|told| contributing.contains(told)), "just {name}");
    }
}
